/**
 * Band-limited resampling of node images, as one matrix an axis: linear, differentiable, exact for what both sizes
 * can hold (up and down again is the identity), free of aliasing on the way down.
 *
 * Samples sit at half-pixel centres (i + ½)/N. On a periodic axis the basis is Fourier's, elsewhere the cosines of
 * DCT-II (the signal mirrored about its borders): with K = min(N, N′)
 *
 *   mirrored    M[i′, i] = 1/N · (1 + 2 Σ_{k=1}^{K−1} cos(πk u′) cos(πk u)),          u = (i + ½)/N
 *   periodic    M[i′, i] = 1/N · (1 + 2 Σ_{k<K/2} cos(2πk (u′ − u)) [+ m cos(πK(u′ − u)) for even K])
 *               with m = 1 upward (the Nyquist term of N is shared by ±k), 2 downward
 */
import * as tf from '@tensorflow/tfjs';
import { check, ShapeError } from '../errors.js';
import { checkFloatTensor } from './tensors.js';

/** Σ_{k=1}^{m} cos(kθ). */
function cosineSum(m: number, theta: number): number {
  const half = Math.sin(theta / 2);
  if (Math.abs(half) < 1e-9) return m;
  return (Math.sin((m + 0.5) * theta) / half - 1) / 2;
}

/** [to, from] row-major: the resampling of one axis. */
export function resampleMatrix(from: number, to: number, periodic: boolean): Float32Array {
  const out = new Float32Array(to * from);
  const band = Math.min(from, to);
  for (let t = 0; t < to; t++) {
    const v = (t + 0.5) / to;
    for (let s = 0; s < from; s++) {
      const u = (s + 0.5) / from;
      let sum: number;
      if (periodic) {
        const theta = 2 * Math.PI * (v - u);
        sum = 2 * cosineSum(Math.ceil(band / 2) - 1, theta);
        if (band % 2 === 0) sum += (to > from ? 1 : 2) * Math.cos((band / 2) * theta);
      } else {
        sum = cosineSum(band - 1, Math.PI * (v - u)) + cosineSum(band - 1, Math.PI * (v + u));
      }
      out[t * from + s] = (1 + sum) / from;
    }
  }
  if (from === to) for (let i = 0; i < out.length; i++) out[i] = i % (from + 1) === 0 ? 1 : 0;
  return out;
}

const MATRICES_KEPT = 32;
const matrices = new Map<string, Float32Array>();

/** resampleMatrix, from the ones last used. */
function keptMatrix(from: number, to: number, periodic: boolean): Float32Array {
  const key = `${from} ${to} ${periodic}`;
  const matrix = matrices.get(key) ?? resampleMatrix(from, to, periodic);
  matrices.delete(key);
  matrices.set(key, matrix);
  if (matrices.size > MATRICES_KEPT) matrices.delete(matrices.keys().next().value as string);
  return matrix;
}

/** Multiplies axis `axis` (1 or 2) of x [N, H, W, C] by a matrix [to, from]. */
export function alongAxis(x: tf.Tensor4D, axis: 1 | 2, matrix: tf.Tensor2D): tf.Tensor4D {
  // A plain 2-D product is what every backend does well; batched and transposed ones are an order slower on wasm.
  const order = axis === 1 ? [1, 0, 2, 3] : [2, 0, 1, 3];
  const back = axis === 1 ? [1, 0, 2, 3] : [1, 2, 0, 3];
  const front = tf.transpose(x, order);
  const [, a, b, c] = front.shape;
  const product = tf.matMul(matrix, front.reshape([front.shape[0], a * b * c]));
  return tf.transpose(product.reshape([matrix.shape[0], a, b, c]), back) as tf.Tensor4D;
}

/**
 * Resamples [N, H, W, C] to [N, height, width, C]; the same tensor if nothing changes.
 * `adjoint: true` applies the transpose of the map from (height, width) to (H, W) instead: what a gradient needs.
 * Gradients: x.
 * @throws ShapeError, ArgumentError or DisposedError unless x is [N, H, W, C] float32 and the sizes positive integers.
 */
export function resample(
  x: tf.Tensor4D,
  height: number,
  width: number,
  periodic: { h: boolean; w: boolean },
  adjoint = false,
): tf.Tensor4D {
  checkFloatTensor('resample', 'x', x);
  check(x.rank === 4, () => new ShapeError('resample', 'x', '[N, H, W, C]', x.shape));
  check(
    [height, width].every((n) => Number.isInteger(n) && n >= 1),
    () => new ShapeError('resample', 'height and width', 'positive integers', [height, width]),
  );
  const step = (y: tf.Tensor4D, axis: 1 | 2, to: number, wraps: boolean): tf.Tensor4D => {
    const from = y.shape[axis];
    if (from === to) return y;
    const matrix = adjoint
      ? tf.transpose(tf.tensor2d(keptMatrix(to, from, wraps).slice(), [from, to]))
      : tf.tensor2d(keptMatrix(from, to, wraps).slice(), [to, from]);
    return alongAxis(y, axis, matrix as tf.Tensor2D);
  };
  return tf.tidy(() => step(step(x, 1, height, periodic.h), 2, width, periodic.w));
}
