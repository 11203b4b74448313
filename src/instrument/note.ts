/** A recording that has been heard: where its note starts, its pitch, its loudness, how fast it dies. */
import type { Sound } from './decode.js';
import { decaySeconds, findOnset, levelFrames } from './onset.js';
import { findPitch, type Pitch } from './pitch.js';

export interface Note {
  /** Where the recording came from; names it in reports. */
  readonly path: string;
  readonly sampleRateHz: number;
  /** [N], mono, from the onset on, at most 12 s. */
  readonly samples: Float32Array;
  readonly pitch: Pitch;
  /** RMS of the loudest 100 ms; full scale 1. */
  readonly level: number;
  /** From the onset until the level has fallen by 30 dB or the recording ends; at most 12 s. */
  readonly decaySeconds: number;
}

const MAX_SECONDS = 12;
const DROP_DB = 30;

/**
 * Hears a recording: finds the onset of its note, its pitch, level and decay.
 * @param path names the recording in reports; its end may tell a velocity (velocityFromPath).
 * @throws ArgumentError if it is empty, silent or not finite, or has no pitch.
 */
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
