/**
 * Samples of narrow rows whose four taps along z lie behind each other, as of a page in cell order nearly all do: four rows at
 * one stride from each of 16 places, so that no list is needed. What taps.ts does with lists holds here; no weight is left out.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { V } from './lanes';
import { Sums } from './tapdots';
import { pageDimY, pageDimZ } from './taplist';

/** Floats of a row up to which making the list costs as much as going through it. */
export const NARROW: i32 = 64;

let start: usize;
let strideX: i32;
let strideY: i32;
let strideZ: i32;

/** Rows of `rowBytes` in cell order from `at` on. */
export function setRuns(at: usize, rowBytes: usize): void {
  start = at;
  strideZ = <i32>rowBytes;
  strideY = pageDimZ() * strideZ;
  strideX = pageDimY() * strideY;
}

/** Whether a sample's taps are such runs: z's consecutive, none on the other axes without a node. */
export function isRun(taps: usize): bool {
  const x = v128.load(taps);
  const y = v128.load(taps, 16);
  const z = v128.load(taps, 32);
  const next = i32x4.add(V.lane0(z), i32x4(0, 1, 2, 3));
  const negative = i32x4.bitmask(v128.or(v128.or(x, y), z));
  return negative === 0 && i32x4.all_true(i32x4.eq(z, next));
}

class Run {
  /** The run at the x tap at `x` and the y tap at `y`, `offset` being z's. */
  @inline static at(x: usize, y: usize, offset: usize): usize {
    return offset + <usize>(load<i32>(x) * strideX + load<i32>(y) * strideY);
  }
  @inline static first(taps: usize): usize {
    return start + <usize>(load<i32>(taps, 32) * strideZ);
  }
  /** Σ over the four rows from p on. */
  @inline static sum(p: usize, sz: usize, z0: v128, z1: v128, z2: v128, z3: v128): v128 {
    const low = V.madd(V.mul(v128.load(p), z0), v128.load(p + sz), z1);
    const q = p + 2 * sz;
    return V.add(low, V.madd(V.mul(v128.load(q), z2), v128.load(q + sz), z3));
  }
  /** The four rows from p on get their shares of v. */
  @inline static share(p: usize, sz: usize, v: v128, z0: v128, z1: v128, z2: v128, z3: v128): void {
    v128.store(p, V.madd(v128.load(p), v, z0));
    p += sz;
    v128.store(p, V.madd(v128.load(p), v, z1));
    p += sz;
    v128.store(p, V.madd(v128.load(p), v, z2));
    p += sz;
    v128.store(p, V.madd(v128.load(p), v, z3));
  }
}

/** The sums over four rows of eight floats from p on, of their first and their last four. */
class Eight {
  @inline static low(p: usize, z0: v128, z1: v128, z2: v128, z3: v128): v128 {
    const low = V.madd(V.mul(v128.load(p), z0), v128.load(p, 32), z1);
    return V.add(low, V.madd(V.mul(v128.load(p, 64), z2), v128.load(p, 96), z3));
  }
  @inline static high(p: usize, z0: v128, z1: v128, z2: v128, z3: v128): v128 {
    const low = V.madd(V.mul(v128.load(p, 16), z0), v128.load(p, 48), z1);
    return V.add(low, V.madd(V.mul(v128.load(p, 80), z2), v128.load(p, 112), z3));
  }
}

