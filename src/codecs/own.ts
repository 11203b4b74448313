/** Wavecube's own codecs, in the order in which messages name them. The package's entry provides them. */
import type { WavetableCodec } from './codec.js';
import { FFTCodec } from './fft.js';
import { WaveletCodec } from './wavelet.js';

export const OWN_CODECS: readonly WavetableCodec[] = [new FFTCodec(), new WaveletCodec()];
