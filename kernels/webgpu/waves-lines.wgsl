// WavecubeWavesAdjoint (contract: src/ops/waves.ts): samples [N, H, W, C] as pairs of lines along W.

fn sampleOf(line: i32, j: i32) -> f32 {
  let local = line % uniforms.stride;
  if (local >= uniforms.reals) {
    return 0.0;
  }
  let at = line / uniforms.stride * uniforms.reals * uniforms.size;
  return x[at + (local / uniforms.channels * uniforms.size + j) * uniforms.channels + local % uniforms.channels];
}

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let line = index % uniforms.lines;
  let j = index / uniforms.lines;
  result[index] = vec2f(sampleOf(2 * line, j), sampleOf(2 * line + 1, j));
}
