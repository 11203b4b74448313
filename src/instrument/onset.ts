/** Where a note starts, and how long it stays above its own floor. */
import { check } from '../errors.js';
import { UnheardError } from './unheard.js';

const FRAME_SECONDS = 0.005;

/**
 * RMS of consecutive frames of 5 ms.
 * @returns rms [N / frame, rounded down], and the samples of a frame.
 */
export function levelFrames(
  samples: Float32Array,
  sampleRateHz: number,
): { rms: Float64Array; frame: number } {
  const frame = Math.max(1, Math.round(FRAME_SECONDS * sampleRateHz));
  const rms = new Float64Array(Math.floor(samples.length / frame));
  for (let i = 0; i < rms.length; i++) {
    let sum = 0;
    for (let t = i * frame; t < (i + 1) * frame; t++) sum += samples[t] * samples[t];
    rms[i] = Math.sqrt(sum / frame);
  }
  return { rms, frame };
}

/**
 * The first sample of the first frame within 24 dB of the loudest one.
 * @returns samples from the start.
 * @throws UnheardError if the recording is empty, silent or not finite.
 */
export function findOnset(samples: Float32Array, sampleRateHz: number): number {
  const { rms, frame } = levelFrames(samples, sampleRateHz);
  check(
    rms.length > 0,
    () => new UnheardError('findOnset', samples.length === 0 ? 'is empty' : 'is shorter than 5 ms'),
  );
  const loudest = rms.reduce((a, b) => Math.max(a, b), 0);
  check(Number.isFinite(loudest), () => new UnheardError('findOnset', 'has samples that are not finite'));
  check(loudest > 0, () => new UnheardError('findOnset', 'is silent'));
  return rms.findIndex((level) => level >= loudest * 10 ** (-24 / 20)) * frame;
}

/**
 * Seconds from the onset until the level has fallen by `dropDb` below the loudest 100 ms, or the recording ends.
 */
export function decaySeconds(samples: Float32Array, sampleRateHz: number, dropDb: number): number {
  const { rms, frame } = levelFrames(samples, sampleRateHz);
  const onset = findOnset(samples, sampleRateHz) / frame;
  const span = 20;
  const smooth = (i: number): number => {
    let sum = 0;
    for (let j = i; j < i + span; j++) sum += (rms[j] ?? 0) ** 2;
    return Math.sqrt(sum / span);
  };
  let loudest = 0;
  for (let i = onset; i < rms.length - span; i++) {
    const level = smooth(i);
    loudest = Math.max(loudest, level);
    if (level < loudest * 10 ** (-dropDb / 20)) return ((i - onset) * frame) / sampleRateHz;
  }
  return (Math.max(0, rms.length - onset - span / 2) * frame) / sampleRateHz;
}
