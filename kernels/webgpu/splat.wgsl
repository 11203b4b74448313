// WavecubeSplat and, with weight-tangent.wgsl, WavecubeSplatTangent: the last pass. Contract: src/ops/contract.ts.
// Each row gathers from the base cells that have it as a tap, one by one in tap order: no atomics, so the same sum
// bit by bit in each run. On a wrapped axis of one node both taps are the node itself, and both are visited.

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
