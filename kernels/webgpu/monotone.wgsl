// WavecubeMonotone. Contract: src/ops/monotonecontract.ts. One invocation gives a lane of a sample: sixteen lines along z,
// four along y, one along x.

fn main(index: i32) {
  let i = index / uniforms.lanes;
  if (i >= uniforms.count) {
    return;
  }
  let lane = index - i * uniforms.lanes;
  if (!hasPlace(i)) {
    result[index] = Lane(uniforms.NAN);
    return;
  }
  let t = Taps(tapsOf(i, 0), tapsOf(i, 1), tapsOf(i, 2));
  let cx = cellAt(i, 0);
  let cy = cellAt(i, 1);
  let cz = cellAt(i, 2);
  var alongY = array<Lane, 4>();
  for (var a = 0; a < 4; a++) {
    var alongZ = array<Lane, 4>();
    for (var b = 0; b < 4; b++) {
      let p = lineAt(t, a, b, lane);
      alongZ[b] = lineValue(cz, p[0], p[1], p[2], p[3]);
    }
    alongY[a] = lineValue(cy, alongZ[0], alongZ[1], alongZ[2], alongZ[3]);
  }
  result[index] = lineValue(cx, alongY[0], alongY[1], alongY[2], alongY[3]);
}
