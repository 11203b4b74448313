/** How a search gives up. */
import { QualityNotReachedError } from '../../errors.js';
import { measure } from '../quality.js';
import { type Quantised, transformPayload } from './payload.js';
import type { Quantiser } from './quantiser.js';

/** The caller of `encode` is told the quality that it asked for: see WavetableCodec. */
export function notReached(where: string, quantiser?: Quantiser, best?: Quantised): QualityNotReachedError {
  return new QualityNotReachedError(where, null, quantiser && best ? reached(quantiser, best) : null);
}

function reached(quantiser: Quantiser, quantised: Quantised): QualityNotReachedError['best'] {
  const { values, shape } = quantiser.wavetable;
  const errors = quantiser.errors(quantised);
  const decoded = values.map((v, i) => v - errors[i]);
  const { maxError, psnr, relativeError } = measure(values, decoded, shape);
  const sizeBytes = transformPayload(quantiser.transform, shape, quantised, null).length;
  return { maxError, psnr, relativeError, sizeBytes };
}
