// WavecubeEase and its slopes: a coordinate an invocation. Contract: src/ops/easecontract.ts.

fn eased(r: f32, end: i32) -> f32 {
  let low = floor(r);
  if (uniforms.nearest == 1) {
    return select(low, low + 1.0, r - low >= 0.5);
  }
  let base = select(low, low - 1.0, end >= 0 && r == f32(end));
  let f = r - base;
  if (uniforms.order == 0) {
    return base + f * f * (3.0 - 2.0 * f);
  }
  if (uniforms.order == 1) {
    return 6.0 * f * (1.0 - f);
  }
  if (uniforms.order == 2) {
    return 6.0 - 12.0 * f;
  }
  return select(0.0, -12.0, uniforms.order == 3);
}

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let i = 3 * (index / 3);
  let j = index - i;
  let r = vec3<f32>(points[i], points[i + 1], points[i + 2]);
  if (all((bitcast<vec3<u32>>(r) & vec3<u32>(0x7f800000u)) != vec3<u32>(0x7f800000u))) {
    result[index] = scaled(eased(r[j], uniforms.ends[j]), index);
  } else {
    result[index] = select(0.0, uniforms.NAN, uniforms.order == 0);
  }
}
