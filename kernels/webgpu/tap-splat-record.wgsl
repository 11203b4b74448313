// Reads what tap-splat-records.wgsl wrote for sorted position p; k is slots x, y, z in two bits each. Without a tangent the
// direction is not used.

fn word(q: i32) -> f32 {
  return bitcast<f32>(records[q]);
}

fn weightAt(p: i32, k: i32) -> f32 {
  let slots = vec3<i32>(k >> 4u, 4 + ((k >> 2u) & 3), 8 + (k & 3));
  let q = slots + p * RECORD;
  let e = q + (RECORD - 13);
  return product(
    vec3<f32>(word(q.x), word(q.y), word(q.z)),
    vec3<f32>(word(e.x), word(e.y), word(e.z)),
  );
}

// Slots without a tap weigh nothing, and so does most of a linear basis.
fn counts(weight: f32) -> bool {
  return weight != 0.0;
}

fn sampleAt(p: i32) -> i32 {
  return records[p * RECORD + RECORD - 1];
}
