// Stable radix sort, 3 of 3: moves each pair to its place. Each invocation owns EACH consecutive pairs; their digits'
// places are the block's, plus what earlier invocations of the block hold, plus what it has placed itself.

var<workgroup> held: array<u32, 16 * THREADS>;

fn digitOf(i: i32) -> u32 {
  return (u32(pairs[i].x) >> u32(uniforms.shift)) & 15u;
}

fn main(index: i32) {
  let block = index / THREADS;
  let a = index * EACH;
  let z = min(a + EACH, uniforms.count);
  var next: array<u32, 16>;
  for (var i = a; i < z; i++) {
    next[digitOf(i)] += 1u;
  }
  for (var d = 0u; d < 16u; d++) {
    held[d * u32(THREADS) + localIndex] = next[d];
  }
  workgroupBarrier();
  if (localIndex < 16u) {
    var before = 0u;
    for (var t = localIndex * u32(THREADS); t < (localIndex + 1u) * u32(THREADS); t++) {
      let own = held[t];
      held[t] = before;
      before += own;
    }
  }
  workgroupBarrier();
  if (a >= z) {
    return;
  }
  for (var d = 0u; d < 16u; d++) {
    next[d] = held[d * u32(THREADS) + localIndex] + u32(places[i32(d) * uniforms.blocks + block]);
  }
  for (var i = a; i < z; i++) {
    let d = digitOf(i);
    result[next[d]] = pairs[i];
    next[d] += 1u;
  }
}
