// The values at the taps of a sample, and the lines that run through them.

struct Taps { x: vec4<i32>, y: vec4<i32>, z: vec4<i32> }

fn valueAt(x: i32, y: i32, z: i32, lane: i32) -> Lane {
  let row = rowOf(x, y, z);
  if (row < 0) {
    return Lane(0.0);
  }
  return node(row, lane);
}

fn lineAt(t: Taps, a: i32, b: i32, lane: i32) -> array<Lane, 4> {
  let x = t.x[a];
  let y = t.y[b];
  return array<Lane, 4>(
    valueAt(x, y, t.z.x, lane),
    valueAt(x, y, t.z.y, lane),
    valueAt(x, y, t.z.z, lane),
    valueAt(x, y, t.z.w, lane),
  );
}
