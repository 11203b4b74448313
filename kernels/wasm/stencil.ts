/**
 * The stencil of a batch, resolved once into scratch: for each sample the addresses of its eight rows and their
 * weights. Definition: src/interpolation/stencil.ts; which rows count: src/ops/contract.ts.
 *
 *   taps     [n, 8] u32   address of the row of tap k = 4·(upper x) + 2·(upper y) + (upper z); `absent` where there is
 *                         no node or this page does not hold it, so that the loops over rows need no branch
 *   weights  [n, 8] f32   VALUE w_k · TANGENT D_h w_k · AXES fractions (x, y, z, ·) and slopes (x, y, z, ·)
 *
 * A coordinate that is not finite has all taps absent, and weights NaN (VALUE), 0 (TANGENT), fraction NaN (AXES).
 */
import { V } from './lanes';

export const VALUE: i32 = 0;
export const TANGENT: i32 = 1;
export const AXES: i32 = 2;
export const RECORD_BYTES: usize = 32;

let grid: usize;
let nx: i32;
let ny: i32;
let nz: i32;
let codeX: i32;
let codeY: i32;
let codeZ: i32;
let firstRow: i32;
export let rows: i32;
/** Row = cell, all present: the grid is not read. */
export let ordered: bool;
/** Every axis clamps and has two nodes at least: the base is always inside. */
export let clamped: bool;
/** No tap of a finite coordinate is without a row. */
let complete: bool;

let origin: usize;
let rowBytes: u32;
export let absent: usize;
/** Whether the last `fill` met a tap without a row. */
export let metAbsent: bool;

/** The grid of the calls that follow; all of SamplingAttrs but payload and half. */
export function setGrid(
  at: usize,
  dimX: i32,
  dimY: i32,
  dimZ: i32,
  boundaryX: i32,
  boundaryY: i32,
  boundaryZ: i32,
  first: i32,
  count: i32,
  isOrdered: bool,
): void {
  grid = at;
  nx = dimX;
  ny = dimY;
  nz = dimZ;
  codeX = boundaryX;
  codeY = boundaryY;
  codeZ = boundaryZ;
  firstRow = first;
  rows = count;
  ordered = isOrdered && first === 0 && count === dimX * dimY * dimZ;
  clamped = (boundaryX | boundaryY | boundaryZ) === 0 && min(dimX, min(dimY, dimZ)) >= 2;
  complete = ordered && inside(dimX, boundaryX) && inside(dimY, boundaryY) && inside(dimZ, boundaryZ);
}

/** Whether both taps of an axis are always nodes. */
function inside(n: i32, code: i32): bool {
  return code === 1 || (code !== 3 && n >= 2);
}

/** Whether a tap of these samples may be without a row, so that `fill` needs an `absent` one. */
export function mayMiss(coords: usize, n: i32): bool {
  if (!complete) return true;
  for (const end = coords + <usize>n * 12; coords < end; coords += 4) {
    const r = load<f32>(coords);
    if (r - r !== 0) return true;
  }
  return false;
}

/** Where the rows lie: tap addresses are start + row · bytes, or `none`, which is 0 where there cannot be one. */
export function setRows(start: usize, bytes: u32, none: usize): void {
  origin = start;
  rowBytes = bytes;
  absent = none;
}

export function dimX(): i32 {
  return nx;
}
export function dimY(): i32 {
  return ny;
}
export function dimZ(): i32 {
  return nz;
}

// axis() and its three results.
let base: i32;
let fraction: f64;
let slope: f64;

/** whole mod size, 0 … size − 1, exact for every float: `%` is, where a rounded quotient is not. */
function remainder(whole: f64, size: f64): f64 {
  if (whole >= 0 && whole < size) return whole;
  const m = whole % size;
  return m < 0 ? m + size : m;
}

