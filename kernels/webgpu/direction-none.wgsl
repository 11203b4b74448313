// Stands for direction.wgsl in the kernels without a tangent.

fn direction(i: i32) -> vec3<f32> {
  return vec3<f32>(0.0);
}
