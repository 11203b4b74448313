/**
 * Band-limited resampling of a strip by Fourier transforms, in place of the matrix of src/ops/resample.ts. The eight columns go as
 * four complex lines: four real ones and four imaginary ones. A strip is what the transforms take (fourierpasses.ts): nothing is copied.
 * Rounding carries a part of one into the other, relative to the larger; so where they differ much, each column is brought to the
 * same size by a power of two, which is exact, and one that is not finite is left out and comes back as NaN: neighbours, which may be
 * other images or what lies behind a row's end, do not matter.
 *
 *   mirrored    rows come in Makhoul's order (even places forwards, odd ones backwards) and leave in it; with θ = πk/2N
 *               S_k = Re U_k, S_{N−k} = −Im U_k, U_k = e^{−iθ} V_k; and back V'_j = ½ e^{iθ'} (g_j − i g_{N'−j}), g_0 = S_0/N, g_k = 2S_k/N
 *   periodic    V'_k = V_k e^{iπk(1/N' − 1/N)}; the highest frequency of an even size is shared by ±k
 *
 * A resampling is laid out by src/backends/wasm/bandlimited.ts: i32 kind, f32 scale, f32 factor of the highest frequency; then u32
 * addresses of the plans, of the factors (pairs of floats) before and after, and of room for two lots of points.
 * The inverse transform of z_k is the transform of z_{−k}: spectra are put down backwards.
 *
 * Source: J. Makhoul, "A fast cosine transform in one and two dimensions" (1980).
 */
import { hasQuarters, transform, transformEnds, transformPadded } from './fourierpasses';
import { V } from './lanes';

const MIRRORED: i32 = 1;
const ROW: usize = 32;

// biome-ignore lint/complexity/noStaticOnlyClass: see lanes.ts
class R {
  @inline static planIn(at: usize): usize {
    return <usize>load<u32>(at, 12);
  }
  @inline static planOut(at: usize): usize {
    return <usize>load<u32>(at, 16);
  }
  @inline static turnsIn(at: usize): usize {
    return <usize>load<u32>(at, 20);
  }
  @inline static turnsOut(at: usize): usize {
    return <usize>load<u32>(at, 24);
  }
  @inline static first(at: usize): usize {
    return <usize>load<u32>(at, 28);
  }
  @inline static second(at: usize): usize {
    return <usize>load<u32>(at, 32);
  }
}

/** Place on an axis of n of value l of its line. */
function placeOf(resampling: usize, l: i32, n: i32): i32 {
  if (load<i32>(resampling) !== MIRRORED) return l;
  return 2 * l < n ? 2 * l : 2 * (n - 1 - l) + 1;
}

/** Whether the values come sorted by their remainders by 4: transformEnds. */
function inQuarters(resampling: usize, to: i32, from: i32): bool {
  return 4 * to <= from && hasQuarters(R.planIn(resampling));
}

/** Places on the axis of the rows that resampleStrip takes. */
export function orderIn(order: usize, resampling: usize, to: i32, from: i32): void {
  const quarter = inQuarters(resampling, to, from) ? from >> 2 : 0;
  for (let r = 0; r < from; r++, order += 4) {
    const l = quarter === 0 ? r : 4 * (r % quarter) + r / quarter;
    store<i32>(order, placeOf(resampling, l, from));
  }
}

/** Places on the axis of the rows that resampleStrip gives. */
export function orderOut(order: usize, resampling: usize, to: i32): void {
  for (let r = 0; r < to; r++, order += 4) store<i32>(order, placeOf(resampling, r, to));
}

/** Where the strip that is to be resampled has to stand. */
export function stripOf(resampling: usize): usize {
  return R.first(resampling);
}

// Sizes.of() and its results: what brings the columns of a strip, four at a time, to about one and back; lanes of finite columns.
let finite: v128 = i64x2(0, 0);
let exponent: v128 = i64x2(0, 0);

