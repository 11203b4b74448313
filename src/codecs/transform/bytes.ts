/** The search for the smallest step within a number of bytes. */
import { largestStep } from './largeststep.js';
import { notReached } from './notreached.js';
import { transformPayload } from './payload.js';
import type { Quantiser } from './quantiser.js';

/** Rounds of coding, and the part of the allowed bytes from which on one is good enough. */
const ROUNDS = 6;
const ENOUGH = 0.985;

/** @param largest the largest magnitude of the values. */
export function withinBytes(where: string, quantiser: Quantiser, bytes: number, largest: number): Uint8Array {
  const { transform, wavetable } = quantiser;
  const smallest = quantiser.smallestStep;
  // By estimates, of as many bits as are allowed; coding then tells by how much they are wrong.
  const stepFor = (bits: number): number => {
    const isBeyond = (step: number) => quantiser.estimate(step).bits > bits;
    if (!isBeyond(smallest)) return smallest;
    return 1.02 * (largestStep(smallest, largest / 16, 60, isBeyond) ?? smallest);
  };
  quantiser.rotate(stepFor(8 * bytes));
  let best: Uint8Array | null = null;
  let bits = 8 * bytes;
  let step = stepFor(bits);
  let tooLarge = 0;
  for (let round = 0; round < ROUNDS || (best === null && round < 60); round++) {
    const quantised = quantiser.quantised(step);
    const payload = transformPayload(transform, wavetable.shape, quantised, null);
    if (payload.length <= bytes) {
      if (!best || payload.length > best.length) best = payload;
      if (payload.length >= ENOUGH * bytes || step <= smallest) break;
    } else {
      tooLarge = Math.max(tooLarge, step);
      if (quantised.q.every((v) => v === 0)) throw notReached(where, quantiser, quantised);
    }
    bits *= Math.max(0.5, Math.min(2, (0.994 * bytes) / payload.length));
    const next = stepFor(bits);
    step = payload.length > bytes && next <= step ? step * (1.01 + 0.05 * round) : next;
    if (best && step <= tooLarge) break;
  }
  if (best === null) throw notReached(where);
  return best;
}
