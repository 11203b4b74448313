/** Wavecube's own codecs, in the order in which messages name them, and in which 'auto' tries them. */
import type { WavetableCodec } from './codec.js';
import { DCTCodec } from './dct.js';
import { FFTCodec } from './fft.js';
import { GaussianMixtureCodec } from './gaussian.js';
import { LosslessCodec } from './lossless.js';
import { PredictiveCodec } from './predictive.js';
import { QuantizedCodec } from './quantized.js';
import { WaveletCodec } from './wavelet.js';

export const OWN_CODECS: readonly WavetableCodec[] = [
  new QuantizedCodec(),
  new DCTCodec(),
  new WaveletCodec(),
  new FFTCodec(),
  new PredictiveCodec(),
  new LosslessCodec(),
  new GaussianMixtureCodec(),
];
