/** Tridiagonal systems as a function on tensors. Contract: ops/tridiagonalcontract.ts. */
import * as tf from '@tensorflow/tfjs';
import { check, checkOptionNames, ShapeError } from '../errors.js';
import { activeBackend } from './device.js';
import { checkFloatTensor } from './tensors.js';
import { TRIDIAGONAL, type TridiagonalAttrs, type TridiagonalTensors } from './tridiagonalcontract.js';

let registered = false;

function registerGradient(): void {
  if (registered) return;
  registered = true;
  tf.registerGradient({
    kernelName: TRIDIAGONAL,
    inputsToSave: ['x', 'bands'],
    gradFunc: (dy, [x, bands], attrs) => {
      const from = attrs as TridiagonalAttrs;
      const lambda = () => run({ x: dy as tf.Tensor, bands }, { ...from, adjoint: !from.adjoint });
      return {
        x: lambda,
        // y is made anew: a saved result would be a constant to a second gradient.
        bands: () => bandsGradient(lambda(), run({ x, bands }, from), from),
      };
    },
  });
}

const run = (inputs: TridiagonalTensors, attrs: TridiagonalAttrs): tf.Tensor =>
  tf.engine().runKernel(TRIDIAGONAL, inputs, attrs) as tf.Tensor;

/** What stands at i + 1 of axis 1 (or i − 1) at i; beyond the end what stands at the other one, or zeros. */
function moved(x: tf.Tensor, by: 1 | -1, cyclic: boolean): tf.Tensor {
  const [a, n, b] = x.shape;
  const [keep, end] = by === 1 ? [1, 0] : [0, n - 1];
  const last = cyclic ? tf.slice(x, [0, end, 0], [a, 1, b]) : tf.zeros([a, 1, b]);
  if (n === 1) return last;
  const rest = tf.slice(x, [0, keep, 0], [a, n - 1, b]);
  return tf.concat(by === 1 ? [rest, last] : [last, rest], 1);
}

/** [n, 3]: −λ yᵀ on the bands, −y λᵀ where the matrix was transposed. */
function bandsGradient(lambda: tf.Tensor, y: tf.Tensor, { cyclic, adjoint }: TridiagonalAttrs): tf.Tensor {
  const n = y.shape[1] as number;
  if (y.size === 0) return tf.zeros([n, 3]);
  const [row, column] = adjoint ? [y, lambda] : [lambda, y];
  const band = (x: tf.Tensor) => tf.neg(tf.sum(tf.mul(row, x), [0, 2]));
  return tf.stack([band(moved(column, -1, cyclic)), band(column), band(moved(column, 1, cyclic))], 1);
}

export interface TridiagonalOptions {
  /** Neighbours of the first and the last row are each other. Default false. */
  cyclic?: boolean;
  /** Solve with the transposed matrix. Default false. */
  adjoint?: boolean;
}

/**
 * Solves l_i y_{i−1} + d_i y_i + u_i y_{i+1} = x_i along the middle axis.
 * @param x [A, n, B] float32, n ≥ 1.
 * @param bands [n, 3] float32: lower, diagonal, upper. Not cyclic: the first lower and the last upper are not read. The matrix must
 * be diagonally dominant by rows or columns; else the result may be anything.
 * @returns y [A, n, B].
 * Gradients: x and bands, of any order.
 * @throws ShapeError unless x has rank 3 and bands is [n, 3]; ArgumentError, DisposedError.
 */
export function solveTridiagonal(
  x: tf.Tensor3D,
  bands: tf.Tensor2D,
  options: TridiagonalOptions = {},
): tf.Tensor3D {
  const where = 'solveTridiagonal';
  checkFloatTensor(where, 'x', x);
  checkFloatTensor(where, 'bands', bands);
  checkOptionNames(where, options, ['cyclic', 'adjoint']);
  check(x.rank === 3 && x.shape[1] > 0, () => new ShapeError(where, 'x', '[A, n, B] with n ≥ 1', x.shape));
  check(
    bands.rank === 2 && bands.shape[0] === x.shape[1] && bands.shape[1] === 3,
    () => new ShapeError(where, 'bands', `[${x.shape[1]}, 3]`, bands.shape),
  );
  const { cyclic = false, adjoint = false } = options;
  activeBackend();
  registerGradient();
  return run({ x, bands }, { cyclic, adjoint }) as tf.Tensor3D;
}
