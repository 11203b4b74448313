/**
 * row += w · values over the list of one sample (taplist.ts), the bytes from … to of a row: what WavecubeTapsSplat and its
 * tangent do with it (src/ops/tapscontract.ts). Two entries may be one row.
 */
import { V } from './lanes';
import { SECOND } from './taplist';

/** `from` is a multiple of 16. */
export function scatterTaps(values: usize, list: usize, count: i32, from: usize, to: usize): void {
  const end = list + ((<usize>count) << 2);
  const whole = to & ~15;
  let b = from;
  for (; b + 128 <= whole; b += 128) {
    const v0 = v128.load(values + b);
    const v1 = v128.load(values + b, 16);
    const v2 = v128.load(values + b, 32);
    const v3 = v128.load(values + b, 48);
    const v4 = v128.load(values + b, 64);
    const v5 = v128.load(values + b, 80);
    const v6 = v128.load(values + b, 96);
    const v7 = v128.load(values + b, 112);
    for (let tap = list; tap < end; tap += 4) {
      const p = <usize>load<u32>(tap) + b;
      const w = v128.load32_splat(tap, SECOND);
      v128.store(p, V.madd(v128.load(p), v0, w));
      v128.store(p, V.madd(v128.load(p, 16), v1, w), 16);
      v128.store(p, V.madd(v128.load(p, 32), v2, w), 32);
      v128.store(p, V.madd(v128.load(p, 48), v3, w), 48);
      v128.store(p, V.madd(v128.load(p, 64), v4, w), 64);
      v128.store(p, V.madd(v128.load(p, 80), v5, w), 80);
      v128.store(p, V.madd(v128.load(p, 96), v6, w), 96);
      v128.store(p, V.madd(v128.load(p, 112), v7, w), 112);
    }
  }
  for (; b + 32 <= whole; b += 32) {
    const v0 = v128.load(values + b);
    const v1 = v128.load(values + b, 16);
    for (let tap = list; tap < end; tap += 4) {
      const p = <usize>load<u32>(tap) + b;
      const w = v128.load32_splat(tap, SECOND);
      v128.store(p, V.madd(v128.load(p), v0, w));
      v128.store(p, V.madd(v128.load(p, 16), v1, w), 16);
    }
  }
  for (; b < to; b += 16) {
    const v = v128.load(values + b);
    if (b < whole) {
      for (let tap = list; tap < end; tap += 4) {
        const p = <usize>load<u32>(tap) + b;
        v128.store(p, V.madd(v128.load(p), v, v128.load32_splat(tap, SECOND)));
      }
    } else {
      const left = <i32>(to - b) >> 2;
      for (let tap = list; tap < end; tap += 4) {
        const p = <usize>load<u32>(tap) + b;
        V.storeFirst(p, V.madd(v128.load(p), v, v128.load32_splat(tap, SECOND)), left);
      }
    }
  }
}
