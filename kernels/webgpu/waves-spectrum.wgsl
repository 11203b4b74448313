// WavecubeWavesAdjoint (contract: src/ops/waves.ts): lines along H to the spectrum [N, A, B, 2C].

fn part(frequency: i32, factor: vec2f, line: i32) -> vec2f {
  if (frequency < 0) {
    return vec2f(0);
  }
  return conjTimes(x[frequency * uniforms.lines + line], factor);
}

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let parts = 2 * uniforms.channels;
  let channel = index % parts;
  let column = index / parts % (uniforms.width / uniforms.channels);
  let row = index / (2 * uniforms.width);
  let line = row / uniforms.entries * uniforms.width + column * uniforms.channels + channel % uniforms.channels;
  let frequency = frequencies[row % uniforms.entries];
  let factor = factors[row % uniforms.entries];
  let z = part(frequency.x, factor.xy, line) + part(frequency.y, factor.zw, line);
  result[index] = select(z.x, z.y, channel >= uniforms.channels);
}
