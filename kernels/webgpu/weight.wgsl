// Weights of a tap o and their derivatives, for Sample, Splat and CoordGrad. Contract: src/ops/contract.ts.

// What Sample gives where a coordinate is not finite; the uniform, since a constant NaN is refused.
fn notFinite() -> f32 {
  return uniforms.NAN;
}

// w_k. (rate has no part in it.)
fn tapWeight(o: vec3<i32>, fraction: vec3<f32>, rate: vec3<f32>) -> f32 {
  let w = tapFactors(o, fraction);
  return w.x * w.y * w.z;
}

// The gradient of w_k. (h has no part in it.)
fn tapGradient(o: vec3<i32>, fraction: vec3<f32>, slope: vec3<f32>, h: vec3<f32>) -> vec3<f32> {
  let w = tapFactors(o, fraction);
  return tapSlopes(o, slope) * vec3<f32>(w.y * w.z, w.x * w.z, w.x * w.y);
}
