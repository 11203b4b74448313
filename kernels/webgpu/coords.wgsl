// Coordinates [N, 3] (bound as points: tfjs's generated source has a parameter coords) and their stencils. Contract: src/ops/contract.ts.

fn coordinate(i: i32) -> vec3<f32> {
  return vec3<f32>(points[3 * i], points[3 * i + 1], points[3 * i + 2]);
}

// r is finite.
fn stencilAt(r: vec3<f32>) -> Stencil {
  let x = axisStencil(r.x, uniforms.dims.x, uniforms.boundary.x);
  let y = axisStencil(r.y, uniforms.dims.y, uniforms.boundary.y);
  let z = axisStencil(r.z, uniforms.dims.z, uniforms.boundary.z);
  return Stencil(
    vec3<i32>(x.base, y.base, z.base),
    vec3<f32>(x.fraction, y.fraction, z.fraction),
    vec3<f32>(x.slope, y.slope, z.slope),
  );
}
