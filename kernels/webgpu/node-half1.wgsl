// Stands for node.wgsl: one element of a half page [R, ceil(F/2)], the even one in the low 16 bits.
// Contract: src/ops/contract.ts (`half`).

fn node(row: i32, lane: i32) -> Lane {
  let pair = unpack2x16float(bitcast<u32>(nodes[row * ((uniforms.lanes + 1) / 2) + lane / 2]));
  return select(pair.x, pair.y, (lane & 1) == 1);
}
