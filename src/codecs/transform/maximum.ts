/** The search for the step of the fewest bytes within a bound on the largest error. */
import { estimatedBits, plainLayout } from './coefficients.js';
import { gaussianRate } from './gaussianrate.js';
import { largestStep } from './largeststep.js';
import { notReached } from './notreached.js';
import { type Quantised, transformPayload } from './payload.js';
import type { Quantiser } from './quantiser.js';
import { isWithin, residualOf } from './residual.js';

/** Steps are FIRST · STRIDE^at bounds. */
const FIRST = 3.2;
const STRIDE = 1.5;
/** How far `at` may go: to where next to all is left to the residual. */
const MOST_AT = 12;
/** From this deviation on, in bounds, errors are everywhere, and as good as normal: no try is needed to know what they cost. */
const NORMAL = 1.1;
/** Errors have structure that coding finds: what they take of what normal ones would, in pictures and waves. */
const STRUCTURE = 0.9;
/** Steps that a search tries at most. */
const TRIES = 5;

interface Tried {
  at: number;
  cost: number;
}

/** The payload of coefficients and a residual. Steps are in units of the bounds: quantiser.weights. */
export function withResidualWithin(quantiser: Quantiser): Uint8Array {
  const bounds = Float32Array.from(quantiser.weights);
  const { shape, values } = quantiser.wavetable;
  const smallest = quantiser.smallestStep / Math.min(...bounds);
  const stepOf = (at: number) => Math.max(smallest, FIRST * STRIDE ** at);

  const guess = descent(0, 2, MOST_AT, (at) => {
    const { bits, squaredError } = quantiser.estimate(stepOf(at));
    const sigma = Math.sqrt(squaredError / values.length);
    return { at, cost: bits + STRUCTURE * values.length * gaussianRate(sigma), sigma };
  });
  const attempt = (at: number) => {
    const quantised = quantiser.quantised(stepOf(at));
    const { r, count } = residualOf(quantiser.errors(quantised), bounds);
    return { at, quantised, r: count ? r : null };
  };
  const payload = ({ quantised, r }: { quantised: Quantised; r: Int32Array | null }) => {
    if (r) quantised.header.halves = bounds;
    return transformPayload(quantiser.transform, shape, quantised, r);
  };
  if (guess[0].sigma > NORMAL) return payload(attempt(guess[0].at));

  const costly = (at: number) => {
    const tried = attempt(at);
    const bits = tried.r ? estimatedBits(tried.r, shape, plainLayout(shape[0], shape[1])) + 32 : 0;
    return { ...tried, cost: quantiser.estimate(stepOf(at)).bits + bits };
  };
  return payload(descent(Math.round(guess[0].at), 1, Math.round(guess[0].at) + TRIES, costly)[0]);
}

/** The payload of coefficients alone. @throws QualityNotReachedError with what the smallest step reaches. */
export function withinMaximum(where: string, quantiser: Quantiser): Uint8Array {
  const bounds = Float32Array.from(quantiser.weights);
  const smallest = quantiser.smallestStep / Math.min(...bounds);
  const step = largestStep(smallest, 2, 24, (s) =>
    isWithin(quantiser.errors(quantiser.quantised(s)), bounds),
  );
  if (step === null) throw notReached(where, quantiser, quantiser.quantised(smallest));
  return transformPayload(quantiser.transform, quantiser.wavetable.shape, quantiser.quantised(step), null);
}

/**
 * Downhill from `start` by whole strides, then to the bottom of the parabola through the best and its neighbours.
 * @returns what was tried, the best first.
 */
function descent<T extends Tried>(
  start: number,
  stride: number,
  most: number,
  tryOut: (at: number) => T,
): T[] {
  const tried: T[] = [];
  const attempt = (at: number): number => {
    const result = tryOut(at);
    tried.push(result);
    tried.sort((a, b) => a.cost - b.cost);
    return result.cost;
  };
  const direction = attempt(start) > attempt(start + stride) ? stride : -stride;
  for (;;) {
    const next = tried[0].at + direction;
    if (next > most || next < start - 6 * stride || tried.some(({ at }) => at === next)) break;
    attempt(next);
  }
  const { at: middle, cost } = tried[0];
  const [below, above] = [-stride, stride].map((by) => tried.find(({ at }) => at === middle + by)?.cost);
  if (below !== undefined && above !== undefined) {
    const shift = (below - above) / (2 * (below + above - 2 * cost));
    if (Math.abs(shift) > 0.15 && Math.abs(shift) < 0.6) attempt(middle + shift * stride);
  }
  return tried;
}
