// WavecubeSample and, with weight-tangent.wgsl, WavecubeSampleTangent. Contract: src/ops/contract.ts.
// One invocation gives up to PER lanes of a sample, `parts` apart: a stencil and eight grid reads serve them all, and
// neighbouring invocations read neighbouring memory.

fn main(index: i32) {
  let parts = (uniforms.lanes + PER - 1) / PER;
  let i = index / parts;
  if (i >= uniforms.count) {
    return;
  }
  let first = index - i * parts;
  let at = i * uniforms.lanes;
  let r = coordinate(i);
  if (!isFinite(r)) {
    for (var lane = first; lane < uniforms.lanes; lane += parts) {
      result[at + lane] = Lane(notFinite());
    }
    return;
  }
  let st = stencilAt(r);
  let rate = direction(i) * st.slope;
  var sum: array<Lane, PER>;
  for (var k = 0; k < 8; k++) {
    let o = corner(k);
    let row = rowOf(st.base + o);
    if (row >= 0) {
      let w = tapWeight(o, st.fraction, rate);
      for (var p = 0; p < PER; p++) {
        let lane = first + p * parts;
        if (lane < uniforms.lanes) {
          sum[p] += w * node(row, lane);
        }
      }
    }
  }
  for (var p = 0; p < PER; p++) {
    let lane = first + p * parts;
    if (lane < uniforms.lanes) {
      result[at + lane] = sum[p];
    }
  }
}
