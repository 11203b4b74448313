/** missing: 'renormalize': samples over the weight of the nodes that are there. */
import * as tf from '@tensorflow/tfjs';
import { constantOf, withoutZeros } from '../../ops/constant.js';
import { type Reading, readRows, withMagnitudes } from './reading.js';
import type { SamplingState } from './sampling.js';

/** [N, …] over the weight of the nodes that are there, if `missing` says so and nodes are missing. Gradients: both. */
export function overPresent<T extends tf.Tensor>(state: SamplingState, reading: Reading, x: T): T {
  const { store, settings } = state;
  if (settings.missing !== 'renormalize' || store.count === store.cells) return x;
  return tf.div(x, presentWeight(state, reading).reshape([-1, ...x.shape.slice(1).fill(1)]));
}

/** A sample of renormalised nodes is at most so many times the largest of them. */
const MOST_GAIN = 4;

/**
 * [N] the weight of the corners that count: present nodes, and beyond a 'zero' boundary the zeros that stand there.
 * 1 where nothing counts, so that the sample is zero and not 0/0. Weights of both signs may cancel where nodes are missing:
 * a sum below 1/MOST_GAIN of their magnitudes is taken as that part, with its sign.
 */
function presentWeight({ settings, store }: SamplingState, reading: Reading): tf.Tensor1D {
  const one = { payload: 1, half: false, firstRow: 0, rows: 1, ordered: false };
  const weightOf = (how: Reading, grid: tf.Tensor3D) => readRows(how, tf.ones([1, 1]), grid, one).flatten();
  const fading = settings.boundary.includes('zero');
  const present = weightOf(reading, store.presence());
  const outside = fading ? tf.sub(1, weightOf(reading, store.everywhere())) : null;
  const weight = outside ? tf.add(present, outside) : present;
  if (!reading.stencil) return withoutZeros(weight) as tf.Tensor1D;
  const there = weightOf(withMagnitudes(reading, reading.stencil), store.presence());
  const size = outside ? tf.add(there, tf.abs(outside)) : there;
  return withoutZeros(notBelow(weight, tf.div(size, MOST_GAIN))) as tf.Tensor1D;
}

/** x, but where |x| < least that least with the sign of x. */
function notBelow(x: tf.Tensor, least: tf.Tensor): tf.Tensor {
  const both = tf.stack([x, least]);
  // 1, −1 where `least` counts; 0 where x does.
  const sign = constantOf(both, (pair) => {
    const [y, low] = tf.unstack(pair);
    const signs = tf.sub(tf.mul(2, tf.cast(tf.greaterEqual(y, 0), 'float32')), 1);
    return tf.mul(signs, tf.cast(tf.less(tf.abs(y), low), 'float32'));
  });
  return tf.add(tf.mul(x, tf.sub(1, tf.abs(sign))), tf.mul(least, sign));
}
