/**
 * WavecubeStencil and WavecubeStencilTaps: the four taps of each axis and their weights. Definition:
 * src/interpolation/taps.ts, in float64 here as there; contract: src/ops/tapscontract.ts.
 *
 * Where all taps of a sample are inside the axes, as most are, boundaries do not matter, and its three axes are the lanes of
 * vectors, in float32: each weight is a cubic of the fraction, which is exact at 0; a fraction of 1 is on the last node, where
 * this path does not go.
 */
import { V } from './lanes';

const LINEAR: i32 = 0;
const CARDINAL: i32 = 1;
const BSPLINE: i32 = 2;
const HERMITE: i32 = 3;
const HERMITE_TANGENT: i32 = 4;
const PLACE: i32 = 5;

const WRAP: i32 = 1;
const REFLECT: i32 = 2;
const ZERO: i32 = 3;
const EXTRAPOLATE: i32 = 4;

let nx: i32;
let ny: i32;
let nz: i32;
let codeX: i32;
let codeY: i32;
let codeZ: i32;
let basisX: i32;
let basisY: i32;
let basisZ: i32;
let a: f64;

/** How the calls that follow read coordinates: all of StencilAttrs but the order. */
export function setStencil(
  dimX: i32,
  dimY: i32,
  dimZ: i32,
  boundaryX: i32,
  boundaryY: i32,
  boundaryZ: i32,
  ofX: i32,
  ofY: i32,
  ofZ: i32,
  parameter: f64,
): void {
  nx = dimX;
  ny = dimY;
  nz = dimZ;
  codeX = boundaryX;
  codeY = boundaryY;
  codeZ = boundaryZ;
  basisX = ofX;
  basisY = ofY;
  basisZ = ofZ;
  a = parameter;
}

// basisWeights() and its results: the weights of the four slots.
let u0: f64;
let u1: f64;
let u2: f64;
let u3: f64;

function cubic(f: f64, order: i32, c0: f64, c1: f64, c2: f64, c3: f64): f64 {
  if (order === 0) return ((c3 * f + c2) * f + c1) * f + c0;
  if (order === 1) return (3 * c3 * f + 2 * c2) * f + c1;
  if (order === 2) return 6 * c3 * f + 2 * c2;
  return order === 3 ? 6 * c3 : 0;
}

function basisWeights(f: f64, basis: i32, order: i32): void {
  u0 = 0;
  u3 = 0;
  const e = 1 - f;
  const sign: f64 = order & 1 ? -1 : 1;
  if (basis === CARDINAL) {
    // From the nearer end, so that all are exact on both nodes for every a.
    const near = f <= 0.5;
    const t = near ? f : e;
    const s: f64 = near ? 1 : sign;
    const outer = s * cubic(t, order, 0, a, -2 * a, a);
    const inner = s * cubic(t, order, 1, 0, -(a + 3), a + 2);
    const farInner = s * cubic(t, order, 0, -a, 2 * a + 3, -(a + 2));
    const farOuter = s * cubic(t, order, 0, 0, a, -a);
    u0 = near ? outer : farOuter;
    u1 = near ? inner : farInner;
    u2 = near ? farInner : inner;
    u3 = near ? farOuter : outer;
  } else if (basis === BSPLINE) {
    u0 = sign * cubic(e, order, 0, 0, 0, 1.0 / 6);
    u1 = cubic(f, order, 4.0 / 6, 0, -1, 0.5);
    u2 = cubic(f, order, 1.0 / 6, 0.5, 0.5, -0.5);
    u3 = cubic(f, order, 0, 0, 0, 1.0 / 6);
  } else if (basis === HERMITE) {
    u1 = cubic(f, order, 1, 0, -3, 2);
    u2 = cubic(f, order, 0, 0, 3, -2);
  } else if (basis === HERMITE_TANGENT) {
    u1 = cubic(f, order, 0, 1, -2, 1);
    u2 = cubic(f, order, 0, 0, -1, 1);
  } else if (basis === PLACE) {
    u0 = cubic(f, order, 0, 1, 0, 0);
    u1 = order === 0 ? 1 : 0;
    u2 = u1;
  } else {
    u1 = cubic(f, order, 1, -1, 0, 0);
    u2 = cubic(f, order, 0, 1, 0, 0);
  }
}

