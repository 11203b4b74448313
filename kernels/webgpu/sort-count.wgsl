// Stable radix sort of (key, item) pairs, 4 bits a pass. 1 of 3: how often each digit occurs in each block of
// THREADS * EACH pairs; [16, blocks], digits slowest, so that a running sum gives each block its places.

var<workgroup> counts: array<atomic<u32>, 16>;

fn main(index: i32) {
  if (localIndex < 16u) {
    atomicStore(&counts[localIndex], 0u);
  }
  workgroupBarrier();
  let block = index / THREADS;
  for (var k = 0; k < EACH; k++) {
    let i = (block * EACH + k) * THREADS + i32(localIndex);
    if (i < uniforms.count) {
      atomicAdd(&counts[(u32(pairs[i].x) >> u32(uniforms.shift)) & 15u], 1u);
    }
  }
  workgroupBarrier();
  if (localIndex < 16u && block < uniforms.blocks) {
    result[i32(localIndex) * uniforms.blocks + block] = i32(atomicLoad(&counts[localIndex]));
  }
}
