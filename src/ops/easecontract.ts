/**
 * The contract of WavecubeEase: coordinates moved to where linear interpolation gives another method's result, in one pass.
 *
 *   coords  [N, 3] float32, index space
 *   by      [N, 3] float32, where given
 *   ends    of x, y, z: the node where a fraction is 1, not 0 (the last one, of slopes from the left); −1 for none
 *
 *   WavecubeEase        {coords} → [N, 3]       nearest: ⌊r + 1/2⌋; else g + f²(3 − 2f) of r = g + f
 *   WavecubeEaseSlope   {coords, by} → [N, 3]   by · the derivative of that of order attrs.order ≥ 1: 6f(1 − f), 6 − 12f, −12, then 0
 *
 * A row with a coordinate that is not finite is NaN in the first and zeros in the second, whatever `by` is there. Float32 or better.
 */
import * as tf from '@tensorflow/tfjs';
import { replaceKernel } from './register.js';

export const EASE = 'WavecubeEase';
export const EASE_SLOPE = 'WavecubeEaseSlope';

export interface EaseAttrs extends tf.NamedAttrMap {
  nearest: boolean;
  /** 0 of WavecubeEase. */
  order: number;
  ends: [number, number, number];
}

/** A call of either kernel. */
export interface EaseCall {
  inputs: { coords: tf.TensorInfo; by?: tf.TensorInfo };
  attrs: EaseAttrs;
  backend: unknown;
}

/** Registers a backend's kernels. */
export function registerEase(backendName: string, kernel: (call: EaseCall) => tf.TensorInfo): void {
  for (const name of [EASE, EASE_SLOPE]) {
    replaceKernel(backendName, name, (call) => kernel(call as unknown as EaseCall));
  }
}

/** Both kernels of stock ops. */
export function easeComposition(
  { coords, by }: { coords: tf.Tensor; by?: tf.Tensor },
  attrs: EaseAttrs,
): tf.Tensor {
  const { nearest, order, ends } = attrs;
  const stops = ends.map((end) => (end < 0 ? Number.POSITIVE_INFINITY : end));
  return tf.tidy(() => {
    const finite = tf.all(tf.isFinite(coords), 1, true).broadcastTo(coords.shape);
    const r = tf.where(finite, coords, tf.zerosLike(coords));
    const floor = tf.floor(r);
    const value = () => {
      if (nearest) return tf.add(floor, tf.cast(tf.greaterEqual(tf.sub(r, floor), 0.5), 'float32'));
      const base = tf.sub(floor, tf.cast(tf.equal(r, tf.tensor1d(stops)), 'float32'));
      const f = tf.sub(r, base);
      if (order === 0) return tf.add(base, tf.mul(tf.square(f), tf.sub(3, tf.mul(2, f))));
      if (order === 1) return tf.mul(6, tf.mul(f, tf.sub(1, f)));
      return order === 2 ? tf.sub(6, tf.mul(12, f)) : tf.fill(r.shape, order === 3 ? -12 : 0);
    };
    const out = by ? tf.mul(value(), by) : value();
    return tf.where(finite, out, tf.fill(r.shape, order === 0 ? Number.NaN : 0));
  });
}

export function registerEaseComposition(backendName: string): void {
  registerEase(backendName, ({ inputs, attrs }) =>
    easeComposition(inputs as { coords: tf.Tensor; by?: tf.Tensor }, attrs),
  );
}
