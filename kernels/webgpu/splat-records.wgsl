// Second pass of WavecubeSplat: what the weights of each sample are made from, in sorted order, so that the gather
// reads memory in sequence and no stencil is resolved twice. RECORD floats: fraction and, with a tangent, h * slope.

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let i = order[index].y;
  let r = coordinate(i);
  var fraction = vec3<f32>(0.0);
  var rate = vec3<f32>(0.0);
  if (isFinite(r)) {
    let st = stencilAt(r);
    fraction = st.fraction;
    rate = direction(i) * st.slope;
  }
  for (var j = 0; j < 3; j++) {
    result[index * RECORD + RECORD - 3 + j] = rate[j];
  }
  for (var j = 0; j < 3; j++) {
    result[index * RECORD + j] = fraction[j];
  }
}
