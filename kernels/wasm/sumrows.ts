/** A row of WavecubeSumRows. Contract: src/ops/sumrows.ts. */
import { V } from './lanes';

/** out = a + b, `count` floats; b 0: a; both 0: zeros. `out` may be a. */
export function sumRow(out: usize, a: usize, b: usize, count: i32): void {
  const bytes = (<usize>count) << 2;
  if (a === 0) memory.fill(out, 0, bytes);
  else if (b === 0) memory.copy(out, a, bytes);
  else {
    const whole = bytes & ~15;
    let at: usize = 0;
    for (; at < whole; at += 16) v128.store(out + at, V.add(v128.load(a + at), v128.load(b + at)));
    for (; at < bytes; at += 4) store<f32>(out + at, load<f32>(a + at) + load<f32>(b + at));
  }
}