function axis(r: f64, n: i32, code: i32): void {
  const last = <f64>(n - 1);
  base = 0;
  fraction = 0;
  slope = 0;
  if (code === 0) {
    if (n === 1) return;
    const c = min(max(r, 0), last);
    base = min(<i32>c, n - 2);
    fraction = c - <f64>base;
    slope = c === r ? 1 : 0;
  } else if (code === 1) {
    const whole = floor(r);
    base = <i32>remainder(whole, <f64>n);
    fraction = r - whole;
    slope = 1;
  } else if (code === 2) {
    if (n === 1) return;
    const whole = floor(r);
    const m = <i32>remainder(whole, 2 * last);
    const f = r - whole;
    if (m < n - 1) {
      base = m;
      fraction = f;
      slope = 1;
    } else {
      base = 2 * n - 3 - m;
      fraction = 1 - f;
      slope = m === n - 1 && f === 0 ? 1 : -1;
    }
  } else if (code === 3) {
    if (r < -1 || r >= <f64>n) {
      base = n; // two taps beyond the axis
    } else {
      base = r === last && n > 1 ? n - 2 : <i32>floor(r);
      fraction = r - <f64>base;
      slope = 1;
    }
  } else {
    if (n === 1) return;
    base = <i32>min(max(floor(r), 0), <f64>(n - 2));
    fraction = r - <f64>base;
    slope = 1;
  }
}

/** The node of a tap, or −1. */
function tapNode(tap: i32, n: i32, code: i32): i32 {
  if (code === 1 && tap === n) return 0;
  return <u32>tap < <u32>n ? tap : -1;
}

/** The bank's row of a cell given by its offsets along the axes, −1 where an offset is. */
function rowAt(x: i32, y: i32, z: i32): i32 {
  if ((x | y | z) < 0) return -1;
  const cell = x + y + z;
  return ordered ? cell : load<i32>(grid + ((<usize>cell) << 2));
}

/** Addresses of four rows of the bank. Unsigned: −1 and rows before the page are as far out as those behind it. */
function addresses(bankRows: v128): v128 {
  const r = i32x4.sub(bankRows, i32x4.splat(firstRow));
  const present = i32x4.lt_u(r, i32x4.splat(rows));
  if (!i32x4.all_true(present)) metAbsent = true;
  const address = i32x4.add(i32x4.splat(<i32>origin), i32x4.mul(r, i32x4.splat(<i32>rowBytes)));
  return v128.bitselect(address, i32x4.splat(<i32>absent), present);
}

function storeTaps(taps: usize, gx: i32, gy: i32, gz: i32): void {
  const strideX = ny * nz;
  // Unsigned: a base of −1 is outside too.
  if (<u32>gx < <u32>(nx - 1) && <u32>gy < <u32>(ny - 1) && <u32>gz < <u32>(nz - 1)) {
    const cell = gx * strideX + gy * nz + gz;
    if (ordered) {
      const p = i32x4.splat(<i32>(origin + <usize>cell * rowBytes));
      const y = <i32>(<u32>nz * rowBytes);
      const low = i32x4.add(p, i32x4(0, <i32>rowBytes, y, y + <i32>rowBytes));
      v128.store(taps, low);
      v128.store(taps, i32x4.add(low, i32x4.splat(<i32>(<u32>strideX * rowBytes))), 16);
    } else {
      const p = grid + ((<usize>cell) << 2);
      const q = p + ((<usize>strideX) << 2);
      const y = (<usize>nz) << 2;
      v128.store(taps, addresses(v128.load64_lane(p + y, v128.load64_zero(p), 1)));
      v128.store(taps, addresses(v128.load64_lane(q + y, v128.load64_zero(q), 1)), 16);
    }
    return;
  }
  // −1 times a stride stays negative.
  const x0 = tapNode(gx, nx, codeX) * strideX;
  const x1 = tapNode(gx + 1, nx, codeX) * strideX;
  const y0 = tapNode(gy, ny, codeY) * nz;
  const y1 = tapNode(gy + 1, ny, codeY) * nz;
  const z0 = tapNode(gz, nz, codeZ);
  const z1 = tapNode(gz + 1, nz, codeZ);
  const low = i32x4(rowAt(x0, y0, z0), rowAt(x0, y0, z1), rowAt(x0, y1, z0), rowAt(x0, y1, z1));
  const high = i32x4(rowAt(x1, y0, z0), rowAt(x1, y0, z1), rowAt(x1, y1, z0), rowAt(x1, y1, z1));
  v128.store(taps, addresses(low));
  v128.store(taps, addresses(high), 16);
}

