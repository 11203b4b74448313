// WavecubeSplat and, with weight-tangent.wgsl, WavecubeSplatTangent: the last pass. Contract: src/ops/contract.ts.
// Each row gathers from the base cells that have it as a tap, one by one in tap order: no atomics, so the same sum
// bit by bit in each run. On a wrapped axis of one node both taps are the node itself, and both are visited.

// Lanes of a row that one invocation sums, up to PER of them.
struct Lanes { first: i32, step: i32 }

fn addSamples(sums: ptr<function, array<Lane, PER>>, a: i32, z: i32, o: vec3<i32>, lanes: Lanes) {
  for (var p = a; p < z; p++) {
    let w = weightAt(p, o);
    let at = order[p].y * uniforms.lanes;
    for (var j = 0; j < PER; j++) {
      let lane = lanes.first + j * lanes.step;
      if (lane < uniforms.lanes) {
        (*sums)[j] += w * values[at + lane];
      }
    }
  }
}

// Chunks are summed in groups: thousands of small terms added to one large sum would lose their low bits.
const GROUP = 64;

fn addChunks(sums: ptr<function, array<Lane, PER>>, a: i32, z: i32, k: i32, lanes: Lanes) {
  for (var first = a; first < z; first += GROUP) {
    var part = array<Lane, PER>(); // said: Dawn zeroes a plain declaration in a loop only once
    for (var chunk = first; chunk < min(first + GROUP, z); chunk++) {
      let at = (chunk * 8 + k) * uniforms.lanes;
      for (var j = 0; j < PER; j++) {
        let lane = lanes.first + j * lanes.step;
        if (lane < uniforms.lanes) {
          part[j] += chunks[at + lane];
        }
      }
    }
    for (var j = 0; j < PER; j++) {
      (*sums)[j] += part[j];
    }
  }
}

// The samples at sorted positions a ... z: one by one up to a chunk's border, by chunks, one by one to the end.
fn addSegment(sums: ptr<function, array<Lane, PER>>, a: i32, z: i32, k: i32, lanes: Lanes) {
  let o = corner(k);
  let head = min((a + CHUNK - 1) / CHUNK * CHUNK, z);
  let tail = max(z / CHUNK * CHUNK, head);
  addSamples(sums, a, head, o, lanes);
  addChunks(sums, head / CHUNK, tail / CHUNK, k, lanes);
  addSamples(sums, tail, z, o, lanes);
}

fn addCell(sums: ptr<function, array<Lane, PER>>, cell: i32, lanes: Lanes) {
  let d = uniforms.dims;
  let x = cell / (d.y * d.z);
  let y = cell / d.z - x * d.y;
  let c = vec3<i32>(x, y, cell - (x * d.y + y) * d.z);
  for (var k = 0; k < 8; k++) {
    var g = c - corner(k);
    g = select(g, d - 1, (uniforms.boundary == vec3<i32>(1)) & (g < vec3<i32>(0))) + 1;
    let key = (g.x * (d.y + 1) + g.y) * (d.z + 1) + g.z;
    let a = starts[key];
    let z = starts[key + 1];
    if (a < z) {
      addSegment(sums, a, z, k, lanes);
    }
  }
}

fn main(index: i32) {
  let parts = (uniforms.lanes + PER - 1) / PER;
  let row = index / parts;
  if (row >= uniforms.rows) {
    return;
  }
  let lanes = Lanes(index - row * parts, parts);
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
