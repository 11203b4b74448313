// One of Stockham's passes (src/ops/fourierplan.ts) over lines that lie side by side: value k of a line at k * lines + line.
// An invocation makes one value of radix r, w^{pj} e^{-2 pi i jl/r} being the root s j (p + lm) of all.

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let line = index % uniforms.lines;
  let k = index / uniforms.lines;
  let q = k % uniforms.s;
  let rest = k / uniforms.s;
  let j = rest % uniforms.r;
  let p = rest / uniforms.r;
  var sum = x[(q + uniforms.s * p) * uniforms.lines + line];
  let turn = uniforms.s * j;
  if (turn * p % uniforms.size != 0) {
    let w = roots[turn * p % uniforms.size];
    sum = times(sum, vec2f(w.x, uniforms.direction * w.y));
  }
  for (var l = 1; l < uniforms.r; l++) {
    let at = p + l * uniforms.m;
    let w = roots[(turn * at) % uniforms.size];
    sum += times(x[(q + uniforms.s * at) * uniforms.lines + line], vec2f(w.x, uniforms.direction * w.y));
  }
  result[index] = sum;
}
