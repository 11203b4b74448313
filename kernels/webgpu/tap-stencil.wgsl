// The four taps of each axis of a sample: nodes, weights u, and a direction h. After tap-direction.wgsl.
// Contract: src/ops/tapscontract.ts.

struct Taps {
  x: vec4<i32>, y: vec4<i32>, z: vec4<i32>,
  ux: vec4<f32>, uy: vec4<f32>, uz: vec4<f32>,
  hx: vec4<f32>, hy: vec4<f32>, hz: vec4<f32>,
}

fn tapsOf(i: i32) -> Taps {
  let k = 3 * i;
  return Taps(
    taps[k], taps[k + 1], taps[k + 2],
    weights[k], weights[k + 1], weights[k + 2],
    direction(i, 0), direction(i, 1), direction(i, 2),
  );
}

fn factorsAt(t: Taps, a: i32, b: i32, c: i32) -> vec3<f32> {
  return vec3<f32>(t.ux[a], t.uy[b], t.uz[c]);
}

fn directionAt(t: Taps, a: i32, b: i32, c: i32) -> vec3<f32> {
  return vec3<f32>(t.hx[a], t.hy[b], t.hz[c]);
}