/** whole mod size, 0 … size − 1, exact for every float. */
function remainder(whole: f64, size: f64): f64 {
  if (whole >= 0 && whole < size) return whole;
  const m = whole % size;
  return m < 0 ? m + size : m;
}

// placeOf() and its three results.
let base: i32;
let fraction: f64;
let slope: f64;

function placeOf(r: f64, n: i32, code: i32): void {
  const last = <f64>(n - 1);
  let c = r;
  slope = 1;
  if (code === ZERO) {
    if (r < -2 || r >= <f64>n + 1) {
      c = r < 0 ? -4 : <f64>n + 2;
      slope = 0;
    }
  } else if (code === WRAP) {
    const whole = floor(r);
    base = <i32>remainder(whole, <f64>n);
    fraction = r - whole;
    return;
  } else if (n === 1) {
    base = 0;
    fraction = 0;
    slope = 0;
    return;
  } else if (code === REFLECT) {
    const whole = floor(r);
    const m = <i32>remainder(whole, 2 * last);
    const f = r - whole;
    if (m < n - 1 || (m === n - 1 && f === 0)) {
      base = min(m, n - 2);
      fraction = <f64>(m - base) + f;
    } else {
      base = 2 * n - 3 - m;
      fraction = 1 - f;
      slope = -1;
    }
    return;
  } else if (code !== EXTRAPOLATE) {
    c = min(max(r, 0), last);
    slope = c === r ? 1 : 0;
  }
  if (code === EXTRAPOLATE) base = <i32>min(max(floor(c), 0), <f64>(n - 2));
  else if (c === last && n > 1) base = n - 2;
  else base = <i32>floor(c);
  fraction = c - <f64>base;
}

/** The node of a tap at most a few steps outside the axis, −1 for none. */
function nodeOfTap(tap: i32, n: i32, code: i32): i32 {
  if (<u32>tap < <u32>n) return tap;
  if (code === WRAP) return <i32>remainder(<f64>tap, <f64>n);
  if (code === REFLECT) {
    if (n === 1) return 0;
    const m = <i32>remainder(<f64>tap, <f64>(2 * (n - 1)));
    return m < n ? m : 2 * (n - 1) - m;
  }
  if (code === ZERO || code === EXTRAPOLATE) return -1;
  return tap < 0 ? 0 : n - 1;
}

function isAlone(n: i32, code: i32): bool {
  return n === 1 && code !== WRAP && code !== ZERO;
}

/** Whether a basis has two taps only, in slots 1 and 2. */
function isNarrow(basis: i32): bool {
  return basis === LINEAR || basis === HERMITE || basis === HERMITE_TANGENT;
}

function storeNodes(out: usize, r: f64, n: i32, code: i32, basis: i32): void {
  placeOf(r, n, code);
  if (isAlone(n, code)) {
    v128.store(out, i32x4(-1, 0, -1, -1));
    return;
  }
  store<i32>(out, nodeOfTap(base - 1, n, code));
  store<i32>(out, nodeOfTap(base, n, code), 4);
  store<i32>(out, nodeOfTap(base + 1, n, code), 8);
  store<i32>(out, nodeOfTap(base + 2, n, code), 12);
  if (isNarrow(basis)) {
    store<i32>(out, -1);
    store<i32>(out, -1, 12);
  }
}

function storeWeights(out: usize, r: f64, n: i32, code: i32, basis: i32, order: i32): void {
  placeOf(r, n, code);
  if (isAlone(n, code)) {
    const one: f32 = order > 0 || basis === HERMITE_TANGENT ? 0 : 1;
    v128.store(out, f32x4(0, one, basis === PLACE ? one : 0, 0));
    return;
  }
  if (code === EXTRAPOLATE && (fraction < 0 || fraction > 1)) beyond(basis, order);
  else basisWeights(fraction, basis, order);
  const times: f64 = order & 1 ? slope : order > 0 && slope === 0 ? 0 : 1;
  if (code === EXTRAPOLATE && basis !== PLACE) fold(n);
  store<f32>(out, <f32>(u0 * times));
  store<f32>(out, <f32>(u1 * times), 4);
  store<f32>(out, <f32>(u2 * times), 8);
  store<f32>(out, <f32>(u3 * times), 12);
}

