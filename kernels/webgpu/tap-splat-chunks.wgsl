// Third pass of WavecubeTapsSplat: sums of whole chunks, as splat-chunks.wgsl. An invocation has the 16 slots of one slot x, of
// one lane. [chunks, 64, F]; chunks of several cells are not written, and not read.

fn main(index: i32) {
  let group = index / uniforms.lanes;
  let chunk = group / 4;
  if (chunk >= uniforms.chunks) {
    return;
  }
  let x = group - chunk * 4;
  let lane = index - group * uniforms.lanes;
  let a = chunk * CHUNK;
  let z = a + CHUNK;
  if (z > uniforms.count || order[a].x != order[z - 1].x || order[a].x >= uniforms.bins) {
    return;
  }
  var sums: array<Lane, 16>;
  for (var p = a; p < z; p++) {
    let v = values[order[p].y * uniforms.lanes + lane];
    for (var k = 0; k < 16; k++) {
      let w = weightAt(p, x * 16 + k);
      if (counts(w)) {
        sums[k] += w * v;
      }
    }
  }
  for (var k = 0; k < 16; k++) {
    result[(chunk * TAPS + x * 16 + k) * uniforms.lanes + lane] = sums[k];
  }
}
