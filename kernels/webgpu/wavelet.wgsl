// One pass of WavecubeWavelet: the corner is multiplied by a banded matrix along one axis (ALONG_WIDTH or not), the
// rest copied. Contract: src/ops/wavelet.ts.

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let pixel = index / uniforms.lanes;
  let column = pixel % uniforms.width;
  let row = (pixel / uniforms.width) % uniforms.height;
  if (row >= uniforms.cornerHeight || column >= uniforms.cornerWidth) {
    result[index] = x[index];
    return;
  }
  let place = select(row, column, ALONG_WIDTH == 1);
  let step = uniforms.lanes * select(uniforms.width, 1, ALONG_WIDTH == 1);
  let line = index - place * step;
  let begin = uniforms.first + place * uniforms.taps;
  var sum = Lane(0.0);
  for (var t = begin; t < begin + uniforms.taps; t++) {
    sum += weights[t] * x[line + indices[t] * step];
  }
  result[index] = sum;
}
