// The weight of a tap from its three factors u, and its gradient by them, for Taps, TapsSplat and TapsGrad.
// Contract: src/ops/tapscontract.ts.

// What Taps gives where a weight is NaN; the uniform, since a constant NaN is refused.
fn blank() -> f32 {
  return uniforms.NAN;
}

// w. (h has no part in it.)
fn product(u: vec3<f32>, h: vec3<f32>) -> f32 {
  return u.x * u.y * u.z;
}

fn productGradient(u: vec3<f32>, h: vec3<f32>) -> vec3<f32> {
  return vec3<f32>(u.y * u.z, u.x * u.z, u.x * u.y);
}
