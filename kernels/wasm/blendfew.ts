/**
 * blend.ts of a sample that has few of its eight nodes in this bank: a cube of several forms has one of them here and one there, and rows
 * of zeros are as long as the others.
 */
import { blend } from './blend';
import { V } from './lanes';
import { RECORD_BYTES } from './stencil';

/**
 * Puts the taps of each of n records that are not the row `absent` first, and their number into `counts`, i32[n]. A tap whose weight
 * is NaN counts: its sample is NaN.
 */
export function gatherPresent(taps: usize, weights: usize, counts: usize, n: i32, absent: usize): void {
  for (let i = 0; i < n; i++, taps += RECORD_BYTES, weights += RECORD_BYTES, counts += 4) {
    let count: usize = 0;
    for (let k: usize = 0; k < 32; k += 4) {
      const tap = load<usize>(taps + k);
      const weight = load<f32>(weights + k);
      const none = tap === absent;
      if (none && f32.eq(weight, weight)) continue;
      store<usize>(taps + k, load<usize>(taps + count));
      store<f32>(weights + k, load<f32>(weights + count));
      store<usize>(taps + count, tap);
      store<f32>(weights + count, weight);
      count += 4;
    }
    store<i32>(counts, <i32>(count >> 2));
  }
}

/** blend of a record whose first `count` taps are all that count, the others rows of zeros. */
export function blendFew(out: usize, taps: usize, weights: usize, count: i32, from: usize, to: usize): void {
  if (count > 4) {
    blend(out, taps, weights, from, to);
    return;
  }
  const p0 = load<usize>(taps);
  const p1 = load<usize>(taps, 4);
  const p2 = load<usize>(taps, 8);
  const p3 = load<usize>(taps, 12);
  const w0 = v128.load32_splat(weights);
  const w1 = v128.load32_splat(weights, 4);
  const w2 = v128.load32_splat(weights, 8);
  const w3 = v128.load32_splat(weights, 12);
  const end = to & ~15;
  let b = from;
  if (count === 0) {
    memory.fill(out + from, 0, to - from);
    return;
  }
  if (count === 1) {
    for (; b + 32 <= end; b += 32) {
      v128.store(out + b, V.mul(v128.load(p0 + b), w0));
      v128.store(out + b, V.mul(v128.load(p0 + b, 16), w0), 16);
    }
  } else if (count === 2) {
    for (; b + 32 <= end; b += 32) {
      const s = V.madd(V.mul(v128.load(p0 + b), w0), v128.load(p1 + b), w1);
      const t = V.madd(V.mul(v128.load(p0 + b, 16), w0), v128.load(p1 + b, 16), w1);
      v128.store(out + b, s);
      v128.store(out + b, t, 16);
    }
  }
  for (; b < to; b += 16) {
    const s = V.madd(V.mul(v128.load(p0 + b), w0), v128.load(p1 + b), w1);
    const t = V.madd(V.mul(v128.load(p2 + b), w2), v128.load(p3 + b), w3);
    const sum = V.add(s, t);
    if (b < end) v128.store(out + b, sum);
    else V.storeFirst(out + b, sum, <i32>(to - b) >> 2);
  }
}
