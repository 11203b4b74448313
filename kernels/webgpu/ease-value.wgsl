fn scaled(value: f32, index: i32) -> f32 {
  return value;
}
