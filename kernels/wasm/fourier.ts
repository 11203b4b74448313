/**
 * WavecubeWaves and WavecubeWavesAdjoint. Contract: src/ops/waves.ts.
 *
 * Four lines go at once, one a lane. Between the axes stands a plane [H, J] of real and one of imaginary parts, J = B · C
 * rounded up to whole vectors. Along W two real lines make one complex, so a vector holds eight. A term is 16 bytes: i32
 * entry, i32 frequency, f32 factor's real and imaginary part.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { Plan, transform } from './fourierpasses';
import { V } from './lanes';

/** The byte offsets of four lines, side by side or not. */
let flat: bool;
let line0: usize;
let line1: usize;
let line2: usize;
let line3: usize;

class Lines {
  /** Lines first … first + 3 of `count` ≥ 1, those past the end being the last again: line = outer · channels + channel. */
  static set(first: i32, count: i32, channels: i32, outerBytes: usize): void {
    const last = count - 1;
    flat = (channels & 3) === 0 && first + 3 <= last;
    line0 = Lines.offset(min(first, last), channels, outerBytes);
    line1 = Lines.offset(min(first + 1, last), channels, outerBytes);
    line2 = Lines.offset(min(first + 2, last), channels, outerBytes);
    line3 = Lines.offset(min(first + 3, last), channels, outerBytes);
  }
  @inline static offset(line: i32, channels: i32, outerBytes: usize): usize {
    const outer = line / channels;
    return <usize>outer * outerBytes + ((<usize>(line - outer * channels)) << 2);
  }
  @inline static load(p: usize, side: bool, o0: usize, o1: usize, o2: usize, o3: usize): v128 {
    if (side) return v128.load(p + o0);
    let v = v128.load32_zero(p + o0);
    v = v128.load_lane<f32>(p + o1, v, 1);
    v = v128.load_lane<f32>(p + o2, v, 2);
    return v128.load_lane<f32>(p + o3, v, 3);
  }
  /** Lines past the end must not be stored: `lanes` says how many there are. */
  @inline static store(p: usize, v: v128, lanes: i32, o0: usize, o1: usize, o2: usize, o3: usize): void {
    if (lanes === 5) {
      v128.store(p + o0, v);
      return;
    }
    if (lanes > 0) v128.store_lane<f32>(p + o0, v, 0);
    if (lanes > 1) v128.store_lane<f32>(p + o1, v, 1);
    if (lanes > 2) v128.store_lane<f32>(p + o2, v, 2);
    if (lanes > 3) v128.store_lane<f32>(p + o3, v, 3);
  }
  /** 5: four lines side by side. */
  @inline static lanes(first: i32, count: i32): i32 {
    return flat ? 5 : max(0, min(4, count - first));
  }
}

/** Rows of waves into the planes at `mid`: y is one spectrum [A, B, 2C]. */
function sumRows(
  mid: usize,
  midBytes: usize,
  y: usize,
  entries: i32,
  channels: i32,
  plan: usize,
  terms: usize,
  count: i32,
  a: usize,
  b: usize,
): void {
  const width = entries * channels;
  const rowBytes = (<usize>width) << 3;
  const midRow = (<usize>((width + 3) & ~3)) << 2;
  const size = Plan.size(plan);
  const im = (<usize>Plan.points(plan)) << 4;
  const imaginary = (<usize>channels) << 2;
  const end = terms + ((<usize>count) << 4);
  for (let first = 0; first < width; first += 4) {
    Lines.set(first, width, channels, 2 * imaginary);
    const side = flat;
    const o0 = line0;
    const o1 = line1;
    const o2 = line2;
    const o3 = line3;
    memory.fill(a, 0, (<usize>size) << 4);
    memory.fill(a + im, 0, (<usize>size) << 4);
    let some = V.zero();
    for (let t = terms; t < end; t += 16) {
      const p = y + <usize>load<i32>(t) * rowBytes;
      const u = Lines.load(p, side, o0, o1, o2, o3);
      const v = Lines.load(p + imaginary, side, o0, o1, o2, o3);
      some = v128.or(some, v128.or(f32x4.ne(u, V.zero()), f32x4.ne(v, V.zero())));
      const f = v128.load32_splat(t, 8);
      const g = v128.load32_splat(t, 12);
      const to = a + ((<usize>load<i32>(t, 4)) << 4);
      // Real and imaginary parts exchanged: the sum runs over e^{+…}.
      v128.store(to + im, V.add(v128.load(to + im), V.sub(V.mul(u, f), V.mul(v, g))));
      v128.store(to, V.add(v128.load(to), V.add(V.mul(u, g), V.mul(v, f))));
    }
    let to = mid + ((<usize>first) << 2);
    if (!v128.any_true(some)) {
      for (let i = 0; i < size; i++, to += midRow) {
        v128.store(to, V.zero());
        v128.store(to + midBytes, V.zero());
      }
      continue;
    }
    let from = transform(plan, a, b);
    for (let i = 0; i < size; i++, from += 16, to += midRow) {
      v128.store(to, v128.load(from + im));
      v128.store(to + midBytes, v128.load(from));
    }
  }
}