/** out [payload] = Σ w · row. */
export function blendRun(out: usize, taps: usize, weights: usize): void {
  const sz = <usize>strideZ;
  const z0 = v128.load32_splat(weights, 32);
  const z1 = v128.load32_splat(weights, 36);
  const z2 = v128.load32_splat(weights, 40);
  const z3 = v128.load32_splat(weights, 44);
  const offset = Run.first(taps);
  const whole = sz & ~15;
  const sx = strideX;
  const o0 = <usize>(load<i32>(taps, 16) * strideY);
  const o1 = <usize>(load<i32>(taps, 20) * strideY);
  const o2 = <usize>(load<i32>(taps, 24) * strideY);
  const o3 = <usize>(load<i32>(taps, 28) * strideY);
  let b: usize = 0;
  for (; b + 32 <= whole; b += 32) {
    let s = V.zero();
    let t = V.zero();
    for (let x: usize = 0; x < 16; x += 4) {
      const at = offset + b + <usize>(load<i32>(taps + x) * sx);
      const p0 = at + o0;
      const p1 = at + o1;
      const p2 = at + o2;
      const p3 = at + o3;
      const y0 = v128.load32_splat(weights, 16);
      const y1 = v128.load32_splat(weights, 20);
      const y2 = v128.load32_splat(weights, 24);
      const y3 = v128.load32_splat(weights, 28);
      let u = V.mul(Run.sum(p0, sz, z0, z1, z2, z3), y0);
      let v = V.mul(Run.sum(p0 + 16, sz, z0, z1, z2, z3), y0);
      u = V.madd(u, Run.sum(p1, sz, z0, z1, z2, z3), y1);
      v = V.madd(v, Run.sum(p1 + 16, sz, z0, z1, z2, z3), y1);
      u = V.madd(u, Run.sum(p2, sz, z0, z1, z2, z3), y2);
      v = V.madd(v, Run.sum(p2 + 16, sz, z0, z1, z2, z3), y2);
      u = V.madd(u, Run.sum(p3, sz, z0, z1, z2, z3), y3);
      v = V.madd(v, Run.sum(p3 + 16, sz, z0, z1, z2, z3), y3);
      const w = v128.load32_splat(weights + x);
      s = V.madd(s, u, w);
      t = V.madd(t, v, w);
    }
    v128.store(out + b, s);
    v128.store(out + b, t, 16);
  }
  for (; b < sz; b += 16) {
    let s = V.zero();
    for (let x: usize = 0; x < 16; x += 4) {
      const at = offset + b + <usize>(load<i32>(taps + x) * strideX);
      let u = V.zero();
      for (let y: usize = 0; y < 16; y += 4) {
        const p = at + <usize>(load<i32>(taps + y, 16) * strideY);
        u = V.madd(u, Run.sum(p, sz, z0, z1, z2, z3), v128.load32_splat(weights + y, 16));
      }
      s = V.madd(s, u, v128.load32_splat(weights + x));
    }
    if (b < whole) v128.store(out + b, s);
    else V.storeFirst(out + b, s, <i32>(sz - b) >> 2);
  }
}

/** As blendRun, of rows of eight floats: all of a run lies within reach of one address. */
export function blendEights(out: usize, taps: usize, weights: usize): void {
  const z0 = v128.load32_splat(weights, 32);
  const z1 = v128.load32_splat(weights, 36);
  const z2 = v128.load32_splat(weights, 40);
  const z3 = v128.load32_splat(weights, 44);
  const offset = start + ((<usize>load<i32>(taps, 32)) << 5);
  const sx = strideX;
  const o0 = <usize>(load<i32>(taps, 16) * strideY);
  const o1 = <usize>(load<i32>(taps, 20) * strideY);
  const o2 = <usize>(load<i32>(taps, 24) * strideY);
  const o3 = <usize>(load<i32>(taps, 28) * strideY);
  let s = V.zero();
  let t = V.zero();
  for (let x: usize = 0; x < 16; x += 4) {
    const at = offset + <usize>(load<i32>(taps + x) * sx);
    const y0 = v128.load32_splat(weights, 16);
    let u = V.mul(Eight.low(at + o0, z0, z1, z2, z3), y0);
    let v = V.mul(Eight.high(at + o0, z0, z1, z2, z3), y0);
    const y1 = v128.load32_splat(weights, 20);
    u = V.madd(u, Eight.low(at + o1, z0, z1, z2, z3), y1);
    v = V.madd(v, Eight.high(at + o1, z0, z1, z2, z3), y1);
    const y2 = v128.load32_splat(weights, 24);
    u = V.madd(u, Eight.low(at + o2, z0, z1, z2, z3), y2);
    v = V.madd(v, Eight.high(at + o2, z0, z1, z2, z3), y2);
    const y3 = v128.load32_splat(weights, 28);
    u = V.madd(u, Eight.low(at + o3, z0, z1, z2, z3), y3);
    v = V.madd(v, Eight.high(at + o3, z0, z1, z2, z3), y3);
    const w = v128.load32_splat(weights + x);
    s = V.madd(s, u, w);
    t = V.madd(t, v, w);
  }
  v128.store(out, s);
  v128.store(out, t, 16);
}

