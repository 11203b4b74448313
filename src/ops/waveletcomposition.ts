/** WavecubeWavelet (ops/wavelet.ts) of stock ops: dense matrix products, for a backend that has no kernels of its own. */
import * as tf from '@tensorflow/tfjs';
import { replaceKernel } from './register.js';
import { type Pass, passesOf, WAVELET, type WaveletAttrs } from './waveletpasses.js';

function dense({ matrix: { rows, columns, taps, indices, weights } }: Pass): tf.Tensor2D {
  const out = new Float32Array(rows * columns);
  for (let t = 0; t < rows * taps; t++) out[Math.floor(t / taps) * columns + indices[t]] += weights[t];
  return tf.tensor2d(out, [rows, columns]);
}

function afterPass(x: tf.Tensor4D, pass: Pass): tf.Tensor4D {
  const [n, height, width, c] = x.shape;
  const { height: h, width: w } = pass;
  const corner = tf.slice(x, [0, 0, 0, 0], [n, h, w, c]);
  const order = pass.axis === 'height' ? [1, 0, 2, 3] : [2, 0, 1, 3];
  const back = pass.axis === 'height' ? [1, 0, 2, 3] : [1, 2, 0, 3];
  const front = tf.transpose(corner, order);
  const product = tf.matMul(dense(pass), front.reshape([front.shape[0], -1])).reshape(front.shape);
  let out = tf.transpose(product, back) as tf.Tensor4D;
  if (w < width) out = tf.concat([out, tf.slice(x, [0, 0, w, 0], [n, h, width - w, c])], 2);
  return h < height ? tf.concat([out, tf.slice(x, [0, h, 0, 0], [n, height - h, width, c])], 1) : out;
}

export function waveletComposition(x: tf.Tensor4D, attrs: WaveletAttrs): tf.Tensor4D {
  return tf.tidy(() => passesOf(attrs, x.shape[1], x.shape[2]).reduce(afterPass, x));
}

export function registerWaveletComposition(backendName: string): void {
  replaceKernel(backendName, WAVELET, ({ inputs, attrs }) =>
    waveletComposition(inputs.x as tf.Tensor4D, attrs as unknown as WaveletAttrs),
  );
}
