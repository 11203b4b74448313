/** Uniform quantisation by channel: which steps keep within a target, and the levels that they give. */
import type { HostWavetable } from '../codec.js';
import { statisticsOf, type Target } from '../quality.js';
import { latticeOf } from './lattice.js';

/** Levels are below it in magnitude: integers that float32 holds. */
export const MAX_LEVEL = 2 ** 24;

/** [C] each: a value is fround(fround(level · scale) + offset). */
export interface Steps {
  scale: Float32Array;
  offset: Float32Array;
}

/** [H, W, C] → levels: the nearest ones. */
export function quantized(values: Float32Array, { scale, offset }: Steps): Int32Array {
  const channels = scale.length;
  const out = new Int32Array(values.length);
  for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === channels ? 0 : c + 1) {
    out[i] = Math.round((values[i] - offset[c]) / scale[c]);
  }
  return out;
}

/** Errors of float32 decoding: the largest by channel, and the sum of squares. */
function errorsOf(
  values: Float32Array,
  { scale, offset }: Steps,
): { largest: Float64Array; squared: number } {
  const channels = scale.length;
  const largest = new Float64Array(channels);
  let squared = 0;
  for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === channels ? 0 : c + 1) {
    const level = Math.round((values[i] - offset[c]) / scale[c]);
    const error = Math.abs(values[i] - Math.fround(Math.fround(level * scale[c]) + offset[c]));
    if (error > largest[c]) largest[c] = error;
    squared += error * error;
  }
  return { largest, squared };
}

/** The float32 not above x. */
function floored(x: number): number {
  const near = Math.fround(x);
  return near > x ? Math.fround(x - Math.abs(x) * 2 ** -24) : near;
}

interface Ranges {
  min: Float64Array;
  max: Float64Array;
}

/**
 * Steps of about `wanted` by channel, with cells laid so that the fewest cover the range. A channel of one value, or of
 * a range within one step, has one level.
 */
function stepsOf({ min, max }: Ranges, wanted: (channel: number) => number): Steps {
  const channels = min.length;
  const scale = new Float32Array(channels);
  const offset = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const range = max[c] - min[c];
    const step = floored(wanted(c));
    if (!(range > 0) || !(step > 0)) {
      scale[c] = 1;
      offset[c] = min[c];
      continue;
    }
    // Twice the range says as much as ∞.
    scale[c] = floored(Math.min(step, 2 * range, 3e38));
    const cells = Math.ceil(range / scale[c]);
    const middle = min[c] + range / 2;
    offset[c] = cells % 2 === 1 ? middle : middle + scale[c] / 2;
    // The first float32 near a value of one cell only has to be it.
    if (range <= scale[c] * 1e-6) offset[c] = min[c];
  }
  alike(scale);
  return { scale, offset };
}

/** Steps that differ by their margins for rounding only become one, which takes less room. */
function alike(scale: Float32Array): void {
  const least = scale.reduce((a, b) => Math.min(a, b));
  if (scale.every((s) => s <= least * 1.001)) scale.fill(least);
}

const tooMany = ({ min, max }: Ranges, { scale }: Steps): boolean =>
  scale.some((s, c) => !(max[c] - min[c] < s * (2 * MAX_LEVEL - 4)));

/** `levels` of them from the minimum to the maximum of each channel. */
export function finestSteps({ values, shape }: HostWavetable, levels: number): Steps {
  const { min, max } = statisticsOf(values, shape);
  const scale = new Float32Array(shape[2]);
  const offset = new Float32Array(shape[2]);
  const cells = Math.max(1, Math.floor(levels) - 1);
  for (let c = 0; c < shape[2]; c++) {
    // Half of it first: the range of two values near the ends of float32 is beyond them.
    const step = Math.fround((max[c] - min[c]) / cells);
    scale[c] = step > 0 && Number.isFinite(step) ? step : 1;
    const below = Math.ceil(cells / 2);
    offset[c] = step > 0 ? min[c] + below * scale[c] : min[c];
  }
  return { scale, offset };
}

/** One step for all channels, `part` of the largest range of a channel, but none of more than `levels` levels. */
export function rangeSteps({ values, shape }: HostWavetable, part: number, levels: number): Steps {
  const ranges = statisticsOf(values, shape);
  const range = (c: number) => ranges.max[c] - ranges.min[c];
  const largest = Math.max(...Array.from({ length: shape[2] }, (_, c) => range(c)));
  return stepsOf(ranges, (c) => Math.max(part * largest, range(c) / (levels - 2)));
}

/** The coarsest steps within a target's bounds on the error; null where float32 or 2²⁴ levels are too few. */
export function stepsWithin({ values, shape }: HostWavetable, target: Target): Steps | null {
  const ranges = statisticsOf(values, shape);
  const bounds = target.maxAbs;
  let steps = stepsOf(ranges, (c) => 2 * bounds[c]);
  const lattice = latticeSteps(values, shape[2], bounds, steps);
  if (lattice) steps = lattice;
  for (let trial = 0; trial < 8; trial++) {
    if (tooMany(ranges, steps)) return null;
    const { largest } = errorsOf(values, steps);
    if (largest.every((error, c) => error <= bounds[c])) break;
    if (trial === 7) return null;
    const { scale } = steps;
    steps = stepsOf(ranges, (c) =>
      largest[c] <= bounds[c] ? scale[c] : scale[c] * Math.min(1 - 1e-7, (bounds[c] / largest[c]) ** 2),
    );
  }
  return Number.isFinite(target.squaredError)
    ? withinSquared(values, ranges, steps, target.squaredError)
    : steps;
}

/** The coarsest common step with a sum of squared errors within `bound`; none coarser than `most`. */
function withinSquared(values: Float32Array, ranges: Ranges, most: Steps, bound: number): Steps | null {
  if (errorsOf(values, most).squared <= bound) return most;
  const stepsAt = (step: number) => stepsOf(ranges, (c) => Math.min(step, most.scale[c]));
  let best: Steps | null = null;
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let step = Math.sqrt((12 * bound) / values.length);
  for (let trial = 0; trial < 40; trial++) {
    const steps = stepsAt(step);
    if (!(step > 0) || tooMany(ranges, steps)) return best;
    const { squared } = errorsOf(values, steps);
    if (squared <= bound) {
      best = steps;
      if (squared >= 0.985 * bound || trial >= 8) return best;
      low = step;
    } else high = step;
    // The error goes with the square of the step where levels are many, with less where they are few.
    const guess = step * Math.max(0.25, Math.min(2, Math.sqrt((0.993 * bound) / squared)));
    step =
      guess > low && guess < high && trial % 4 < 3 ? guess : high < Infinity ? (low + high) / 2 : 2 * step;
  }
  return best;
}

/**
 * Where values lie on a lattice (8-bit images), the cells of whole points of it: no error, or one that is known. Null
 * unless that is coarser than `steps` in each channel.
 */
function latticeSteps(
  values: Float32Array,
  channels: number,
  bounds: Float64Array,
  steps: Steps,
): Steps | null {
  const scale = new Float32Array(channels);
  const offset = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const lattice = latticeOf(values, channels, c);
    if (!lattice) return null;
    // 2k + 1 points a cell: the outer ones are k away from its middle.
    const points = 2 * Math.floor((bounds[c] * (1 - 1e-6)) / lattice.step) + 1;
    scale[c] = points * lattice.step;
    offset[c] = lattice.offset + ((points - 1) / 2) * lattice.step;
    if (!(scale[c] >= steps.scale[c])) return null;
  }
  alike(scale);
  return { scale, offset };
}
