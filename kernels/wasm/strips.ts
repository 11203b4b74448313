/**
 * Strips: eight columns of an axis as rows of two vectors, read from and written to where they lie. The place on the axis
 * of row r is i32 order[r].
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { V } from './lanes';

const ROW: usize = 32;

function placeOf(order: usize, r: i32): usize {
  return <usize>load<i32>(order + ((<usize>r) << 2));
}

/** Reads n rows of 4 + 4 floats, the fours at `a` and `b`, `stride` bytes apart on the axis. */
export function readFours(strip: usize, a: usize, b: usize, stride: usize, order: usize, n: i32): void {
  for (let r = 0; r < n; r++, strip += ROW) {
    const at = placeOf(order, r) * stride;
    v128.store(strip, v128.load(a + at));
    v128.store(strip, v128.load(b + at), 16);
  }
}

/** Writes n rows to where readFours would read them, or adds them to what stands there. */
export function writeFours(
  a: usize,
  b: usize,
  stride: usize,
  order: usize,
  n: i32,
  strip: usize,
  more: bool,
): void {
  if (more) {
    for (let r = 0; r < n; r++, strip += ROW) {
      const at = placeOf(order, r) * stride;
      v128.store(a + at, V.add(v128.load(a + at), v128.load(strip)));
      v128.store(b + at, V.add(v128.load(b + at), v128.load(strip, 16)));
    }
    return;
  }
  for (let r = 0; r < n; r++, strip += ROW) {
    const at = placeOf(order, r) * stride;
    v128.store(a + at, v128.load(strip));
    v128.store(b + at, v128.load(strip, 16));
  }
}

/** Reads n rows whose floats lie apart: float l at `at` + u32 offsets[l]. */
export function readLanes(
  strip: usize,
  at: usize,
  offsets: usize,
  stride: usize,
  order: usize,
  n: i32,
): void {
  const a = at + load<u32>(offsets);
  const b = at + load<u32>(offsets, 4);
  const c = at + load<u32>(offsets, 8);
  const d = at + load<u32>(offsets, 12);
  const e = at + load<u32>(offsets, 16);
  const f = at + load<u32>(offsets, 20);
  const g = at + load<u32>(offsets, 24);
  const h = at + load<u32>(offsets, 28);
  for (let r = 0; r < n; r++, strip += ROW) {
    const p = placeOf(order, r) * stride;
    store<f32>(strip, load<f32>(a + p));
    store<f32>(strip, load<f32>(b + p), 4);
    store<f32>(strip, load<f32>(c + p), 8);
    store<f32>(strip, load<f32>(d + p), 12);
    store<f32>(strip, load<f32>(e + p), 16);
    store<f32>(strip, load<f32>(f + p), 20);
    store<f32>(strip, load<f32>(g + p), 24);
    store<f32>(strip, load<f32>(h + p), 28);
  }
}

class Square {
  @inline static put(to: usize, v: v128, more: bool): void {
    v128.store(to, more ? V.add(v128.load(to), v) : v);
  }
  /** The lower and the upper halves of two rows, one float of each in turn. */
  @inline static low(a: v128, b: v128): v128 {
    return v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  }
  @inline static high(a: v128, b: v128): v128 {
    return v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  }
  @inline static firsts(a: v128, b: v128): v128 {
    return v128.shuffle<i64>(a, b, 0, 2);
  }
  @inline static seconds(a: v128, b: v128): v128 {
    return v128.shuffle<i64>(a, b, 1, 3);
  }
}

