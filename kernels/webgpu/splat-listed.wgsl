// The cells of a row, listed by splat-cells.wgsl and a sort: none, one, or several that share it.

fn firstCell(row: i32) -> i32 {
  return cellStarts[row];
}

fn endCell(row: i32) -> i32 {
  return cellStarts[row + 1];
}

fn cellAt(q: i32) -> i32 {
  return cells[q].y;
}
