// The direction h of the tangent kernels: tangent [N, 3]. Contract: src/ops/contract.ts.

fn direction(i: i32) -> vec3<f32> {
  return vec3<f32>(tangent[3 * i], tangent[3 * i + 1], tangent[3 * i + 2]);
}