/** readLanes of an axis whose places are side by side; `rows` is the row of each place. */
export function readLines(strip: usize, at: usize, offsets: usize, rows: usize, n: i32): void {
  const whole = n & ~3;
  for (let half: usize = 0; half < 32; half += 16) {
    const a = at + load<u32>(offsets + half);
    const b = at + load<u32>(offsets + half, 4);
    const c = at + load<u32>(offsets + half, 8);
    const d = at + load<u32>(offsets + half, 12);
    const to = strip + half;
    for (let i: usize = 0, end = (<usize>whole) << 2; i < end; i += 16) {
      const u = v128.load(a + i);
      const v = v128.load(b + i);
      const w = v128.load(c + i);
      const x = v128.load(d + i);
      const p = Square.low(u, v);
      const q = Square.low(w, x);
      const r = Square.high(u, v);
      const s = Square.high(w, x);
      v128.store(to + <usize>load<i32>(rows + i) * ROW, Square.firsts(p, q));
      v128.store(to + <usize>load<i32>(rows + i, 4) * ROW, Square.seconds(p, q));
      v128.store(to + <usize>load<i32>(rows + i, 8) * ROW, Square.firsts(r, s));
      v128.store(to + <usize>load<i32>(rows + i, 12) * ROW, Square.seconds(r, s));
    }
  }
  for (let i = whole; i < n; i++) {
    const place = (<usize>i) << 2;
    const row = strip + <usize>load<i32>(rows + place) * ROW;
    for (let l: usize = 0; l < 32; l += 4)
      store<f32>(row + l, load<f32>(at + load<u32>(offsets + l) + place));
  }
}

/** Writes eight floats of n rows to lines of places side by side, or adds them there; `rows` is the row of each place. */
export function writeLines(at: usize, offsets: usize, rows: usize, n: i32, strip: usize, more: bool): void {
  const whole = n & ~3;
  for (let half: usize = 0; half < 32; half += 16) {
    const a = at + load<u32>(offsets + half);
    const b = at + load<u32>(offsets + half, 4);
    const c = at + load<u32>(offsets + half, 8);
    const d = at + load<u32>(offsets + half, 12);
    const from = strip + half;
    for (let i: usize = 0, end = (<usize>whole) << 2; i < end; i += 16) {
      const u = v128.load(from + <usize>load<i32>(rows + i) * ROW);
      const v = v128.load(from + <usize>load<i32>(rows + i, 4) * ROW);
      const w = v128.load(from + <usize>load<i32>(rows + i, 8) * ROW);
      const x = v128.load(from + <usize>load<i32>(rows + i, 12) * ROW);
      const p = Square.low(u, v);
      const q = Square.low(w, x);
      const r = Square.high(u, v);
      const s = Square.high(w, x);
      Square.put(a + i, Square.firsts(p, q), more);
      Square.put(b + i, Square.seconds(p, q), more);
      Square.put(c + i, Square.firsts(r, s), more);
      Square.put(d + i, Square.seconds(r, s), more);
    }
  }
  for (let i = whole; i < n; i++) {
    const place = (<usize>i) << 2;
    const row = strip + <usize>load<i32>(rows + place) * ROW;
    for (let l: usize = 0; l < 32; l += 4) {
      const to = at + load<u32>(offsets + l) + place;
      store<f32>(to, more ? load<f32>(to) + load<f32>(row + l) : load<f32>(row + l));
    }
  }
}

/** Writes the first `count` floats of n rows to where they lie apart, or adds them there. */
export function writeLanes(
  at: usize,
  offsets: usize,
  stride: usize,
  order: usize,
  n: i32,
  strip: usize,
  count: i32,
  more: bool,
): void {
  if (count === 8 && !more) {
    const a = at + load<u32>(offsets);
    const b = at + load<u32>(offsets, 4);
    const c = at + load<u32>(offsets, 8);
    const d = at + load<u32>(offsets, 12);
    const e = at + load<u32>(offsets, 16);
    const f = at + load<u32>(offsets, 20);
    const g = at + load<u32>(offsets, 24);
    const h = at + load<u32>(offsets, 28);
    for (let r = 0; r < n; r++, strip += ROW) {
      const p = placeOf(order, r) * stride;
      store<f32>(a + p, load<f32>(strip));
      store<f32>(b + p, load<f32>(strip, 4));
      store<f32>(c + p, load<f32>(strip, 8));
      store<f32>(d + p, load<f32>(strip, 12));
      store<f32>(e + p, load<f32>(strip, 16));
      store<f32>(f + p, load<f32>(strip, 20));
      store<f32>(g + p, load<f32>(strip, 24));
      store<f32>(h + p, load<f32>(strip, 28));
    }
    return;
  }
  for (let l = 0; l < count; l++) {
    const to = at + load<u32>(offsets + ((<usize>l) << 2));
    let from = strip + ((<usize>l) << 2);
    for (let r = 0; r < n; r++, from += ROW) {
      const place = to + placeOf(order, r) * stride;
      store<f32>(place, more ? load<f32>(place) + load<f32>(from) : load<f32>(from));
    }
  }
}
