import * as tf from '@tensorflow/tfjs';
import { axisTaps, basisCode } from '../interpolation/taps.js';

// TEMPORARY, not for commit
function inverse(n: number, code: number): number[] {
  const A = Array.from({ length: n }, () => new Float64Array(2 * n));
  const nodes = new Int32Array(4),
    w = new Float64Array(4);
  for (let i = 0; i < n; i++) {
    axisTaps(i, n, code, basisCode('bspline'), 0, 0, nodes, w);
    for (let k = 0; k < 4; k++) if (nodes[k] >= 0) A[i][nodes[k]] += w[k];
    A[i][n + i] = 1;
  }
  for (let i = 0; i < n; i++) {
    const p = A[i][i];
    for (let k = 0; k < 2 * n; k++) A[i][k] /= p;
    for (let j = 0; j < n; j++)
      if (j !== i) {
        const q = A[j][i];
        for (let k = 0; k < 2 * n; k++) A[j][k] -= q * A[i][k];
      }
  }
  return A.flatMap((r) => [...r.slice(n)]);
}
export function splineCoefficients(
  rows: tf.Tensor2D,
  dims: readonly number[],
  boundary: readonly number[],
): tf.Tensor2D {
  const [x, y, z] = dims;
  const F = rows.shape[1];
  const m = (j: number) => tf.tensor2d(inverse(dims[j], boundary[j]), [dims[j], dims[j]]);
  let t: tf.Tensor = tf.matMul(m(0), rows.reshape([x, y * z * F]));
  t = tf.concat(
    tf.split(t.reshape([x, y, z * F]), x, 0).map((p) => tf.matMul(m(1), p.reshape([y, z * F])).expandDims(0)),
    0,
  );
  t = tf.concat(
    tf.split(t.reshape([x * y, z, F]), x * y, 0).map((p) => tf.matMul(m(2), p.reshape([z, F])).expandDims(0)),
    0,
  );
  return t.reshape([x * y * z, F]) as tf.Tensor2D;
}
