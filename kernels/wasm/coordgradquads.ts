/**
 * WavecubeCoordGrad for rows of three floats of a full bank in cell order, all axes clamped: fused from
 * coordinates to results. Contract: src/ops/contract.ts. The derivative outside a clamped axis is zero; a sample with a coordinate
 * that is not finite gives zeros. Along z values are blended by their differences, which z's own derivative needs
 * anyway: rounding is relative to the largest of the eight.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { Cell } from './cell';
import { V } from './lanes';

class Three {
  /** The gradient of one sample whose first row is at p, rows of three floats. */
  @inline static gradient(p: usize, sx: usize, sy: usize, fx: v128, fy: v128, fz: v128, v: v128): v128 {
    const ex = V.rest(fx);
    const ey = V.rest(fy);
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
    const x = V.sub(V.lerp(c, d, ey, fy), V.lerp(a, b, ey, fy));
    const y = V.lerp(V.sub(b, a), V.sub(d, c), ex, fx);
    const z = V.lerp(V.lerp(az, bz, ey, fy), V.lerp(cz, dz, ey, fy), ex, fx);
    return Cell.sums(V.mul(v, x), V.mul(v, y), V.mul(v, z), false);
  }
}

/** Rows of three: four samples a step (lanes: see cell.ts). */
export function coordGradThrees(out: usize, nodes: usize, coords: usize, values: usize, n: i32): void {
  const sz: usize = 12;
  const sy = Cell.strideY(sz);
  const sx = Cell.strideX(sz);
  const lastA = Cell.last();
  const lastB = Cell.turned(lastA);
  const lastC = Cell.turnedTwice(lastA);
  const baseA = Cell.lastBase();
  const baseB = Cell.turned(baseA);
  const baseC = Cell.turnedTwice(baseA);
  const strideA = Cell.strides(sz);
  const strideB = Cell.turned(strideA);
  const strideC = Cell.turnedTwice(strideA);
  let left = n;
  for (; left >= 4; left -= 4) {
    const rA = v128.load(coords);
    const rB = v128.load(coords, 16);
    const rC = v128.load(coords, 32);
    const poison = V.add(V.add(V.sub(rA, rA), V.sub(rB, rB)), V.sub(rC, rC));
    if (v128.any_true(f32x4.ne(poison, poison))) {
      for (let i: usize = 0; i < 48; i += 12) {
        three(out + i, nodes, coords + i, values + i, sx, sy, lastA, baseA, strideA);
      }
    } else {
      const cA = V.clamp(rA, lastA);
      const gA = Cell.base(cA, baseA);
      const fA = V.sub(cA, gA);
      const iA = Cell.offsets(gA, strideA);
      const cB = V.clamp(rB, lastB);
      const gB = Cell.base(cB, baseB);
      const fB = V.sub(cB, gB);
      const iB = Cell.offsets(gB, strideB);
      const cC = V.clamp(rC, lastC);
      const gC = Cell.base(cC, baseC);
      const fC = V.sub(cC, gC);
      const iC = Cell.offsets(gC, strideC);
      const o0 = Three.gradient(
        Cell.row(nodes, iA),
        sx,
        sy,
        V.lane0(fA),
        V.lane1(fA),
        V.lane2(fA),
        v128.load(values),
      );
      const o1 = Three.gradient(
        Cell.row1(nodes, iA, iB),
        sx,
        sy,
        V.lane3(fA),
        V.lane0(fB),
        V.lane1(fB),
        v128.load(values, 12),
      );
      v128.store(out, v128.and(v128.shuffle<i32>(o0, o1, 0, 1, 2, 4), f32x4.eq(cA, rA)));
      const o2 = Three.gradient(
        Cell.row2(nodes, iB, iC),
        sx,
        sy,
        V.lane2(fB),
        V.lane3(fB),
        V.lane0(fC),
        v128.load(values, 24),
      );
      v128.store(out, v128.and(v128.shuffle<i32>(o1, o2, 1, 2, 4, 5), f32x4.eq(cB, rB)), 16);
      const o3 = Three.gradient(
        Cell.row3(nodes, iC),
        sx,
        sy,
        V.lane1(fC),
        V.lane2(fC),
        V.lane3(fC),
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
  sx: usize,
  sy: usize,
  last: v128,
  base: v128,
  strides: v128,
): void {
  const r = v128.load(coords);
  const c = V.clamp(r, last);
  const g = Cell.base(c, base);
  const f = V.sub(c, g);
  const p = Cell.row(nodes, Cell.offsets(g, strides));
  const o = Three.gradient(p, sx, sy, V.lane0(f), V.lane1(f), V.lane2(f), v128.load(values));
  V.storeFirst(out, Cell.isFinite(r) ? v128.and(o, f32x4.eq(c, r)) : V.zero(), 3);
}