/** Columns of samples from the planes at `mid` to one wavetable [H, W, C]. */
function sumColumns(
  out: usize,
  mid: usize,
  midBytes: usize,
  height: i32,
  entries: i32,
  channels: i32,
  plan: usize,
  terms: usize,
  count: i32,
  a: usize,
  b: usize,
): void {
  const midRow = (<usize>((entries * channels + 3) & ~3)) << 2;
  const pixel = (<usize>channels) << 2;
  const size = Plan.size(plan);
  const im = (<usize>Plan.points(plan)) << 4;
  const end = terms + ((<usize>count) << 4);
  const lines = height * channels;
  const half = f32x4.splat(0.5);
  for (let first = 0; first < lines; first += 8) {
    Lines.set(first + 4, lines, channels, midRow);
    const sideTwo = flat;
    const p0 = line0;
    const p1 = line1;
    const p2 = line2;
    const p3 = line3;
    Lines.set(first, lines, channels, midRow);
    const side = flat;
    const o0 = line0;
    const o1 = line1;
    const o2 = line2;
    const o3 = line3;
    memory.fill(a, 0, (<usize>size) << 4);
    memory.fill(a + im, 0, (<usize>size) << 4);
    for (let t = terms; t < end; t += 16) {
      const from = mid + <usize>load<i32>(t) * pixel;
      const u1 = Lines.load(from, side, o0, o1, o2, o3);
      const v1 = Lines.load(from + midBytes, side, o0, o1, o2, o3);
      const u2 = Lines.load(from, sideTwo, p0, p1, p2, p3);
      const v2 = Lines.load(from + midBytes, sideTwo, p0, p1, p2, p3);
      const f = V.mul(v128.load32_splat(t, 8), half);
      const g = V.mul(v128.load32_splat(t, 12), half);
      const x1 = V.sub(V.mul(u1, f), V.mul(v1, g));
      const y1 = V.add(V.mul(u1, g), V.mul(v1, f));
      const x2 = V.sub(V.mul(u2, f), V.mul(v2, g));
      const y2 = V.add(V.mul(u2, g), V.mul(v2, f));
      const frequency = load<i32>(t, 4);
      const to = a + ((<usize>frequency) << 4);
      const mirror = a + ((<usize>(frequency === 0 ? 0 : size - frequency)) << 4);
      // z₁ + i z₂ at the frequency, their conjugates z̄₁ + i z̄₂ at its mirror; real and imaginary parts exchanged.
      v128.store(to + im, V.add(v128.load(to + im), V.sub(x1, y2)));
      v128.store(to, V.add(v128.load(to), V.add(y1, x2)));
      v128.store(mirror + im, V.add(v128.load(mirror + im), V.add(x1, y2)));
      v128.store(mirror, V.add(v128.load(mirror), V.sub(x2, y1)));
    }
    let from = transform(plan, a, b);
    const wide = <usize>size * pixel;
    Lines.set(first + 4, lines, channels, wide);
    const lanesTwo = Lines.lanes(first + 4, lines);
    const r0 = line0;
    const r1 = line1;
    const r2 = line2;
    const r3 = line3;
    Lines.set(first, lines, channels, wide);
    const lanes = Lines.lanes(first, lines);
    const q0 = line0;
    const q1 = line1;
    const q2 = line2;
    const q3 = line3;
    for (let j = 0, to = out; j < size; j++, from += 16, to += pixel) {
      Lines.store(to, v128.load(from + im), lanes, q0, q1, q2, q3);
      Lines.store(to, v128.load(from), lanesTwo, r0, r1, r2, r3);
    }
  }
}

