/**
 * WavecubeCoordGrad for rows of four or eight floats of a full bank in cell order, all axes clamped: fused from coordinates
 * to results, one sample a step. Contract: src/ops/contract.ts. The derivative outside a clamped axis is zero; a sample
 * with a coordinate that is not finite gives zeros.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { V } from './lanes';
import { Quad } from './quads';
import { dimX, dimY, dimZ } from './stencil';

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
    const x = V.sub(V.lerp(c, d, fy), V.lerp(a, b, fy));
    const y = V.lerp(V.sub(b, a), V.sub(d, c), fx);
    const z = V.lerp(V.lerp(az, bz, fy), V.lerp(cz, dz, fy), fx);
    return Quad.sums(x, y, z, true);
  }
}

export function coordGradFours(out: usize, nodes: usize, coords: usize, values: usize, n: i32): void {
  const sz: usize = 16;
  const sy = <usize>dimZ() * sz;
  const sx = <usize>dimY() * sy;
  const last = f32x4(<f32>(dimX() - 1), <f32>(dimY() - 1), <f32>(dimZ() - 1), 0);
  const lastBase = V.sub(last, f32x4(1, 1, 1, 0));
  const strides = i32x4(<i32>sx, <i32>sy, <i32>sz, 0);
  for (let i = 0; i < n; i++) {
    const r = v128.load(coords);
    const c = V.clamp(r, last);
    const g = Quad.base(c, lastBase);
    const f = V.sub(c, g);
    const poison = Quad.poison(r);
    const finite = !v128.any_true(v128.and(f32x4.ne(poison, poison), V.below(3)));
    const offset = Quad.offsets(g, strides);
    const p =
      nodes +
      <usize>(i32x4.extract_lane(offset, 0) + i32x4.extract_lane(offset, 1) + i32x4.extract_lane(offset, 2));
    const q = p + sy;
    const u = p + sx;
    const t = u + sy;
    const fx = v128.shuffle<i32>(f, f, 0, 0, 0, 0);
    const fy = v128.shuffle<i32>(f, f, 1, 1, 1, 1);
    const fz = v128.shuffle<i32>(f, f, 2, 2, 2, 2);
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
  const sy = <usize>dimZ() * sz;
  const sx = <usize>dimY() * sy;
  const last = f32x4(<f32>(dimX() - 1), <f32>(dimY() - 1), <f32>(dimZ() - 1), 0);
  const lastBase = V.sub(last, f32x4(1, 1, 1, 0));
  const strides = i32x4(<i32>sx, <i32>sy, <i32>sz, 0);
  for (let i = 0; i < n; i++) {
    const r = v128.load(coords);
    const c = V.clamp(r, last);
    const g = Quad.base(c, lastBase);
    const f = V.sub(c, g);
    const poison = Quad.poison(r);
    const finite = !v128.any_true(v128.and(f32x4.ne(poison, poison), V.below(3)));
    const offset = Quad.offsets(g, strides);
    const p =
      nodes +
      <usize>(i32x4.extract_lane(offset, 0) + i32x4.extract_lane(offset, 1) + i32x4.extract_lane(offset, 2));
    const q = p + sy;
    const u = p + sx;
    const t = u + sy;
    const fx = v128.shuffle<i32>(f, f, 0, 0, 0, 0);
    const fy = v128.shuffle<i32>(f, f, 1, 1, 1, 1);
    const fz = v128.shuffle<i32>(f, f, 2, 2, 2, 2);
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
