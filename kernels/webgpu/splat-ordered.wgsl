// Stands for splat-listed.wgsl where row r is cell r. Contract: src/ops/contract.ts (`ordered`).

fn firstCell(row: i32) -> i32 {
  return row;
}

fn endCell(row: i32) -> i32 {
  return row + 1;
}

fn cellAt(q: i32) -> i32 {
  return q + uniforms.firstRow;
}
