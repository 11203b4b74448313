/** The predictive codec's choice of quantisation: the fewest bytes within a target. */

import type { NodeShape } from '../parameters.js';
import { measure, statisticsOf, type Target } from '../quality.js';
import { type Original, type Quantisation, walk } from './hierarchy.js';
import { ResidualCoder, SILENT } from './residuals.js';

type Write = (quantisation: Quantisation, residuals: Uint8Array) => Uint8Array;

/** Tapers and limits that are tried for a bound on the largest error; coarse errors spread, so that smooth fields want more. */
const TAPERS = [
  [8, 8],
  [9, 12],
  [10, 16],
  [12, 16],
  [12, 32],
  [16, 32],
] as const;
/** For a bound on the squared error: fixed, and values just beyond half a step go to the nearer of 0. */
const SQUARED_TAPER = [12, 16] as const;
const DEAD_ZONE = 0.1;
const LARGEST_STEP = 2 ** 127;
const SMALLEST_STEP = 2 ** -149;
/** Half an ulp of float32, as a part of the value. */
const HALF_ULP = 2 ** -24;

/** The float32 of 0 < x that is not above it, within the range of steps. */
function step32(x: number): number {
  if (x >= LARGEST_STEP) return LARGEST_STEP;
  const near = Math.fround(x);
  if (near <= x) return near === 0 ? SMALLEST_STEP : near;
  const bits = new Int32Array(Float32Array.of(near).buffer);
  bits[0]--;
  return Math.max(SMALLEST_STEP, new Float32Array(bits.buffer)[0]);
}

export async function bestPayload(
  values: Float32Array,
  shape: NodeShape,
  target: Target,
  write: Write,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const channels = shape[2];
  const { min, max } = statisticsOf(values, shape);
  const means = new Float64Array(channels);
  for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === channels ? 0 : c + 1) means[c] += values[i];
  const points = values.length / channels;
  const onlyMaxAbs =
    target.squaredError === Number.POSITIVE_INFINITY && target.bytes === Number.POSITIVE_INFINITY;

  /** With the same step everywhere, or as far as the bounds on the largest error let it. */
  const quantisation = (step: number, [taper, limit]: readonly [number, number]): Quantisation => {
    const steps = new Float64Array(channels);
    const offsets = new Float64Array(channels);
    for (let c = 0; c < channels; c++) {
      const bound = target.maxAbs[c];
      const middle = Math.fround((min[c] + max[c]) / 2);
      const constant = Math.max(max[c] - middle, middle - min[c]);
      if (constant === 0 || (onlyMaxAbs && constant <= bound)) {
        offsets[c] = middle;
        continue;
      }
      // Room for the rounding of the decoded value to float32, so that it does not push values over the bound.
      const rounding = Math.min(bound / 2, HALF_ULP * Math.max(-min[c], max[c]));
      steps[c] = step32(Math.min(step, 2 * (bound - rounding)));
      const most = 2 ** 40;
      offsets[c] = Math.max(-most, Math.min(most, Math.round(means[c] / points / steps[c]))) * steps[c];
    }
    return { steps, offsets, taper, limit };
  };
  const original = (deadZone: number): Original => ({ values, bounds: target.maxAbs, deadZone });
  const coded = (q: Quantisation, deadZone: number): Uint8Array => {
    signal?.throwIfAborted();
    const coder = new ResidualCoder(null);
    walk(coder, shape, q, original(deadZone));
    return write(q, coder.finish());
  };

  if (max.every((high, c) => high === min[c])) return coded(quantisation(1, TAPERS[0]), 0);
  if (onlyMaxAbs) {
    const taper = bestTaper(values, shape, quantisation(Number.POSITIVE_INFINITY, TAPERS[0]), target, signal);
    return coded(quantisation(Number.POSITIVE_INFINITY, taper), 0);
  }
  const ranges = max.map((high, c) => high - min[c]);
  const widest = Math.max(...ranges) || 1;
  let step = 2 * widest;
  const last = SQUARED_TAPER;
  if (target.squaredError < Number.POSITIVE_INFINITY) {
    step = stepForSquaredError(target.squaredError, values.length, widest, (tried) => {
      signal?.throwIfAborted();
      const decoded = walk(SILENT, shape, quantisation(tried, last), original(DEAD_ZONE));
      return measure(values, decoded, shape).squaredError;
    });
  }
  if (target.bytes === Number.POSITIVE_INFINITY) return coded(quantisation(step, last), DEAD_ZONE);
  return largestWithin(target.bytes, values.length, step, widest, (tried) =>
    coded(quantisation(tried, last), DEAD_ZONE),
  );
}

