/**
 * Band-limited resampling of a strip by Fourier transforms, in place of the matrix of src/ops/resample.ts. The eight columns go as
 * four complex lines: four real ones and four imaginary ones. Rounding carries a part of one into the other, relative to the
 * larger; so each column is brought to the same size by a power of two, which is exact, and one that is not finite is left out and
 * comes back as NaN: neighbours, which may be other images or what lies behind a row's end, do not matter.
 *
 *   mirrored    rows come in Makhoul's order (even places forwards, odd ones backwards) and leave in it; with θ = πk/2N
 *               S_k = Re U_k, S_{N−k} = −Im U_k, U_k = e^{−iθ} V_k; and back V'_j = ½ e^{iθ'} (g_j − i g_{N'−j}), g_0 = S_0/N, g_k = 2S_k/N
 *   periodic    V'_k = V_k e^{iπk(1/N' − 1/N)}; the highest frequency of an even size is shared by ±k
 *
 * A resampling is laid out by src/backends/wasm/bandlimited.ts: i32 kind, f32 scale, f32 factor of the highest frequency; then u32
 * addresses of the plans, of the factors (pairs of floats) before and after, and of room: two lots of points, and the coefficients.
 *
 * Source: J. Makhoul, "A fast cosine transform in one and two dimensions" (1980).
 */
import { Plan, transform } from './fourierpasses';
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
  @inline static coefficients(at: usize): usize {
    return <usize>load<u32>(at, 36);
  }
}

/** Row r of the strips lies at this place of an axis of n. */
export function mirroredOrder(order: usize, n: i32): void {
  for (let r = 0; r < n; r++) {
    store<i32>(order + ((<usize>r) << 2), 2 * r < n ? 2 * r : 2 * (n - 1 - r) + 1);
  }
}

// Sizes.of() and its results: what brings the columns of a strip, four at a time, to about one and back; lanes of finite columns.
let finite: v128 = i64x2.splat(0);
let down: v128 = i64x2.splat(0);
let up: v128 = i64x2.splat(0);

// biome-ignore lint/complexity/noStaticOnlyClass: see lanes.ts
class Sizes {
  /** By bits, which sort as sizes do: NaN is above infinity, and both above all else. */
  static of(strip: usize, rows: i32): void {
    let most = V.zero();
    const all = i32x4.splat(0x7fffffff);
    for (let row = strip, end = strip + <usize>rows * ROW; row < end; row += ROW) {
      most = i32x4.max_u(most, v128.and(v128.load(row), all));
    }
    finite = i32x4.lt_s(most, i32x4.splat(0x7f800000));
    const exponent = v128.and(most, i32x4.splat(0x7f800000));
    // Within 2^-125 and 2^125, so that both powers are normal.
    const power = i32x4.max_s(i32x4.min_s(exponent, i32x4.splat(252 << 23)), i32x4.splat(2 << 23));
    down = i32x4.sub(i32x4.splat(254 << 23), power);
    up = v128.bitselect(power, f32x4.splat(NaN), finite);
  }
}

export function isMirrored(resampling: usize): bool {
  return load<i32>(resampling) === MIRRORED;
}

/** stripOut [to] = the resampled stripIn [from]. */
export function resampleStrip(resampling: usize, stripOut: usize, to: i32, stripIn: usize, from: i32): void {
  const planIn = R.planIn(resampling);
  const planOut = R.planOut(resampling);
  const imIn = (<usize>Plan.points(planIn)) << 4;
  const imOut = (<usize>Plan.points(planOut)) << 4;
  const a = R.first(resampling);
  const b = R.second(resampling);
  Sizes.of(stripIn, from);
  const finiteRe = finite;
  const downRe = down;
  const upRe = up;
  Sizes.of(stripIn + 16, from);
  const finiteIm = finite;
  const downIm = down;
  const upIm = up;
  for (let at = a, row = stripIn, end = stripIn + <usize>from * ROW; row < end; row += ROW, at += 16) {
    v128.store(at, V.mul(v128.and(v128.load(row), finiteRe), downRe));
    v128.store(at + imIn, V.mul(v128.and(v128.load(row, 16), finiteIm), downIm));
  }
  const spectrum = transform(planIn, a, b);
  // Where the input's spectrum is not.
  let target = spectrum === a ? b : a;
  if (isMirrored(resampling)) {
    const g = R.coefficients(resampling);
    cosines(resampling, g, spectrum, imIn, from, min(from, to));
    target = a;
    waves(resampling, target, imOut, g, to, min(from, to));
  } else {
    shift(resampling, target, imOut, to, spectrum, imIn, from);
  }
  const out = transform(planOut, target, target === a ? b : a);
  for (let at = out, row = stripOut, end = stripOut + <usize>to * ROW; row < end; row += ROW, at += 16) {
    // Real and imaginary parts were exchanged: that makes the transform its inverse.
    v128.store(row, V.mul(v128.load(at + imOut), upRe));
    v128.store(row, V.mul(v128.load(at), upIm), 16);
  }
}

