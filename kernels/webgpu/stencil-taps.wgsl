// WavecubeStencilTaps: one axis of a sample an invocation. Contract: src/ops/tapscontract.ts.

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let i = index / 3;
  let j = index - 3 * i;
  let r = vec3<f32>(points[3 * i], points[3 * i + 1], points[3 * i + 2]);
  if (!isFinite(r)) {
    result[index] = vec4<i32>(-1);
    return;
  }
  result[index] = axisNodes(r[j], uniforms.dims[j], uniforms.boundary[j], uniforms.basis[j]);
}
