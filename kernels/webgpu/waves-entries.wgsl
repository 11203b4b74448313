// WavecubeWavesAdjoint (contract: src/ops/waves.ts): from the spectra of pairs of real lines along W to lines along H, one
// for each n, b and c. A real line's part of its pair is that which equals its mirror's conjugate.

fn part(frequency: i32, factor: vec2f, line: i32) -> vec2f {
  if (frequency < 0) {
    return vec2f(0);
  }
  let a = x[frequency * uniforms.pairs + line / 2];
  let b = x[((uniforms.size - frequency) % uniforms.size) * uniforms.pairs + line / 2];
  var z = 0.5 * vec2f(a.x + b.x, a.y - b.y);
  if (line % 2 == 1) {
    z = 0.5 * vec2f(a.y + b.y, b.x - a.x);
  }
  return conjTimes(z, factor);
}

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let line = index % uniforms.lines;
  let i = index / uniforms.lines;
  let n = line / uniforms.width;
  let column = line % uniforms.width;
  let real = n * uniforms.stride + i * uniforms.channels + column % uniforms.channels;
  let entry = column / uniforms.channels;
  let frequency = frequencies[entry];
  let factor = factors[entry];
  result[index] = part(frequency.x, factor.xy, real) + part(frequency.y, factor.zw, real);
}
