// Third pass of WavecubeSplat: sums of whole chunks. A chunk is CHUNK sorted positions; where all its samples share
// a base cell, its eight tap sums are formed here, so that no invocation of the last pass walks a crowded cell alone.
// [chunks, 8, F]; chunks of several cells are zero and not read.

fn main(index: i32) {
  let chunk = index / uniforms.lanes;
  if (chunk >= uniforms.chunks) {
    return;
  }
  let lane = index - chunk * uniforms.lanes;
  let a = chunk * CHUNK;
  let z = a + CHUNK;
  var sums: array<Lane, TAPS>;
  if (z <= uniforms.count && order[a].x == order[min(z, uniforms.count) - 1].x && order[a].x < uniforms.bins) {
    for (var p = a; p < z; p++) {
      let v = values[order[p].y * uniforms.lanes + lane];
      for (var k = 0; k < TAPS; k++) {
        sums[k] += weightAt(p, k) * v;
      }
    }
  }
  for (var k = 0; k < TAPS; k++) {
    result[(chunk * TAPS + k) * uniforms.lanes + lane] = sums[k];
  }
}
