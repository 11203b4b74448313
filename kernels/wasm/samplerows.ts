/**
 * WavecubeSample for narrow rows of any length of a full bank in cell order, all axes clamped: fused from coordinates to
 * results, one sample a step. Contract: src/ops/contract.ts.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { V } from './lanes';
import { Quad } from './quads';
import { dimX, dimY, dimZ } from './stencil';

/** Rows of eight, unrolled. */
export function sampleEights(out: usize, nodes: usize, coords: usize, n: i32): void {
  const payload = 8;
  const sz = (<usize>payload) << 2;
  const sy = <usize>dimZ() * sz;
  const sx = <usize>dimY() * sy;
  const last = f32x4(<f32>(dimX() - 1), <f32>(dimY() - 1), <f32>(dimZ() - 1), 0);
  const lastBase = V.sub(last, f32x4(1, 1, 1, 0));
  const strides = i32x4(<i32>sx, <i32>sy, <i32>sz, 0);
  for (let i = 0; i < n; i++) {
    const r = v128.load(coords);
    const c = V.clamp(r, last);
    const g = Quad.base(c, lastBase);
    const f = V.add(V.sub(c, g), Quad.poison(r));
    const offset = Quad.offsets(g, strides);
    const p =
      nodes +
      <usize>(i32x4.extract_lane(offset, 0) + i32x4.extract_lane(offset, 1) + i32x4.extract_lane(offset, 2));
    const q = p + sy;
    const u = p + sx;
    const v = u + sy;
    const fx = v128.shuffle<i32>(f, f, 0, 0, 0, 0);
    const fy = v128.shuffle<i32>(f, f, 1, 1, 1, 1);
    const fz = v128.shuffle<i32>(f, f, 2, 2, 2, 2);
    const a0 = V.lerp(v128.load(p), v128.load(p, 32), fz);
    const b0 = V.lerp(v128.load(q), v128.load(q, 32), fz);
    const c0 = V.lerp(v128.load(u), v128.load(u, 32), fz);
    const d0 = V.lerp(v128.load(v), v128.load(v, 32), fz);
    v128.store(out, V.lerp(V.lerp(a0, b0, fy), V.lerp(c0, d0, fy), fx));
    const a1 = V.lerp(v128.load(p, 16), v128.load(p, 48), fz);
    const b1 = V.lerp(v128.load(q, 16), v128.load(q, 48), fz);
    const c1 = V.lerp(v128.load(u, 16), v128.load(u, 48), fz);
    const d1 = V.lerp(v128.load(v, 16), v128.load(v, 48), fz);
    v128.store(out, V.lerp(V.lerp(a1, b1, fy), V.lerp(c1, d1, fy), fx), 16);
    out += 32;
    coords += 12;
  }
}

export function sampleRows(out: usize, nodes: usize, coords: usize, n: i32, payload: i32): void {
  const sz = (<usize>payload) << 2;
  const sy = <usize>dimZ() * sz;
  const sx = <usize>dimY() * sy;
  const last = f32x4(<f32>(dimX() - 1), <f32>(dimY() - 1), <f32>(dimZ() - 1), 0);
  const lastBase = V.sub(last, f32x4(1, 1, 1, 0));
  const strides = i32x4(<i32>sx, <i32>sy, <i32>sz, 0);
  const one = f32x4.splat(1);
  const whole = sz & ~15;
  for (let i = 0; i < n; i++) {
    const r = v128.load(coords);
    const c = V.clamp(r, last);
    const g = Quad.base(c, lastBase);
    const f = V.add(V.sub(c, g), Quad.poison(r));
    const offset = Quad.offsets(g, strides);
    const p0 =
      nodes +
      <usize>(i32x4.extract_lane(offset, 0) + i32x4.extract_lane(offset, 1) + i32x4.extract_lane(offset, 2));
    const fx = v128.shuffle<i32>(f, f, 0, 0, 0, 0);
    const fy = v128.shuffle<i32>(f, f, 1, 1, 1, 1);
    const fz = v128.shuffle<i32>(f, f, 2, 2, 2, 2);
    const ex = V.sub(one, fx);
    const ey = V.sub(one, fy);
    const ez = V.sub(one, fz);
    const xy0 = V.mul(ex, ey);
    const xy1 = V.mul(ex, fy);
    const xy2 = V.mul(fx, ey);
    const xy3 = V.mul(fx, fy);
    const w0 = V.mul(xy0, ez);
    const w1 = V.mul(xy0, fz);
    const w2 = V.mul(xy1, ez);
    const w3 = V.mul(xy1, fz);
    const w4 = V.mul(xy2, ez);
    const w5 = V.mul(xy2, fz);
    const w6 = V.mul(xy3, ez);
    const w7 = V.mul(xy3, fz);
    const p1 = p0 + sz;
    const p2 = p0 + sy;
    const p3 = p1 + sy;
    const p4 = p0 + sx;
    const p5 = p1 + sx;
    const p6 = p2 + sx;
    const p7 = p3 + sx;
    let b: usize = 0;
    for (; b < whole; b += 16) {
      let s = V.mul(v128.load(p0 + b), w0);
      let t = V.mul(v128.load(p4 + b), w4);
      s = V.madd(s, v128.load(p1 + b), w1);
      t = V.madd(t, v128.load(p5 + b), w5);
      s = V.madd(s, v128.load(p2 + b), w2);
      t = V.madd(t, v128.load(p6 + b), w6);
      s = V.madd(s, v128.load(p3 + b), w3);
      t = V.madd(t, v128.load(p7 + b), w7);
      v128.store(out + b, V.add(s, t));
    }
    if (b < sz) {
      let s = V.mul(v128.load(p0 + b), w0);
      let t = V.mul(v128.load(p4 + b), w4);
      s = V.madd(s, v128.load(p1 + b), w1);
      t = V.madd(t, v128.load(p5 + b), w5);
      s = V.madd(s, v128.load(p2 + b), w2);
      t = V.madd(t, v128.load(p6 + b), w6);
      s = V.madd(s, v128.load(p3 + b), w3);
      t = V.madd(t, v128.load(p7 + b), w7);
      V.storeFirst(out + b, V.add(s, t), payload & 3);
    }
    out += sz;
    coords += 12;
  }
}
