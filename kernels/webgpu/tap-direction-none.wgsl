// Stands for tap-direction.wgsl in the kernels without a tangent.

fn direction(i: i32, axis: i32) -> vec4<f32> {
  return vec4<f32>(0.0);
}
