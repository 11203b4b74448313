/**
 * WavecubeMeanSquare {x} → [] and WavecubeMeanSquareGrad {x, dy} → 2/n · dy · x. Contract: src/ops/contract.ts.
 */
import { V } from './lanes';

/** Bytes of a block: its squares are summed in float32, 32 sums of four, and the blocks in float64. */
const BLOCK_BYTES: usize = 512;

/** The mean of the squares of `size` floats; 0 of none. */
export function meanSquare(out: usize, x: usize, size: i32): void {
  const end = x + ((<usize>size) << 2);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  while (x + BLOCK_BYTES <= end) {
    let a = V.zero();
    let b = V.zero();
    let c = V.zero();
    let d = V.zero();
    let e = V.zero();
    let f = V.zero();
    let g = V.zero();
    let h = V.zero();
    for (const stop = x + BLOCK_BYTES; x < stop; x += 128) {
      const aa = v128.load(x);
      a = V.madd(a, aa, aa);
      const bb = v128.load(x, 16);
      b = V.madd(b, bb, bb);
      const cc = v128.load(x, 32);
      c = V.madd(c, cc, cc);
      const dd = v128.load(x, 48);
      d = V.madd(d, dd, dd);
      const ee = v128.load(x, 64);
      e = V.madd(e, ee, ee);
      const ff = v128.load(x, 80);
      f = V.madd(f, ff, ff);
      const gg = v128.load(x, 96);
      g = V.madd(g, gg, gg);
      const hh = v128.load(x, 112);
      h = V.madd(h, hh, hh);
    }
    const sum = V.add(V.add(V.add(a, b), V.add(c, d)), V.add(V.add(e, f), V.add(g, h)));
    low = f64x2.add(low, f64x2.promote_low_f32x4(sum));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i32>(sum, sum, 2, 3, 2, 3)));
  }
  const lanes = f64x2.add(low, high);
  let total = f64x2.extract_lane(lanes, 0) + f64x2.extract_lane(lanes, 1);
  for (; x < end; x += 4) {
    const v = <f64>load<f32>(x);
    total += v * v;
  }
  store<f32>(out, <f32>(total / <f64>max(size, 1)));
}

export function meanSquareGrad(out: usize, x: usize, dy: usize, size: i32): void {
  const scale = f32x4.splat(<f32>((2 * <f64>load<f32>(dy)) / <f64>size));
  const bytes = (<usize>size) << 2;
  const whole = bytes & ~15;
  let b: usize = 0;
  for (; b < whole; b += 16) v128.store(out + b, V.mul(v128.load(x + b), scale));
  if (b < bytes) V.storeFirst(out + b, V.mul(v128.load(x + b), scale), size & 3);
}
