// Stands for weight.wgsl in the tangent kernels: weights are directional derivatives D_h w_k.
// Contract: src/ops/contract.ts.

fn notFinite() -> f32 {
  return 0.0;
}

// D_h w_k, with rate = h * slope.
fn tapWeight(o: vec3<i32>, fraction: vec3<f32>, rate: vec3<f32>) -> f32 {
  let w = tapFactors(o, fraction);
  return dot(tapSlopes(o, rate), vec3<f32>(w.y * w.z, w.x * w.z, w.x * w.y));
}

// The gradient of D_h w_k: w_k is linear in each axis, so only the mixed derivatives are left.
fn tapGradient(o: vec3<i32>, fraction: vec3<f32>, slope: vec3<f32>, h: vec3<f32>) -> vec3<f32> {
  let w = tapFactors(o, fraction);
  let d = tapSlopes(o, slope);
  let e = h * d;
  return d * vec3<f32>(e.y * w.z + e.z * w.y, e.x * w.z + e.z * w.x, e.x * w.y + e.y * w.x);
}
