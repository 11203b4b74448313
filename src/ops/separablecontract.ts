/**
 * The contract of WavecubeSeparable: a matrix along each of the two axes of images.
 *
 *   x       [N, Kh, Kw, C] float32; where `adjoint`, [N, H, W, C]
 *   left    [H, Kh] float32, right [W, Kw]: constants; or [] where the symmetry is 'identity', and is not read
 *   out     [N, H, W, C]      out[n, h, w, c] = Σ_kh Σ_kw left[h, kh] · right[w, kw] · x[n, kh, kw, c]
 *           [N, Kh, Kw, C]    where `adjoint`: the same with both matrices transposed
 *
 * The gradient to x is the same kernel with `adjoint` turned, and so is that gradient's. There is none to the matrices.
 * A kernel may take the axes in either order, and may add and subtract what a symmetry (ops/axismatrix.ts) makes equal before it
 * multiplies: sums of rows have to stay within float32. Sums are float32 or better. What is not finite spoils its
 * own image, of which the channel alone for sure. N and C may be 0.
 */
import * as tf from '@tensorflow/tfjs';
import { SYMMETRIES } from './axismatrix.js';
import { replaceKernel } from './register.js';

export const SEPARABLE = 'WavecubeSeparable';

/** Symmetries as kernels get them: the place in SYMMETRIES; then no matrix at all. */
export const IDENTITY = SYMMETRIES.length;

export interface SeparableAttrs extends tf.NamedAttrMap {
  adjoint: boolean;
  leftSymmetry: number;
  rightSymmetry: number;
  /** The place in RESAMPLINGS: what the matrix is, where a kernel can do it without. */
  leftResampling: number;
  rightResampling: number;
}

export interface SeparableInputs {
  x: tf.TensorInfo;
  left: tf.TensorInfo;
  right: tf.TensorInfo;
}

export interface SeparableCall {
  inputs: SeparableInputs;
  attrs: SeparableAttrs;
  backend: unknown;
}

/** Sizes of a call: those of x, and of the result. */
export interface SeparableSizes {
  n: number;
  channels: number;
  fromH: number;
  fromW: number;
  toH: number;
  toW: number;
}

export function sizesOf({ inputs, attrs }: SeparableCall): SeparableSizes {
  const [n, fromH, fromW, channels] = inputs.x.shape;
  const side = attrs.adjoint ? 1 : 0;
  const toH = attrs.leftSymmetry === IDENTITY ? fromH : inputs.left.shape[side];
  const toW = attrs.rightSymmetry === IDENTITY ? fromW : inputs.right.shape[side];
  return { n, channels, fromH, fromW, toH, toW };
}

/** Whether multiplying the second axis first is less work. */
export const widthFirst = ({ fromH, fromW, toH, toW }: SeparableSizes): boolean =>
  fromH * toW * (fromW + toH) <= toH * fromW * (fromH + toW);

/** Registers a backend's kernel. */
export function registerSeparable(backendName: string, kernel: (call: SeparableCall) => tf.TensorInfo): void {
  replaceKernel(backendName, SEPARABLE, (call) => kernel(call as unknown as SeparableCall));
}

/** The kernel composed from stock ops: a plain 2-D product an axis, what every backend does well. */
export function separableComposition({ inputs, attrs }: SeparableCall): tf.Tensor {
  const { x, left, right } = inputs as Record<keyof SeparableInputs, tf.Tensor>;
  const along = (y: tf.Tensor, axis: 1 | 2, matrix: tf.Tensor): tf.Tensor => {
    const front = tf.transpose(y, axis === 1 ? [1, 0, 2, 3] : [2, 0, 1, 3]);
    const [size, a, b, c] = front.shape;
    const product = tf.matMul(matrix as tf.Tensor2D, front.reshape([size, a * b * c]), attrs.adjoint);
    return tf.transpose(
      product.reshape([product.shape[0] as number, a, b, c]),
      axis === 1 ? [1, 0, 2, 3] : [1, 2, 0, 3],
    );
  };
  return tf.tidy(() => {
    const sizes = sizesOf({ inputs, attrs, backend: null });
    if (x.size === 0) return tf.zeros([sizes.n, sizes.toH, sizes.toW, sizes.channels]);
    const height = (y: tf.Tensor) => (attrs.leftSymmetry === IDENTITY ? y : along(y, 1, left));
    const width = (y: tf.Tensor) => (attrs.rightSymmetry === IDENTITY ? y : along(y, 2, right));
    return widthFirst(sizes) ? height(width(x)) : width(height(x));
  });
}
