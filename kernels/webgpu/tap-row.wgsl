// From a tap's nodes to the row of this page, through the grid; -1 where one is none, or has no node here.
// Contract: src/ops/tapscontract.ts.

fn rowOf(x: i32, y: i32, z: i32) -> i32 {
  if (min(x, min(y, z)) < 0) {
    return -1;
  }
  let row = grid[(x * uniforms.dims.y + y) * uniforms.dims.z + z] - uniforms.firstRow;
  return select(-1, row, row >= 0 && row < uniforms.rows);
}
