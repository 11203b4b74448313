/**
 * Monotone interpolation along one axis, four elements a vector. Definition: src/interpolation/monotone.ts.
 *
 * An axis is AXIS_BYTES of scratch, one number in all lanes of each vector: c0, c1, c2; their derivatives by f; then for the
 * side below and for the side above u, v, 1/h, 1/(3(1 + h)²) and whether it is open; and whether f is outside the cell.
 *
 * Secants count up to BIG, so that no sum of two overflows: beyond it they are as good as equal. What is smaller than TINY
 * divides nothing.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { V } from './lanes';

export const AXIS_BYTES: usize = 288;

const D0: usize = 48;
const D1: usize = 64;
const D2: usize = 80;
const BELOW: usize = 96;
const ABOVE: usize = 176;
const OUTSIDE: usize = 256;
/** Within a side. */
const U: usize = 0;
const W: usize = 16;
const PER_H: usize = 32;
const BEND: usize = 48;
const OPEN_SIDE: usize = 64;

const BIG: f32 = 1e38;
const TINY: f32 = 1.17549435e-38;

function setSide(side: usize, h: f32, open: bool): void {
  v128.store(side + U, f32x4.splat((2 + h) / (3 + 3 * h)));
  v128.store(side + W, f32x4.splat((1 + 2 * h) / (3 + 3 * h)));
  v128.store(side + PER_H, f32x4.splat(1 / h));
  v128.store(side + BEND, f32x4.splat(1 / (3 * (1 + h) * (1 + h))));
  v128.store(side + OPEN_SIDE, i32x4.splat(open ? -1 : 0));
}

/** Writes the axis of a place. @returns whether it is the plain one: equal cells, no side open, f inside. */
export function setAxis(at: usize, f: f32, below: f32, above: f32, openBelow: bool, openAbove: bool): bool {
  const e: f32 = 1 - f;
  const outside = f < 0 || f > 1;
  v128.store(at, f32x4.splat(outside ? f : f * f * (3 - 2 * f)));
  v128.store(at, f32x4.splat(outside ? 0 : f * e * e), 16);
  v128.store(at, f32x4.splat(outside ? 0 : f * f * e), 32);
  v128.store(at + D0, f32x4.splat(outside ? 1 : 6 * f * e));
  v128.store(at + D1, f32x4.splat(outside ? 0 : e * (1 - 3 * f)));
  v128.store(at + D2, f32x4.splat(outside ? 0 : f * (2 - 3 * f)));
  setSide(at + BELOW, below, openBelow);
  setSide(at + ABOVE, above, openAbove);
  v128.store(at + OUTSIDE, i32x4.splat(outside ? -1 : 0));
  return below === 1 && above === 1 && !openBelow && !openAbove && !outside;
}

export class Line {
  /** The neighbour's secant in the direction of the cell's own, whose signs are `sign`; 0 where it is the other way. */
  @inline static along(o: v128, sign: v128): v128 {
    return f32x4.pmin(f32x4.splat(BIG), f32x4.pmax(f32x4.splat(0), v128.xor(o, sign)));
  }
  @inline static signOf(d: v128): v128 {
    return v128.and(d, i32x4.splat(0x80000000));
  }
  @inline static sizeOf(d: v128): v128 {
    return f32x4.pmin(f32x4.splat(BIG), f32x4.abs(d));
  }
  @inline static over(a: v128, b: v128): v128 {
    return f32x4.div(a, f32x4.pmax(f32x4.splat(TINY), b));
  }
  /** p1 (1 − g) + p2 g. */
  @inline static blend(p1: v128, p2: v128, g: v128): v128 {
    return V.lerp(p1, p2, V.rest(g), g);
  }
  /** v within p1 and p2, NaN where it is NaN. */
  @inline static within(v: v128, p1: v128, p2: v128): v128 {
    return f32x4.pmin(f32x4.pmax(v, f32x4.pmin(p1, p2)), f32x4.pmax(p1, p2));
  }

  /** On the plain axis, where k = 2|o|/(|d| + |o|): c1 and c2 are twice what they are elsewhere. */
  @inline static plain(p0: v128, p1: v128, p2: v128, p3: v128, c0: v128, c1: v128, c2: v128): v128 {
    const d = V.sub(p2, p1);
    const sign = Line.signOf(d);
    const size = Line.sizeOf(d);
    const o = Line.along(V.sub(p1, p0), sign);
    const e = Line.along(V.sub(p3, p2), sign);
    const k1 = Line.over(o, V.add(size, o));
    const k2 = Line.over(e, V.add(size, e));
    const g = V.sub(V.madd(c0, k1, c1), V.mul(k2, c2));
    return Line.within(Line.blend(p1, p2, g), p1, p2);
  }