/** y [N, A, B, 2C] → out [N, H, W, C]. `mid`: two planes of midBytes. `a`, `b`: 32 bytes a point of the longer plan. */
export function waves(
  out: usize,
  y: usize,
  n: i32,
  channels: i32,
  rowEntries: i32,
  columnEntries: i32,
  rowPlan: usize,
  columnPlan: usize,
  rowTerms: usize,
  rowCount: i32,
  columnTerms: usize,
  columnCount: i32,
  mid: usize,
  midBytes: usize,
  a: usize,
  b: usize,
): void {
  const height = Plan.size(rowPlan);
  const outBytes = (<usize>(height * Plan.size(columnPlan) * channels)) << 2;
  const inBytes = (<usize>(rowEntries * columnEntries * channels)) << 3;
  for (let k = 0; k < n; k++, y += inBytes, out += outBytes) {
    sumRows(mid, midBytes, y, columnEntries, channels, rowPlan, rowTerms, rowCount, a, b);
    sumColumns(
      out,
      mid,
      midBytes,
      height,
      columnEntries,
      channels,
      columnPlan,
      columnTerms,
      columnCount,
      a,
      b,
    );
  }
}

/** One wavetable [H, W, C] to the planes at `mid`. */
function analyseColumns(
  mid: usize,
  midBytes: usize,
  x: usize,
  height: i32,
  entries: i32,
  channels: i32,
  plan: usize,
  terms: usize,
  count: i32,
  a: usize,
  b: usize,
): void {
  const midRow = (<usize>((entries * channels + 3) & ~3)) << 2;
  const pixel = (<usize>channels) << 2;
  const size = Plan.size(plan);
  const im = (<usize>Plan.points(plan)) << 4;
  const end = terms + ((<usize>count) << 4);
  const lines = height * channels;
  const half = f32x4.splat(0.5);
  const wide = <usize>size * pixel;
  memory.fill(mid, 0, 2 * midBytes);
  for (let first = 0; first < lines; first += 8) {
    Lines.set(first + 4, lines, channels, wide);
    const sideTwo = flat;
    const r0 = line0;
    const r1 = line1;
    const r2 = line2;
    const r3 = line3;
    Lines.set(first, lines, channels, wide);
    const side = flat;
    const q0 = line0;
    const q1 = line1;
    const q2 = line2;
    const q3 = line3;
    for (let j = 0, from = x, to = a; j < size; j++, from += pixel, to += 16) {
      v128.store(to, Lines.load(from, side, q0, q1, q2, q3));
      v128.store(to + im, Lines.load(from, sideTwo, r0, r1, r2, r3));
    }
    const spectrum = transform(plan, a, b);
    Lines.set(first + 4, lines, channels, midRow);
    const lanesTwo = Lines.lanes(first + 4, lines);
    const p0 = line0;
    const p1 = line1;
    const p2 = line2;
    const p3 = line3;
    Lines.set(first, lines, channels, midRow);
    const lanes = Lines.lanes(first, lines);
    const o0 = line0;
    const o1 = line1;
    const o2 = line2;
    const o3 = line3;
    for (let t = terms; t < end; t += 16) {
      const frequency = load<i32>(t, 4);
      const at = spectrum + ((<usize>frequency) << 4);
      const mirror = spectrum + ((<usize>(frequency === 0 ? 0 : size - frequency)) << 4);
      const x1 = v128.load(at);
      const y1 = v128.load(at + im);
      const x2 = v128.load(mirror);
      const y2 = v128.load(mirror + im);
      const f = V.mul(v128.load32_splat(t, 8), half);
      const g = V.mul(v128.load32_splat(t, 12), half);
      // Of z₁ + i z₂ with both lines real: z₁ is the part that equals its mirror's conjugate.
      const u1 = V.add(x1, x2);
      const v1 = V.sub(y1, y2);
      const u2 = V.add(y1, y2);
      const v2 = V.sub(x2, x1);
      const to = mid + <usize>load<i32>(t) * pixel;
      const below = to + midBytes;
      const re1 = V.add(Lines.load(to, lanes === 5, o0, o1, o2, o3), V.add(V.mul(u1, f), V.mul(v1, g)));
      const im1 = V.add(Lines.load(below, lanes === 5, o0, o1, o2, o3), V.sub(V.mul(v1, f), V.mul(u1, g)));
      Lines.store(to, re1, lanes, o0, o1, o2, o3);
      Lines.store(below, im1, lanes, o0, o1, o2, o3);
      const re2 = V.add(Lines.load(to, lanesTwo === 5, p0, p1, p2, p3), V.add(V.mul(u2, f), V.mul(v2, g)));
      const im2 = V.add(Lines.load(below, lanesTwo === 5, p0, p1, p2, p3), V.sub(V.mul(v2, f), V.mul(u2, g)));
      Lines.store(to, re2, lanesTwo, p0, p1, p2, p3);
      Lines.store(below, im2, lanesTwo, p0, p1, p2, p3);
    }
  }
}

