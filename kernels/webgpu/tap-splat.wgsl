// WavecubeTapsSplat and, with tap-product-tangent.wgsl, WavecubeTapsSplatTangent: the last pass. Each row gathers from the base
// cells whose slots it may be in, then from the samples without a base, in a fixed order: no atomics, so the same sum bit by bit
// in each run. Contract: src/ops/tapscontract.ts.

// The nodes c + 1 - slot on a ring: the bases of which node c is in that slot.
fn ringed(c: vec3<i32>, slots: vec3<i32>) -> vec3<i32> {
  let d = uniforms.dims;
  let g = c + 1 - slots;
  return select(select(g, g + d, g < vec3<i32>(0)), g - d, g >= d);
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

fn addCell(sums: ptr<function, array<Lane, PER>>, cell: i32, lanes: Lanes) {
  let d = uniforms.dims;
  let x = cell / (d.y * d.z);
  let y = cell / d.z - x * d.y;
  let c = vec3<i32>(x, y, cell - (x * d.y + y) * d.z);
  for (var k = 0; k < TAPS; k++) {
    let slots = vec3<i32>(k >> 4u, (k >> 2u) & 3, k & 3);
    // A ring of fewer than four nodes has as many slots.
    if (any(slots >= d)) {
      continue;
    }
    let g = ringed(c, slots);
    let key = (g.x * d.y + g.y) * d.z + g.z;
    let a = starts[key];
    let z = starts[key + 1];
    if (a < z) {
      addSegment(sums, a, z, k, lanes);
    }
  }
  addIrregular(sums, c, lanes);
}

fn main(index: i32) {
  let own = shareOf(index, uniforms.rows);
  if (own.first >= uniforms.lanes) {
    return;
  }
  let row = own.item;
  let lanes = Lanes(own.first, TILE);
  var sums: array<Lane, PER>;
  for (var q = firstCell(row); q < endCell(row); q++) {
    addCell(&sums, cellAt(q), lanes);
  }
  for (var j = 0; j < PER; j++) {
    let lane = lanes.first + j * lanes.step;
    if (lane < uniforms.lanes) {
      result[row * uniforms.lanes + lane] = sums[j];
    }
  }
}
