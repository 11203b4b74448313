// Stands for tap-product.wgsl in the tangent kernels: weights are directional derivatives D_h w.
// Contract: src/ops/tapscontract.ts.

fn blank() -> f32 {
  return 0.0;
}

// D_h w.
fn product(u: vec3<f32>, h: vec3<f32>) -> f32 {
  return (h.x * u.y + u.x * h.y) * u.z + u.x * u.y * h.z;
}

fn productGradient(u: vec3<f32>, h: vec3<f32>) -> vec3<f32> {
  return vec3<f32>(h.y * u.z + u.y * h.z, h.x * u.z + u.x * h.z, h.x * u.y + u.x * h.y);
}
