/** Samples into a WAV file. */

import { ArgumentError, check } from '../errors.js';
import { WaveFile } from './wavefile.js';

const FULL_SCALE = 2 ** 23 - 1;

/**
 * A mono 24-bit PCM WAV. Levels are kept; a sound beyond full scale is turned down as a whole, never clipped.
 * @param samples full scale ±1.
 * @throws ArgumentError for samples that are not finite.
 */
export function encodeWav(samples: Float32Array, sampleRateHz: number): Uint8Array {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  check(samples.every(Number.isFinite), () => new ArgumentError('encodeWav: samples must be finite'));
  const scale = FULL_SCALE / Math.max(1, peak);
  const wav = new WaveFile();
  wav.fromScratch(
    1,
    Math.round(sampleRateHz),
    '24',
    Int32Array.from(samples, (sample) => Math.round(sample * scale)),
  );
  return wav.toBuffer();
}
