// A lane is what an invocation loads at once: here four elements, for payloads that are a multiple of four.
alias Lane = vec4<f32>;

fn total(v: Lane) -> f32 {
  return v.x + v.y + v.z + v.w;
}
