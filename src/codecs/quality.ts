/**
 * What a caller asks of a codec, as bounds on the error of the decoded wavetable; and how a decoded one is judged.
 *
 *   q in (0, 1]       ‖x − x̂‖ ≤ (1 − q) ‖x‖ over all channels; 1 is lossless; a zero wavetable decodes to exact zeros
 *   { maxAbs: e }     |x − x̂| ≤ e everywhere
 *   { maxRel: r }     |x − x̂| ≤ r · (max − min) of the channel
 *   { psnr: dB }      20 log₁₀((max − min of all channels) / RMS error) ≥ dB
 *   { bytes: n }      the best within n bytes, header and checksum included
 *   { lossless: true }  every bit
 */
import { ArgumentError, check, shown } from '../errors.js';
import type { NodeShape } from './parameters.js';

export type Quality =
  | number
  | { maxAbs: number }
  | { maxRel: number }
  | { psnr: number }
  | { bytes: number }
  | { lossless: true };

/** Bounds that hold together; Infinity where there is none. */
export interface Target {
  /** [C] largest error. */
  maxAbs: Float64Array;
  /** Sum of squared errors over all values. */
  squaredError: number;
  /** Bytes of the payload: what the container adds is taken off already. */
  bytes: number;
  lossless: boolean;
}

/** What was reached, measured on the decoded bytes. */
export interface Achieved {
  maxError: number;
  /** 20 log₁₀(range / RMS error) with the range over all channels; Infinity if exact. */
  psnr: number;
  /** ‖x − x̂‖ / ‖x‖; 0 if exact. */
  relativeError: number;
}

/** A measurement with what bounds are tested on. */
export interface Measured extends Achieved {
  /** [C] */
  maxErrors: Float64Array;
  squaredError: number;
  /** Every bit equal, NaN and the sign of zero included. */
  exact: boolean;
}

export interface Statistics {
  finite: boolean;
  min: Float64Array;
  max: Float64Array;
  /** Σ x². */
  energy: number;
}

/** Minimum, maximum a channel, energy; over finite values. */
export function statisticsOf(values: Float32Array, [, , channels]: NodeShape): Statistics {
  const min = new Float64Array(channels).fill(Number.POSITIVE_INFINITY);
  const max = new Float64Array(channels).fill(Number.NEGATIVE_INFINITY);
  let energy = 0;
  let finite = true;
  for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === channels ? 0 : c + 1) {
    const v = values[i];
    if (!Number.isFinite(v)) {
      finite = false;
      continue;
    }
    if (v < min[c]) min[c] = v;
    if (v > max[c]) max[c] = v;
    energy += v * v;
  }
  return { finite, min, max, energy };
}

/** max − min over all channels. */
export const rangeOf = ({ min, max }: Statistics): number => Math.max(0, Math.max(...max) - Math.min(...min));

const only = (quality: object, name: string): boolean =>
  Object.keys(quality).length === 1 && Object.hasOwn(quality, name);

/** @throws ArgumentError for what no quality is. */
export function checkQuality(where: string, quality: Quality): void {
  targetOf(where, quality, new Float32Array(1), [1, 1, 1]);
}

/** @throws ArgumentError for what no quality is. */
export function targetOf(where: string, quality: Quality, values: Float32Array, shape: NodeShape): Target {
  const wrong = () =>
    new ArgumentError(
      `${where}: quality must be a number in (0, 1], or one of { maxAbs }, { maxRel }, { psnr }, { bytes }, ` +
        `{ lossless: true }, got ${shown(quality)}`,
    );
  const stats = statisticsOf(values, shape);
  const none: Target = {
    maxAbs: new Float64Array(shape[2]).fill(Number.POSITIVE_INFINITY),
    squaredError: Number.POSITIVE_INFINITY,
    bytes: Number.POSITIVE_INFINITY,
    lossless: false,
  };
  if (typeof quality === 'number') {
    check(quality > 0 && quality <= 1, wrong);
    if (quality === 1) return { ...none, lossless: true };
    return { ...none, squaredError: (1 - quality) ** 2 * stats.energy };
  }
  check(typeof quality === 'object' && quality !== null, wrong);
  const bound = (value: unknown): number => {
    check(typeof value === 'number' && value > 0 && Number.isFinite(value), wrong);
    return value as number;
  };
  if ('maxAbs' in quality && only(quality, 'maxAbs')) {
    return { ...none, maxAbs: new Float64Array(shape[2]).fill(bound(quality.maxAbs)) };
  }
  if ('maxRel' in quality && only(quality, 'maxRel')) {
    const part = bound(quality.maxRel);
    return { ...none, maxAbs: stats.max.map((high, c) => Math.max(0, part * (high - stats.min[c]))) };
  }
  if ('psnr' in quality && only(quality, 'psnr')) {
    const rms = rangeOf(stats) / 10 ** (bound(quality.psnr) / 20);
    return { ...none, squaredError: rms ** 2 * values.length };
  }
  if ('bytes' in quality && only(quality, 'bytes') && Number.isInteger(quality.bytes))
    return { ...none, bytes: bound(quality.bytes) };
  check('lossless' in quality && only(quality, 'lossless') && quality.lossless === true, wrong);
  return { ...none, lossless: true };
}

/** The error of `decoded`. NaN where a non-finite value is not the same. */
export function measure(values: Float32Array, decoded: Float32Array, shape: NodeShape): Measured {
  const channels = shape[2];
  const maxErrors = new Float64Array(channels);
  let squaredError = 0;
  let exact = values.length === decoded.length;
  for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === channels ? 0 : c + 1) {
    if (Object.is(values[i], decoded[i])) continue;
    exact = false;
    const error = Math.abs(values[i] - decoded[i]);
    // Said so that a NaN stays.
    if (!(error <= maxErrors[c])) maxErrors[c] = error;
    squaredError += error * error;
  }
  const stats = statisticsOf(values, shape);
  const rms = Math.sqrt(squaredError / Math.max(1, values.length));
  return {
    maxErrors,
    maxError: maxErrors.reduce((a, b) => (b > a || Number.isNaN(b) ? b : a), 0),
    squaredError,
    psnr: squaredError === 0 ? Number.POSITIVE_INFINITY : 20 * Math.log10(rangeOf(stats) / rms),
    relativeError: squaredError === 0 ? 0 : Math.sqrt(squaredError / stats.energy),
    exact,
  };
}

/** Whether a measurement keeps within every bound; NaN never does. */
export function meets(target: Target, measured: Measured, payloadBytes: number): boolean {
  if (target.lossless) return measured.exact;
  return (
    measured.maxErrors.every((error, c) => error <= target.maxAbs[c]) &&
    measured.squaredError <= target.squaredError &&
    payloadBytes <= target.bytes
  );
}

/** Bounds on the error scaled by `factor`; that on the bytes stays. */
export function scaledTarget(target: Target, factor: number): Target {
  return {
    ...target,
    maxAbs: target.maxAbs.map((e) => e * factor),
    squaredError: target.squaredError * factor ** 2,
  };
}
