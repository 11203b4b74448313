// WavecubeTridiagonal (contract: src/ops/tridiagonalcontract.ts; plan: src/ops/tridiagonalplan.ts): an invocation solves a line, or
// four side by side, in the result itself.

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let width = uniforms.lanes;
  let first = (index / width) * uniforms.n * width + index % width;
  let cyclic = uniforms.cyclic == 1;
  let m = select(uniforms.n, uniforms.n - 1, cyclic);
  var w = Lane(0.0);
  for (var i = 0; i < m; i++) {
    let p = plan[i];
    let at = first + i * width;
    w = p.x * x[at];
    if (i > 0) {
      w -= p.y * result[at - width];
    }
    result[at] = w;
  }
  let edge = w;
  for (var i = m - 2; i >= 0; i--) {
    let at = first + i * width;
    w = result[at] - plan[i].z * w;
    result[at] = w;
  }
  if (!cyclic) {
    return;
  }
  let p = plan[m];
  let at = first + m * width;
  var y = p.x * x[at];
  if (m > 0) {
    y -= p.y * w + p.z * edge;
  }
  result[at] = y;
  for (var i = 0; i < m; i++) {
    result[first + i * width] -= plan[i].w * y;
  }
}
