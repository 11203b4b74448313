/** interpolation/stencil.ts of stock ops: what compositions of all sampling kernels share. Float32, as ops/composition.ts says. */
import * as tf from '@tensorflow/tfjs';

/**
 * whole mod size, for integers. The quotient is rounded, so it may be one off, and beyond 2²⁴ the difference is: what is
 * left is clipped into the axis, so that there the weights still sum to one, though on a neighbouring node.
 */
export const modulo = (whole: tf.Tensor, size: number) => {
  const m = tf.sub(whole, tf.mul(tf.floor(tf.div(whole, size)), size));
  const low = tf.where(tf.less(m, 0), tf.add(m, size), m);
  return tf.clipByValue(tf.where(tf.greaterEqual(low, size), tf.sub(low, size), low), 0, size - 1);
};

/** interpolation/stencil.ts, vectorised: (base, fraction, slope) of coordinates r [N]. */
export function axisStencils(r: tf.Tensor1D, n: number, code: number): [tf.Tensor, tf.Tensor, tf.Tensor] {
  const zeros = tf.zerosLike(r);
  const ones = tf.onesLike(r);
  if (code === 1) {
    const whole = tf.floor(r);
    return [modulo(whole, n), tf.sub(r, whole), ones];
  }
  if (code === 3) {
    const inside = tf.logicalAnd(tf.greaterEqual(r, -1), tf.less(r, n));
    const last = n > 1 ? tf.equal(r, n - 1) : tf.less(ones, 0);
    const base = tf.where(last, tf.fill(r.shape, n - 2), tf.floor(r));
    const outside = tf.where(tf.less(r, 0), tf.fill(r.shape, -1), tf.fill(r.shape, n - 1));
    const far = tf.where(tf.less(r, 0), zeros, ones);
    return [
      tf.where(inside, base, outside),
      tf.where(inside, tf.sub(r, base), far),
      tf.cast(inside, 'float32'),
    ];
  }
  if (n === 1) return [zeros, zeros, zeros];
  if (code === 2) {
    const whole = tf.floor(r);
    const m = modulo(whole, 2 * (n - 1));
    const f = tf.sub(r, whole);
    const rising = tf.less(m, n - 1);
    const top = tf.logicalAnd(tf.equal(m, n - 1), tf.equal(f, 0));
    return [
      tf.where(rising, m, tf.sub(2 * n - 3, m)),
      tf.where(rising, f, tf.sub(1, f)),
      tf.where(tf.logicalOr(rising, top), ones, tf.neg(ones)),
    ];
  }
  const c = code === 4 ? r : tf.clipByValue(r, 0, n - 1);
  const base = tf.clipByValue(tf.floor(c), 0, n - 2);
  return [base, tf.sub(c, base), tf.cast(tf.equal(c, r), 'float32')];
}
