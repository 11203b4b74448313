/**
 * Sparse residuals: what corrects the values that a transform's coefficients leave beyond a bound on the largest error
 * (P. Li et al., "Lossy Scientific Data Compression With SPERR", 2023).
 */
import * as tf from '@tensorflow/tfjs';
import { resample } from '../../ops/resample.js';
import type { DecodeContext } from '../codec.js';
import { type HostTensor, sizeOf } from '../parameters.js';

/** Brings `errors` [H, W, C] to within `halves` [C], each correction a multiple of twice that. */
export function residualOf(errors: Float64Array, halves: Float32Array): { r: Int32Array; count: number } {
  const channels = halves.length;
  const r = new Int32Array(errors.length);
  let count = 0;
  for (let i = 0, c = 0; i < errors.length; i++, c = c + 1 === channels ? 0 : c + 1) {
    const half = halves[c];
    const e = errors[i];
    if (e <= half && e >= -half) continue;
    r[i] = Math.round(e / (2 * half));
    if (r[i] !== 0) count++;
  }
  return { r, count };
}

/** Whether all `errors` [H, W, C] are within `halves` [C]. */
export function isWithin(errors: Float64Array, halves: Float32Array): boolean {
  const channels = halves.length;
  for (let i = 0, c = 0; i < errors.length; i++, c = c + 1 === channels ? 0 : c + 1) {
    if (!(Math.abs(errors[i]) <= halves[c])) return false;
  }
  return true;
}

/** `positions` [n] int32, flat indices of [H, W, C] that rise, and `corrections` [n] float32. */
export function sparse(r: Int32Array, halves: Float32Array): Record<'positions' | 'corrections', HostTensor> {
  let count = 0;
  for (let i = 0; i < r.length; i++) if (r[i] !== 0) count++;
  const positions = new Int32Array(count);
  const corrections = new Float32Array(count);
  for (let i = 0, n = 0, c = 0; i < r.length; i++, c = c + 1 === halves.length ? 0 : c + 1) {
    if (r[i] === 0) continue;
    positions[n] = i;
    corrections[n++] = 2 * r[i] * halves[c];
  }
  const shape = [count];
  return { positions: { shape, values: positions }, corrections: { shape, values: corrections } };
}

/** `decoded` [H, W, C] with the residual of `constants`, where there is one, at context.resolution. */
export function withResidual(
  decoded: tf.Tensor3D,
  constants: Readonly<Record<string, tf.Tensor>>,
  { shape, resolution, periodic }: DecodeContext,
): tf.Tensor3D {
  const { positions, corrections } = constants;
  if (!positions || positions.size === 0) return decoded;
  const dense = tf.scatterND(positions.expandDims(1), corrections, [sizeOf(shape)]);
  const whole = dense.reshape([1, ...shape]) as tf.Tensor4D;
  return tf.add(decoded, resample(whole, resolution[0], resolution[1], periodic).squeeze([0]));
}
