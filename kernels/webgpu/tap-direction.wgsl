// The direction h of the tangent kernels: tangent [N, 3, 4], an axis a vector. Contract: src/ops/tapscontract.ts.

fn direction(i: i32, axis: i32) -> vec4<f32> {
  return tangent[3 * i + axis];
}
