/** WavecubeSeparable as a function on tensors. Contract: ops/separablecontract.ts. */
import * as tf from '@tensorflow/tfjs';
import { check, ShapeError } from '../errors.js';
import { type AxisMatrix, RESAMPLINGS, SYMMETRIES } from './axismatrix.js';
import { activeBackend } from './device.js';
import { IDENTITY, SEPARABLE, type SeparableAttrs } from './separablecontract.js';
import { checkFloatTensor } from './tensors.js';

let registered = false;

function registerGradient(): void {
  if (registered) return;
  registered = true;
  tf.registerGradient({
    kernelName: SEPARABLE,
    inputsToSave: ['left', 'right'],
    gradFunc: (dy, [left, right], attrs) => {
      const turned = { ...attrs, adjoint: !attrs.adjoint } as SeparableAttrs;
      return { x: () => run({ x: dy as tf.Tensor, left, right }, turned) };
    },
  });
}

const run = (inputs: tf.NamedTensorMap, attrs: SeparableAttrs): tf.Tensor4D =>
  tf.engine().runKernel(SEPARABLE, inputs, attrs) as tf.Tensor4D;

/**
 * Multiplies the rows of images by a matrix, and their columns by another.
 * @param x [N, Kh, Kw, C] float32; where `adjoint`, [N, H, W, C].
 * @param left [H, Kh], right [W, Kw]: constant matrices; null leaves the axis as it is.
 * @param adjoint applies the transposed matrices.
 * @returns [N, H, W, C]; where `adjoint`, [N, Kh, Kw, C]. x itself where both are null.
 * Gradients: x, of any order; the matrices none.
 * @throws ShapeError unless x has rank 4 and fits the matrices; ArgumentError, DisposedError.
 */
export function separable(
  x: tf.Tensor4D,
  left: AxisMatrix | null,
  right: AxisMatrix | null,
  adjoint = false,
): tf.Tensor4D {
  checkFloatTensor('separable', 'x', x);
  const size = (matrix: AxisMatrix | null, any: number) => (adjoint ? matrix?.to : matrix?.from) ?? any;
  const [, h, w] = x.shape;
  check(
    x.rank === 4 && h === size(left, h) && w === size(right, w),
    () =>
      new ShapeError('separable', 'x', `[N, ${size(left, h) ?? 'H'}, ${size(right, w) ?? 'W'}, C]`, x.shape),
  );
  if (!left && !right) return x;
  activeBackend();
  registerGradient();
  return tf.tidy(() => {
    const tensor = matrixTensor(left);
    const other = left === right ? tensor : matrixTensor(right);
    return run({ x, left: tensor, right: other }, attrsOf(left, right, adjoint));
  });
}

/** A matrix as the kernel takes it. */
export const matrixTensor = (matrix: AxisMatrix | null): tf.Tensor =>
  matrix ? tf.tensor2d(matrix.values, [matrix.to, matrix.from]) : tf.scalar(0);

/** The kernel's attributes of two matrices. */
export function attrsOf(left: AxisMatrix | null, right: AxisMatrix | null, adjoint: boolean): SeparableAttrs {
  const code = (matrix: AxisMatrix | null) => (matrix ? SYMMETRIES.indexOf(matrix.symmetry) : IDENTITY);
  const kind = (matrix: AxisMatrix | null) => RESAMPLINGS.indexOf(matrix?.resampling ?? 'none');
  return {
    adjoint,
    leftSymmetry: code(left),
    rightSymmetry: code(right),
    leftResampling: kind(left),
    rightResampling: kind(right),
  };
}
