/** Seeded numbers and named tolerances. */
import { expect } from 'chai';

/** mulberry32: a small seeded generator, uniform in [0, 1). */
export function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function randomArray(length: number, next: () => number, low = -1, high = 1): Float32Array {
  return Float32Array.from({ length }, () => low + (high - low) * next());
}

/** A finite float32 of either sign whose exponent is as likely as any other, from 2⁻²⁰ to 3e38. */
export function hugeFloat(next: () => number): number {
  const size = 2 ** (148 * next() - 20);
  return Math.fround((next() < 0.5 ? -1 : 1) * Math.min(size, 3.4e38));
}

/** Three float32 roundings in a weight and eight in a sum stay below this part of the largest node. */
export const SAMPLE_TOLERANCE = 1e-6;
/** Four cubic weights an axis of five float32 roundings each, and 64 in a sum, as a part of Σ |weights| · the largest node. */
export const TAPS_TOLERANCE = 3e-6;
/** Gradients against float64 differences, as a part of the largest entry. */
export const GRADIENT_TOLERANCE = 1e-4;

/** Largest entry by magnitude. */
export function magnitude(values: ArrayLike<number>): number {
  let m = 0;
  for (let i = 0; i < values.length; i++) m = Math.max(m, Math.abs(values[i]));
  return m;
}

/** Every entry finite and within `tolerance` of the expected one; NaN, ∞ and −∞ where they are expected, and only there. */
export function expectClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  tolerance: number,
  what = 'values',
): void {
  expect(got.length, `${what}: length`).to.equal(want.length);
  let worst = 0;
  let at = -1;
  for (let i = 0; i < want.length; i++) {
    if (Number.isNaN(want[i])) {
      expect(got[i], `${what}[${i}]`).to.be.NaN;
      continue;
    }
    if (got[i] === want[i]) continue;
    if (!Number.isFinite(want[i]) || !Number.isFinite(got[i]))
      expect.fail(`${what}[${i}]: ${got[i]}, expected ${want[i]}`);
    const error = Math.abs(got[i] - want[i]);
    if (error > worst) {
      worst = error;
      at = i;
    }
  }
  // Said so that a tolerance of NaN fails.
  if (!(worst <= tolerance)) {
    expect.fail(`${what}[${at}]: ${got[at]}, expected ${want[at]} (off by ${worst}, tolerance ${tolerance})`);
  }
}
