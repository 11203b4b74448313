/**
 * Strips: eight columns of an axis as rows of two vectors, read from and written to where they lie. The place on the axis
 * of row r is i32 order[r].
 */
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

export function writeFours(a: usize, b: usize, stride: usize, order: usize, n: i32, strip: usize): void {
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

/** Writes the first `count` floats of n rows to where they lie apart. */
export function writeLanes(
  at: usize,
  offsets: usize,
  stride: usize,
  order: usize,
  n: i32,
  strip: usize,
  count: i32,
): void {
  if (count === 8) {
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
    for (let r = 0; r < n; r++, from += ROW) store<f32>(to + placeOf(order, r) * stride, load<f32>(from));
  }
}
