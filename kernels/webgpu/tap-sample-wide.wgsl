// Stands for tap-sample.wgsl where a workgroup of 64 is on one sample: each invocation resolves one of the 64 taps for all.
// Contract: src/ops/tapscontract.ts.

var<workgroup> tapRows: array<i32, 64>;
var<workgroup> tapWeights: array<f32, 64>;

fn main(index: i32) {
  let own = shareOf(index, uniforms.count);
  let i = own.item;
  let member = i32(localIndex);
  let empty = own.first - member >= uniforms.lanes;
  var row = -1;
  var weight = 0.0;
  var missing = false;
  if (!empty) {
    missing = isBlank(i);
    let t = tapsOf(i);
    let a = member >> 4u;
    let b = (member >> 2u) & 3;
    let c = member & 3;
    weight = product(factorsAt(t, a, b, c), directionAt(t, a, b, c));
    if (!missing && weight != 0.0) {
      row = rowOf(t.x[a], t.y[b], t.z[c]);
    }
  }
  tapRows[member] = row;
  tapWeights[member] = weight;
  workgroupBarrier();
  if (empty) {
    return;
  }
  var sum: array<Lane, PER>;
  for (var k = 0; k < 64; k++) {
    let origin = tapRows[k];
    if (origin < 0) {
      continue;
    }
    let w = tapWeights[k];
    for (var p = 0; p < PER; p++) {
      let lane = own.first + p * TILE;
      if (lane < uniforms.lanes) {
        sum[p] += w * node(origin, lane);
      }
    }
  }
  for (var p = 0; p < PER; p++) {
    let lane = own.first + p * TILE;
    if (lane < uniforms.lanes) {
      result[i * uniforms.lanes + lane] = select(sum[p], Lane(blank()), missing);
    }
  }
}