/** The taper with the fewest bytes, judged on the channel that has the most to tell. */
function bestTaper(
  values: Float32Array,
  shape: NodeShape,
  { steps, offsets }: Quantisation,
  { maxAbs }: Target,
  signal: AbortSignal | undefined,
): readonly [number, number] {
  const [height, width, channels] = shape;
  let busiest = 0;
  let most = -1;
  for (let c = 0; c < channels; c++) {
    let sum = 0;
    if (steps[c] > 0) {
      for (let i = c; i < values.length; i += channels) sum += Math.abs(values[i] - offsets[c]) / steps[c];
    }
    if (sum > most) {
      most = sum;
      busiest = c;
    }
  }
  if (steps[busiest] === 0) return TAPERS[0];
  const plane = new Float32Array(height * width);
  for (let i = 0; i < plane.length; i++) plane[i] = values[i * channels + busiest];
  const one = { steps: steps.slice(busiest, busiest + 1), offsets: offsets.slice(busiest, busiest + 1) };
  const original = { values: plane, bounds: maxAbs.slice(busiest, busiest + 1), deadZone: 0 };
  let best: readonly [number, number] = TAPERS[0];
  let least = Number.POSITIVE_INFINITY;
  for (const [taper, limit] of TAPERS) {
    signal?.throwIfAborted();
    const coder = new ResidualCoder(null);
    walk(coder, [height, width, 1], { ...one, taper, limit }, original);
    if (coder.length < least) {
      least = coder.length;
      best = [taper, limit];
    } else if (coder.length > plane.length / 16) break;
  }
  return best;
}

/** The largest step that keeps the squared error, to a hundredth. */
function stepForSquaredError(
  target: number,
  count: number,
  widest: number,
  errorOf: (step: number) => number,
): number {
  // log error is nearly a line over log step, of slope 2 where steps are small.
  let below = 0;
  let above = Number.POSITIVE_INFINITY;
  let step = Math.max(SMALLEST_STEP, Math.min(2 * widest, Math.sqrt((12 * target) / count)));
  for (let round = 0; round < 8; round++) {
    const error = errorOf(step);
    if (error <= target) {
      below = step;
      if (error >= 0.985 * target || step >= 2 * widest) break;
    } else above = step;
    let next = error > 0 ? step * Math.sqrt((0.994 * target) / error) : 4 * step;
    if (below > 0 && !(next > below)) next = below * 1.01;
    if (next >= above) next = below > 0 ? Math.sqrt(below * above) : above * 0.9;
    if (below > 0 && above / below < 1.01) break;
    step = Math.max(SMALLEST_STEP, Math.min(2 * widest, next));
  }
  // What no step keeps is left to the caller, which measures what it gets.
  while (below === 0 && step > SMALLEST_STEP) {
    step /= 8;
    if (errorOf(step) <= target) below = step;
  }
  return below || SMALLEST_STEP;
}

/** The payload of the smallest step that has at most `bytes`; of the largest step where none has. */
function largestWithin(
  bytes: number,
  count: number,
  most: number,
  widest: number,
  payloadOf: (step: number) => Uint8Array,
): Uint8Array {
  let best = payloadOf(most);
  if (best.length > bytes) return best;
  let high = most;
  let low = widest * 2 ** -26;
  // Where residuals are many, a value takes a bit more for each halving of the step: one that is too far off is halved alone.
  let step = Math.min(high, widest * 2 ** -((8 * bytes) / count + 1));
  for (let round = 0; round < 12 && high / low > 1.01; round++) {
    if (!(step > low && step < high) || round % 4 === 3) step = Math.sqrt(high * low);
    const payload = payloadOf(step);
    if (payload.length <= bytes) {
      high = step;
      best = payload;
      if (payload.length > 0.97 * bytes) break;
    } else low = step;
    const left = (8 * (0.99 * bytes - payload.length)) / count;
    // Few residuals take less than their bits: the error of the size in octaves says more then.
    const octaves = Math.abs(left) > 0.3 ? left : Math.log2((0.99 * bytes) / payload.length) * 1.2;
    step *= 2 ** -octaves;
  }
  return best;
}
