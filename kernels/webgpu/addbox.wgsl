// WavecubeAddBox. Contract: src/ops/addbox.ts.

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let pixel = index / uniforms.lanes;
  let column = pixel % uniforms.width;
  let row = (pixel / uniforms.width) % uniforms.height;
  if (row >= uniforms.boxHeight || column >= uniforms.boxWidth) {
    result[index] = x[index];
    return;
  }
  let image = pixel / (uniforms.width * uniforms.height);
  let place = (image * uniforms.boxHeight + row) * uniforms.boxWidth + column;
  result[index] = x[index] + y[place * uniforms.lanes + index % uniforms.lanes];
}
