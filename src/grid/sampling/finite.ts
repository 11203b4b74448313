/** Coordinates that are not finite: kept out of stock ops, whose gradients would make NaN of 0 · NaN, and put back after them. */
import * as tf from '@tensorflow/tfjs';
import { constantOf } from '../../ops/constant.js';

/** [N, 1] bool: rows of finite numbers. */
export const finiteRows = (coords: tf.Tensor) => tf.all(tf.isFinite(coords), 1, true);

/** Coordinates with zeros in the place of rows that are not finite; no gradient, not even NaN, comes back from those. */
export function finiteOnly(coords: tf.Tensor2D): tf.Tensor2D {
  // A constant, so that the mask is none of what a second derivative goes through.
  const maskOf = (x: tf.Tensor) =>
    constantOf(x, (y) => tf.cast(finiteRows(y).broadcastTo(y.shape), 'float32'));
  const masked = (x: tf.Tensor, y: tf.Tensor) => tf.where(tf.cast(maskOf(x), 'bool'), y, tf.zerosLike(y));
  return tf.customGrad((x, save) => {
    const given = x as tf.Tensor;
    (save as (tensors: tf.Tensor[]) => void)([given]);
    return {
      value: masked(given, given),
      gradFunc: (dy: tf.Tensor, saved: unknown) => masked((saved as tf.Tensor[])[0], dy),
    };
  })(coords) as tf.Tensor2D;
}

/** [N] 0, or NaN where a coordinate is not finite. No gradient. */
export function blemishOf(coords: tf.Tensor2D): tf.Tensor1D {
  const [n] = coords.shape;
  return constantOf(coords, (x) =>
    tf.where(finiteRows(x).flatten(), tf.zeros([n]), tf.fill([n], Number.NaN)),
  ) as tf.Tensor1D;
}