/** The first `count` scaled coefficients, rows of a strip at g, of the spectrum of n points. */
function cosines(resampling: usize, g: usize, z: usize, im: usize, n: i32, count: i32): void {
  const scale = load<f32>(resampling, 4);
  const first = f32x4.splat(scale);
  v128.store(g, V.mul(v128.load(z), first));
  v128.store(g, V.mul(v128.load(z + im), first), 16);
  let w = R.turnsIn(resampling) + 8;
  for (let k = 1; 2 * k <= n && (k < count || n - k < count); k++, w += 8) {
    const p = z + ((<usize>k) << 4);
    const q = z + ((<usize>(n - k)) << 4);
    const x = v128.load(p);
    const y = v128.load(p + im);
    const u = v128.load(q);
    const v = v128.load(q + im);
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

/** The spectrum of n points at z, real and imaginary parts exchanged, of the first `count` coefficients at g. */
function waves(resampling: usize, z: usize, im: usize, g: usize, n: i32, count: i32): void {
  v128.store(z + im, v128.load(g));
  v128.store(z, v128.load(g, 16));
  let w = R.turnsOut(resampling) + 8;
  for (let j = 1; 2 * j <= n; j++, w += 8) {
    const p = z + ((<usize>j) << 4);
    const q = z + ((<usize>(n - j)) << 4);
    const near = j < count;
    const far = n - j < count;
    if (!near) {
      // And so not far: n − j ≥ j.
      v128.store(p, V.zero());
      v128.store(p + im, V.zero());
      v128.store(q, V.zero());
      v128.store(q + im, V.zero());
      continue;
    }
    const c = f32x4.splat(load<f32>(w) * <f32>0.5);
    const d = f32x4.splat(load<f32>(w, 4) * <f32>0.5);
    const one = g + <usize>j * ROW;
    const a = v128.load(one);
    const b = v128.load(one, 16);
    let ar = V.mul(a, c);
    let ai = V.mul(a, d);
    let br = V.mul(b, c);
    let bi = V.mul(b, d);
    if (far) {
      const other = g + <usize>(n - j) * ROW;
      const u = v128.load(other);
      const v = v128.load(other, 16);
      ar = V.add(ar, V.mul(u, d));
      ai = V.sub(ai, V.mul(u, c));
      br = V.add(br, V.mul(v, d));
      bi = V.sub(bi, V.mul(v, c));
    }
    v128.store(p + im, V.sub(ar, bi));
    v128.store(p, V.add(ai, br));
    v128.store(q + im, V.add(ar, bi));
    v128.store(q, V.sub(br, ai));
  }
}

/** Stores V · (c + id), real and imaginary parts exchanged, at `to`; adds it where `more`. */
function put(to: usize, imOut: usize, from: usize, imIn: usize, c: v128, d: v128, more: bool): void {
  const x = v128.load(from);
  const y = v128.load(from + imIn);
  let re = V.sub(V.mul(x, c), V.mul(y, d));
  let im = V.add(V.mul(x, d), V.mul(y, c));
  if (more) {
    re = V.add(re, v128.load(to + imOut));
    im = V.add(im, v128.load(to));
  }
  v128.store(to + imOut, re);
  v128.store(to, im);
}

function shift(resampling: usize, out: usize, imOut: usize, to: i32, z: usize, imIn: usize, from: i32): void {
  const count = min(from, to);
  const scale = load<f32>(resampling, 4);
  memory.fill(out, 0, (<usize>to) << 4);
  memory.fill(out + imOut, 0, (<usize>to) << 4);
  put(out, imOut, z, imIn, f32x4.splat(scale), V.zero(), false);
  let w = R.turnsIn(resampling) + 8;
  for (let k = 1; 2 * k <= count; k++, w += 8) {
    const s: f32 = 2 * k === count ? <f32>0.5 * scale * load<f32>(resampling, 8) : scale;
    const c = f32x4.splat(load<f32>(w) * s);
    const d = load<f32>(w, 4) * s;
    put(out + ((<usize>k) << 4), imOut, z + ((<usize>k) << 4), imIn, c, f32x4.splat(d), true);
    const far = out + ((<usize>(to - k)) << 4);
    put(far, imOut, z + ((<usize>(from - k)) << 4), imIn, c, f32x4.splat(-d), true);
  }
}
