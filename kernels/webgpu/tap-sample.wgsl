// WavecubeTaps and, with tap-product-tangent.wgsl, WavecubeTapsTangent. Contract: src/ops/tapscontract.ts.
// One invocation gives up to PER lanes of a sample.

fn main(index: i32) {
  let own = shareOf(index, uniforms.count);
  if (own.first >= uniforms.lanes) {
    return;
  }
  let i = own.item;
  let at = i * uniforms.lanes;
  if (isBlank(i)) {
    for (var p = 0; p < PER; p++) {
      let lane = own.first + p * TILE;
      if (lane < uniforms.lanes) {
        result[at + lane] = Lane(blank());
      }
    }
    return;
  }
  let t = tapsOf(i);
  var sum: array<Lane, PER>;
  for (var a = 0; a < 4; a++) {
    for (var b = 0; b < 4; b++) {
      for (var c = 0; c < 4; c++) {
        let w = product(factorsAt(t, a, b, c), directionAt(t, a, b, c));
        if (w == 0.0) {
          continue;
        }
        let row = rowOf(t.x[a], t.y[b], t.z[c]);
        if (row < 0) {
          continue;
        }
        for (var p = 0; p < PER; p++) {
          let lane = own.first + p * TILE;
          if (lane < uniforms.lanes) {
            sum[p] += w * node(row, lane);
          }
        }
      }
    }
  }
  for (var p = 0; p < PER; p++) {
    let lane = own.first + p * TILE;
    if (lane < uniforms.lanes) {
      result[at + lane] = sum[p];
    }
  }
}