/** The planes at `mid` to one spectrum [A, B, 2C]. */
function analyseRows(
  out: usize,
  mid: usize,
  midBytes: usize,
  rowEntries: i32,
  entries: i32,
  channels: i32,
  plan: usize,
  terms: usize,
  count: i32,
  a: usize,
  b: usize,
): void {
  const width = entries * channels;
  const rowBytes = (<usize>width) << 3;
  const midRow = (<usize>((width + 3) & ~3)) << 2;
  const size = Plan.size(plan);
  const im = (<usize>Plan.points(plan)) << 4;
  const imaginary = (<usize>channels) << 2;
  const end = terms + ((<usize>count) << 4);
  memory.fill(out, 0, <usize>rowEntries * rowBytes);
  for (let first = 0; first < width; first += 4) {
    Lines.set(first, width, channels, 2 * imaginary);
    const lanes = Lines.lanes(first, width);
    const side = flat;
    const o0 = line0;
    const o1 = line1;
    const o2 = line2;
    const o3 = line3;
    let from = mid + ((<usize>first) << 2);
    for (let i = 0, to = a; i < size; i++, from += midRow, to += 16) {
      v128.store(to, v128.load(from));
      v128.store(to + im, v128.load(from + midBytes));
    }
    const spectrum = transform(plan, a, b);
    for (let t = terms; t < end; t += 16) {
      const at = spectrum + ((<usize>load<i32>(t, 4)) << 4);
      const u = v128.load(at);
      const v = v128.load(at + im);
      const f = v128.load32_splat(t, 8);
      const g = v128.load32_splat(t, 12);
      const to = out + <usize>load<i32>(t) * rowBytes;
      const re = V.add(Lines.load(to, side, o0, o1, o2, o3), V.add(V.mul(u, f), V.mul(v, g)));
      const low = V.add(Lines.load(to + imaginary, side, o0, o1, o2, o3), V.sub(V.mul(v, f), V.mul(u, g)));
      Lines.store(to, re, lanes, o0, o1, o2, o3);
      Lines.store(to + imaginary, low, lanes, o0, o1, o2, o3);
    }
  }
}

/** x [N, H, W, C] → out [N, A, B, 2C]; the rest as in waves. */
export function wavesAdjoint(
  out: usize,
  x: usize,
  n: i32,
  channels: i32,
  rowEntries: i32,
  columnEntries: i32,
  rowPlan: usize,
  columnPlan: usize,
  rowTerms: usize,
  rowCount: i32,
  columnTerms: usize,
  columnCount: i32,
  mid: usize,
  midBytes: usize,
  a: usize,
  b: usize,
): void {
  const height = Plan.size(rowPlan);
  const inBytes = (<usize>(height * Plan.size(columnPlan) * channels)) << 2;
  const outBytes = (<usize>(rowEntries * columnEntries * channels)) << 3;
  for (let k = 0; k < n; k++, x += inBytes, out += outBytes) {
    analyseColumns(
      mid,
      midBytes,
      x,
      height,
      columnEntries,
      channels,
      columnPlan,
      columnTerms,
      columnCount,
      a,
      b,
    );
    analyseRows(out, mid, midBytes, rowEntries, columnEntries, channels, rowPlan, rowTerms, rowCount, a, b);
  }
}
