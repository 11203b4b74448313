// Stands for tap-row.wgsl where row r is cell r, or where there are no rows: the grid is not read.
// Contract: src/ops/tapscontract.ts.

fn rowOf(x: i32, y: i32, z: i32) -> i32 {
  if (min(x, min(y, z)) < 0) {
    return -1;
  }
  let row = (x * uniforms.dims.y + y) * uniforms.dims.z + z - uniforms.firstRow;
  return select(-1, row, row >= 0 && row < uniforms.rows);
}