function storeWeights(weights: usize, taps: usize, f: v128, s: v128, tangent: usize): void {
  const e = V.sub(f32x4.splat(1), f);
  const y = v128.shuffle<i32>(e, f, 1, 1, 5, 5);
  const z = v128.shuffle<i32>(e, f, 2, 6, 2, 6);
  const yz = V.mul(y, z);
  const x0 = v128.shuffle<i32>(e, e, 0, 0, 0, 0);
  const x1 = v128.shuffle<i32>(f, f, 0, 0, 0, 0);
  if (tangent === 0) {
    v128.store(weights, V.mul(x0, yz));
    v128.store(weights, V.mul(x1, yz), 16);
    return;
  }
  const h = V.mul(v128.load(tangent), s);
  const hx = V.mul(v128.shuffle<i32>(h, h, 0, 0, 0, 0), yz);
  const hy = V.mul(v128.shuffle<i32>(h, h, 1, 1, 1, 1), f32x4(-1, -1, 1, 1));
  const hz = V.mul(v128.shuffle<i32>(h, h, 2, 2, 2, 2), f32x4(-1, 1, -1, 1));
  const d = V.madd(V.mul(hy, z), hz, y);
  // An absent tap weighs nothing even where h is NaN.
  const none = i32x4.splat(<i32>absent);
  v128.store(weights, v128.and(V.sub(V.mul(x0, d), hx), i32x4.ne(v128.load(taps), none)));
  v128.store(weights, v128.and(V.madd(hx, x1, d), i32x4.ne(v128.load(taps, 16), none)), 16);
}

/**
 * Resolves `count` samples. `tangent` is read for TANGENT only; `keys` [count] u32, if not null, gets the place of
 * each sample's cell, to sort by.
 */
export function fill(
  taps: usize,
  weights: usize,
  keys: usize,
  coords: usize,
  tangent: usize,
  count: i32,
  mode: i32,
): void {
  metAbsent = false;
  const last = f32x4(<f32>(nx - 1), <f32>(ny - 1), <f32>(nz - 1), 0);
  const lastBase = f32x4(<f32>(nx - 2), <f32>(ny - 2), <f32>(nz - 2), 0);
  const one = f32x4.splat(1);
  for (let i = 0; i < count; i++) {
    const raw = v128.load(coords);
    const difference = V.sub(raw, raw);
    let gx = -2;
    let gy = -2;
    let gz = -2;
    if (v128.any_true(v128.and(f32x4.ne(difference, difference), V.below(3)))) {
      metAbsent = true;
      v128.store(taps, i32x4.splat(<i32>absent));
      v128.store(taps, i32x4.splat(<i32>absent), 16);
      const w = f32x4.splat(mode === TANGENT ? 0 : NaN);
      v128.store(weights, w);
      v128.store(weights, w, 16);
    } else {
      let f: v128;
      let s: v128;
      if (clamped) {
        const c = V.clamp(raw, last);
        const g = f32x4.pmin(f32x4.floor(c), lastBase);
        f = V.sub(c, g);
        s = v128.and(f32x4.eq(c, raw), one);
        const cell = i32x4.trunc_sat_f32x4_s(g);
        gx = i32x4.extract_lane(cell, 0);
        gy = i32x4.extract_lane(cell, 1);
        gz = i32x4.extract_lane(cell, 2);
      } else {
        axis(<f64>f32x4.extract_lane(raw, 0), nx, codeX);
        gx = base;
        f = f32x4.splat(<f32>fraction);
        s = f32x4.splat(<f32>slope);
        axis(<f64>f32x4.extract_lane(raw, 1), ny, codeY);
        gy = base;
        f = f32x4.replace_lane(f, 1, <f32>fraction);
        s = f32x4.replace_lane(s, 1, <f32>slope);
        axis(<f64>f32x4.extract_lane(raw, 2), nz, codeZ);
        gz = base;
        f = f32x4.replace_lane(f, 2, <f32>fraction);
        s = f32x4.replace_lane(s, 2, <f32>slope);
      }
      storeTaps(taps, gx, gy, gz);
      if (mode === AXES) {
        v128.store(weights, f);
        v128.store(weights, s, 16);
      } else {
        storeWeights(weights, taps, f, s, mode === TANGENT ? tangent : 0);
      }
    }
    if (keys) {
      store<u32>(keys, ((<u32>gx + 2) * <u32>(ny + 3) + <u32>gy + 2) * <u32>(nz + 3) + <u32>gz + 2);
      keys += 4;
    }
    taps += RECORD_BYTES;
    weights += RECORD_BYTES;
    coords += 12;
    tangent += 12;
  }
}
