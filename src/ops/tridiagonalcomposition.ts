/** WavecubeTridiagonal (ops/tridiagonalcontract.ts) of stock ops: a product with the dense inverse, for a backend without kernels. */
import * as tf from '@tensorflow/tfjs';
import {
  registerTridiagonal,
  type TridiagonalAttrs,
  type TridiagonalTensors,
} from './tridiagonalcontract.js';

/** [n, n] of bands [n, 3]. */
function dense(bands: tf.Tensor, { cyclic, adjoint }: TridiagonalAttrs): tf.Tensor2D {
  const n = bands.shape[0];
  const eye = tf.eye(n);
  const [l, d, u] = tf.unstack(bands, 1).map((band) => tf.reshape(band, [n, 1]));
  // Columns of the identity moved by one: to the left for the lower neighbour.
  const moved = (by: 1 | -1): tf.Tensor => {
    const edge = cyclic ? tf.slice(eye, [0, by === 1 ? n - 1 : 0], [n, 1]) : tf.zeros([n, 1]);
    if (n === 1) return edge;
    const rest = tf.slice(eye, [0, by === 1 ? 0 : 1], [n, n - 1]);
    return tf.concat(by === 1 ? [edge, rest] : [rest, edge], 1);
  };
  const matrix = tf.add(tf.add(tf.mul(l, moved(-1)), tf.mul(d, eye)), tf.mul(u, moved(1)));
  return (adjoint ? tf.transpose(matrix) : matrix) as tf.Tensor2D;
}

/** Gauss and Jordan's elimination without pivots, a row a step: the matrix is dominant. */
function inverse(matrix: tf.Tensor2D): tf.Tensor2D {
  const n = matrix.shape[0];
  const eye = tf.eye(n);
  let system: tf.Tensor = tf.concat([matrix, eye], 1);
  for (let i = 0; i < n; i++) {
    const row = tf.slice(system, [i, 0], [1, 2 * n]);
    const pivot = tf.div(row, tf.slice(row, [0, i], [1, 1]));
    const factors = tf.sub(tf.slice(system, [0, i], [n, 1]), tf.slice(eye, [0, i], [n, 1]));
    system = tf.sub(system, tf.mul(factors, pivot));
  }
  return tf.slice(system, [0, n], [n, n]) as tf.Tensor2D;
}

export function tridiagonalComposition({ x, bands }: TridiagonalTensors, attrs: TridiagonalAttrs): tf.Tensor {
  return tf.tidy(() => {
    if (x.size === 0) return tf.zeros(x.shape);
    const [a, n, b] = x.shape;
    const front = tf.transpose(x, [1, 0, 2]).reshape([n, a * b]);
    const solved = tf.matMul(inverse(dense(bands, attrs)), front as tf.Tensor2D);
    return tf.transpose(solved.reshape([n, a, b]), [1, 0, 2]);
  });
}

export function registerTridiagonalComposition(backendName: string): void {
  registerTridiagonal(backendName, ({ inputs, attrs }) =>
    tridiagonalComposition(inputs as TridiagonalTensors, attrs),
  );
}
