// Last pass of WavecubeMonotoneSplat: each row adds up its taps in their order, `window` lanes from `start` on, to what samples
// before have left there. Contract: src/ops/monotonecontract.ts. Summed in groups, since thousands of small terms added to one
// large sum would lose their low bits.

const GROUP = 64;

fn main(index: i32) {
  let row = index / uniforms.window;
  let offset = index - row * uniforms.window;
  let lane = uniforms.start + offset;
  if (row >= uniforms.rows || lane >= uniforms.lanes) {
    return;
  }
  let to = row * uniforms.lanes + lane;
  var sum = Lane(0.0);
  if (uniforms.first > 0) {
    sum = result[to];
  }
  let end = starts[row + 1];
  for (var a = starts[row]; a < end; a += GROUP) {
    var part = Lane(0.0);
    for (var p = a; p < min(a + GROUP, end); p++) {
      part += byTap[order[p].y * uniforms.window + offset];
    }
    sum += part;
  }
  result[to] = sum;
}
