/**
 * out = Σ_k w_k · row_k over the bytes from … to of a row: what Sample and SampleTangent do with the stencil of one
 * sample (src/ops/contract.ts).
 */
import { Half } from './half';
import { V } from './lanes';

/** Rows of float32. `from` is a multiple of 16; row tails are over-read, never over-written. */
export function blend(out: usize, taps: usize, weights: usize, from: usize, to: usize): void {
  const p0 = load<usize>(taps);
  const p1 = load<usize>(taps, 4);
  const p2 = load<usize>(taps, 8);
  const p3 = load<usize>(taps, 12);
  const p4 = load<usize>(taps, 16);
  const p5 = load<usize>(taps, 20);
  const p6 = load<usize>(taps, 24);
  const p7 = load<usize>(taps, 28);
  const w0 = v128.load32_splat(weights);
  const w1 = v128.load32_splat(weights, 4);
  const w2 = v128.load32_splat(weights, 8);
  const w3 = v128.load32_splat(weights, 12);
  const w4 = v128.load32_splat(weights, 16);
  const w5 = v128.load32_splat(weights, 20);
  const w6 = v128.load32_splat(weights, 24);
  const w7 = v128.load32_splat(weights, 28);
  const end = to & ~15;
  let b = from;
  for (; b + 64 <= end; b += 64) {
    let a0: v128;
    let a1: v128;
    let a2: v128;
    let a3: v128;
    let p: usize;
    p = p0 + b;
    a0 = V.mul(v128.load(p), w0);
    a1 = V.mul(v128.load(p, 16), w0);
    a2 = V.mul(v128.load(p, 32), w0);
    a3 = V.mul(v128.load(p, 48), w0);
    p = p1 + b;
    a0 = V.madd(a0, v128.load(p), w1);
    a1 = V.madd(a1, v128.load(p, 16), w1);
    a2 = V.madd(a2, v128.load(p, 32), w1);
    a3 = V.madd(a3, v128.load(p, 48), w1);
    p = p2 + b;
    a0 = V.madd(a0, v128.load(p), w2);
    a1 = V.madd(a1, v128.load(p, 16), w2);
    a2 = V.madd(a2, v128.load(p, 32), w2);
    a3 = V.madd(a3, v128.load(p, 48), w2);
    p = p3 + b;
    a0 = V.madd(a0, v128.load(p), w3);
    a1 = V.madd(a1, v128.load(p, 16), w3);
    a2 = V.madd(a2, v128.load(p, 32), w3);
    a3 = V.madd(a3, v128.load(p, 48), w3);
    p = p4 + b;
    a0 = V.madd(a0, v128.load(p), w4);
    a1 = V.madd(a1, v128.load(p, 16), w4);
    a2 = V.madd(a2, v128.load(p, 32), w4);
    a3 = V.madd(a3, v128.load(p, 48), w4);
    p = p5 + b;
    a0 = V.madd(a0, v128.load(p), w5);
    a1 = V.madd(a1, v128.load(p, 16), w5);
    a2 = V.madd(a2, v128.load(p, 32), w5);
    a3 = V.madd(a3, v128.load(p, 48), w5);
    p = p6 + b;
    a0 = V.madd(a0, v128.load(p), w6);
    a1 = V.madd(a1, v128.load(p, 16), w6);
    a2 = V.madd(a2, v128.load(p, 32), w6);
    a3 = V.madd(a3, v128.load(p, 48), w6);
    p = p7 + b;
    a0 = V.madd(a0, v128.load(p), w7);
    a1 = V.madd(a1, v128.load(p, 16), w7);
    a2 = V.madd(a2, v128.load(p, 32), w7);
    a3 = V.madd(a3, v128.load(p, 48), w7);
    const o = out + b;
    v128.store(o, a0);
    v128.store(o, a1, 16);
    v128.store(o, a2, 32);
    v128.store(o, a3, 48);
  }
  for (; b < to; b += 16) {
    let a = V.mul(v128.load(p0 + b), w0);
    let c = V.mul(v128.load(p4 + b), w4);
    a = V.madd(a, v128.load(p1 + b), w1);
    c = V.madd(c, v128.load(p5 + b), w5);
    a = V.madd(a, v128.load(p2 + b), w2);
    c = V.madd(c, v128.load(p6 + b), w6);
    a = V.madd(a, v128.load(p3 + b), w3);
    c = V.madd(c, v128.load(p7 + b), w7);
    const sum = V.add(a, c);
    if (b < end) v128.store(out + b, sum);
    else V.storeFirst(out + b, sum, <i32>(to - b) >> 2);
  }
}

