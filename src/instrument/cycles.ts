/**
 * Pitch-synchronous cycles of a recording, as harmonic magnitudes.
 *
 * A cycle is cut as long as the local period, found at that time by autocorrelation; its spectrum is taken at the
 * multiples of its own frequency under a Hann window of a few periods, whose zeros fall on the other multiples, so
 * that the cut leaves no seam. A piano's upper partials are sharp of these multiples and drift against the first:
 * a harmonic's magnitude is the RMS over some neighbouring cycles, which keeps the energy the recording has there.
 * Their drifting phases are what makes two cuts cancel; phase.ts replaces them.
 */
import { chirpZ, type Harmonics } from './fourier.js';

/** A window no shorter than this keeps noise out of the few harmonics of the highest notes. */
const LEAST_WINDOW_SECONDS = 0.006;
const MOST_CYCLES = 8;

/**
 * The period around a time, by the normalised square difference of McLeod & Wyvill 2005, searched within ±2 % of
 * the expected one over as many periods as make 256 samples.
 * @param at the middle of the stretch looked at, in samples.
 * @returns samples, not whole; the expected period where the stretch is not periodic.
 */
export function localPeriod(samples: Float32Array, at: number, expected: number): number {
  const periods = Math.max(1, Math.round(256 / expected));
  const lag = periods * expected;
  const reach = Math.max(2, Math.ceil(0.02 * lag));
  const low = Math.max(2, Math.round(lag) - reach);
  const width = Math.round(lag + 2 * expected);
  const start = Math.max(
    0,
    Math.min(Math.round(at - (width + lag) / 2), samples.length - width - low - 2 * reach - 1),
  );
  if (start + width + low + 2 * reach >= samples.length) return expected;
  const likeness = new Float64Array(2 * reach + 1);
  for (let i = 0; i < likeness.length; i++) {
    let product = 0;
    let energy = 0;
    for (let t = start; t < start + width; t++) {
      const other = samples[t + low + i];
      product += samples[t] * other;
      energy += samples[t] * samples[t] + other * other;
    }
    likeness[i] = energy > 0 ? (2 * product) / energy : 0;
  }
  let best = 1;
  for (let i = 1; i < likeness.length - 1; i++) if (likeness[i] > likeness[best]) best = i;
  const [a, b, c] = [likeness[best - 1], likeness[best], likeness[best + 1]];
  if (b < 0.5 || a > b || c > b) return expected;
  return (low + best + (0.5 * (a - c)) / (a - 2 * b + c || -1)) / periods;
}

/**
 * The harmonics of the cycles that start at `start`, seen through one Hann window.
 * @param count harmonics 0 … count − 1 are given; the 0th is zero.
 * @returns phases referred to `start`.
 */
export function harmonicsAt(
  samples: Float32Array,
  start: number,
  period: number,
  sampleRateHz: number,
  count: number,
): Harmonics {
  const periods = Math.max(2, Math.round((LEAST_WINDOW_SECONDS * sampleRateHz) / period));
  const length = Math.floor(periods * period);
  const windowed = new Float64Array(length);
  let sum = 0;
  for (let t = 0; t < length; t++) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * (t + 0.5)) / length);
    windowed[t] = window * (samples[start + t] ?? 0);
    sum += window;
  }
  const { re, im } = chirpZ(windowed, period, count);
  for (let k = 0; k < count; k++) {
    re[k] *= k === 0 ? 0 : 2 / sum;
    im[k] *= k === 0 ? 0 : -2 / sum;
  }
  return { re, im };
}

/**
 * Magnitudes of the harmonics of a note at a time.
 * @param at samples from the start of `samples`.
 * @param frequencyHz the note's pitch; the local one is tracked from it.
 * @param count harmonics wanted; those above 0.47 of the sample rate are zero.
 * @param spanSeconds the cycles averaged start within this stretch around `at`.
 * @returns Float64Array [count].
 */
export function cycleMagnitudes(
  samples: Float32Array,
  sampleRateHz: number,
  frequencyHz: number,
  at: number,
  count: number,
  spanSeconds: number,
): Float64Array {
  const period = localPeriod(samples, at, sampleRateHz / frequencyHz);
  const audible = Math.min(count, Math.floor(0.47 * period) + 1);
  const window = Math.max(2 * period, LEAST_WINDOW_SECONDS * sampleRateHz);
  const span = Math.max(spanSeconds * sampleRateHz, 3 * period);
  const cycles = Math.min(MOST_CYCLES, 1 + Math.floor(span / (0.75 * period)));
  const first = Math.max(0, at - (span + window) / 2);
  const power = new Float64Array(count);
  for (let i = 0; i < cycles; i++) {
    const start = Math.round(first + (span * i) / (cycles - 1));
    const { re, im } = harmonicsAt(samples, start, period, sampleRateHz, audible);
    for (let k = 1; k < audible; k++) power[k] += (re[k] * re[k] + im[k] * im[k]) / cycles;
  }
  return power.map(Math.sqrt);
}
