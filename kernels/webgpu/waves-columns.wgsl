// WavecubeWaves (contract: src/ops/waves.ts): lines along W. Real ones: a line's waves come with their conjugates, half of
// each; and two lines of a wavetable make one complex, the last with nothing where they are odd.

fn wave(frequency: i32, at: i32) -> vec2f {
  let entry = entries[frequency];
  let factor = factors[frequency];
  var sum = vec2f(0);
  if (entry.x >= 0) {
    sum += times(x[at + entry.x * uniforms.channels], factor.xy);
  }
  if (entry.y >= 0) {
    sum += times(x[at + entry.y * uniforms.channels], factor.zw);
  }
  return sum;
}

fn real(line: i32, frequency: i32) -> vec2f {
  let n = line / uniforms.stride;
  let local = line % uniforms.stride;
  if (local >= uniforms.reals) {
    return vec2f(0);
  }
  let at = ((local / uniforms.channels) * uniforms.batch + n) * uniforms.width + local % uniforms.channels;
  let mirror = (uniforms.size - frequency) % uniforms.size;
  let v = wave(mirror, at);
  return 0.5 * (wave(frequency, at) + vec2f(v.x, -v.y));
}

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let line = index % uniforms.lines;
  let frequency = index / uniforms.lines;
  let first = real(2 * line, frequency);
  let second = real(2 * line + 1, frequency);
  result[index] = vec2f(first.x - second.y, first.y + second.x);
}
