// Whether a weight of sample i is NaN: no other part of it is used then. By bits: compilers may assume that no float is
// NaN and fold a comparison away. Contract: src/ops/tapscontract.ts.

fn isNaN(v: vec4<f32>) -> bool {
  return any((bitcast<vec4<u32>>(v) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u));
}

fn isBlank(i: i32) -> bool {
  return isNaN(weights[3 * i]) || isNaN(weights[3 * i + 1]) || isNaN(weights[3 * i + 2]);
}
