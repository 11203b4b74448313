/**
 * WavecubeTapsGrad and its tangent for one sample (src/ops/tapscontract.ts): the dot products ⟨row, values⟩ of its list
 * (taplist.ts, PLACES), put into a cube of 4 × 4 × 4 floats by the axes' entries, and the gradient by the weights from that.
 */
import { Half } from './half';
import { V } from './lanes';
import { AXIS_BYTES, AXIS_ENTRY, AXIS_H, AXIS_U, SECOND } from './taplist';

/** The cube, and a place for what is read in vain. */
export const DOTS_BYTES: usize = 256 + 16;
const NOWHERE: i32 = 64;

/** Fills a list up to a multiple of eight with entries that count nowhere; its length then. */
export function padPlaces(list: usize, count: i32): i32 {
  const padded = (count + 7) & ~7;
  const address = load<u32>(list);
  for (let i = count; i < padded; i++) {
    store<u32>(list + ((<usize>i) << 2), address);
    store<i32>(list + ((<usize>i) << 2), NOWHERE, SECOND);
  }
  return padded;
}

export class Sums {
  /** The sums of four vectors. */
  @inline static of(a: v128, b: v128, c: v128, d: v128): v128 {
    const ab = V.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
    const cd = V.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
    return V.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
  }
  @inline static put(dots: usize, places: usize, sums: v128): void {
    const p = dots + ((<usize>load<i32>(places)) << 2);
    const q = dots + ((<usize>load<i32>(places, 4)) << 2);
    const r = dots + ((<usize>load<i32>(places, 8)) << 2);
    const s = dots + ((<usize>load<i32>(places, 12)) << 2);
    store<f32>(p, load<f32>(p) + f32x4.extract_lane(sums, 0));
    store<f32>(q, load<f32>(q) + f32x4.extract_lane(sums, 1));
    store<f32>(r, load<f32>(r) + f32x4.extract_lane(sums, 2));
    store<f32>(s, load<f32>(s) + f32x4.extract_lane(sums, 3));
  }
}

/** Adds the part of the products over the bytes from … to, `from` a multiple of 16. `count`: as of padPlaces. */
export function addTapDots(
  dots: usize,
  values: usize,
  list: usize,
  count: i32,
  from: usize,
  to: usize,
): void {
  const whole = to & ~15;
  for (let k = 0; k < count; k += 8, list += 32) {
    const p0 = <usize>load<u32>(list);
    const p1 = <usize>load<u32>(list, 4);
    const p2 = <usize>load<u32>(list, 8);
    const p3 = <usize>load<u32>(list, 12);
    const p4 = <usize>load<u32>(list, 16);
    const p5 = <usize>load<u32>(list, 20);
    const p6 = <usize>load<u32>(list, 24);
    const p7 = <usize>load<u32>(list, 28);
    let a0 = V.zero();
    let a1 = V.zero();
    let a2 = V.zero();
    let a3 = V.zero();
    let a4 = V.zero();
    let a5 = V.zero();
    let a6 = V.zero();
    let a7 = V.zero();
    let b = from;
    for (; b < whole; b += 16) {
      const v = v128.load(values + b);
      a0 = V.madd(a0, v, v128.load(p0 + b));
      a1 = V.madd(a1, v, v128.load(p1 + b));
      a2 = V.madd(a2, v, v128.load(p2 + b));
      a3 = V.madd(a3, v, v128.load(p3 + b));
      a4 = V.madd(a4, v, v128.load(p4 + b));
      a5 = V.madd(a5, v, v128.load(p5 + b));
      a6 = V.madd(a6, v, v128.load(p6 + b));
      a7 = V.madd(a7, v, v128.load(p7 + b));
    }
    if (b < to) {
      // What lies behind the row may be NaN: the products are cut, not the factors.
      const cut = V.below(<i32>(to - b) >> 2);
      const v = v128.load(values + b);
      a0 = V.add(a0, v128.and(V.mul(v, v128.load(p0 + b)), cut));
      a1 = V.add(a1, v128.and(V.mul(v, v128.load(p1 + b)), cut));
      a2 = V.add(a2, v128.and(V.mul(v, v128.load(p2 + b)), cut));
      a3 = V.add(a3, v128.and(V.mul(v, v128.load(p3 + b)), cut));
      a4 = V.add(a4, v128.and(V.mul(v, v128.load(p4 + b)), cut));
      a5 = V.add(a5, v128.and(V.mul(v, v128.load(p5 + b)), cut));
      a6 = V.add(a6, v128.and(V.mul(v, v128.load(p6 + b)), cut));
      a7 = V.add(a7, v128.and(V.mul(v, v128.load(p7 + b)), cut));
    }
    Sums.put(dots, list + SECOND, Sums.of(a0, a1, a2, a3));
    Sums.put(dots, list + SECOND + 16, Sums.of(a4, a5, a6, a7));
  }
}

/** As addTapDots, of rows of halves; from and to are bytes of `values`, `from` a multiple of 32. */
export function addTapDotsHalf(
  dots: usize,
  values: usize,
  list: usize,
  count: i32,
  from: usize,
  to: usize,
): void {
  for (let k = 0; k < count; k += 4, list += 16) {
    const a = halfDot(values, <usize>load<u32>(list), from, to);
    const b = halfDot(values, <usize>load<u32>(list, 4), from, to);
    const c = halfDot(values, <usize>load<u32>(list, 8), from, to);
    const d = halfDot(values, <usize>load<u32>(list, 12), from, to);
    Sums.put(dots, list + SECOND, Sums.of(a, b, c, d));
  }
}

