// WavecubeCoordGrad and, with weight-tangent.wgsl, WavecubeCoordGradTangent. Contract: src/ops/contract.ts.
// TEAM invocations of a workgroup share a sample's lanes and add up what they got, in a fixed order: 1 where the
// payload is narrow, all 64 where it is wide.

var<workgroup> shares: array<vec3<f32>, 64>;

fn share(i: i32, member: i32) -> vec3<f32> {
  let r = coordinate(i);
  if (!isFinite(r)) {
    return vec3<f32>(0.0);
  }
  let st = stencilAt(r);
  var rows: array<i32, 8>;
  for (var k = 0; k < 8; k++) {
    rows[k] = rowOf(st.base + corner(k));
  }
  var products: array<Lane, 8>;
  for (var lane = member; lane < uniforms.lanes; lane += TEAM) {
    let v = values[i * uniforms.lanes + lane];
    for (var k = 0; k < 8; k++) {
      if (rows[k] >= 0) {
        products[k] += v * node(rows[k], lane);
      }
    }
  }
  let h = direction(i);
  var gradient = vec3<f32>(0.0);
  for (var k = 0; k < 8; k++) {
    if (rows[k] >= 0) {
      gradient += total(products[k]) * tapGradient(corner(k), st.fraction, st.slope, h);
    }
  }
  return gradient;
}

fn main(index: i32) {
  let i = index / TEAM;
  let member = index - i * TEAM;
  var gradient = vec3<f32>(0.0);
  if (i < uniforms.count) {
    gradient = share(i, member);
  }
  shares[localIndex] = gradient;
  workgroupBarrier();
  for (var half = TEAM / 2; half > 0; half /= 2) {
    if (member < half) {
      shares[localIndex] += shares[localIndex + u32(half)];
    }
    workgroupBarrier();
  }
  if (member == 0 && i < uniforms.count) {
    let sum = shares[localIndex];
    result[3 * i] = sum.x;
    result[3 * i + 1] = sum.y;
    result[3 * i + 2] = sum.z;
  }
}