/** The weights beyond an extrapolated axis. */
function beyond(basis: i32, order: i32): void {
  if (basis === CARDINAL) {
    // ±(slope −2a) · distance on the outermost node and the one beside it.
    const low = fraction < 0;
    const distance = low ? fraction : 1 - fraction;
    const rise = order === 0 ? -2 * a * distance : order === 1 ? (low ? -2 * a : 2 * a) : 0;
    const edge = (order === 0 ? 1.0 : 0.0) - rise;
    u0 = 0;
    u1 = low ? edge : rise;
    u2 = low ? rise : edge;
    u3 = 0;
    return;
  }
  if (basis !== HERMITE && basis !== HERMITE_TANGENT) {
    basisWeights(fraction, basis === PLACE ? PLACE : LINEAR, order);
    return;
  }
  const below = fraction < 0;
  let w: f64;
  if (basis === HERMITE) w = order === 0 ? 1 : 0;
  else if (order === 0) w = below ? fraction : fraction - 1;
  else w = order === 1 ? 1 : 0;
  u0 = 0;
  u1 = below ? w : 0;
  u2 = below ? 0 : w;
  u3 = 0;
}

/** Folds the weights of taps outside the axis onto the outermost two nodes, through which the nodes go on as a line. */
function fold(n: i32): void {
  if (base === 0) {
    u1 += 2 * u0;
    u2 -= u0;
    u0 = 0;
  }
  if (base + 2 === n) {
    u2 += 2 * u3;
    u1 -= u3;
    u3 = 0;
  }
}

/**
 * Lays out the cubics of all slots for samples inside: [slot][power] vectors of three axes' coefficients. Those of a
 * derivative are higher derivatives at 0.
 */
function layCubics(table: usize, order: i32): void {
  // The fourth lane too: what lies there may be subnormal, which is slow.
  memory.fill(table, 0, 256);
  for (let axis: usize = 0; axis < 3; axis++) {
    const basis = axis === 0 ? basisX : axis === 1 ? basisY : basisZ;
    let factorial: f64 = 1;
    for (let power = 0; power < 4; power++) {
      if (power > 1) factorial *= <f64>power;
      basisWeights(0, basis, order + power);
      const at = table + ((<usize>power) << 4) + (axis << 2);
      store<f32>(at, <f32>(u0 / factorial));
      store<f32>(at, <f32>(u1 / factorial), 64);
      store<f32>(at, <f32>(u2 / factorial), 128);
      store<f32>(at, <f32>(u3 / factorial), 192);
    }
  }
}

/** Bytes of scratch that `stencilWeights` needs. */
export const STENCIL_BYTES: usize = 256 + 16;

// biome-ignore lint/complexity/noStaticOnlyClass: see lanes.ts
class Inside {
  /** Samples from 1 up to here, on every axis, have all their taps inside. */
  @inline static end(): v128 {
    return f32x4(<f32>(nx - 2), <f32>(ny - 2), <f32>(nz - 2), 0);
  }
  @inline static holds(r: v128, end: v128): bool {
    const inside = v128.and(f32x4.ge(r, f32x4.splat(1)), f32x4.lt(r, end));
    return (i32x4.bitmask(inside) & 7) === 7;
  }
  /** What makes −1 of the slots without a tap, by v128.or. */
  @inline static without(basis: i32): v128 {
    return isNarrow(basis) ? i32x4(-1, 0, 0, -1) : i32x4.splat(0);
  }
  @inline static isFinite(r: v128): bool {
    const difference = V.sub(r, r);
    return (i32x4.bitmask(f32x4.eq(difference, difference)) & 7) === 7;
  }
  @inline static cubic(table: usize, slot: usize, f: v128): v128 {
    const at = table + (slot << 6);
    const high = V.madd(v128.load(at, 32), f, v128.load(at, 48));
    return V.madd(v128.load(at), f, V.madd(v128.load(at, 16), f, high));
  }
}

