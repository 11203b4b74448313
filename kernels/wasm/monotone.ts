/**
 * WavecubeMonotone: each element by sixteen lines along z, four along y and one along x. Contract:
 * src/ops/monotonecontract.ts.
 */
import { Half } from './half';
import { V } from './lanes';
import { axes, halves, moveTo, openBlock, plain, results, table } from './monotoneblock';
import { AXIS_BYTES, Line, valueOn } from './monotoneline';

/** Scratch as monotoneBytes says. The grid is that of the last setMonotoneGrid. */
export function monotone(
  out: usize,
  nodes: usize,
  taps: usize,
  place: usize,
  n: i32,
  payload: i32,
  half: bool,
  scratch: usize,
): void {
  openBlock(nodes, payload, half, scratch);
  const outBytes = (<usize>payload) << 2;
  for (let i = 0; i < n; i++) {
    if (!moveTo(taps, place)) fillNaN(out, payload);
    else if (half) sampleHalves(out, payload);
    else sampleFloats(out, payload);
    out += outBytes;
    taps += 48;
    place += 48;
  }
}

function fillNaN(out: usize, payload: i32): void {
  for (let f = 0; f < payload; f++) store<f32>(out + ((<usize>f) << 2), f32.NaN);
}

/** Vectors that over-read the end of a row give lanes that nobody stores. */
function sampleFloats(out: usize, payload: i32): void {
  const bytes = (<usize>payload) << 2;
  const whole = bytes & ~15;
  for (let b: usize = 0; b < whole; b += 16)
    v128.store(out + b, plain ? plainAt(table, b) : valueAt(table, b));
  if (whole < bytes) V.storeFirst(out + whole, valueAt(table, whole), payload & 3);
}

function sampleHalves(out: usize, payload: i32): void {
  for (let f = 0; f < payload; f += 8) {
    unpack((<usize>f) << 1);
    // Their table points at what was unpacked: even elements first.
    const even = valueAt(halves, 0);
    const odd = valueAt(halves, 1024);
    const p = out + ((<usize>f) << 2);
    storeUpTo(p, v128.shuffle<i32>(even, odd, 0, 4, 1, 5), payload - f);
    storeUpTo(p + 16, v128.shuffle<i32>(even, odd, 2, 6, 3, 7), payload - f - 4);
  }
}

function storeUpTo(p: usize, v: v128, count: i32): void {
  if (count >= 4) v128.store(p, v);
  else if (count > 0) V.storeFirst(p, v, count);
}

/** The eight halves at byte `b` of all taps, as floats where the table of halves points. */
export function unpack(b: usize): void {
  const to = load<usize>(halves);
  for (let k: usize = 0; k < 64; k++) {
    const lanes = v128.load(load<usize>(table + (k << 2)) + b);
    v128.store(to + (k << 4), Half.even(lanes));
    v128.store(to + (k << 4), Half.odd(lanes), 1024);
  }
}

/** The interpolant of the four elements at byte b of the rows in `from`. */
function valueAt(from: usize, b: usize): v128 {
  const x = axes;
  const y = x + AXIS_BYTES;
  const z = y + AXIS_BYTES;
  for (let a: usize = 0; a < 4; a++) {
    for (let c: usize = 0; c < 4; c++) {
      const v = valueOn(
        z,
        v128.load(load<usize>(from) + b),
        v128.load(load<usize>(from, 4) + b),
        v128.load(load<usize>(from, 8) + b),
        v128.load(load<usize>(from, 12) + b),
      );
      v128.store(results + (((a << 2) + c) << 4), v);
      from += 16;
    }
  }
  return upwards(x, y);
}

/** From the sixteen results along z to the one along x; those along y come behind them. */
export function upwards(x: usize, y: usize): v128 {
  for (let a: usize = 0; a < 4; a++) {
    const p = results + (a << 6);
    const v = valueOn(y, v128.load(p), v128.load(p, 16), v128.load(p, 32), v128.load(p, 48));
    v128.store(results + (a << 4), v, 256);
  }
  const p = results + 256;
  return valueOn(x, v128.load(p), v128.load(p, 16), v128.load(p, 32), v128.load(p, 48));
}

// biome-ignore lint/complexity/noStaticOnlyClass: see lanes.ts
class Plain {
  @inline static lineZ(from: usize, b: usize, c0: v128, c1: v128, c2: v128): v128 {
    return Line.plain(
      v128.load(load<usize>(from) + b),
      v128.load(load<usize>(from, 4) + b),
      v128.load(load<usize>(from, 8) + b),
      v128.load(load<usize>(from, 12) + b),
      c0,
      c1,
      c2,
    );
  }
}

/** As valueAt, where all three axes are plain. */
function plainAt(from: usize, b: usize): v128 {
  const x = axes;
  const y = x + AXIS_BYTES;
  const z = y + AXIS_BYTES;
  const z0 = v128.load(z);
  const z1 = V.add(v128.load(z, 16), v128.load(z, 16));
  const z2 = V.add(v128.load(z, 32), v128.load(z, 32));
  const y0 = v128.load(y);
  const y1 = V.add(v128.load(y, 16), v128.load(y, 16));
  const y2 = V.add(v128.load(y, 32), v128.load(y, 32));
  const end = results + 64;
  for (let to = results; to < end; to += 16) {
    const p0 = Plain.lineZ(from, b, z0, z1, z2);
    const p1 = Plain.lineZ(from + 16, b, z0, z1, z2);
    const p2 = Plain.lineZ(from + 32, b, z0, z1, z2);
    const p3 = Plain.lineZ(from + 48, b, z0, z1, z2);
    v128.store(to, Line.plain(p0, p1, p2, p3, y0, y1, y2));
    from += 64;
  }
  const x1 = V.add(v128.load(x, 16), v128.load(x, 16));
  const x2 = V.add(v128.load(x, 32), v128.load(x, 32));
  return Line.plain(
    v128.load(results),
    v128.load(results, 16),
    v128.load(results, 32),
    v128.load(results, 48),
    v128.load(x),
    x1,
    x2,
  );
}
