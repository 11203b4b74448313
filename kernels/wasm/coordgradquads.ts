/**
 * WavecubeCoordGrad for rows of three floats of a full bank in cell order, all axes clamped: fused from
 * coordinates to results. Contract: src/ops/contract.ts. The derivative outside a clamped axis is zero; a sample with a coordinate
 * that is not finite gives zeros.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { V } from './lanes';
import { Quad } from './quads';
import { dimX, dimY, dimZ } from './stencil';

class Three {
  /** The gradient of one sample whose first row is at p, rows of three floats. */
  @inline static gradient(p: usize, sx: usize, sy: usize, fx: v128, fy: v128, fz: v128, v: v128): v128 {
    const q = p + sy;
    const u = p + sx;
    const t = u + sy;
    const a0 = v128.load(p);
    const b0 = v128.load(q);
    const c0 = v128.load(u);
    const d0 = v128.load(t);
    const az = V.sub(v128.load(p, 12), a0);
    const bz = V.sub(v128.load(q, 12), b0);
    const cz = V.sub(v128.load(u, 12), c0);
    const dz = V.sub(v128.load(t, 12), d0);
    const a = V.madd(a0, az, fz);
    const b = V.madd(b0, bz, fz);
    const c = V.madd(c0, cz, fz);
    const d = V.madd(d0, dz, fz);
    const x = V.sub(V.lerp(c, d, fy), V.lerp(a, b, fy));
    const y = V.lerp(V.sub(b, a), V.sub(d, c), fx);
    const z = V.lerp(V.lerp(az, bz, fy), V.lerp(cz, dz, fy), fx);
    return Quad.sums(V.mul(v, x), V.mul(v, y), V.mul(v, z), false);
  }
}

/** Rows of three: four samples a step (lanes: see quads.ts). */
export function coordGradThrees(out: usize, nodes: usize, coords: usize, values: usize, n: i32): void {
  const sz: i32 = 12;
  const sy = dimZ() * sz;
  const sx = dimY() * sy;
  const lx = <f32>(dimX() - 1);
  const ly = <f32>(dimY() - 1);
  const lz = <f32>(dimZ() - 1);
  const lastA = f32x4(lx, ly, lz, lx);
  const lastB = f32x4(ly, lz, lx, ly);
  const lastC = f32x4(lz, lx, ly, lz);
  const one = f32x4.splat(1);
  const baseA = V.sub(lastA, one);
  const baseB = V.sub(lastB, one);
  const baseC = V.sub(lastC, one);
  const strideA = i32x4(sx, sy, sz, sx);
  const strideB = i32x4(sy, sz, sx, sy);
  const strideC = i32x4(sz, sx, sy, sz);
  let left = n;
  for (; left >= 4; left -= 4) {
    const rA = v128.load(coords);
    const rB = v128.load(coords, 16);
    const rC = v128.load(coords, 32);
    const poison = V.add(V.add(Quad.poison(rA), Quad.poison(rB)), Quad.poison(rC));
    if (v128.any_true(f32x4.ne(poison, poison))) {
      for (let i: usize = 0; i < 48; i += 12) {
        three(out + i, nodes, coords + i, values + i, sx, sy, lastA, baseA, strideA);
      }
    } else {
      const cA = V.clamp(rA, lastA);
      const gA = Quad.base(cA, baseA);
      const fA = V.sub(cA, gA);
      const iA = Quad.offsets(gA, strideA);
      const cB = V.clamp(rB, lastB);
      const gB = Quad.base(cB, baseB);
      const fB = V.sub(cB, gB);
      const iB = Quad.offsets(gB, strideB);
      const cC = V.clamp(rC, lastC);
      const gC = Quad.base(cC, baseC);
      const fC = V.sub(cC, gC);
      const iC = Quad.offsets(gC, strideC);
      const o0 = Three.gradient(
        nodes + <usize>(i32x4.extract_lane(iA, 0) + i32x4.extract_lane(iA, 1) + i32x4.extract_lane(iA, 2)),
        sx,
        sy,
        v128.shuffle<i32>(fA, fA, 0, 0, 0, 0),
        v128.shuffle<i32>(fA, fA, 1, 1, 1, 1),
        v128.shuffle<i32>(fA, fA, 2, 2, 2, 2),
        v128.load(values),
      );
      const o1 = Three.gradient(
        nodes + <usize>(i32x4.extract_lane(iA, 3) + i32x4.extract_lane(iB, 0) + i32x4.extract_lane(iB, 1)),
        sx,
        sy,
        v128.shuffle<i32>(fA, fA, 3, 3, 3, 3),
        v128.shuffle<i32>(fB, fB, 0, 0, 0, 0),
        v128.shuffle<i32>(fB, fB, 1, 1, 1, 1),
        v128.load(values, 12),
      );
      v128.store(out, v128.and(v128.shuffle<i32>(o0, o1, 0, 1, 2, 4), f32x4.eq(cA, rA)));
      const o2 = Three.gradient(
        nodes + <usize>(i32x4.extract_lane(iB, 2) + i32x4.extract_lane(iB, 3) + i32x4.extract_lane(iC, 0)),
        sx,
        sy,
        v128.shuffle<i32>(fB, fB, 2, 2, 2, 2),
        v128.shuffle<i32>(fB, fB, 3, 3, 3, 3),
        v128.shuffle<i32>(fC, fC, 0, 0, 0, 0),
        v128.load(values, 24),
      );
      v128.store(out, v128.and(v128.shuffle<i32>(o1, o2, 1, 2, 4, 5), f32x4.eq(cB, rB)), 16);
      const o3 = Three.gradient(
        nodes + <usize>(i32x4.extract_lane(iC, 1) + i32x4.extract_lane(iC, 2) + i32x4.extract_lane(iC, 3)),
        sx,
        sy,
        v128.shuffle<i32>(fC, fC, 1, 1, 1, 1),
        v128.shuffle<i32>(fC, fC, 2, 2, 2, 2),
        v128.shuffle<i32>(fC, fC, 3, 3, 3, 3),
        v128.load(values, 36),
      );
      v128.store(out, v128.and(v128.shuffle<i32>(o2, o3, 2, 4, 5, 6), f32x4.eq(cC, rC)), 32);
    }
    out += 48;
    coords += 48;
    values += 48;
  }
  for (; left > 0; left--) {
    three(out, nodes, coords, values, sx, sy, lastA, baseA, strideA);
    out += 12;
    coords += 12;
    values += 12;
  }
}

function three(
  out: usize,
  nodes: usize,
  coords: usize,
  values: usize,
  sx: i32,
  sy: i32,
  last: v128,
  base: v128,
  strides: v128,
): void {
  const r = v128.load(coords);
  const poison = Quad.poison(r);
  const c = V.clamp(r, last);
  const g = Quad.base(c, base);
  const fA = V.sub(c, g);
  const iA = Quad.offsets(g, strides);
  const o = Three.gradient(
    nodes + <usize>(i32x4.extract_lane(iA, 0) + i32x4.extract_lane(iA, 1) + i32x4.extract_lane(iA, 2)),
    sx,
    sy,
    v128.shuffle<i32>(fA, fA, 0, 0, 0, 0),
    v128.shuffle<i32>(fA, fA, 1, 1, 1, 1),
    v128.shuffle<i32>(fA, fA, 2, 2, 2, 2),
    v128.load(values),
  );
  const finite = !v128.any_true(v128.and(f32x4.ne(poison, poison), V.below(3)));
  V.storeFirst(out, finite ? v128.and(o, f32x4.eq(c, r)) : V.zero(), 3);
}
