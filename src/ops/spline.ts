/**
 * The prefilter of cubic B-splines: from values at nodes to the coefficients whose spline takes them there. The matrix of an axis is
 * the stencil itself at the nodes (interpolation/taps.ts), boundary rule and all, so that sampling coefficients with basis 'bspline'
 * gives the values back on any number of nodes.
 *
 * Source: M. Unser, A. Aldroubi, M. Eden, "B-spline signal processing" (1993); C. de Boor, "A practical guide to splines" (1978).
 */
import * as tf from '@tensorflow/tfjs';
import { check, ShapeError } from '../errors.js';
import { boundaryCode } from '../interpolation/stencil.js';
import { axisTaps, basisCode } from '../interpolation/taps.js';
import { checkFloatTensor } from './tensors.js';
import { solveTridiagonal } from './tridiagonal.js';

const BSPLINE = basisCode('bspline');
const WRAP = boundaryCode('wrap');

/** [n, 3] bands of an axis: what coefficients i − 1, i, i + 1 weigh at node i; cyclic where `code` is wrap's. */
export function splineBands(n: number, code: number): Float32Array {
  const bands = new Float32Array(3 * n);
  const nodes = new Int32Array(4);
  const weights = new Float64Array(4);
  for (let i = 0; i < n; i++) {
    axisTaps(i, n, code, BSPLINE, 0, 0, nodes, weights);
    for (let k = 0; k < 4; k++) {
      if (nodes[k] < 0 || weights[k] === 0) continue;
      // A wrapped axis has node i in slot 1; its neighbours may be one node, or itself.
      const band = code === WRAP ? k : nodes[k] - i + 1;
      bands[3 * i + band] += weights[k];
    }
  }
  return bands;
}

const isIdentity = (bands: Float32Array) => bands.every((w, k) => w === (k % 3 === 1 ? 1 : 0));

/**
 * Coefficients of the tensor-product cubic B-spline that takes the rows' values at the nodes of a full grid.
 * @param rows [X·Y·Z, F] float32, bulk order (x slowest).
 * @param dims X, Y, Z ≥ 1.
 * @param boundary boundaryCode of x, y, z: what the sampling will use.
 * @returns [X·Y·Z, F].
 * Gradients: rows, of any order (the adjoint solve).
 * @throws ShapeError unless rows is [X·Y·Z, F]; ArgumentError, DisposedError.
 */
export function splineCoefficients(
  rows: tf.Tensor2D,
  dims: readonly [number, number, number],
  boundary: readonly [number, number, number],
): tf.Tensor2D {
  checkFloatTensor('splineCoefficients', 'rows', rows);
  const [nx, ny, nz] = dims;
  check(
    rows.rank === 2 && rows.shape[0] === nx * ny * nz,
    () => new ShapeError('splineCoefficients', 'rows', `[${nx * ny * nz}, F]`, rows.shape),
  );
  const F = rows.shape[1];
  const shapes: [number, number, number][] = [
    [1, nx, ny * nz * F],
    [nx, ny, nz * F],
    [nx * ny, nz, F],
  ];
  return tf.tidy(() => {
    let out: tf.Tensor = rows;
    for (let j = 0; j < 3; j++) {
      const n = dims[j];
      const bands = splineBands(n, boundary[j]);
      if (isIdentity(bands)) continue;
      const lines = tf.reshape(out, shapes[j]) as tf.Tensor3D;
      out = solveTridiagonal(lines, tf.tensor2d(bands, [n, 3]), { cyclic: boundary[j] === WRAP });
    }
    return out === rows ? tf.clone(rows) : tf.reshape(out, rows.shape);
  });
}
