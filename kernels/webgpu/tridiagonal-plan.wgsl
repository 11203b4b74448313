// src/ops/tridiagonalplan.ts in float32, by one invocation: result [n] of vec4(M, L, C, Q).

fn bandAt(i: i32, k: i32) -> f32 {
  return bands[3 * i + k];
}

fn rowOf(i: i32) -> vec3<f32> {
  if (uniforms.turned == 0) {
    return vec3<f32>(bandAt(i, 0), bandAt(i, 1), bandAt(i, 2));
  }
  let before = (i + uniforms.n - 1) % uniforms.n;
  let after = (i + 1) % uniforms.n;
  return vec3<f32>(bandAt(before, 2), bandAt(i, 1), bandAt(after, 0));
}

fn main(index: i32) {
  if (index > 0) {
    return;
  }
  let cyclic = uniforms.cyclic == 1;
  let m = select(uniforms.n, uniforms.n - 1, cyclic);
  var last = vec4<f32>(0.0);
  for (var i = 0; i < m; i++) {
    var row = rowOf(i);
    let column = select(0.0, row.x, i == 0) + select(0.0, row.z, i == m - 1);
    if (i == 0) {
      row.x = 0.0;
    }
    if (i == m - 1) {
      row.z = 0.0;
    }
    let pivot = 1.0 / (row.y - row.x * last.z);
    let lower = row.x * pivot;
    last = vec4<f32>(pivot, lower, row.z * pivot, select(0.0, pivot * column - lower * last.w, cyclic));
    result[i] = last;
  }
  if (!cyclic) {
    return;
  }
  let end = rowOf(m);
  if (m == 0) {
    result[0] = vec4<f32>(1.0 / (end.x + end.y + end.z), 0.0, 0.0, 0.0);
    return;
  }
  let edge = last.w;
  var q = edge;
  for (var i = m - 2; i >= 0; i--) {
    let row = result[i];
    q = row.w - row.z * q;
    result[i] = vec4<f32>(row.xyz, q);
  }
  let scale = 1.0 / (end.y - end.z * q - end.x * edge);
  result[m] = vec4<f32>(scale, end.z * scale, end.x * scale, 0.0);
}
