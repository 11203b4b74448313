/**
 * What the codecs of linear transforms (wavelet, DCT, FFT) share: a transform that keeps energy turns a wavetable into
 * coefficients, those are quantised and entropy-coded (coefficients.ts), and the quantiser's step is the largest that keeps
 * a Target. A bound on the largest error is met in one of two ways: by the step alone, or by a coarser step and a
 * residual where the error would be beyond; what is smaller is taken.
 */
import { check } from '../../errors.js';
import type { HostWavetable } from '../codec.js';
import type { Target } from '../quality.js';
import { withinBytes } from './bytes.js';
import type { Transform, TransformOptions } from './contract.js';
import { withinMaximum, withResidualWithin } from './maximum.js';
import { notReached } from './notreached.js';
import { zeroPayload } from './payload.js';
import { Quantiser } from './quantiser.js';
import { withinSquaredError } from './squared.js';

/** Rounding of float32 decoding, as a part of the largest magnitude: bounds are met with it to spare. */
const ROUNDING = 2e-6;

/**
 * The smallest payload found within `target`.
 * @throws QualityNotReachedError for lossless, for bounds below the rounding of float32, and for too few bytes: with the best
 * that was reached where it is known, its size that of the payload.
 */
export function encodeTransform(
  where: string,
  transform: Transform,
  wavetable: HostWavetable,
  target: Target,
  { residual }: TransformOptions,
): Uint8Array {
  check(!target.lossless, () => notReached(where));
  const { values } = wavetable;
  const magnitudes = new Float64Array(wavetable.shape[2]);
  for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === magnitudes.length ? 0 : c + 1) {
    if (Math.abs(values[i]) > magnitudes[c]) magnitudes[c] = Math.abs(values[i]);
  }
  const largest = Math.max(...magnitudes);
  if (largest === 0) return zeroPayload();
  if (Number.isFinite(target.maxAbs[0])) {
    // Where channels share a bound they may be rotated, and each has the rounding of the largest.
    const shared = target.maxAbs.every((e) => e === target.maxAbs[0]);
    const roundings = magnitudes.map((m) => ROUNDING * (shared ? largest : m));
    const bounds = target.maxAbs.map((e, c) => Math.min(e, largest) - Math.min(e / 2, roundings[c]));
    check(
      bounds.every((e, c) => e > roundings[c] / 4),
      () => notReached(where),
    );
    const quantiser = new Quantiser(transform, wavetable, bounds);
    quantiser.rotate(1.5);
    return residual ? withResidualWithin(quantiser) : withinMaximum(where, quantiser);
  }
  const quantiser = new Quantiser(transform, wavetable, new Float64Array(wavetable.shape[2]).fill(1));
  if (Number.isFinite(target.bytes)) return withinBytes(where, quantiser, target.bytes, largest);
  return withinSquaredError(where, quantiser, target.squaredError, !residual);
}