/** row += w · values. */
export function scatterRun(values: usize, taps: usize, weights: usize): void {
  const sz = <usize>strideZ;
  const z0 = v128.load32_splat(weights, 32);
  const z1 = v128.load32_splat(weights, 36);
  const z2 = v128.load32_splat(weights, 40);
  const z3 = v128.load32_splat(weights, 44);
  const offset = Run.first(taps);
  const whole = sz & ~15;
  let b: usize = 0;
  for (; b < whole; b += 16) {
    const v = v128.load(values + b);
    for (let x: usize = 0; x < 16; x += 4) {
      const u = V.mul(v, v128.load32_splat(weights + x));
      for (let y: usize = 0; y < 16; y += 4) {
        const w = V.mul(u, v128.load32_splat(weights + y, 16));
        Run.share(Run.at(taps + x, taps + 16 + y, offset + b), sz, w, z0, z1, z2, z3);
      }
    }
  }
  if (b === sz) return;
  const left = <i32>(sz - b) >> 2;
  const v = v128.load(values + b);
  for (let x: usize = 0; x < 16; x += 4) {
    const u = V.mul(v, v128.load32_splat(weights + x));
    for (let y: usize = 0; y < 16; y += 4) {
      const w = V.mul(u, v128.load32_splat(weights + y, 16));
      let p = Run.at(taps + x, taps + 16 + y, offset + b);
      for (let z: usize = 0; z < 16; z += 4, p += sz) {
        V.storeFirst(p, V.madd(v128.load(p), w, v128.load32_splat(weights + z, 32)), left);
      }
    }
  }
}

/** Writes the products ⟨row, values⟩ into a cube of 4 × 4 × 4 floats. */
export function dotRun(dots: usize, values: usize, taps: usize): void {
  const sz = <usize>strideZ;
  const offset = Run.first(taps);
  const whole = sz & ~15;
  const cut = V.below(<i32>(sz - whole) >> 2);
  for (let x: usize = 0; x < 16; x += 4) {
    for (let y: usize = 0; y < 16; y += 4) {
      let p = Run.at(taps + x, taps + 16 + y, offset);
      let q = p + 2 * sz;
      let a = V.zero();
      let c = V.zero();
      let d = V.zero();
      let e = V.zero();
      let b: usize = 0;
      for (; b < whole; b += 16, p += 16, q += 16) {
        const v = v128.load(values + b);
        a = V.madd(a, v, v128.load(p));
        c = V.madd(c, v, v128.load(p + sz));
        d = V.madd(d, v, v128.load(q));
        e = V.madd(e, v, v128.load(q + sz));
      }
      if (b < sz) {
        // What lies behind the row may be NaN: the products are cut, not the factors.
        const v = v128.load(values + b);
        a = V.add(a, v128.and(V.mul(v, v128.load(p)), cut));
        c = V.add(c, v128.and(V.mul(v, v128.load(p + sz)), cut));
        d = V.add(d, v128.and(V.mul(v, v128.load(q)), cut));
        e = V.add(e, v128.and(V.mul(v, v128.load(q + sz)), cut));
      }
      v128.store(dots + (x << 4) + (y << 2), Sums.of(a, c, d, e));
    }
  }
}
