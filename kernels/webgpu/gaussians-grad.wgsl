// WavecubeGaussiansGrad (contract: src/ops/gaussianscontract.ts). A workgroup has a component, goes over the pixels of its own
// bounding box, and adds up its invocations' sums in a fixed order.

var<workgroup> parts: array<vec4<f32>, TEAM>;

// The sum over the workgroup, in its first invocation.
fn total(value: vec4<f32>) -> vec4<f32> {
  workgroupBarrier();
  parts[localIndex] = value;
  workgroupBarrier();
  for (var half = u32(TEAM) / 2u; half > 0u; half /= 2u) {
    if (localIndex < half) {
      parts[localIndex] += parts[localIndex + half];
    }
    workgroupBarrier();
  }
  return parts[0];
}

fn main(index: i32) {
  let t = index / TEAM;
  let at = t * (SHAPE_PARAMETERS + uniforms.channels);
  let size = vec2<i32>(uniforms.width, uniforms.height);
  // Sums of w u, w u dy, w u e^p dx, w v, with dy in pixels; of w v v; and of g dy_c.
  var moments = vec4<f32>(0.0);
  var last = 0.0;
  var amplitudes: array<vec4<f32>, QUADS>;
  var g: Gaussian;
  if (t < uniforms.images * uniforms.count && allFinite(at)) {
    g = gaussianAt(at);
    let box = boxOf(g, vec2<i32>(0), size - vec2<i32>(1));
    let width = box.z - box.x + 1;
    let count = select(0, width * (box.w - box.y + 1), all(box.xy <= box.zw));
    let image = (t / uniforms.count) * size.x * size.y;
    for (var p = i32(localIndex); p < count; p += TEAM) {
      let row = p / width;
      let pixel = box.xy + vec2<i32>(p - row * width, row);
      let d = offset(g, pixel);
      let along = g.step * d.x;
      let u = along + g.shear * d.y;
      let v = g.rise * d.y;
      let square = u * u + v * v;
      if (square <= CUT_SQUARED) {
        let value = exp(-0.5 * square);
        let first = (image + pixel.y * size.x + pixel.x) * uniforms.channels;
        var dot = 0.0;
        for (var k = 0; k < uniforms.channels; k++) {
          let y = dy[first + k];
          dot += components[at + SHAPE_PARAMETERS + k] * y;
          amplitudes[k / 4][k % 4] += value * y;
        }
        let w = value * dot;
        moments += w * vec4<f32>(u, u * d.y, u * along, v);
        last += w * v * v;
      }
    }
  }
  moments = total(moments);
  last = total(vec4<f32>(last)).x;
  for (var k = 0; k < QUADS; k++) {
    amplitudes[k] = total(amplitudes[k]);
  }
  if (localIndex != 0u || t >= uniforms.images * uniforms.count) {
    return;
  }
  let rows = f32(size.y);
  result[at] = g.step * f32(size.x) * moments.x;
  result[at + 1] = rows * (g.shear * moments.x + g.rise * moments.w);
  result[at + 2] = select(0.0, -moments.z, abs(components[at + 2]) <= MOST_LOG_SCALE);
  result[at + 3] = -moments.y / rows;
  result[at + 4] = select(0.0, -last, abs(components[at + 4]) <= MOST_LOG_SCALE);
  for (var k = 0; k < uniforms.channels; k++) {
    result[at + SHAPE_PARAMETERS + k] = amplitudes[k / 4][k % 4];
  }
}
