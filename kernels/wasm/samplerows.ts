/**
 * WavecubeSample for narrow rows of any length of a full bank in cell order, all axes clamped: fused from coordinates to
 * results, one sample a step. Contract: src/ops/contract.ts.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { Cell } from './cell';
import { V } from './lanes';

export function sampleRows(out: usize, nodes: usize, coords: usize, n: i32, payload: i32): void {
  const sz = (<usize>payload) << 2;
  const sy = Cell.strideY(sz);
  const sx = Cell.strideX(sz);
  const last = Cell.last();
  const lastBase = Cell.lastBase();
  const strides = Cell.strides(sz);
  const whole = sz & ~15;
  for (let i = 0; i < n; i++) {
    const r = v128.load(coords);
    const c = V.clamp(r, last);
    const g = Cell.base(c, lastBase);
    const f = Cell.fraction(r, c, g);
    const p0 = Cell.row(nodes, Cell.offsets(g, strides));
    const fx = V.lane0(f);
    const fy = V.lane1(f);
    const fz = V.lane2(f);
    const ex = V.rest(fx);
    const ey = V.rest(fy);
    const ez = V.rest(fz);
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
