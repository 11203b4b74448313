// A lane is what an invocation loads at once: here one element.
alias Lane = f32;

fn total(v: Lane) -> f32 {
  return v;
}
