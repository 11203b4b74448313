// For a grid that is not ordered: (row, cell) of each cell, so that a sort lists the cells of each row of this page.
// Cells of no row here come last. Contract: src/ops/contract.ts.

fn main(index: i32) {
  if (index >= uniforms.count) {
    return;
  }
  let row = grid[index] - uniforms.firstRow;
  result[index] = vec2<i32>(select(uniforms.rows, row, row >= 0 && row < uniforms.rows), index);
}
