/** Wavecube's own codecs, in the order in which messages name them. The package's entry provides them. */
import type { WavetableCodec } from './codec.js';
import { LosslessCodec } from './lossless.js';
import { PredictiveCodec } from './predictive.js';
import { QuantizedCodec } from './quantized.js';
import { WaveletCodec } from './wavelet.js';

export const OWN_CODECS: readonly WavetableCodec[] = [
  new WaveletCodec(),
  new PredictiveCodec(),
  new QuantizedCodec(),
  new LosslessCodec(),
];
