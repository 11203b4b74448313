// First pass of WavecubeTapsSplat: (key, sample) of each sample. The key is its base cell; one more of samples with taps that have
// no base, and the last of samples that do not count. Contract: src/ops/tapscontract.ts.

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let d = uniforms.dims;
  let base = vec3<i32>(
    baseOf(taps[3 * index], d.x),
    baseOf(taps[3 * index + 1], d.y),
    baseOf(taps[3 * index + 2], d.z),
  );
  var key = (base.x * d.y + base.y) * d.z + base.z;
  if (isBlank(index) || any(base == vec3<i32>(NO_TAPS))) {
    key = uniforms.bins + 1;
  } else if (any(base == vec3<i32>(IRREGULAR))) {
    key = uniforms.bins;
  }
  result[index] = vec2<i32>(key, index);
}
