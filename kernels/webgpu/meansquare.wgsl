// WavecubeMeanSquare (contract: src/ops/contract.ts), run twice: many workgroups sum squares (POWER 2), one sums their
// sums (POWER 1). Always in the same order, so the same bits.

var<workgroup> sums: array<f32, 256>;

fn main(index: i32) {
  var sum = 0.0;
  for (var q = index; q < uniforms.count; q += uniforms.stride) {
    let v = x[q];
    if (POWER == 2) {
      sum += total(v * v);
    } else {
      sum += total(v);
    }
  }
  sums[localIndex] = sum;
  workgroupBarrier();
  for (var half = 128u; half > 0u; half /= 2u) {
    if (localIndex < half) {
      sums[localIndex] += sums[localIndex + half];
    }
    workgroupBarrier();
  }
  if (localIndex == 0u) {
    result[index / 256] = sums[0] * uniforms.scale;
  }
}
