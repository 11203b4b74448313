/** WavecubeEase and its slopes: coordinates moved by nearest and smoothstep. Contract: src/ops/easecontract.ts. */
import { V } from './lanes';

/** out [n, 3]; `by` 0: none. Lanes are xyz·, one sample a vector. */
export function ease(
  out: usize,
  coords: usize,
  by: usize,
  n: i32,
  nearest: bool,
  order: i32,
  endX: i32,
  endY: i32,
  endZ: i32,
): void {
  const ends = f32x4(<f32>endX, <f32>endY, <f32>endZ, -1);
  const stops = f32x4.ge(ends, V.zero());
  const none = f32x4.splat(order === 0 ? NaN : 0);
  const one = f32x4.splat(1);
  for (let i = 0; i < n; i++, out += 12, coords += 12) {
    const r = v128.load(coords);
    const floor = f32x4.floor(r);
    let value: v128;
    if (nearest) {
      value = V.add(floor, v128.and(f32x4.ge(V.sub(r, floor), f32x4.splat(0.5)), one));
    } else {
      const base = V.sub(floor, v128.and(v128.and(f32x4.eq(r, ends), stops), one));
      const f = V.sub(r, base);
      if (order === 0) {
        value = V.madd(base, V.mul(f, f), V.sub(f32x4.splat(3), V.add(f, f)));
      } else if (order === 1) value = V.mul(f32x4.splat(6), V.mul(f, V.sub(one, f)));
      else if (order === 2) value = V.sub(f32x4.splat(6), V.mul(f32x4.splat(12), f));
      else value = f32x4.splat(order === 3 ? -12 : 0);
    }
    if (by) {
      value = V.mul(value, v128.load(by));
      by += 12;
    }
    const difference = V.sub(r, r);
    const finite = (i32x4.bitmask(f32x4.eq(difference, difference)) & 7) === 7;
    if (!finite) value = none;
    // The fourth lane is the next sample's first, which comes after.
    if (i < n - 1) v128.store(out, value);
    else V.storeFirst(out, value, 3);
  }
}
