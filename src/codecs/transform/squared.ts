/** The search for the largest step, and a small box, within a bound on the squared error. */
import { check } from '../../errors.js';
import { nextBoxSize } from '../parameters.js';
import { largestStep } from './largeststep.js';
import { notReached } from './notreached.js';
import { type Quantised, transformPayload } from './payload.js';
import type { Quantiser } from './quantiser.js';

/** What a smaller box may cost: a part of the bits of the best. */
const BOX_COST = 1.3;
/** The part of the error that what a box leaves off may take. */
const LEFT_OFF = 0.9;

/** Tries of a bound on coefficients until the error of values keeps its own: wavelets are not quite orthonormal. */
const TRIES = 12;

type StepFor = (wanted: number) => number | null;

/** @param compact a small box is worth some bytes: a cube holds boxes in memory, and blends and decodes all of them. */
export function withinSquaredError(
  where: string,
  quantiser: Quantiser,
  bound: number,
  compact: boolean,
): Uint8Array {
  const { values, shape } = quantiser.wavetable;
  const guess = Math.sqrt((12 * bound) / values.length);
  check(guess > 0, () => notReached(where));
  quantiser.rotate(guess);
  const smallest = quantiser.smallestStep;
  const stepFor: StepFor = (wanted) =>
    largestStep(smallest, guess, 40, (s) => quantiser.squaredError(s) <= wanted);
  if (compact) {
    cropToBox(quantiser, bound, stepFor);
    const cropped = keepingBound(quantiser, bound, stepFor);
    if (cropped) return transformPayload(quantiser.transform, shape, cropped, null);
    quantiser.crop(quantiser.full[0], quantiser.full[1]);
  }
  const quantised = keepingBound(quantiser, bound, stepFor);
  if (!quantised) throw notReached(where, quantiser, quantiser.quantised(smallest));
  return transformPayload(quantiser.transform, shape, quantised, null);
}

/** Coefficients by the largest step found whose values keep the bound; null where none was. */
function keepingBound(quantiser: Quantiser, bound: number, stepFor: StepFor): Quantised | null {
  let wanted = bound;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const step = stepFor(wanted);
    if (step === null) return null;
    const quantised = quantiser.quantised(step);
    let squaredError = 0;
    for (const e of quantiser.errors(quantised)) squaredError += e * e;
    if (squaredError <= bound * (1 - 1e-6)) return quantised;
    wanted *= Math.min(0.97, (0.99 * bound) / squaredError);
  }
  return null;
}

/** Crops to the smallest box of a ladder of sizes that costs at most BOX_COST of the fewest bits. */
function cropToBox(quantiser: Quantiser, squaredError: number, stepFor: StepFor): void {
  const [height, width] = quantiser.full;
  const longest = Math.max(height, width);
  const boxes: { kh: number; kw: number; bits: number }[] = [];
  for (let n = 1; ; n = nextBoxSize(n)) {
    const [kh, kw] = [height, width].map((size) => Math.min(size, Math.ceil((size * n) / longest)));
    if (quantiser.crop(kh, kw) <= LEFT_OFF * squaredError) {
      const step = stepFor(squaredError);
      if (step !== null) boxes.push({ kh, kw, bits: quantiser.estimate(step).bits });
      if (boxes.length > 4 && boxes[boxes.length - 1].bits >= boxes[boxes.length - 2].bits) break;
    }
    if (n >= longest) break;
  }
  const fewest = Math.min(...boxes.map(({ bits }) => bits));
  const box = boxes.find(({ bits }) => bits <= BOX_COST * fewest);
  quantiser.crop(box?.kh ?? height, box?.kw ?? width);
}
