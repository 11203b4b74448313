/**
 * WavecubeSplat for rows of four or eight floats of a full bank in cell order, all axes clamped: fused from coordinates,
 * a serial scatter, which is deterministic on one thread. Contract: src/ops/contract.ts.
 *
 * A value is parted axis by axis, v·f and v − v·f, so that the eight shares sum to v. A coordinate that is not finite
 * is passed over.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { Cell } from './cell';
import { V } from './lanes';

class Share {
  @inline static add(p: usize, v: v128): void {
    v128.store(p, V.add(v128.load(p), v));
  }
  /** Adds v to the eight rows from the first on: p, q = p + y, u = p + x, t = q + x, and those `sz` behind them. */
  @inline static scatter(
    p: usize,
    q: usize,
    u: usize,
    t: usize,
    sz: usize,
    fx: v128,
    fy: v128,
    fz: v128,
    v: v128,
  ): void {
    const v1 = V.mul(v, fx);
    const v0 = V.sub(v, v1);
    const v01 = V.mul(v0, fy);
    const v00 = V.sub(v0, v01);
    const v11 = V.mul(v1, fy);
    const v10 = V.sub(v1, v11);
    const a = V.mul(v00, fz);
    const b = V.mul(v01, fz);
    const c = V.mul(v10, fz);
    const d = V.mul(v11, fz);
    Share.add(p, V.sub(v00, a));
    Share.add(p + sz, a);
    Share.add(q, V.sub(v01, b));
    Share.add(q + sz, b);
    Share.add(u, V.sub(v10, c));
    Share.add(u + sz, c);
    Share.add(t, V.sub(v11, d));
    Share.add(t + sz, d);
  }
}

/** `out` has rows of four floats; values have rows of `valueBytes`, 12 or 16. */
export function splatFours(out: usize, values: usize, coords: usize, n: i32, valueBytes: usize): void {
  const sz: usize = 16;
  const sy = Cell.strideY(sz);
  const sx = Cell.strideX(sz);
  const last = Cell.last();
  const lastBase = Cell.lastBase();
  const strides = Cell.strides(sz);
  for (let i = 0; i < n; i++) {
    const v = v128.load(values);
    const r = v128.load(coords);
    coords += 12;
    values += valueBytes;
    if (!Cell.isFinite(r)) continue;
    const c = V.clamp(r, last);
    const g = Cell.base(c, lastBase);
    const f = V.sub(c, g);
    const p = Cell.row(out, Cell.offsets(g, strides));
    const q = p + sy;
    const u = p + sx;
    const t = u + sy;
    const fx = V.lane0(f);
    const fy = V.lane1(f);
    const fz = V.lane2(f);
    Share.scatter(p, q, u, t, sz, fx, fy, fz, v);
  }
}

export function splatEights(out: usize, values: usize, coords: usize, n: i32): void {
  const valueBytes: usize = 32;
  const sz: usize = 32;
  const sy = Cell.strideY(sz);
  const sx = Cell.strideX(sz);
  const last = Cell.last();
  const lastBase = Cell.lastBase();
  const strides = Cell.strides(sz);
  for (let i = 0; i < n; i++) {
    const v = v128.load(values);
    const w = v128.load(values, 16);
    const r = v128.load(coords);
    coords += 12;
    values += valueBytes;
    if (!Cell.isFinite(r)) continue;
    const c = V.clamp(r, last);
    const g = Cell.base(c, lastBase);
    const f = V.sub(c, g);
    const p = Cell.row(out, Cell.offsets(g, strides));
    const q = p + sy;
    const u = p + sx;
    const t = u + sy;
    const fx = V.lane0(f);
    const fy = V.lane1(f);
    const fz = V.lane2(f);
    Share.scatter(p, q, u, t, sz, fx, fy, fz, v);
    Share.scatter(p + 16, q + 16, u + 16, t + 16, sz, fx, fy, fz, w);
  }
}
