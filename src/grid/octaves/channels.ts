/** Levels of different channels: one that has fewer stands for the first ones. */
import * as tf from '@tensorflow/tfjs';

/** [N, H, W, C] of more channels, the further ones zero. Gradients: x, of its own channels only. */
export function withChannels(x: tf.Tensor4D, channels: number): tf.Tensor4D {
  const [n, h, w, c] = x.shape;
  if (c === channels) return x;
  // Stock concat's gradient would cut out that of the zeros too.
  return tf.customGrad((y: unknown) => ({
    value: tf.concat([y as tf.Tensor4D, tf.zeros([n, h, w, channels - c])], 3),
    gradFunc: (dy: tf.Tensor) => tf.slice(dy as tf.Tensor4D, [0, 0, 0, 0], [n, h, w, c]),
  }))(x) as tf.Tensor4D;
}

/** [N, H, W, C] of the first channels. Gradients: x. */
export function firstChannels(x: tf.Tensor4D, channels: number): tf.Tensor4D {
  const [n, h, w, c] = x.shape;
  return c === channels ? x : tf.slice(x, [0, 0, 0, 0], [n, h, w, channels]);
}