/** out [n, 3, 4]: the derivative of order `order` of the weights. */
export function stencilWeights(out: usize, coords: usize, n: i32, order: i32, scratch: usize): void {
  const table = (scratch + 15) & ~15;
  layCubics(table, order);
  const none: f32 = order === 0 ? NaN : 0;
  const end = Inside.end();
  for (let i = 0; i < n; i++, out += 48, coords += 12) {
    const r = v128.load(coords);
    if (Inside.holds(r, end)) {
      const f = V.sub(r, f32x4.floor(r));
      const a0 = Inside.cubic(table, 0, f);
      const a1 = Inside.cubic(table, 1, f);
      const a2 = Inside.cubic(table, 2, f);
      const a3 = Inside.cubic(table, 3, f);
      const xy01 = v128.shuffle<i32>(a0, a1, 0, 4, 1, 5);
      const xy23 = v128.shuffle<i32>(a2, a3, 0, 4, 1, 5);
      const z01 = v128.shuffle<i32>(a0, a1, 2, 6, 2, 6);
      const z23 = v128.shuffle<i32>(a2, a3, 2, 6, 2, 6);
      v128.store(out, v128.shuffle<i64>(xy01, xy23, 0, 2));
      v128.store(out, v128.shuffle<i64>(xy01, xy23, 1, 3), 16);
      v128.store(out, v128.shuffle<i64>(z01, z23, 0, 2), 32);
    } else if (Inside.isFinite(r)) {
      storeWeights(out, <f64>load<f32>(coords), nx, codeX, basisX, order);
      storeWeights(out + 16, <f64>load<f32>(coords, 4), ny, codeY, basisY, order);
      storeWeights(out + 32, <f64>load<f32>(coords, 8), nz, codeZ, basisZ, order);
    } else {
      v128.store(out, f32x4.splat(none));
      v128.store(out, f32x4.splat(none), 16);
      v128.store(out, f32x4.splat(none), 32);
    }
  }
}

/** out [n, 3, 4] int32: the nodes. */
export function stencilTaps(out: usize, coords: usize, n: i32): void {
  const end = Inside.end();
  const steps = i32x4(-1, 0, 1, 2);
  const withoutX = Inside.without(basisX);
  const withoutY = Inside.without(basisY);
  const withoutZ = Inside.without(basisZ);
  for (let i = 0; i < n; i++, out += 48, coords += 12) {
    const r = v128.load(coords);
    if (Inside.holds(r, end)) {
      const g = i32x4.trunc_sat_f32x4_s(r);
      v128.store(out, v128.or(i32x4.add(V.lane0(g), steps), withoutX));
      v128.store(out, v128.or(i32x4.add(V.lane1(g), steps), withoutY), 16);
      v128.store(out, v128.or(i32x4.add(V.lane2(g), steps), withoutZ), 32);
    } else if (Inside.isFinite(r)) {
      storeNodes(out, <f64>load<f32>(coords), nx, codeX, basisX);
      storeNodes(out + 16, <f64>load<f32>(coords, 4), ny, codeY, basisY);
      storeNodes(out + 32, <f64>load<f32>(coords, 8), nz, codeZ, basisZ);
    } else {
      v128.store(out, i32x4.splat(-1));
      v128.store(out, i32x4.splat(-1), 16);
      v128.store(out, i32x4.splat(-1), 32);
    }
  }
}

/** Bricks of cells that an order tells apart: what one pass of sortByKey does. */
const BRICKS: i32 = 2048;

/**
 * keys [n] u32: the brick of cells in which samples lie, about, for what is sorted by it only to be near. The nodes of a brick, with
 * its neighbours, take less of a cache than those of a plane.
 */
export function stencilKeys(keys: usize, coords: usize, n: i32): void {
  const last = f32x4(<f32>(nx - 1), <f32>(ny - 1), <f32>(nz - 1), 0);
  let shiftX = 0;
  let shiftY = 0;
  let shiftZ = 0;
  let bricksX = nx;
  let bricksY = ny;
  let bricksZ = nz;
  while (<f64>bricksX * <f64>bricksY * <f64>bricksZ > <f64>BRICKS) {
    if (bricksZ >= bricksY && bricksZ >= bricksX) bricksZ = ((nz - 1) >> ++shiftZ) + 1;
    else if (bricksY >= bricksX) bricksY = ((ny - 1) >> ++shiftY) + 1;
    else bricksX = ((nx - 1) >> ++shiftX) + 1;
  }
  for (let i = 0; i < n; i++, keys += 4, coords += 12) {
    // NaN reads as 0.
    const g = i32x4.trunc_sat_f32x4_s(V.clamp(v128.load(coords), last));
    const x = i32x4.extract_lane(g, 0) >> shiftX;
    const y = i32x4.extract_lane(g, 1) >> shiftY;
    const z = i32x4.extract_lane(g, 2) >> shiftZ;
    store<u32>(keys, (x * bricksY + y) * bricksZ + z);
  }
}
