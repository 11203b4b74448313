/**
 * The weights of the four taps about a cell between others of any length: the bases of interpolation/axistaps.ts on tensors, of stock
 * ops on the tape, so that they are differentiable, to any order, to the place in the cell and to the lengths.
 */
import * as tf from '@tensorflow/tfjs';
import type { Basis } from '../interpolation/taps.js';
import { untaped } from './taps.js';

export type Four = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];

/** Rows of neighbours' lengths: of the cells from k − 2 to k + 2, as parts of cell k's own, which comes last. */
export type Lengths = { p2: tf.Tensor; p: tf.Tensor; q: tf.Tensor; q2: tf.Tensor; length: tf.Tensor };

export const sum = (...terms: tf.Tensor[]) => terms.reduce((a, b) => tf.add(a, b));

/** Values 2, tangents 2. */
function hermite(f: tf.Tensor): Four {
  const e = tf.sub(1, f);
  const f2 = tf.square(f);
  const e2 = tf.square(e);
  return [
    tf.mul(e2, tf.add(tf.mul(f, 2), 1)),
    tf.mul(f2, tf.add(tf.mul(e, 2), 1)),
    tf.mul(f, e2),
    tf.neg(tf.mul(f2, e)),
  ];
}

function cardinal(f: tf.Tensor, { p, q }: Lengths, a: number): Four {
  const [h0, h1, t0, t1] = hermite(f);
  const m0 = tf.mul(t0, -2 * a);
  const m1 = tf.mul(t1, -2 * a);
  const p1 = tf.add(p, 1);
  const q1 = tf.add(q, 1);
  return [
    tf.neg(tf.div(m0, tf.mul(p, p1))),
    sum(h0, tf.div(tf.mul(m0, tf.sub(1, p)), p), tf.neg(tf.div(tf.mul(m1, q), q1))),
    sum(h1, tf.div(tf.mul(m0, p), p1), tf.div(tf.mul(m1, tf.sub(q, 1)), q)),
    tf.div(m1, tf.mul(q, q1)),
  ];
}

export function bspline(f: tf.Tensor, { p2, p, q, q2 }: Lengths): Four {
  const right1 = tf.sub(1, f);
  const left2 = tf.add(f, p);
  const right2 = tf.add(right1, q);
  const v0 = tf.div(right1, tf.add(p, 1));
  const v1 = tf.div(f, tf.add(q, 1));
  const p1q = sum(p, q).add(1);
  const w0 = tf.div(tf.mul(right1, v0), sum(p, p2).add(1));
  const w1 = tf.div(tf.add(tf.mul(left2, v0), tf.mul(right2, v1)), p1q);
  const w2 = tf.div(tf.mul(f, v1), sum(q, q2).add(1));
  return [
    tf.mul(right1, w0),
    tf.add(tf.mul(tf.add(left2, p2), w0), tf.mul(right2, w1)),
    tf.add(tf.mul(left2, w1), tf.mul(tf.add(right2, q2), w2)),
    tf.mul(f, w2),
  ];
}

/** W(f) of a basis between cells of these lengths. */
export function basisOf(f: tf.Tensor, lengths: Lengths, basis: Basis, a: number): Four {
  const zero = untaped(() => tf.zerosLike(f));
  switch (basis) {
    case 'cardinal':
      return cardinal(f, lengths, a);
    case 'bspline':
      return bspline(f, lengths);
    case 'hermite': {
      const [h0, h1] = hermite(f);
      return [zero, h0, h1, zero];
    }
    case 'hermite-tangent': {
      const [, , m0, m1] = hermite(f);
      return [zero, tf.mul(m0, lengths.length), tf.mul(m1, lengths.length), zero];
    }
    case 'place':
      return [f, lengths.p, lengths.q, zero];
    default:
      return [zero, tf.sub(1, f), f, zero];
  }
}

/** Beyond an extrapolated axis: along the tangent at the outermost node, as interpolation/taps.ts says. */
export function beyondOf(f: tf.Tensor, { length }: Lengths, basis: Basis, a: number): Four {
  const zero = untaped(() => tf.zerosLike(f));
  const below = untaped(() => tf.cast(tf.less(f, 0), 'float32'));
  const above = untaped(() => tf.sub(1, below));
  if (basis === 'hermite') return [zero, below, above, zero];
  if (basis === 'hermite-tangent') {
    const distance = (from: number, side: tf.Tensor) => tf.mul(tf.mul(tf.sub(f, from), length), side);
    return [zero, distance(0, below), distance(1, above), zero];
  }
  if (basis === 'cardinal') {
    const into = tf.add(tf.mul(f, below), tf.mul(tf.sub(1, f), above));
    const rise = tf.mul(into, -2 * a);
    const [outer, inner] = [tf.sub(1, rise), rise];
    const pick = (low: tf.Tensor, high: tf.Tensor) => tf.add(tf.mul(low, below), tf.mul(high, above));
    return [zero, pick(outer, inner), pick(inner, outer), zero];
  }
  return [zero, tf.sub(1, f), f, zero];
}
