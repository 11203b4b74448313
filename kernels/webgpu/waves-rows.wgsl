// WavecubeWaves (contract: src/ops/waves.ts): the spectrum y [N, A, B, 2C] as lines along H, one for each n, b and c.

fn part(entry: i32, factor: vec2f, at: i32) -> vec2f {
  if (entry < 0) {
    return vec2f(0);
  }
  let source = at + entry * 2 * uniforms.width;
  return times(vec2f(y[source], y[source + uniforms.channels]), factor);
}

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let line = index % uniforms.lines;
  let frequency = index / uniforms.lines;
  let n = line / uniforms.width;
  let column = line % uniforms.width;
  let at = n * uniforms.entries * 2 * uniforms.width + 2 * column - column % uniforms.channels;
  let entry = entries[frequency];
  let factor = factors[frequency];
  result[index] = part(entry.x, factor.xy, at) + part(entry.y, factor.zw, at);
}
