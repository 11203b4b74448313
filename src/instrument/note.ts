/** A recording that has been heard: where its note starts, its pitch, its loudness, how fast it dies. */
import type { Sound } from './decode.js';
import { decaySeconds, findOnset, levelFrames } from './onset.js';
import { findPitch, type Pitch } from './pitch.js';

export interface Note {
  /** Where the recording came from; names it in reports. */
  readonly path: string;
  readonly sampleRateHz: number;
  /** From the onset, at most MAX_SECONDS. */
  readonly samples: Float32Array;
  readonly pitch: Pitch;
  /** RMS of the loudest 100 ms. */
  readonly level: number;
  /** Seconds until the level has fallen by DROP_DB, or the recording ends. */
  readonly decaySeconds: number;
}

const MAX_SECONDS = 12;
const DROP_DB = 30;

/** @throws ArgumentError if there is no pitched sound in it. */
export function hearNote(path: string, { samples, sampleRateHz }: Sound): Note {
  const onset = findOnset(samples, sampleRateHz);
  const { rms } = levelFrames(samples, sampleRateHz);
  let level = 0;
  for (let i = 0; i + 20 <= Math.max(20, rms.length); i++) {
    let sum = 0;
    for (let j = i; j < i + 20; j++) sum += (rms[j] ?? 0) ** 2 / 20;
    level = Math.max(level, Math.sqrt(sum));
  }
  return {
    path,
    sampleRateHz,
    samples: samples.slice(onset, onset + MAX_SECONDS * sampleRateHz),
    pitch: findPitch(samples, sampleRateHz),
    level,
    decaySeconds: Math.min(MAX_SECONDS, decaySeconds(samples, sampleRateHz, DROP_DB)),
  };
}
