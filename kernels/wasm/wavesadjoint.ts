/** WavecubeWavesAdjoint. Contract: src/ops/waves.ts; planes, lines and terms as in waves.ts. */
import { Plan, transform } from './fourierpasses';
import { V } from './lanes';
import { flat, Lines, line0, line1, line2, line3 } from './lines';

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
    for (let j = 0, from = x, to = a; j < size; j++, from += pixel, to += 32) {
      v128.store(to, Lines.load(from, side, q0, q1, q2, q3));
      v128.store(to, Lines.load(from, sideTwo, r0, r1, r2, r3), 16);
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
      const at = spectrum + ((<usize>frequency) << 5);
      const mirror = spectrum + ((<usize>(frequency === 0 ? 0 : size - frequency)) << 5);
      const x1 = v128.load(at);
      const y1 = v128.load(at, 16);
      const x2 = v128.load(mirror);
      const y2 = v128.load(mirror, 16);
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
    for (let i = 0, to = a; i < size; i++, from += midRow, to += 32) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from + midBytes), 16);
    }
    const spectrum = transform(plan, a, b);
    for (let t = terms; t < end; t += 16) {
      const at = spectrum + ((<usize>load<i32>(t, 4)) << 5);
      const u = v128.load(at);
      const v = v128.load(at, 16);
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
