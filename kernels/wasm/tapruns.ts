/**
 * Samples of narrow rows whose taps along z lie behind each other, as of a page in cell order nearly all do: four rows at one
 * stride from each of 16 places, or two from each of four (a pair), so that no list is needed. What taps.ts does with lists holds
 * here; no weight is left out.
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
/** Of a sample's 16 runs: addresses u32 [16], and the products of x's and y's weights f32 [16]. */
let table: usize;

/** Bytes of scratch that blendRun needs. */
export const RUNS_BYTES: usize = 128;

/** Gives blendRun its scratch. */
export function setRunTable(at: usize): void {
  table = at;
}

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

/** Whether a sample's taps are two on each axis, in slots 1 and 2, z's consecutive. */
export function isPair(taps: usize): bool {
  const x = v128.load(taps);
  const y = v128.load(taps, 16);
  const z = v128.load(taps, 32);
  const some = i32x4.bitmask(v128.or(v128.or(x, y), z));
  const all = i32x4.bitmask(v128.and(v128.and(x, y), z));
  return some === 9 && all === 9 && i32x4.extract_lane(z, 2) === i32x4.extract_lane(z, 1) + 1;
}

class Run {
  /** The run at the x tap at `x` and the y tap at `y`, `offset` being z's. */
  @inline static at(x: usize, y: usize, offset: usize): usize {
    return offset + <usize>(load<i32>(x) * strideX + load<i32>(y) * strideY);
  }
  @inline static first(taps: usize): usize {
    return start + <usize>(load<i32>(taps, 32) * strideZ);
  }
  /** Lays out the table of a sample. */
  @inline static layOut(taps: usize, weights: usize): void {
    const y = v128.load(weights, 16);
    const z = i32x4.splat(<i32>Run.first(taps));
    const rows = i32x4.add(z, i32x4.mul(v128.load(taps, 16), i32x4.splat(strideY)));
    const planes = i32x4.mul(v128.load(taps), i32x4.splat(strideX));
    v128.store(table, i32x4.add(rows, V.lane0(planes)));
    v128.store(table, i32x4.add(rows, V.lane1(planes)), 16);
    v128.store(table, i32x4.add(rows, V.lane2(planes)), 32);
    v128.store(table, i32x4.add(rows, V.lane3(planes)), 48);
    v128.store(table, V.mul(y, v128.load32_splat(weights)), 64);
    v128.store(table, V.mul(y, v128.load32_splat(weights, 4)), 80);
    v128.store(table, V.mul(y, v128.load32_splat(weights, 8)), 96);
    v128.store(table, V.mul(y, v128.load32_splat(weights, 12)), 112);
  }
  /**
   * Four floats of the result, `b` bytes into rows `sz` apart. Along x and y first, of each of z's rows: so little stands between two
   * branches that its sums and what is loaded beside them fit the registers, for engines load as early as they can.
   */
  @inline static sum(b: usize, sz: usize, weights: usize): v128 {
    let a0 = V.zero();
    let a1 = V.zero();
    let a2 = V.zero();
    let a3 = V.zero();
    for (let at = table, end = table + 64; at < end; at += 8) {
      const p = <usize>load<u32>(at) + b;
      const w = v128.load32_splat(at, 64);
      a0 = V.madd(a0, v128.load(p), w);
      a1 = V.madd(a1, v128.load(p + sz), w);
      a2 = V.madd(a2, v128.load(p + 2 * sz), w);
      a3 = V.madd(a3, v128.load(p + 3 * sz), w);
      const q = <usize>load<u32>(at, 4) + b;
      const v = v128.load32_splat(at, 68);
      a0 = V.madd(a0, v128.load(q), v);
      a1 = V.madd(a1, v128.load(q + sz), v);
      a2 = V.madd(a2, v128.load(q + 2 * sz), v);
      a3 = V.madd(a3, v128.load(q + 3 * sz), v);
    }
    const low = V.madd(V.mul(a0, v128.load32_splat(weights, 32)), a1, v128.load32_splat(weights, 36));
    const high = V.madd(V.mul(a2, v128.load32_splat(weights, 40)), a3, v128.load32_splat(weights, 44));
    return V.add(low, high);
  }
  @inline static sumEight(b: usize, weights: usize): v128 {
    let a0 = V.zero();
    let a1 = V.zero();
    let a2 = V.zero();
    let a3 = V.zero();
    for (let at = table, end = table + 64; at < end; at += 8) {
      const p = <usize>load<u32>(at) + b;
      const w = v128.load32_splat(at, 64);
      a0 = V.madd(a0, v128.load(p), w);
      a1 = V.madd(a1, v128.load(p, 32), w);
      a2 = V.madd(a2, v128.load(p, 64), w);
      a3 = V.madd(a3, v128.load(p, 96), w);
      const q = <usize>load<u32>(at, 4) + b;
      const v = v128.load32_splat(at, 68);
      a0 = V.madd(a0, v128.load(q), v);
      a1 = V.madd(a1, v128.load(q, 32), v);
      a2 = V.madd(a2, v128.load(q, 64), v);
      a3 = V.madd(a3, v128.load(q, 96), v);
    }
    const low = V.madd(V.mul(a0, v128.load32_splat(weights, 32)), a1, v128.load32_splat(weights, 36));
    const high = V.madd(V.mul(a2, v128.load32_splat(weights, 40)), a3, v128.load32_splat(weights, 44));
    return V.add(low, high);
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

/** out [payload] = Σ w · row. */
export function blendRun(out: usize, taps: usize, weights: usize): void {
  const sz = <usize>strideZ;
  const whole = sz & ~15;
  Run.layOut(taps, weights);
  let b: usize = 0;
  for (; b < whole; b += 16) v128.store(out + b, Run.sum(b, sz, weights));
  if (b < sz) V.storeFirst(out + b, Run.sum(b, sz, weights), <i32>(sz - b) >> 2);
}

/** As blendRun, of rows of eight floats: all of a run lies within reach of one address. */
export function blendEights(out: usize, taps: usize, weights: usize): void {
  Run.layOut(taps, weights);
  v128.store(out, Run.sumEight(0, weights));
  v128.store(out, Run.sumEight(16, weights), 16);
}

/** As blendRun, where isPair. */
export function blendPair(out: usize, taps: usize, weights: usize): void {
  const sz = <usize>strideZ;
  const whole = sz & ~15;
  const offset = start + <usize>(load<i32>(taps, 36) * strideZ);
  const p = Run.at(taps + 4, taps + 20, offset);
  const q = Run.at(taps + 4, taps + 24, offset);
  const r = Run.at(taps + 8, taps + 20, offset);
  const s = Run.at(taps + 8, taps + 24, offset);
  const x1 = load<f32>(weights, 4);
  const x2 = load<f32>(weights, 8);
  const y1 = load<f32>(weights, 20);
  const y2 = load<f32>(weights, 24);
  const wp = f32x4.splat(x1 * y1);
  const wq = f32x4.splat(x1 * y2);
  const wr = f32x4.splat(x2 * y1);
  const ws = f32x4.splat(x2 * y2);
  const z1 = v128.load32_splat(weights, 36);
  const z2 = v128.load32_splat(weights, 40);
  for (let b: usize = 0; b < sz; b += 16) {
    const low = V.madd(V.mul(v128.load(p + b), wp), v128.load(q + b), wq);
    const high = V.madd(V.mul(v128.load(p + sz + b), wp), v128.load(q + sz + b), wq);
    const first = V.madd(V.madd(low, v128.load(r + b), wr), v128.load(s + b), ws);
    const second = V.madd(V.madd(high, v128.load(r + sz + b), wr), v128.load(s + sz + b), ws);
    const sum = V.madd(V.mul(first, z1), second, z2);
    if (b < whole) v128.store(out + b, sum);
    else V.storeFirst(out + b, sum, <i32>(sz - b) >> 2);
  }
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
