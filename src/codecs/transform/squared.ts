/** The search for the largest step, and a small box, within a bound on the squared error. */
import { check } from '../../errors.js';
import { nextBoxSize } from '../parameters.js';
import { largestStep } from './largeststep.js';
import { notReached } from './notreached.js';
import { transformPayload } from './payload.js';
import type { Quantiser } from './quantiser.js';

/** What a smaller box may cost: a part of the bits of the best. */
const BOX_COST = 1.3;
/** The part of the error that what a box leaves off may take. */
const LEFT_OFF = 0.9;

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
  const stepFor = (wanted: number): number => {
    const step = largestStep(smallest, guess, 40, (s) => quantiser.squaredError(s) <= wanted);
    if (step === null) throw notReached(where, quantiser, quantiser.quantised(smallest));
    return step;
  };
  if (compact) cropToBox(quantiser, bound, stepFor);
  let wanted = bound;
  let step = 0;
  for (let attempt = 0; attempt < 4; attempt++) {
    step = stepFor(wanted);
    const quantised = quantiser.quantised(step);
    let squaredError = 0;
    for (const e of quantiser.errors(quantised)) squaredError += e * e;
    if (squaredError <= bound * (1 - 1e-6)) {
      return transformPayload(quantiser.transform, shape, quantised, null);
    }
    wanted *= Math.min(0.999, (0.998 * bound) / squaredError);
  }
  throw notReached(where, quantiser, quantiser.quantised(step));
}

/** Crops to the smallest box of a ladder of sizes that costs at most BOX_COST of the fewest bits. */
function cropToBox(quantiser: Quantiser, squaredError: number, stepFor: (wanted: number) => number): void {
  const [height, width] = quantiser.full;
  const longest = Math.max(height, width);
  const boxes: { kh: number; kw: number; bits: number }[] = [];
  for (let n = 1; ; n = nextBoxSize(n)) {
    const [kh, kw] = [height, width].map((size) => Math.min(size, Math.ceil((size * n) / longest)));
    if (quantiser.crop(kh, kw) <= LEFT_OFF * squaredError) {
      boxes.push({ kh, kw, bits: quantiser.estimate(stepFor(squaredError)).bits });
      if (boxes.length > 4 && boxes[boxes.length - 1].bits >= boxes[boxes.length - 2].bits) break;
    }
    if (n >= longest) break;
  }
  const fewest = Math.min(...boxes.map(({ bits }) => bits));
  const { kh, kw } = boxes.find(({ bits }) => bits <= BOX_COST * fewest)!;
  quantiser.crop(kh, kw);
}
