// The three axes of sample i, and the rows of its taps. Contract: src/ops/monotonecontract.ts.

// By bits: compilers may assume that no float is NaN and fold a comparison away.
fn hasPlace(i: i32) -> bool {
  for (var k = 12 * i; k < 12 * i + 12; k++) {
    if ((bitcast<u32>(place[k]) & 0x7f800000u) == 0x7f800000u) {
      return false;
    }
  }
  return true;
}

fn cellAt(i: i32, j: i32) -> Cell {
  let at = 12 * i + 4 * j;
  let open = uniforms.open[j] == 1;
  return cellOf(
    place[at],
    sideOf(place[at + 1], open && taps[at] < 0),
    sideOf(place[at + 2], open && taps[at + 3] < 0),
  );
}

// The four nodes of an axis. On an extrapolated axis of one node, slot 2 is that node.
fn tapsOf(i: i32, j: i32) -> vec4<i32> {
  let at = 12 * i + 4 * j;
  let second = taps[at + 2];
  let level = uniforms.open[j] == 1 && second < 0;
  return vec4<i32>(taps[at], taps[at + 1], select(second, taps[at + 1], level), taps[at + 3]);
}

// -1 where there is no node.
fn rowOf(x: i32, y: i32, z: i32) -> i32 {
  if (min(min(x, y), z) < 0 || uniforms.rows == 0) {
    return -1;
  }
  let row = grid[(x * uniforms.dims.y + y) * uniforms.dims.z + z];
  return select(-1, row, row < uniforms.rows);
}
