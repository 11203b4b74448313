/** Wavecube's own codecs, in the order in which messages name them. The package's entry provides them. */
import type { WavetableCodec } from './codec.js';
import { PredictiveCodec } from './predictive.js';

export const OWN_CODECS: readonly WavetableCodec[] = [new PredictiveCodec()];
