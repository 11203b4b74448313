/**
 * Methods that are the linear one at another place: coordinates are moved first, each axis by itself. The grid goes on beyond
 * its nodes as the boundary says (under 'extrapolate' along a line), and so do nearest and smoothstep.
 *
 *   nearest      ⌊r + 1/2⌋; no gradient
 *   smoothstep   g + f²(3 − 2f) of r = g + f; the derivative is 6f(1 − f), the second 6 − 12f
 *
 * Rows that are not finite stay so, and get no gradient. The place is a float32 as the coordinate is: between nodes around g the
 * weights of smoothstep are those of a coordinate known to 2⁻²⁴ · g.
 */
import * as tf from '@tensorflow/tfjs';
import { constantOf } from '../ops/constant.js';
import { blemishOf, finiteOnly } from './finite.js';
import type { BatchCoords } from './reading.js';

/** Told by the fraction, which is exact: r + 1/2 would be rounded. */
const nearestOf = (r: number) => {
  const g = Math.floor(r);
  return r - g >= 0.5 ? g + 1 : g;
};

export function nearestCoords({ tensor, host }: BatchCoords): BatchCoords {
  const nearest = (r: tf.Tensor) => {
    const g = tf.floor(r);
    return tf.add(g, tf.cast(tf.greaterEqual(tf.sub(r, g), 0.5), 'float32'));
  };
  const moved = tf.add(constantOf(finiteOnly(tensor), nearest), blemishOf(tensor).expandDims(1));
  return { tensor: moved as tf.Tensor2D, host: host?.map(nearestOf) };
}

/**
 * @param ends the last node of each axis where the slope is the left-hand one there, ∞ elsewhere.
 * The host's coordinates are left where they are: the cells that they touch are the same.
 */
export function smoothCoords({ tensor, host }: BatchCoords, ends: readonly number[]): BatchCoords {
  const r = finiteOnly(tensor);
  const base = constantOf(r, (x) => {
    const atEnd = tf.equal(x, tf.tensor1d([...ends]));
    return tf.sub(tf.floor(x), tf.cast(atEnd, 'float32'));
  });
  const f = tf.sub(r, base);
  const eased = tf.mul(tf.square(f), tf.sub(3, tf.mul(2, f)));
  const moved = tf.add(tf.add(base, eased), blemishOf(tensor).expandDims(1));
  return { tensor: moved as tf.Tensor2D, host };
}
