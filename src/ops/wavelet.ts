/**
 * Separable wavelet transforms of images, differentiable. The contract of their kernel:
 *
 *   WavecubeWavelet  {x: [N, H, W, C] float32} → [N, H, W, C]     attrs: WaveletAttrs
 *
 * runs the passes of waveletpasses.ts over each image and channel: analysis, its inverse (synthesis), or the transpose of either.
 * Coefficients lie as Mallat's: of each level the low ones in the first corner, ⌈h/2⌉ × ⌈w/2⌉, rows' details beside them, columns'
 * details below, both's across; the next level splits the low corner. An axis of one sample is left alone. Filters, modes and
 * the normalisation are said in waveletfilters.ts. It is linear, and its own gradient kernel with `adjoint` turned
 * round, to any order. H, W ≥ 1; N may be 0.
 *
 * Source: S. Mallat, "A theory for multiresolution signal decomposition" (1989).
 */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, checkOptionNames, ShapeError, shown } from '../errors.js';
import { activeBackend } from './device.js';
import { checkFloatTensor } from './tensors.js';
import { checkWavelet, type WaveletFamily, type WaveletMode } from './waveletfilters.js';
import { passesOf, WAVELET, type WaveletAttrs } from './waveletpasses.js';

export interface WaveletOptions {
  /** Default 'cdf97'. */
  family?: WaveletFamily;
  /** Default 'symmetric' where the family has it, else 'periodization'. */
  mode?: WaveletMode;
  /** How often the low corner is split; by default until it is one sample. */
  levels?: number;
}

const MOST_LEVELS = 32;

/** The mode that a family is used with unless another is asked. */
export const defaultMode = (family: WaveletFamily): WaveletMode =>
  String(family).startsWith('db') ? 'periodization' : 'symmetric';

let registered = false;

function registerGradient(): void {
  if (registered) return;
  registered = true;
  tf.registerGradient({
    kernelName: WAVELET,
    gradFunc: (dy, _saved, attrs) => {
      const from = attrs as unknown as WaveletAttrs;
      return { x: () => run(dy as tf.Tensor4D, { ...from, adjoint: !from.adjoint }) };
    },
  });
}

const run = (x: tf.Tensor4D, attrs: WaveletAttrs): tf.Tensor4D =>
  tf.engine().runKernel(WAVELET, { x }, attrs as unknown as tf.NamedAttrMap) as tf.Tensor4D;

function transform(
  where: string,
  name: string,
  x: tf.Tensor4D,
  options: WaveletOptions,
  inverse: boolean,
): tf.Tensor4D {
  checkFloatTensor(where, name, x);
  check(
    x.rank === 4 && x.shape[1] > 0 && x.shape[2] > 0,
    () => new ShapeError(where, name, '[N, H, W, C] with H, W ≥ 1', x.shape),
  );
  checkOptionNames(where, options, ['family', 'mode', 'levels']);
  const { family = 'cdf97', levels = Math.ceil(Math.log2(Math.max(x.shape[1], x.shape[2]))) } = options;
  const { mode = defaultMode(family) } = options;
  checkWavelet(where, family, mode);
  check(
    Number.isInteger(levels) && levels >= 0 && levels <= MOST_LEVELS,
    () =>
      new ArgumentError(`${where}: levels must be an integer from 0 to ${MOST_LEVELS}, got ${shown(levels)}`),
  );
  const attrs: WaveletAttrs = { family, mode, levels, inverse, adjoint: false };
  if (x.size === 0 || passesOf(attrs, x.shape[1], x.shape[2]).length === 0) return tf.clone(x);
  activeBackend();
  registerGradient();
  return run(x, attrs);
}

/**
 * Wavelet analysis: samples to coefficients.
 * @param x [N, H, W, C] float32.
 * @returns [N, H, W, C] coefficients in Mallat's layout, the low ones in the first corner.
 * Gradients: x, of any order.
 * @throws ShapeError, ArgumentError, DisposedError; ArgumentError for mode 'symmetric' with db2, db3, db4.
 */
export function waveletTransform(x: tf.Tensor4D, options: WaveletOptions = {}): tf.Tensor4D {
  return transform('waveletTransform', 'x', x, options, false);
}

/**
 * Wavelet synthesis: coefficients to samples, the inverse of waveletTransform with the same options.
 * @param coefficients [N, H, W, C] float32 in Mallat's layout.
 * @returns [N, H, W, C] samples.
 * Gradients: coefficients, of any order.
 * @throws as waveletTransform.
 */
export function inverseWaveletTransform(
  coefficients: tf.Tensor4D,
  options: WaveletOptions = {},
): tf.Tensor4D {
  return transform('inverseWaveletTransform', 'coefficients', coefficients, options, true);
}
