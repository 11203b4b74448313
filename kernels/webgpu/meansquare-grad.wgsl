// WavecubeMeanSquareGrad: 2/n * dy * x. Contract: src/ops/contract.ts.

fn main(index: i32) {
  if (index < uniforms.count) {
    result[index] = uniforms.scale * dy[0] * x[index];
  }
}