  /** m/d at one side: the neighbour's secant is difference/h. */
  @inline static ratio(difference: v128, d: v128, sign: v128, size: v128, side: usize): v128 {
    const o = v128.bitselect(d, V.mul(difference, v128.load(side + PER_H)), v128.load(side + OPEN_SIDE));
    const a = Line.along(o, sign);
    return Line.over(a, V.madd(V.mul(size, v128.load(side + U)), a, v128.load(side + W)));
  }
}

/** The interpolant on any axis. */
export function valueOn(at: usize, p0: v128, p1: v128, p2: v128, p3: v128): v128 {
  const d = V.sub(p2, p1);
  const sign = Line.signOf(d);
  const size = Line.sizeOf(d);
  const k1 = Line.ratio(V.sub(p1, p0), d, sign, size, at + BELOW);
  const k2 = Line.ratio(V.sub(p3, p2), d, sign, size, at + ABOVE);
  const g = V.sub(V.madd(v128.load(at), k1, v128.load(at, 16)), V.mul(k2, v128.load(at, 32)));
  const v = Line.blend(p1, p2, g);
  return v128.bitselect(v, Line.within(v, p1, p2), v128.load(at + OUTSIDE));
}

/**
 * What one side gives to the derivatives, c being c1 or −c2 and `rate` its derivative by f. Stores at `to` [4]: by the neighbour's
 * difference; by d through this side's slope; by h; and m/d · rate.
 */
function sideGrad(
  difference: v128,
  sign: v128,
  size: v128,
  c: v128,
  rate: v128,
  side: usize,
  to: usize,
): void {
  const open = v128.load(side + OPEN_SIDE);
  const perH = v128.load(side + PER_H);
  const u = v128.load(side + U);
  const w = v128.load(side + W);
  const a = Line.along(V.mul(difference, perH), sign);
  const sum = V.madd(V.mul(size, u), a, w);
  const live = v128.and(f32x4.gt(a, f32x4.splat(0)), f32x4.gt(size, f32x4.splat(0)));
  const k = v128.and(Line.over(a, sum), live);
  const j = v128.and(Line.over(size, sum), live);
  const outer = V.mul(V.mul(c, V.mul(u, V.mul(j, j))), perH);
  const closed = V.mul(c, V.mul(w, V.mul(k, k)));
  const bend = V.mul(V.mul(size, k), V.mul(V.sub(j, k), v128.load(side + BEND)));
  const byLength = v128.xor(V.sub(V.mul(c, bend), V.mul(outer, a)), sign);
  v128.store(to, v128.andnot(outer, open));
  v128.store(to, v128.bitselect(c, closed, open), 16);
  v128.store(to, v128.andnot(byLength, open), 32);
  v128.store(to, v128.bitselect(rate, V.mul(k, rate), open), 48);
}

/**
 * Of the line p [4]: stores s · ∂value/∂p at `out` [4], and adds s · ∂value/∂(f, below, above) to `sums` [3].
 */
export function lineGrad(at: usize, p: usize, s: v128, out: usize, sums: usize): void {
  const p0 = v128.load(p);
  const p1 = v128.load(p, 16);
  const p2 = v128.load(p, 32);
  const p3 = v128.load(p, 48);
  const d = V.sub(p2, p1);
  const sign = Line.signOf(d);
  const size = Line.sizeOf(d);
  sideGrad(V.sub(p1, p0), sign, size, v128.load(at, 16), v128.load(at + D1), at + BELOW, out);
  const byO = v128.load(out);
  let byD = V.add(v128.load(at), v128.load(out, 16));
  let slope = V.add(v128.load(at + D0), v128.load(out, 48));
  v128.store(sums, V.madd(v128.load(sums, 16), s, v128.load(out, 32)), 16);
  const c2 = f32x4.neg(v128.load(at, 32));
  const d2 = f32x4.neg(v128.load(at + D2));
  sideGrad(V.sub(p3, p2), sign, size, c2, d2, at + ABOVE, out);
  const byE = v128.load(out);
  byD = V.add(byD, v128.load(out, 16));
  slope = V.add(slope, v128.load(out, 48));
  v128.store(sums, V.madd(v128.load(sums, 32), s, v128.load(out, 32)), 32);
  v128.store(sums, V.madd(v128.load(sums), s, V.mul(v128.xor(size, sign), slope)));
  v128.store(out, f32x4.neg(V.mul(s, byO)));
  v128.store(out, V.mul(s, V.add(V.sub(f32x4.splat(1), byD), byO)), 16);
  v128.store(out, V.mul(s, V.sub(byD, byE)), 32);
  v128.store(out, V.mul(s, byE), 48);
}
