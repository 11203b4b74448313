// First pass of WavecubeMonotoneSplat (contract: src/ops/monotonecontract.ts): (row, tap) of the 64 taps of each sample from
// `first` on, taps counted from there. Those of no row come last.

fn main(index: i32) {
  if (index >= 64 * uniforms.count) {
    return;
  }
  let i = uniforms.first + index / 64;
  let k = index % 64;
  var row = -1;
  if (hasPlace(i)) {
    row = rowOf(tapsOf(i, 0)[k / 16], tapsOf(i, 1)[k / 4 % 4], tapsOf(i, 2)[k % 4]);
  }
  result[index] = vec2<i32>(select(row, uniforms.rows, row < 0), index);
}
