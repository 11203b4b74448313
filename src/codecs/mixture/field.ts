/**
 * What is fitted: a wavetable as planes in float64, each scaled by a power of two to the size of its bound, with the bounds
 * in those units. In the compact form channels c, c + 2, c + 4, … are one plane up to their sign, so two planes stand for
 * all: cos(φ − cπ/2) is cos φ, sin φ, −cos φ, −sin φ, …
 */
import type { HostWavetable } from '../codec.js';
import type { Target } from '../quality.js';
import type { Planes } from './lattice.js';

export interface Field extends Planes {
  compact: boolean;
  /** Channels of the wavetable. */
  channels: number;
  /** Plane c is 2^−exponent[c] of the wavetable. */
  exponents: number[];
  /** Largest error of each plane, in its units; Infinity where there is no bound. */
  maxAbs: number[];
  /** Bound on Σ weights[c] · (squared errors of plane c), over all pixels. */
  squaredError: number;
  weights: number[];
}

/** Sign of channel c in the plane that holds it. */
export const compactSign = (channel: number): number => (channel & 2 ? -1 : 1);

/** The exponent of x: 2^e ≤ x < 2^(e+1). Exact, as Math.log2 is not everywhere. */
export function exponentOf(x: number): number {
  const high = new DataView(new ArrayBuffer(8));
  high.setFloat64(0, x);
  return ((high.getUint16(0) >> 4) & 0x7ff) - 1023;
}

/** The planes of a wavetable under a target; null where a bound is zero on a channel that is not. */
export function fieldOf({ values, shape }: HostWavetable, target: Target): Field | null {
  const [height, width, channels] = shape;
  const size = height * width;
  const peaks = new Float64Array(channels);
  for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === channels ? 0 : c + 1) {
    const v = Math.abs(values[i]);
    if (v > peaks[c]) peaks[c] = v;
  }
  const peak = Math.max(...peaks);
  const bounded = target.maxAbs.some((e) => e < Number.POSITIVE_INFINITY);
  const exponents: number[] = [];
  for (let c = 0; c < channels; c++) {
    if (target.maxAbs[c] <= 0 && peaks[c] > 0) return null;
    exponents.push(exponentOf(bounded && peaks[c] > 0 ? Math.min(target.maxAbs[c], peak) : peak));
  }
  const planes = exponents.map((e, c) => {
    const plane = new Float64Array(size);
    // In two factors: 2^−e alone may overflow.
    const half = 2 ** -Math.trunc(e / 2);
    const rest = 2 ** -(e - Math.trunc(e / 2));
    for (let i = 0; i < size; i++) plane[i] = values[i * channels + c] * half * rest;
    return plane;
  });
  return {
    height,
    width,
    planes,
    compact: false,
    channels,
    exponents,
    maxAbs: exponents.map((e, c) => target.maxAbs[c] / 2 ** e || Number.POSITIVE_INFINITY),
    squaredError: target.squaredError,
    weights: exponents.map((e) => 4 ** e),
  };
}

/** The field folded to two planes; null where folding alone takes half of a bound, or saves nothing. */
export function folded(field: Field): Field | null {
  const { channels, planes, exponents } = field;
  if (channels < 3) return null;
  const out: Float64Array[] = [];
  const maxAbs: number[] = [];
  const weights: number[] = [];
  let lost = 0;
  for (const parity of [0, 1]) {
    const members = planes.map((_, c) => c).filter((c) => c % 2 === parity);
    if (members.some((c) => exponents[c] !== exponents[parity])) return null;
    const mean = new Float64Array(planes[0].length);
    for (const c of members) {
      const f = compactSign(c) / members.length;
      for (let i = 0; i < mean.length; i++) mean[i] += f * planes[c][i];
    }
    let bound = Number.POSITIVE_INFINITY;
    for (const c of members) {
      let worst = 0;
      for (let i = 0; i < mean.length; i++) {
        const off = Math.abs(mean[i] - compactSign(c) * planes[c][i]);
        if (off > worst) worst = off;
        lost += field.weights[c] * off * off;
      }
      if (worst > field.maxAbs[c] / 2) return null;
      bound = Math.min(bound, field.maxAbs[c] - worst);
    }
    out.push(mean);
    maxAbs.push(bound);
    weights.push(field.weights[parity] * members.length);
  }
  let energy = 0;
  planes.forEach((plane, c) => {
    let sum = 0;
    for (let i = 0; i < plane.length; i++) sum += plane[i] * plane[i];
    energy += field.weights[c] * sum;
  });
  if (lost > Math.min(field.squaredError / 4, 1e-4 * energy)) return null;
  return {
    ...field,
    compact: true,
    planes: out,
    exponents: [exponents[0], exponents[1]],
    maxAbs,
    weights,
    squaredError: field.squaredError - lost,
  };
}

/** How far a residual is from the bounds: the largest part of a bound that it takes; at most 1 where all hold. */
export function partOfBounds(
  field: Pick<Field, 'maxAbs' | 'squaredError' | 'weights'>,
  residual: readonly Float64Array[],
  area: number,
): number {
  let part = 0;
  let squares = 0;
  residual.forEach((plane, c) => {
    let peak = 0;
    let sum = 0;
    for (let i = 0; i < plane.length; i++) {
      const v = plane[i];
      sum += v * v;
      if (v > peak) peak = v;
      else if (-v > peak) peak = -v;
    }
    part = Math.max(part, peak / field.maxAbs[c]);
    squares += field.weights[c] * sum * area;
  });
  return Math.max(
    part,
    field.squaredError === Number.POSITIVE_INFINITY ? 0 : Math.sqrt(squares / field.squaredError),
  );
}

/**
 * The energy, summed over the planes and all pixels, that is too small to be worth a component or to be lost by one
 * less, once the bounds hold: an RMS error of 1/40 of the bound.
 */
export function negligibleEnergy({ maxAbs, squaredError, weights, height, width }: Field): number {
  let sum = 0;
  for (const bound of maxAbs)
    sum += bound === Number.POSITIVE_INFINITY ? 0 : (bound / 40) ** 2 * height * width;
  const heaviest = Math.max(...weights);
  const squares = squaredError === Number.POSITIVE_INFINITY ? 0 : squaredError / heaviest / 16;
  return sum > 0 && squares > 0 ? Math.min(sum, squares) : sum + squares;
}
