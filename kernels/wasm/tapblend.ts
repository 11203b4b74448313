/**
 * out = Σ w · row over the list of one sample (taplist.ts), the bytes from … to of a row: what WavecubeTaps and its tangent do
 * with it (src/ops/tapscontract.ts). Sums stay in registers; row tails are over-read, never over-written.
 */
import { Half } from './half';
import { V } from './lanes';
import { SECOND } from './taplist';

/** Rows of float32. `from` is a multiple of 16. */
export function blendTaps(out: usize, list: usize, count: i32, from: usize, to: usize): void {
  const end = list + ((<usize>count) << 2);
  const whole = to & ~15;
  let b = from;
  // Six sums: with more of them engines run out of registers.
  for (; b + 96 <= whole; b += 96) {
    let a0 = V.zero();
    let a1 = V.zero();
    let a2 = V.zero();
    let a3 = V.zero();
    let a4 = V.zero();
    let a5 = V.zero();
    for (let tap = list; tap < end; tap += 4) {
      const p = <usize>load<u32>(tap) + b;
      const w = v128.load32_splat(tap, SECOND);
      a0 = V.madd(a0, v128.load(p), w);
      a1 = V.madd(a1, v128.load(p, 16), w);
      a2 = V.madd(a2, v128.load(p, 32), w);
      a3 = V.madd(a3, v128.load(p, 48), w);
      a4 = V.madd(a4, v128.load(p, 64), w);
      a5 = V.madd(a5, v128.load(p, 80), w);
    }
    const o = out + b;
    v128.store(o, a0);
    v128.store(o, a1, 16);
    v128.store(o, a2, 32);
    v128.store(o, a3, 48);
    v128.store(o, a4, 64);
    v128.store(o, a5, 80);
  }
  // Short rows: two taps at a time, so that sums do not wait for each other.
  const pairs = list + ((<usize>(count & ~1)) << 2);
  for (; b + 32 <= whole; b += 32) {
    let a0 = V.zero();
    let a1 = V.zero();
    let c0 = V.zero();
    let c1 = V.zero();
    for (let tap = list; tap < pairs; tap += 8) {
      const p = <usize>load<u32>(tap) + b;
      const q = <usize>load<u32>(tap, 4) + b;
      const w = v128.load32_splat(tap, SECOND);
      const v = v128.load32_splat(tap, SECOND + 4);
      a0 = V.madd(a0, v128.load(p), w);
      a1 = V.madd(a1, v128.load(p, 16), w);
      c0 = V.madd(c0, v128.load(q), v);
      c1 = V.madd(c1, v128.load(q, 16), v);
    }
    if (pairs < end) {
      const p = <usize>load<u32>(pairs) + b;
      const w = v128.load32_splat(pairs, SECOND);
      a0 = V.madd(a0, v128.load(p), w);
      a1 = V.madd(a1, v128.load(p, 16), w);
    }
    v128.store(out + b, V.add(a0, c0));
    v128.store(out + b, V.add(a1, c1), 16);
  }
  for (; b < to; b += 16) {
    let a = V.zero();
    let c = V.zero();
    for (let tap = list; tap < pairs; tap += 8) {
      a = V.madd(a, v128.load(<usize>load<u32>(tap) + b), v128.load32_splat(tap, SECOND));
      c = V.madd(c, v128.load(<usize>load<u32>(tap, 4) + b), v128.load32_splat(tap, SECOND + 4));
    }
    if (pairs < end) a = V.madd(a, v128.load(<usize>load<u32>(pairs) + b), v128.load32_splat(pairs, SECOND));
    const sum = V.add(a, c);
    if (b < whole) v128.store(out + b, sum);
    else V.storeFirst(out + b, sum, <i32>(to - b) >> 2);
  }
}

/**
 * Rows of halves; from and to are bytes of the float32 result, `from` a multiple of 32. Weights of the list come times
 * HALF_SCALE: of the 2^112 of the halves 2^80 are there and 2^32 in the sums, so that weights up to 2^48 do not overflow
 * and small products stay normal.
 */
export function blendTapsHalf(out: usize, list: usize, count: i32, from: usize, to: usize): void {
  const rest = f32x4.splat(reinterpret<f32>(0x4f800000)); // 2^32
  const end = list + ((<usize>count) << 2);
  for (let b = from; b < to; b += 64) {
    const h = b >> 1;
    let even = V.zero();
    let odd = V.zero();
    let even2 = V.zero();
    let odd2 = V.zero();
    let widest = V.zero();
    for (let tap = list; tap < end; tap += 4) {
      const p = <usize>load<u32>(tap) + h;
      const w = v128.load32_splat(tap, SECOND);
      const x = v128.load(p);
      const y = v128.load(p, 16);
      widest = Half.widest(Half.widest(widest, x), y);
      even = V.madd(even, Half.evenBits(x), w);
      odd = V.madd(odd, Half.oddBits(x), w);
      even2 = V.madd(even2, Half.evenBits(y), w);
      odd2 = V.madd(odd2, Half.oddBits(y), w);
    }
    const left = <i32>(to - b) >> 2;
    if (Half.hasSpecial(widest)) {
      blendSpecial(out + b, list, end, h, left);
      if (left > 8) blendSpecial(out + b + 32, list, end, h + 16, left - 8);
    } else {
      storeEight(out + b, V.mul(even, rest), V.mul(odd, rest), left);
      if (left > 8) storeEight(out + b + 32, V.mul(even2, rest), V.mul(odd2, rest), left - 8);
    }
  }
}

export const HALF_SCALE: f32 = reinterpret<f32>(0x67800000); // 2^80

/** Eight elements among which are infinities or NaN; `h` is the byte within the row of halves. */
function blendSpecial(out: usize, list: usize, end: usize, h: usize, left: i32): void {
  const back = f32x4.splat(1 / HALF_SCALE);
  let even = V.zero();
  let odd = V.zero();
  for (let tap = list; tap < end; tap += 4) {
    const x = v128.load(<usize>load<u32>(tap) + h);
    const w = V.mul(v128.load32_splat(tap, SECOND), back);
    even = V.madd(even, Half.even(x), w);
    odd = V.madd(odd, Half.odd(x), w);
  }
  storeEight(out, even, odd, left);
}

function storeEight(out: usize, even: v128, odd: v128, left: i32): void {
  const low = v128.shuffle<i32>(even, odd, 0, 4, 1, 5);
  const high = v128.shuffle<i32>(even, odd, 2, 6, 3, 7);
  if (left >= 4) v128.store(out, low);
  else V.storeFirst(out, low, left);
  if (left >= 8) v128.store(out, high, 16);
  else if (left > 4) V.storeFirst(out + 16, high, left - 4);
}
