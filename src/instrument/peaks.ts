/** Peaks of a note's spectrum: where its partials are. */
import { powerOfTwo, powerSpectrum } from './fourier.js';

export interface Peak {
  readonly frequencyHz: number;
  /** 0 … 1: how far it stands out of the noise around it, and how loud it is. */
  readonly weight: number;
}

const WINDOW_SECONDS = 0.6;
const FLOOR = 10 ** (-45 / 20);
const MAX_PEAKS = 120;
/** A peak this far over the median around it begins to count, and counts in full TONAL_SPAN_DB further up: the hammer's
 * knock is loud in the top octave but has no such peaks. */
const TONAL_FROM_DB = 12;
const TONAL_SPAN_DB = 24;
/** Loud partials count more, but do not drown the rest. */
const LOUDNESS_POWER = 0.75;

/**
 * The peaks of the spectrum after an onset, in rising order. The window rises in a twentieth of its length and falls
 * slowly, so that the short notes of the top octave are seen before they are gone.
 * @param onset in samples.
 * @param minHz peaks below are passed over.
 */
export function spectralPeaks(
  samples: Float32Array,
  onset: number,
  sampleRateHz: number,
  minHz: number,
): Peak[] {
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
    if (
      power[k] <= power[k - 1] ||
      power[k] < power[k + 1] ||
      power[k] <= power[k - 2] ||
      power[k] < power[k + 2]
    )
      continue;
    // Parabola through the logarithms of three bins.
    const [a, b, c] = [
      Math.log(power[k - 1] + 1e-300),
      Math.log(power[k] + 1e-300),
      Math.log(power[k + 1] + 1e-300),
    ];
    const shift = (0.5 * (a - c)) / (a - 2 * b + c || -1);
    found.push({ frequencyHz: (k + shift) * hzPerBin, amplitude: Math.sqrt(power[k]) });
  }
  found.sort((p, q) => q.amplitude - p.amplitude);
  const largest = found[0]?.amplitude ?? 0;
  const floor = noiseFloor(power, hzPerBin);
  return found
    .slice(0, MAX_PEAKS)
    .filter(({ amplitude }) => amplitude > largest * FLOOR)
    .map(({ frequencyHz, amplitude }) => {
      const standsOutDb = 20 * Math.log10(amplitude / floor(frequencyHz));
      const tonal = Math.min(Math.max((standsOutDb - TONAL_FROM_DB) / TONAL_SPAN_DB, 0), 1);
      return { frequencyHz, weight: tonal * (amplitude / largest) ** LOUDNESS_POWER };
    })
    .filter(({ weight }) => weight > 0)
    .sort((p, q) => p.frequencyHz - q.frequencyHz);
}

/** The median amplitude of the spectrum around a frequency: ±⅙ octave, at least ±60 Hz. */
function noiseFloor(power: Float64Array, hzPerBin: number): (frequencyHz: number) => number {
  const known = new Map<number, number>();
  return (frequencyHz) => {
    const band = Math.round(6 * Math.log2(Math.max(frequencyHz, 30) / 30));
    let median = known.get(band);
    if (median === undefined) {
      const centre = 30 * 2 ** (band / 6);
      const half = Math.max(60, centre * 0.12);
      const low = Math.max(1, Math.floor((centre - half) / hzPerBin));
      const bins = power.slice(low, Math.ceil((centre + half) / hzPerBin)).sort();
      known.set(band, (median = Math.sqrt(bins[bins.length >> 1] ?? 0) + 1e-30));
    }
    return median;
  };
}