// biome-ignore lint/complexity/noStaticOnlyClass: see lanes.ts
class Sizes {
  /** By bits, which sort as sizes do: NaN is above infinity, and both above all else. */
  static of(at: usize, rows: i32): void {
    let most = V.zero();
    const all = i32x4.splat(0x7fffffff);
    for (let row = at, end = at + <usize>rows * ROW; row < end; row += ROW) {
      most = i32x4.max_u(most, v128.and(v128.load(row), all));
    }
    finite = i32x4.lt_s(most, i32x4.splat(0x7f800000));
    // Within 2^-125 and 2^125, so that both powers are normal.
    const bits = v128.and(most, i32x4.splat(0x7f800000));
    exponent = i32x4.max_s(i32x4.min_s(bits, i32x4.splat(252 << 23)), i32x4.splat(2 << 23));
  }
  @inline static down(power: v128): v128 {
    return i32x4.sub(i32x4.splat(254 << 23), power);
  }
  /** Multiplies the rows of four columns, without what `kept` leaves out. */
  static scale(at: usize, rows: i32, factor: v128, kept: v128): void {
    for (let row = at, end = at + <usize>rows * ROW; row < end; row += ROW) {
      v128.store(row, V.mul(v128.and(v128.load(row), kept), factor));
    }
  }
}

/** Columns of one complex line are left as they are where their sizes differ by no more than 2², and sums of them stay floats. */
const ALIKE: i32 = 2 << 23;
const SMALLEST: i32 = (127 - 60) << 23;
const LARGEST: i32 = (127 + 60) << 23;

/** Resamples the strip [from] at stripOf(resampling), which it overwrites. @returns where the strip [to] stands. */
export function resampleStrip(resampling: usize, to: i32, from: i32): usize {
  const a = R.first(resampling);
  Sizes.of(a, from);
  const finiteRe = finite;
  const re = exponent;
  Sizes.of(a + 16, from);
  const finiteIm = finite;
  const im = exponent;
  const alike = i32x4.le_s(i32x4.abs(i32x4.sub(re, im)), i32x4.splat(ALIKE));
  const low = i32x4.min_s(re, im);
  const high = i32x4.max_s(re, im);
  const moderate = v128.and(i32x4.ge_s(low, i32x4.splat(SMALLEST)), i32x4.le_s(high, i32x4.splat(LARGEST)));
  const fit = v128.and(v128.and(alike, moderate), v128.and(finiteRe, finiteIm));
  if (i32x4.all_true(fit)) return resampled(resampling, to, from);
  Sizes.scale(a, from, Sizes.down(re), finiteRe);
  Sizes.scale(a + 16, from, Sizes.down(im), finiteIm);
  const out = resampled(resampling, to, from);
  const all = i32x4.splat(-1);
  Sizes.scale(out, to, v128.bitselect(re, f32x4.splat(NaN), finiteRe), all);
  Sizes.scale(out + 16, to, v128.bitselect(im, f32x4.splat(NaN), finiteIm), all);
  return out;
}

function resampled(resampling: usize, to: i32, from: i32): usize {
  const planOut = R.planOut(resampling);
  const a = R.first(resampling);
  const b = R.second(resampling);
  const count = min(from, to);
  const planIn = R.planIn(resampling);
  const spectrum = inQuarters(resampling, to, from) ? transformEnds(planIn, a, b) : transform(planIn, a, b);
  const target = spectrum === a ? b : a;
  // Then zeros are not even written.
  const padded = 4 * count <= to && hasQuarters(planOut);
  if (load<i32>(resampling) === MIRRORED) {
    cosines(resampling, target, spectrum, from, count);
    waves(resampling, target, to, count, padded);
  } else {
    shift(resampling, target, to, spectrum, from, padded);
  }
  return padded ? transformPadded(planOut, target, spectrum) : transform(planOut, target, spectrum);
}