/**
 * Rows of halves; from and to are bytes of the float32 result, `from` a multiple of 32. The 2^112 of the halves is
 * split between weights and sums, so that weights up to 2^48 do not overflow and small products stay normal.
 */
export function blendHalf(out: usize, taps: usize, weights: usize, from: usize, to: usize): void {
  const up = f32x4.splat(reinterpret<f32>(0x67800000)); // 2^80
  const rest = f32x4.splat(reinterpret<f32>(0x4f800000)); // 2^32
  const p0 = load<usize>(taps);
  const p1 = load<usize>(taps, 4);
  const p2 = load<usize>(taps, 8);
  const p3 = load<usize>(taps, 12);
  const p4 = load<usize>(taps, 16);
  const p5 = load<usize>(taps, 20);
  const p6 = load<usize>(taps, 24);
  const p7 = load<usize>(taps, 28);
  const w0 = V.mul(v128.load32_splat(weights), up);
  const w1 = V.mul(v128.load32_splat(weights, 4), up);
  const w2 = V.mul(v128.load32_splat(weights, 8), up);
  const w3 = V.mul(v128.load32_splat(weights, 12), up);
  const w4 = V.mul(v128.load32_splat(weights, 16), up);
  const w5 = V.mul(v128.load32_splat(weights, 20), up);
  const w6 = V.mul(v128.load32_splat(weights, 24), up);
  const w7 = V.mul(v128.load32_splat(weights, 28), up);
  for (let b = from; b < to; b += 32) {
    const h = b >> 1;
    let x = v128.load(p0 + h);
    let widest = Half.widest(V.zero(), x);
    let even = V.mul(Half.evenBits(x), w0);
    let odd = V.mul(Half.oddBits(x), w0);
    x = v128.load(p1 + h);
    widest = Half.widest(widest, x);
    even = V.madd(even, Half.evenBits(x), w1);
    odd = V.madd(odd, Half.oddBits(x), w1);
    x = v128.load(p2 + h);
    widest = Half.widest(widest, x);
    even = V.madd(even, Half.evenBits(x), w2);
    odd = V.madd(odd, Half.oddBits(x), w2);
    x = v128.load(p3 + h);
    widest = Half.widest(widest, x);
    even = V.madd(even, Half.evenBits(x), w3);
    odd = V.madd(odd, Half.oddBits(x), w3);
    x = v128.load(p4 + h);
    widest = Half.widest(widest, x);
    even = V.madd(even, Half.evenBits(x), w4);
    odd = V.madd(odd, Half.oddBits(x), w4);
    x = v128.load(p5 + h);
    widest = Half.widest(widest, x);
    even = V.madd(even, Half.evenBits(x), w5);
    odd = V.madd(odd, Half.oddBits(x), w5);
    x = v128.load(p6 + h);
    widest = Half.widest(widest, x);
    even = V.madd(even, Half.evenBits(x), w6);
    odd = V.madd(odd, Half.oddBits(x), w6);
    x = v128.load(p7 + h);
    widest = Half.widest(widest, x);
    even = V.madd(even, Half.evenBits(x), w7);
    odd = V.madd(odd, Half.oddBits(x), w7);
    even = V.mul(even, rest);
    odd = V.mul(odd, rest);
    const left = <i32>(to - b) >> 2;
    if (Half.hasSpecial(widest)) blendSpecial(out + b, taps, weights, h, left);
    else storeEight(out + b, even, odd, left);
  }
}

/** Eight elements among which are infinities or NaN; `h` is the byte within the row of halves. */
function blendSpecial(out: usize, taps: usize, weights: usize, h: usize, left: i32): void {
  let even = V.zero();
  let odd = V.zero();
  for (let k: usize = 0; k < 32; k += 4) {
    const x = v128.load(load<usize>(taps + k) + h);
    const w = v128.load32_splat(weights + k);
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
