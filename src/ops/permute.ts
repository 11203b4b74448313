import * as tf from '@tensorflow/tfjs';

/**
 * The rows of x in another order: out_i = x_{order[i]}. `order` is a permutation, so that its gradient is the inverse one, where
 * stock gather's would sum over segments.
 * @param x [N, …]. @param order [N], each of 0 … N − 1 once; not checked.
 * Gradients: x; of any order.
 */
export function permuteRows<T extends tf.Tensor>(x: T, order: Int32Array): T {
  const inverse = new Int32Array(order.length);
  for (let i = 0; i < order.length; i++) inverse[order[i]] = i;
  const permuted = (y: tf.Tensor, by: Int32Array, back: Int32Array): tf.Tensor =>
    tf.customGrad((z: unknown) => ({
      value: tf.tidy(() => {
        const rows = (z as tf.Tensor).reshape([by.length, -1]);
        return tf.gather(rows, tf.tensor1d(by.slice(), 'int32')).reshape(x.shape);
      }),
      gradFunc: (dy: tf.Tensor) => permuted(dy, back, by),
    }))(y);
  return x.size === 0 ? x : (permuted(x, order, inverse) as T);
}
