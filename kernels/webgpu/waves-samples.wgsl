// WavecubeWaves (contract: src/ops/waves.ts): pairs of lines along W to samples [N, H, W, C].

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let channel = index % uniforms.channels;
  let pixel = index / uniforms.channels;
  let row = pixel / uniforms.size;
  let line = row / uniforms.height * uniforms.stride + row % uniforms.height * uniforms.channels + channel;
  result[index] = x[(pixel % uniforms.size) * uniforms.lines + line / 2][line % 2];
}
