// Node lanes of a float32 page [R, F]; nodes is an array of Lane. Contract: src/ops/contract.ts.

fn node(row: i32, lane: i32) -> Lane {
  return nodes[row * uniforms.lanes + lane];
}
