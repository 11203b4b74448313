/**
 * WavecubeCoordGrad for rows of four or eight floats of a full bank in cell order, all axes clamped: fused from coordinates
 * to results, one sample a step. Contract: src/ops/contract.ts. The derivative outside a clamped axis is zero; a sample
 * with a coordinate that is not finite gives zeros. Along z values are blended by their differences, which z's own
 * derivative needs anyway: rounding is relative to the largest of the eight.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { Cell } from './cell';
import { V } from './lanes';

class Edges {
  /**
   * The gradient from lane products summed over the payload: value `a` … `d` at the edges (x, y) = 00, 01, 10, 11,
   * blended along z, and their differences along z.
   */
  @inline static gradient(
    a: v128,
    b: v128,
    c: v128,
    d: v128,
    az: v128,
    bz: v128,
    cz: v128,
    dz: v128,
    fx: v128,
    fy: v128,
  ): v128 {
    const ex = V.rest(fx);
    const ey = V.rest(fy);
    const x = V.sub(V.lerp(c, d, ey, fy), V.lerp(a, b, ey, fy));
    const y = V.lerp(V.sub(b, a), V.sub(d, c), ex, fx);
    const z = V.lerp(V.lerp(az, bz, ey, fy), V.lerp(cz, dz, ey, fy), ex, fx);
    return Cell.sums(x, y, z, true);
  }
}

export function coordGradFours(out: usize, nodes: usize, coords: usize, values: usize, n: i32): void {
  const sz: usize = 16;
  const sy = Cell.strideY(sz);
  const sx = Cell.strideX(sz);
  const last = Cell.last();
  const lastBase = Cell.lastBase();
  const strides = Cell.strides(sz);
  for (let i = 0; i < n; i++) {
    const r = v128.load(coords);
    const c = V.clamp(r, last);
    const g = Cell.base(c, lastBase);
    const f = V.sub(c, g);
    const finite = Cell.isFinite(r);
    const p = Cell.row(nodes, Cell.offsets(g, strides));
    const q = p + sy;
    const u = p + sx;
    const t = u + sy;
    const fx = V.lane0(f);
    const fy = V.lane1(f);
    const fz = V.lane2(f);
    const v = v128.load(values);
    const a0 = V.mul(v, v128.load(p));
    const az = V.sub(V.mul(v, v128.load(p, 16)), a0);
    const a = V.madd(a0, az, fz);
    const b0 = V.mul(v, v128.load(q));
    const bz = V.sub(V.mul(v, v128.load(q, 16)), b0);
    const b = V.madd(b0, bz, fz);
    const h0 = V.mul(v, v128.load(u));
    const hz = V.sub(V.mul(v, v128.load(u, 16)), h0);
    const h = V.madd(h0, hz, fz);
    const d0 = V.mul(v, v128.load(t));
    const dz = V.sub(V.mul(v, v128.load(t, 16)), d0);
    const d = V.madd(d0, dz, fz);
    const gradient = Edges.gradient(a, b, h, d, az, bz, hz, dz, fx, fy);
    const o = finite ? v128.and(gradient, f32x4.eq(c, r)) : V.zero();
    if (i < n - 1) v128.store(out, o);
    else V.storeFirst(out, o, 3);
    out += 12;
    coords += 12;
    values += 16;
  }
}

export function coordGradEights(out: usize, nodes: usize, coords: usize, values: usize, n: i32): void {
  const sz: usize = 32;
  const sy = Cell.strideY(sz);
  const sx = Cell.strideX(sz);
  const last = Cell.last();
  const lastBase = Cell.lastBase();
  const strides = Cell.strides(sz);
  for (let i = 0; i < n; i++) {
    const r = v128.load(coords);
    const c = V.clamp(r, last);
    const g = Cell.base(c, lastBase);
    const f = V.sub(c, g);
    const finite = Cell.isFinite(r);
    const p = Cell.row(nodes, Cell.offsets(g, strides));
    const q = p + sy;
    const u = p + sx;
    const t = u + sy;
    const fx = V.lane0(f);
    const fy = V.lane1(f);
    const fz = V.lane2(f);
    const v = v128.load(values);
    const w = v128.load(values, 16);
    const a0 = V.madd(V.mul(v, v128.load(p)), w, v128.load(p, 16));
    const az = V.sub(V.madd(V.mul(v, v128.load(p, 32)), w, v128.load(p, 48)), a0);
    const a = V.madd(a0, az, fz);
    const b0 = V.madd(V.mul(v, v128.load(q)), w, v128.load(q, 16));
    const bz = V.sub(V.madd(V.mul(v, v128.load(q, 32)), w, v128.load(q, 48)), b0);
    const b = V.madd(b0, bz, fz);
    const h0 = V.madd(V.mul(v, v128.load(u)), w, v128.load(u, 16));
    const hz = V.sub(V.madd(V.mul(v, v128.load(u, 32)), w, v128.load(u, 48)), h0);
    const h = V.madd(h0, hz, fz);
    const d0 = V.madd(V.mul(v, v128.load(t)), w, v128.load(t, 16));
    const dz = V.sub(V.madd(V.mul(v, v128.load(t, 32)), w, v128.load(t, 48)), d0);
    const d = V.madd(d0, dz, fz);
    const gradient = Edges.gradient(a, b, h, d, az, bz, hz, dz, fx, fy);
    const o = finite ? v128.and(gradient, f32x4.eq(c, r)) : V.zero();
    if (i < n - 1) v128.store(out, o);
    else V.storeFirst(out, o, 3);
    out += 12;
    coords += 12;
    values += 32;
  }
}
