import * as tf from '@tensorflow/tfjs';

/** f(x) as a constant of the tape: no gradient flows through it, also where f's ops have none. */
export function constantOf(x: tf.Tensor, f: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  return tf.customGrad((y: unknown) => ({ value: f(y as tf.Tensor), gradFunc: () => tf.zeros(x.shape) }))(x);
}

/** x with its zeros replaced by ones: a divisor that leaves 0/0 at zero, with finite gradients. */
export function withoutZeros(x: tf.Tensor): tf.Tensor {
  return tf.add(
    x,
    constantOf(x, (y) => tf.cast(tf.equal(y, 0), 'float32')),
  );
}