/** The first `count` scaled coefficients, rows of a strip at g, of the spectrum of n points at z. */
function cosines(resampling: usize, g: usize, z: usize, n: i32, count: i32): void {
  const scale = load<f32>(resampling, 4);
  const first = f32x4.splat(scale);
  v128.store(g, V.mul(v128.load(z), first));
  v128.store(g, V.mul(v128.load(z, 16), first), 16);
  let w = R.turnsIn(resampling) + 8;
  for (let k = 1; 2 * k <= n && (k < count || n - k < count); k++, w += 8) {
    const p = z + <usize>k * ROW;
    const q = z + <usize>(n - k) * ROW;
    const x = v128.load(p);
    const y = v128.load(p, 16);
    const u = v128.load(q);
    const v = v128.load(q, 16);
    // The factors carry 2 · scale · ½: a coefficient's, and that of the parts even and odd under conjugation.
    const c = f32x4.splat(load<f32>(w) * scale);
    const d = f32x4.splat(load<f32>(w, 4) * scale);
    const ar = V.add(x, u);
    const ai = V.sub(y, v);
    const br = V.add(y, v);
    const bi = V.sub(u, x);
    if (k < count) {
      const to = g + <usize>k * ROW;
      v128.store(to, V.sub(V.mul(ar, c), V.mul(ai, d)));
      v128.store(to, V.sub(V.mul(br, c), V.mul(bi, d)), 16);
    }
    if (n - k < count) {
      const to = g + <usize>(n - k) * ROW;
      v128.store(to, V.sub(V.zero(), V.add(V.mul(ar, d), V.mul(ai, c))));
      v128.store(to, V.sub(V.zero(), V.add(V.mul(br, d), V.mul(bi, c))), 16);
    }
  }
}

/** Turns the first `count` coefficients at z into the spectrum of n points, backwards; where `padded` without its zeros. */
function waves(resampling: usize, z: usize, n: i32, count: i32, padded: bool): void {
  let w = R.turnsOut(resampling) + 8;
  for (let j = 1; 2 * j <= n; j++, w += 8) {
    const p = z + <usize>j * ROW;
    const q = z + <usize>(n - j) * ROW;
    if (j >= count) {
      // And so n − j ≥ j is beyond, too.
      if (!padded) {
        zeros(p, n - 2 * j + 1);
        return;
      }
      const quarter = n >> 2;
      zeros(p, quarter - j);
      zeros(z + <usize>(n - quarter) * ROW, quarter - j + 1);
      return;
    }
    const c = f32x4.splat(load<f32>(w) * <f32>0.5);
    const d = f32x4.splat(load<f32>(w, 4) * <f32>0.5);
    const a = v128.load(p);
    const b = v128.load(p, 16);
    let ar = V.mul(a, c);
    let ai = V.mul(a, d);
    let br = V.mul(b, c);
    let bi = V.mul(b, d);
    if (n - j < count) {
      const u = v128.load(q);
      const v = v128.load(q, 16);
      ar = V.add(ar, V.mul(u, d));
      ai = V.sub(ai, V.mul(u, c));
      br = V.add(br, V.mul(v, d));
      bi = V.sub(bi, V.mul(v, c));
    }
    v128.store(q, V.sub(ar, bi));
    v128.store(q, V.add(ai, br), 16);
    v128.store(p, V.add(ar, bi));
    v128.store(p, V.sub(br, ai), 16);
  }
}

function zeros(row: usize, count: i32): void {
  memory.fill(row, 0, <usize>count * ROW);
}

/** Stores V · (c + id); adds it where `more`. */
function put(to: usize, from: usize, c: v128, d: v128, more: bool): void {
  const x = v128.load(from);
  const y = v128.load(from, 16);
  let re = V.sub(V.mul(x, c), V.mul(y, d));
  let im = V.add(V.mul(x, d), V.mul(y, c));
  if (more) {
    re = V.add(re, v128.load(to));
    im = V.add(im, v128.load(to, 16));
  }
  v128.store(to, re);
  v128.store(to, im, 16);
}

/** The spectrum of `to` points at `out`, backwards, of that of `from` at z; where `padded` without the middle of its zeros. */
function shift(resampling: usize, out: usize, to: i32, z: usize, from: i32, padded: bool): void {
  const count = min(from, to);
  const scale = load<f32>(resampling, 4);
  if (padded) {
    zeros(out, to >> 2);
    zeros(out + <usize>(to - (to >> 2)) * ROW, to >> 2);
  } else zeros(out, to);
  put(out, z, f32x4.splat(scale), V.zero(), false);
  let w = R.turnsIn(resampling) + 8;
  for (let k = 1; 2 * k <= count; k++, w += 8) {
    const s: f32 = 2 * k === count ? <f32>0.5 * scale * load<f32>(resampling, 8) : scale;
    const c = f32x4.splat(load<f32>(w) * s);
    const d = load<f32>(w, 4) * s;
    put(out + <usize>(to - k) * ROW, z + <usize>k * ROW, c, f32x4.splat(d), true);
    put(out + <usize>k * ROW, z + <usize>(from - k) * ROW, c, f32x4.splat(-d), true);
  }
}
