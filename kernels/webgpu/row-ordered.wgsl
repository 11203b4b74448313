// Stands for row.wgsl where row r is cell r: the grid is not read. Contract: src/ops/contract.ts (`ordered`).

fn rowOf(tap: vec3<i32>) -> i32 {
  let d = uniforms.dims;
  let c = select(tap, vec3<i32>(0), (uniforms.boundary == vec3<i32>(1)) & (tap == d));
  if (any(c < vec3<i32>(0)) || any(c >= d)) {
    return -1;
  }
  return (c.x * d.y + c.y) * d.z + c.z - uniforms.firstRow;
}
