/**
 * Sums of plane waves, the two kernels under all of Wavecube's Fourier transforms, and each other's adjoint.
 *
 *   WavecubeWaves         {y: [N, A, B, 2C]} → [N, H, W, C]
 *       out[n, i, j, c] = Re Σ f_a · g_b · y[n, a, b, c] · e^{2πi (s_a i/H + t_b j/W)}
 *   WavecubeWavesAdjoint  {x: [N, H, W, C]} → [N, A, B, 2C]
 *       out[n, a, b, c] = Σ_{i, j} conj(f_a g_b) · x[n, i, j, c] · e^{−2πi (s_a i/H + t_b j/W)}, summed over a's and b's terms
 *
 * A complex number is two channels: C real parts, then the C imaginary parts. `rows` and `columns` list the terms of the two
 * axes, (a, s_a, f_a) and (b, t_b, g_b): which entry of the spectrum stands for which frequency, times which complex
 * factor. Frequencies are whole and taken modulo the size, negative ones too. An entry may have up to two terms,
 * and a frequency of an axis up to two entries; one without a term neither counts nor gets anything but 0.
 *
 * Along each axis the kernels use fast transforms: mixed radix, any size. Gradients: y or x, of every order, by one another.
 * Results of repeated calls are bitwise equal. NaN and ±∞ spread over their wavetable. N, A, B and C may be 0.
 */
import * as tf from '@tensorflow/tfjs';

export const WAVES = 'WavecubeWaves';
export const WAVES_ADJOINT = 'WavecubeWavesAdjoint';

/** Which waves the entries of one axis of a spectrum stand for. */
export interface AxisTerms {
  /** Samples of the axis: H or W. */
  readonly size: number;
  /** Entries of the spectrum's axis: A or B. */
  readonly entries: number;
  /** Of each term: the entry, the frequency modulo size, the factor's real and imaginary part. */
  readonly entry: Int32Array;
  readonly frequency: Int32Array;
  readonly re: Float64Array;
  readonly im: Float64Array;
}

export interface WavesAttrs {
  rows: AxisTerms;
  columns: AxisTerms;
}

/** [entry, frequency, re, im] of a term. */
export type Term = readonly [entry: number, frequency: number, re: number, im: number];

export function axisTerms(size: number, entries: number, terms: readonly Term[]): AxisTerms {
  return {
    size,
    entries,
    entry: Int32Array.from(terms, ([a]) => a),
    frequency: Int32Array.from(terms, ([, f]) => ((f % size) + size) % size),
    re: Float64Array.from(terms, ([, , re]) => re),
    im: Float64Array.from(terms, ([, , , im]) => im),
  };
}

let registered = false;

function run(kernel: string, inputs: tf.NamedTensorMap, attrs: WavesAttrs): tf.Tensor4D {
  return tf.engine().runKernel(kernel, inputs, attrs as unknown as tf.NamedAttrMap) as tf.Tensor4D;
}

function registerGradients(): void {
  if (registered) return;
  registered = true;
  tf.registerGradient({
    kernelName: WAVES,
    gradFunc: (dy, _saved, attrs) => ({
      y: () => wavesAdjoint(dy as tf.Tensor4D, attrs as unknown as WavesAttrs),
    }),
  });
  tf.registerGradient({
    kernelName: WAVES_ADJOINT,
    gradFunc: (dy, _saved, attrs) => ({ x: () => waves(dy as tf.Tensor4D, attrs as unknown as WavesAttrs) }),
  });
}

/** [N, A, B, 2C] → [N, H, W, C]. The caller has checked y. */
export function waves(y: tf.Tensor4D, attrs: WavesAttrs): tf.Tensor4D {
  registerGradients();
  return run(WAVES, { y }, attrs);
}

/** [N, H, W, C] → [N, A, B, 2C]. The caller has checked x. */
export function wavesAdjoint(x: tf.Tensor4D, attrs: WavesAttrs): tf.Tensor4D {
  registerGradients();
  return run(WAVES_ADJOINT, { x }, attrs);
}
