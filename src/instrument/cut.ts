/** A note into its cycles: one [size] cycle for each of its times, phase-aligned and band-limited. */
import { cycleMagnitudes, harmonicsAt, localPeriod } from './cycles.js';
import { cycleFromHarmonics, type Harmonics } from './fourier.js';
import type { Note } from './note.js';
import { cycleWithPhases, referencePhases } from './phase.js';

/** Cycles averaged at time t start within this part of t around it: times are spaced in proportion, too. */
const SPAN_OF_TIME = 0.3;

/**
 * Cuts a note's cycles at given times.
 * @param timesSeconds after the onset; past the end of the recording there is silence.
 * @param phaseRad the reference's phases (alignmentPhases), or undefined to keep each cut's own: these cancel when
 * they are blended, and are here to show it.
 * @param size samples a cycle, a power of two; harmonics below size/2 and below the recording's Nyquist are kept.
 * @returns one Float32Array [size] a time, in the recording's level; samples at phases (i + ½)/size.
 */
export function cutNote(
  note: Note,
  timesSeconds: readonly number[],
  phaseRad: Float64Array | undefined,
  size: number,
): Float32Array[] {
  const { samples, sampleRateHz } = note;
  const { frequencyHz } = note.pitch;
  return timesSeconds.map((seconds) => {
    const at = seconds * sampleRateHz;
    if (!phaseRad) return cycleFromHarmonics(cutAt(note, at, size), size);
    const magnitudes = cycleMagnitudes(
      samples,
      sampleRateHz,
      frequencyHz,
      at,
      size / 2,
      SPAN_OF_TIME * seconds,
    );
    return cycleWithPhases(magnitudes, phaseRad, size);
  });
}

/**
 * The phases all cycles of an instrument are aligned to: those of a real cycle of its lowest, loudest note, which has
 * the most harmonics. The cycle is cut 50 ms after the onset.
 * @param size samples a cycle, a power of two.
 * @returns radians, Float64Array [size/2].
 */
export function alignmentPhases(note: Note, size: number): Float64Array {
  return referencePhases(cutAt(note, 0.05 * note.sampleRateHz, size), size);
}

function cutAt({ samples, sampleRateHz, pitch }: Note, at: number, size: number): Harmonics {
  const period = localPeriod(samples, at, sampleRateHz / pitch.frequencyHz);
  const audible = Math.min(size / 2, Math.floor(0.47 * period) + 1);
  const { re, im } = harmonicsAt(samples, Math.round(at), period, sampleRateHz, audible);
  const pad = (values: Float64Array): Float64Array => {
    const padded = new Float64Array(size / 2);
    padded.set(values);
    return padded;
  };
  return { re: pad(re), im: pad(im) };
}
