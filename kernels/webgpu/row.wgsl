// From a tap to the row of this page, through the grid; -1 where it has no node here. Contract: src/ops/contract.ts.

fn rowOf(tap: vec3<i32>) -> i32 {
  let d = uniforms.dims;
  let c = select(tap, vec3<i32>(0), (uniforms.boundary == vec3<i32>(1)) & (tap == d));
  if (any(c < vec3<i32>(0)) || any(c >= d)) {
    return -1;
  }
  let row = grid[(c.x * d.y + c.y) * d.z + c.z] - uniforms.firstRow;
  return select(-1, row, row >= 0 && row < uniforms.rows);
}
