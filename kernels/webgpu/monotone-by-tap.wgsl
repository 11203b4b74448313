// Second pass of WavecubeMonotoneSplat: derivatives by all 64 taps, times values, of `window` lanes from `start` on of each
// sample from `first` on. [count, 64, window]. Contract: src/ops/monotonecontract.ts.

fn main(index: i32) {
  let at = index / uniforms.window;
  if (at >= uniforms.count) {
    return;
  }
  let offset = index - at * uniforms.window;
  let lane = uniforms.start + offset;
  let i = uniforms.first + at;
  // No pair names the taps of a sample without a place.
  if (lane >= uniforms.lanes || !hasPlace(i)) {
    return;
  }
  let t = Taps(tapsOf(i, 0), tapsOf(i, 1), tapsOf(i, 2));
  let cx = cellAt(i, 0);
  let cy = cellAt(i, 1);
  let cz = cellAt(i, 2);
  var alongZ = array<array<Lane, 4>, 4>();
  var alongY = array<Lane, 4>();
  for (var a = 0; a < 4; a++) {
    for (var b = 0; b < 4; b++) {
      let p = lineAt(t, a, b, lane);
      alongZ[a][b] = lineValue(cz, p[0], p[1], p[2], p[3]);
    }
    alongY[a] = lineValue(cy, alongZ[a][0], alongZ[a][1], alongZ[a][2], alongZ[a][3]);
  }
  var byX = lineGrad(cx, alongY, values[i * uniforms.lanes + lane]);
  for (var a = 0; a < 4; a++) {
    var byY = lineGrad(cy, alongZ[a], byX.p[a]);
    for (var b = 0; b < 4; b++) {
      var byZ = lineGrad(cz, lineAt(t, a, b, lane), byY.p[b]);
      for (var c = 0; c < 4; c++) {
        result[(64 * at + 16 * a + 4 * b + c) * uniforms.window + offset] = byZ.p[c];
      }
    }
  }
}
