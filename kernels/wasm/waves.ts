/**
 * WavecubeWaves. Contract: src/ops/waves.ts.
 *
 * Four lines go at once, one a lane. Between the axes stands a plane [H, J] of real and one of imaginary parts, J = B · C
 * rounded up to whole vectors. Along W two real lines make one complex, so a vector holds eight. A term is 16 bytes: i32
 * entry, i32 frequency, f32 factor's real and imaginary part.
 */
import { Plan, transform } from './fourierpasses';
import { V } from './lanes';
import { flat, Lines, line0, line1, line2, line3 } from './lines';

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
  const imaginary = (<usize>channels) << 2;
  const end = terms + ((<usize>count) << 4);
  for (let first = 0; first < width; first += 4) {
    Lines.set(first, width, channels, 2 * imaginary);
    const side = flat;
    const o0 = line0;
    const o1 = line1;
    const o2 = line2;
    const o3 = line3;
    memory.fill(a, 0, (<usize>size) << 5);
    let some = V.zero();
    for (let t = terms; t < end; t += 16) {
      const p = y + <usize>load<i32>(t) * rowBytes;
      const u = Lines.load(p, side, o0, o1, o2, o3);
      const v = Lines.load(p + imaginary, side, o0, o1, o2, o3);
      some = v128.or(some, v128.or(f32x4.ne(u, V.zero()), f32x4.ne(v, V.zero())));
      const f = v128.load32_splat(t, 8);
      const g = v128.load32_splat(t, 12);
      const to = a + ((<usize>load<i32>(t, 4)) << 5);
      // Real and imaginary parts exchanged: the sum runs over e^{+…}.
      v128.store(to, V.add(v128.load(to, 16), V.sub(V.mul(u, f), V.mul(v, g))), 16);
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
    for (let i = 0; i < size; i++, from += 32, to += midRow) {
      v128.store(to, v128.load(from, 16));
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
    memory.fill(a, 0, (<usize>size) << 5);
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
      const to = a + ((<usize>frequency) << 5);
      const mirror = a + ((<usize>(frequency === 0 ? 0 : size - frequency)) << 5);
      // z₁ + i z₂ at the frequency, their conjugates z̄₁ + i z̄₂ at its mirror; real and imaginary parts exchanged.
      v128.store(to, V.add(v128.load(to, 16), V.sub(x1, y2)), 16);
      v128.store(to, V.add(v128.load(to), V.add(y1, x2)));
      v128.store(mirror, V.add(v128.load(mirror, 16), V.add(x1, y2)), 16);
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
    for (let j = 0, to = out; j < size; j++, from += 32, to += pixel) {
      Lines.store(to, v128.load(from, 16), lanes, q0, q1, q2, q3);
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
