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
  // Roots are counted in steps below the size: s j (p + lm) itself passes 2^31 where the radix is a large prime.
  let step = uniforms.s * j * uniforms.m;
  var turn = uniforms.s * j * p;
  var at = (q + uniforms.s * p) * uniforms.lines + line;
  let far = uniforms.s * uniforms.m * uniforms.lines;
  var sum = x[at];
  if (turn != 0) {
    let w = roots[turn];
    sum = times(sum, vec2f(w.x, uniforms.direction * w.y));
  }
  for (var l = 1; l < uniforms.r; l++) {
    turn += step;
    turn -= select(0, uniforms.size, turn >= uniforms.size);
    at += far;
    let w = roots[turn];
    sum += times(x[at], vec2f(w.x, uniforms.direction * w.y));
  }
  result[index] = sum;
}
