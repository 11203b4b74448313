/**
 * The Fourier kernels of waves.ts composed from stock tfjs ops, for a backend that has none of its own: a complex matrix
 * an axis. O(n) a value where a fast transform takes O(log n), which small spectra do not mind.
 */
import * as tf from '@tensorflow/tfjs';
import { rootsOf } from './fourierplan.js';
import { replaceKernel } from './register.js';
import { type AxisTerms, WAVES, WAVES_ADJOINT, type WavesAttrs } from './waves.js';

/** [size, entries] twice: real and imaginary part of Σ f e^{2πi s i / size} over each entry's terms. */
export function wavesMatrix(terms: AxisTerms): { re: Float32Array; im: Float32Array } {
  const { size, entries } = terms;
  const roots = rootsOf(size);
  const re = new Float32Array(size * entries);
  const im = new Float32Array(size * entries);
  for (let t = 0; t < terms.entry.length; t++) {
    for (let i = 0; i < size; i++) {
      const k = (i * terms.frequency[t]) % size;
      const [c, s] = [roots[2 * k], -roots[2 * k + 1]];
      re[i * entries + terms.entry[t]] += terms.re[t] * c - terms.im[t] * s;
      im[i * entries + terms.entry[t]] += terms.re[t] * s + terms.im[t] * c;
    }
  }
  return { re, im };
}

type Pair = [re: tf.Tensor, im: tf.Tensor];

const matrices = (terms: AxisTerms, transposed: boolean): Pair => {
  const { re, im } = wavesMatrix(terms);
  const shape: [number, number] = [terms.size, terms.entries];
  const of = (values: Float32Array) => {
    const m = tf.tensor2d(values, shape);
    return transposed ? tf.transpose(m) : m;
  };
  return [of(re), of(im)];
};

/** m · x along axis 1 of [N, n, ·, C], brought to the front and back: a plain 2-D product is what backends do well. */
function along(m: tf.Tensor, x: tf.Tensor, axis: 1 | 2): tf.Tensor {
  const order = axis === 1 ? [1, 0, 2, 3] : [2, 0, 1, 3];
  const back = axis === 1 ? [1, 0, 2, 3] : [1, 2, 0, 3];
  const front = tf.transpose(x, order);
  const [n, ...rest] = front.shape;
  const product = tf.matMul(m as tf.Tensor2D, front.reshape([n, x.size / n]));
  return tf.transpose(product.reshape([m.shape[0], ...rest]), back);
}

export function wavesComposition(y: tf.Tensor, { rows, columns }: WavesAttrs): tf.Tensor {
  const [n, , , parts] = y.shape;
  const channels = parts / 2;
  if (y.size === 0) return tf.zeros([n, rows.size, columns.size, channels]);
  const [re, im] = tf.split(y, 2, 3);
  const [f, g] = matrices(rows, false);
  const [u, v] = [tf.sub(along(f, re, 1), along(g, im, 1)), tf.add(along(f, im, 1), along(g, re, 1))];
  const [c, d] = matrices(columns, false);
  return tf.sub(along(c, u, 2), along(d, v, 2));
}

export function wavesAdjointComposition(x: tf.Tensor, { rows, columns }: WavesAttrs): tf.Tensor {
  const [n, , , channels] = x.shape;
  if (x.size === 0) return tf.zeros([n, rows.entries, columns.entries, 2 * channels]);
  const [c, d] = matrices(columns, true);
  const [u, v] = [along(c, x, 2), tf.neg(along(d, x, 2))];
  const [f, g] = matrices(rows, true);
  const re = tf.add(along(f, u, 1), along(g, v, 1));
  const im = tf.sub(along(f, v, 1), along(g, u, 1));
  return tf.concat([re, im], 3);
}

/** Registers the compositions as the kernels of a backend. */
export function registerWavesComposition(backendName: string): void {
  replaceKernel(backendName, WAVES, ({ inputs, attrs }) =>
    tf.tidy(() => wavesComposition(inputs.y as tf.Tensor, attrs as unknown as WavesAttrs)),
  );
  replaceKernel(backendName, WAVES_ADJOINT, ({ inputs, attrs }) =>
    tf.tidy(() => wavesAdjointComposition(inputs.x as tf.Tensor, attrs as unknown as WavesAttrs)),
  );
}