/** Lanes that sum to the product of a row of halves. */
function halfDot(values: usize, row: usize, from: usize, to: usize): v128 {
  let sum = V.zero();
  for (let b = from; b < to; b += 32) {
    const left = <i32>(to - b) >> 2;
    const v = v128.load(values + b);
    const w = v128.load(values + b, 16);
    const x = v128.load(row + (b >> 1));
    const even = V.mul(v128.shuffle<i32>(v, w, 0, 2, 4, 6), Half.even(x));
    const odd = V.mul(v128.shuffle<i32>(v, w, 1, 3, 5, 7), Half.odd(x));
    sum = V.add(sum, v128.and(even, V.below((left + 1) >> 1)));
    sum = V.add(sum, v128.and(odd, V.below(left >> 1)));
  }
  return sum;
}

/** out [3, 4] from a sample's cube of products and its axes (taplist.ts). */
export function weightGradient(out: usize, dots: usize, axes: usize): void {
  productsByAxis(out, dots, axes + AXIS_U, AXIS_BYTES);
  v128.store(dots, v128.load(out));
  bySlots(out, axes, dots);
  v128.store(dots, v128.load(out, 16));
  bySlots(out + 16, axes + AXIS_BYTES, dots);
  v128.store(dots, v128.load(out, 32));
  bySlots(out + 32, axes + 2 * AXIS_BYTES, dots);
}

/** out [3, 4] by the entries of each axis; weights of the axes `stride` bytes apart. Spends the cube. */
export function productsByAxis(out: usize, dots: usize, x: usize, stride: usize): void {
  const y = x + stride;
  const u = v128.load(y + stride);
  const y0 = v128.load32_splat(y);
  const y1 = v128.load32_splat(y, 4);
  const y2 = v128.load32_splat(y, 8);
  const y3 = v128.load32_splat(y, 12);
  let b0 = V.zero();
  let b1 = V.zero();
  let b2 = V.zero();
  let b3 = V.zero();
  let z = V.zero();
  for (let a: usize = 0; a < 4; a++) {
    const at = dots + (a << 6);
    const w = v128.load32_splat(x + (a << 2));
    const d0 = v128.load(at);
    const d1 = v128.load(at, 16);
    const d2 = v128.load(at, 32);
    const d3 = v128.load(at, 48);
    // Along y first: both x's and z's own sums need it.
    const d = V.madd(V.madd(V.madd(V.mul(d0, y0), d1, y1), d2, y2), d3, y3);
    z = V.madd(z, d, w);
    v128.store(at, V.mul(d, u));
    const wu = V.mul(w, u);
    b0 = V.madd(b0, d0, wu);
    b1 = V.madd(b1, d1, wu);
    b2 = V.madd(b2, d2, wu);
    b3 = V.madd(b3, d3, wu);
  }
  v128.store(out, Sums.of(v128.load(dots), v128.load(dots, 64), v128.load(dots, 128), v128.load(dots, 192)));
  v128.store(out, Sums.of(b0, b1, b2, b3), 16);
  v128.store(out, z, 32);
}

/** That of the tangent: out [3, 4], the derivatives of Σ D_h w · product. */
export function weightGradientTangent(out: usize, dots: usize, axes: usize): void {
  const x = axes;
  const y = axes + AXIS_BYTES;
  const u = v128.load(axes + 2 * AXIS_BYTES, AXIS_U);
  const h = v128.load(axes + 2 * AXIS_BYTES, AXIS_H);
  let z = V.zero();
  let b0 = V.zero();
  let b1 = V.zero();
  let b2 = V.zero();
  let b3 = V.zero();
  for (let a: usize = 0; a < 4; a++) {
    const at = dots + (a << 6);
    const ux = v128.load32_splat(x + (a << 2), AXIS_U);
    const hx = v128.load32_splat(x + (a << 2), AXIS_H);
    const both = V.madd(V.mul(hx, u), ux, h);
    let value = V.zero();
    let slope = V.zero();
    for (let b: usize = 0; b < 4; b++) {
      const d = v128.load(at + (b << 4));
      value = V.madd(value, d, v128.load32_splat(y + (b << 2), AXIS_U));
      slope = V.madd(slope, d, v128.load32_splat(y + (b << 2), AXIS_H));
    }
    b0 = V.madd(b0, v128.load(at), both);
    b1 = V.madd(b1, v128.load(at, 16), both);
    b2 = V.madd(b2, v128.load(at, 32), both);
    b3 = V.madd(b3, v128.load(at, 48), both);
    z = V.madd(V.madd(z, value, hx), slope, ux);
    v128.store(at, V.madd(V.mul(value, h), slope, u));
  }
  const g = Sums.of(v128.load(dots), v128.load(dots, 64), v128.load(dots, 128), v128.load(dots, 192));
  v128.store(dots, g);
  bySlots(out, axes, dots);
  v128.store(dots, Sums.of(b0, b1, b2, b3));
  bySlots(out + 16, axes + AXIS_BYTES, dots);
  v128.store(dots, z);
  bySlots(out + 32, axes + 2 * AXIS_BYTES, dots);
}

/** Gives each slot of an axis what its entry got; 0 to those without one. */
function bySlots(out: usize, axis: usize, entries: usize): void {
  for (let slot: usize = 0; slot < 16; slot += 4) {
    const entry = load<i32>(axis + slot, AXIS_ENTRY);
    store<f32>(out + slot, entry < 0 ? 0 : load<f32>(entries + ((<usize>entry) << 2)));
  }
}
