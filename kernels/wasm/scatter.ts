/**
 * The two ways in which a row gets its shares, as Splat and SplatTangent need them (src/ops/contract.ts): the values
 * scatter to their eight rows, or a row gathers the values that name it.
 */
import { V } from './lanes';

/** row_k += w_k · values for the eight taps of one sample; rows of `bytes`. Two taps may be one row. */
export function scatter(values: usize, taps: usize, weights: usize, bytes: usize): void {
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
  const whole = bytes & ~15;
  let b: usize = 0;
  for (; b < whole; b += 16) {
    const v = v128.load(values + b);
    v128.store(p0 + b, V.madd(v128.load(p0 + b), v, w0));
    v128.store(p1 + b, V.madd(v128.load(p1 + b), v, w1));
    v128.store(p2 + b, V.madd(v128.load(p2 + b), v, w2));
    v128.store(p3 + b, V.madd(v128.load(p3 + b), v, w3));
    v128.store(p4 + b, V.madd(v128.load(p4 + b), v, w4));
    v128.store(p5 + b, V.madd(v128.load(p5 + b), v, w5));
    v128.store(p6 + b, V.madd(v128.load(p6 + b), v, w6));
    v128.store(p7 + b, V.madd(v128.load(p7 + b), v, w7));
  }
  if (b === bytes) return;
  const left = <i32>(bytes - b) >> 2;
  const v = v128.load(values + b);
  V.storeFirst(p0 + b, V.madd(v128.load(p0 + b), v, w0), left);
  V.storeFirst(p1 + b, V.madd(v128.load(p1 + b), v, w1), left);
  V.storeFirst(p2 + b, V.madd(v128.load(p2 + b), v, w2), left);
  V.storeFirst(p3 + b, V.madd(v128.load(p3 + b), v, w3), left);
  V.storeFirst(p4 + b, V.madd(v128.load(p4 + b), v, w4), left);
  V.storeFirst(p5 + b, V.madd(v128.load(p5 + b), v, w5), left);
  V.storeFirst(p6 + b, V.madd(v128.load(p6 + b), v, w6), left);
  V.storeFirst(p7 + b, V.madd(v128.load(p7 + b), v, w7), left);
}

/**
 * out = Σ w · values over `pairs` … `end` of (sample u32, weight f32), the bytes from … to of a row; `from` is a
 * multiple of 16.
 */
export function gather(
  out: usize,
  values: usize,
  pairs: usize,
  end: usize,
  rowBytes: usize,
  from: usize,
  to: usize,
): void {
  const whole = to & ~15;
  let b = from;
  for (; b + 64 <= whole; b += 64) {
    let a0 = V.zero();
    let a1 = V.zero();
    let a2 = V.zero();
    let a3 = V.zero();
    for (let pair = pairs; pair < end; pair += 8) {
      const v = values + <usize>load<u32>(pair) * rowBytes + b;
      const w = v128.load32_splat(pair, 4);
      a0 = V.madd(a0, v128.load(v), w);
      a1 = V.madd(a1, v128.load(v, 16), w);
      a2 = V.madd(a2, v128.load(v, 32), w);
      a3 = V.madd(a3, v128.load(v, 48), w);
    }
    v128.store(out + b, a0);
    v128.store(out + b, a1, 16);
    v128.store(out + b, a2, 32);
    v128.store(out + b, a3, 48);
  }
  for (; b < to; b += 16) {
    let a = V.zero();
    for (let pair = pairs; pair < end; pair += 8) {
      const v = values + <usize>load<u32>(pair) * rowBytes + b;
      a = V.madd(a, v128.load(v), v128.load32_splat(pair, 4));
    }
    if (b < whole) v128.store(out + b, a);
    else V.storeFirst(out + b, a, <i32>(to - b) >> 2);
  }
}
