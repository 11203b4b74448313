// Stands for node.wgsl: four elements of a half page [R, F/2]; nodes is an array of vec2<i32>.
// Contract: src/ops/contract.ts (`half`).

fn node(row: i32, lane: i32) -> Lane {
  let words = bitcast<vec2<u32>>(nodes[row * uniforms.lanes + lane]);
  return Lane(unpack2x16float(words.x), unpack2x16float(words.y));
}
