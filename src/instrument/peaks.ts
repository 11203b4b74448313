/** Peaks of a note's spectrum: where its partials are. */
import { powerOfTwo, powerSpectrum } from './fourier.js';

export interface Peak {
  readonly frequencyHz: number;
  /** Square root of its amplitude, of the largest peak's: loud partials count more, but do not drown the rest. */
  readonly weight: number;
}

const WINDOW_SECONDS = 0.6;
const FLOOR = 10 ** (-55 / 20);
const MAX_PEAKS = 120;

/**
 * The peaks of the spectrum after an onset, in rising order. The window rises in a twentieth of its length and falls
 * slowly, so that the short notes of the top octave are seen before they are gone.
 * @param onset in samples.
 * @param minHz peaks below are passed over.
 */
export function spectralPeaks(samples: Float32Array, onset: number, sampleRateHz: number, minHz: number): Peak[] {
  const length = Math.round(WINDOW_SECONDS * sampleRateHz);
  const size = powerOfTwo(2 * length);
  const windowed = new Float64Array(size);
  const rise = Math.round(length / 20);
  const start = onset + Math.round(0.01 * sampleRateHz);
  for (let i = 0; i < length && start + i < samples.length; i++) {
    const ramp = i < rise ? i / rise : 1 - (i - rise) / (length - rise);
    windowed[i] = samples[start + i] * Math.sin((Math.PI / 2) * ramp) ** 2;
  }
  const power = powerSpectrum(windowed);
  const hzPerBin = sampleRateHz / size;
  const found: { frequencyHz: number; amplitude: number }[] = [];
  for (let k = Math.max(2, Math.ceil(minHz / hzPerBin)); k < power.length - 2; k++) {
    if (power[k] <= power[k - 1] || power[k] < power[k + 1] || power[k] <= power[k - 2] || power[k] < power[k + 2])
      continue;
    // Parabola through the logarithms of three bins.
    const [a, b, c] = [Math.log(power[k - 1] + 1e-300), Math.log(power[k] + 1e-300), Math.log(power[k + 1] + 1e-300)];
    const shift = (0.5 * (a - c)) / (a - 2 * b + c || -1);
    found.push({ frequencyHz: (k + shift) * hzPerBin, amplitude: Math.sqrt(power[k]) });
  }
  found.sort((p, q) => q.amplitude - p.amplitude);
  const largest = found[0]?.amplitude ?? 0;
  return found
    .slice(0, MAX_PEAKS)
    .filter(({ amplitude }) => amplitude > largest * FLOOR)
    .map(({ frequencyHz, amplitude }) => ({ frequencyHz, weight: Math.sqrt(amplitude / largest) }))
    .sort((p, q) => p.frequencyHz - q.frequencyHz);
}
