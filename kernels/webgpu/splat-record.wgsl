// Reads what splat-records.wgsl wrote for sorted position p. Without a tangent the rate is not used.

fn weightAt(p: i32, k: i32) -> f32 {
  let q = p * RECORD;
  let e = q + RECORD - 3;
  return tapWeight(
    corner(k),
    vec3<f32>(records[q], records[q + 1], records[q + 2]),
    vec3<f32>(records[e], records[e + 1], records[e + 2]),
  );
}

fn counts(weight: f32) -> bool {
  return true;
}

fn sampleAt(p: i32) -> i32 {
  return order[p].y;
}
