// The samples that a cell gathers: where they are sorted to, and those without a base. For tap-splat.wgsl and tap-splat-wide.wgsl.

fn placeOfCell(cell: i32) -> vec3<i32> {
  let d = uniforms.dims;
  let x = cell / (d.y * d.z);
  let y = cell / d.z - x * d.y;
  return vec3<i32>(x, y, cell - (x * d.y + y) * d.z);
}

// The nodes c + 1 - slot on a ring: the bases of which node c is in that slot.
fn ringed(c: vec3<i32>, slots: vec3<i32>) -> vec3<i32> {
  let d = uniforms.dims;
  let g = c + 1 - slots;
  return select(select(g, g + d, g < vec3<i32>(0)), g - d, g >= d);
}

// From where to where the samples are sorted that have node c in slots k.
fn rangeOf(c: vec3<i32>, k: i32) -> vec2<i32> {
  let d = uniforms.dims;
  let slots = vec3<i32>(k >> 4u, (k >> 2u) & 3, k & 3);
  // A ring of fewer than four nodes has as many slots.
  if (any(slots >= d)) {
    return vec2<i32>(0);
  }
  let g = ringed(c, slots);
  let key = (g.x * d.y + g.y) * d.z + g.z;
  return vec2<i32>(starts[key], starts[key + 1]);
}

// Samples without a base: all of them, with what the taps that are this node weigh.
fn addIrregular(sums: ptr<function, array<Lane, PER>>, c: vec3<i32>, lanes: Lanes) {
  let a = starts[uniforms.bins];
  let z = starts[uniforms.bins + 1];
  for (var p = a; p < z; p++) {
    let i = sampleAt(p);
    var u = vec3<f32>(0.0);
    var h = vec3<f32>(0.0);
    for (var j = 0; j < 3; j++) {
      let nodes = taps[3 * i + j];
      for (var k = 0; k < 4; k++) {
        if (nodes[k] == c[j]) {
          let q = p * RECORD + 4 * j + k;
          u[j] += word(q);
          h[j] += word(q + RECORD - 13);
        }
      }
    }
    let w = product(u, h);
    if (!counts(w)) {
      continue;
    }
    for (var j = 0; j < PER; j++) {
      let lane = lanes.first + j * lanes.step;
      if (lane < uniforms.lanes) {
        (*sums)[j] += w * values[i * uniforms.lanes + lane];
      }
    }
  }
}
