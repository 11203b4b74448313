// Second pass of WavecubeTapsSplat: RECORD words of each sample, in sorted order, an element an invocation: for each axis what the
// four nodes base - 1 ... base + 2 weigh (taps that are one node added up), with a tangent the same of it, and the sample itself.
// Samples without a base keep their slots. Contract: src/ops/tapscontract.ts.

// By bits: words that are integers must not pass as floats.
fn main(index: i32) {
  let p = index / RECORD;
  if (p >= uniforms.count) {
    return;
  }
  let element = index - p * RECORD;
  let key = order[p].x;
  let i = order[p].y;
  if (element == RECORD - 1) {
    result[index] = i;
    return;
  }
  let slot = element & 3;
  let axis = (element >> 2u) % 3;
  var factors = weights[3 * i + axis];
  if (element >= 12) {
    factors = direction(i, axis);
  }
  let nodes = taps[3 * i + axis];
  let n = uniforms.dims[axis];
  var sum = 0.0;
  if (key == uniforms.bins) {
    sum = factors[slot];
  } else if (key < uniforms.bins) {
    let base = baseOf(nodes, n);
    for (var k = 0; k < 4; k++) {
      if (nodes[k] >= 0 && slotOf(nodes[k], base, n) == slot) {
        sum += factors[k];
      }
    }
  }
  result[index] = bitcast<i32>(sum);
}
