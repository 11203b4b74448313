/**
 * Pitch from the sound itself. Piano strings are stiff: partial n lies at n·f·√(1 + B·n²), so autocorrelation drifts
 * sharp on low notes and finds little on the highest. Here the peaks of one long spectrum are explained by stiff
 * harmonic series: a series earns what it matches and pays for partials it predicts between matched ones that are
 * not there. An octave too low pays for every odd partial; an octave too high leaves every odd partial unearned
 * (the argument of Maher & Beauchamp 1994, two-way mismatch). Fletcher 1964 gives the stiff string.
 */
import { check } from '../errors.js';
import { findOnset } from './onset.js';
import { type Peak, spectralPeaks } from './peaks.js';
import { UnheardError } from './unheard.js';

export interface Pitch {
  /** Of the first partial, Hz. */
  readonly frequencyHz: number;
  /** The string's stiffness B: partial n lies at n·f·√(1 + B·n²), f = frequencyHz / √(1 + B). 0: harmonic. */
  readonly inharmonicity: number;
  /**
   * What part of the spectrum's peaks the series explains, less its missing partials, times how far it stands out of
   * the noise; in (0, 1], and 0.2 or more of what findPitch takes for a note. Piano notes reach 0.33 and more.
   */
  readonly confidence: number;
}

export interface PitchOptions {
  /** Lowest pitch looked for. Default 25 Hz. */
  minHz?: number;
  /** Highest pitch looked for. Default 4600 Hz. */
  maxHz?: number;
}

const MAX_PARTIALS = 48;
/** The stiffest string believed at a pitch: short treble strings are a hundred times stiffer than bass ones. */
const maxStiffness = (frequencyHz: number): number => 5e-4 + 8e-6 * frequencyHz;
/** White, pink and brown noise of hundreds of seeds stayed below 0.13: its peaks stand out by a few dB only. */
const LEAST_CONFIDENCE = 0.2;
const CANDIDATE_PEAKS = 24;
const CANDIDATE_DIVISORS = 12;

interface Series {
  f0: number;
  stiffness: number;
  score: number;
}

/**
 * Finds the pitch of a recorded note, from the first 0.6 s after its onset.
 * @param samples [N], mono; the note may start late.
 * @throws ArgumentError where there is no sound, or none with a pitch: noise, a click.
 */
export function findPitch(samples: Float32Array, sampleRateHz: number, options: PitchOptions = {}): Pitch {
  const { minHz = 25, maxHz = 4600 } = options;
  const onset = findOnset(samples, sampleRateHz);
  const peaks = spectralPeaks(samples, onset, sampleRateHz, minHz * 0.9);
  let total = 0;
  for (const peak of peaks) total += peak.weight;
  let best: Series | undefined;
  const strongest = [...peaks].sort((p, q) => q.weight - p.weight).slice(0, CANDIDATE_PEAKS);
  for (const peak of strongest) {
    for (let n = 1; n <= CANDIDATE_DIVISORS; n++) {
      const candidate = peak.frequencyHz / n;
      if (candidate < minHz || candidate > maxHz) continue;
      const series = explain(peaks, candidate);
      if (series && (!best || series.score > best.score)) best = series;
    }
  }
  // A full partial scores 1; a spectrum's strongest peak alone is no evidence, for noise has one, too.
  const confidence = best ? (best.score / total) * Math.min(1, best.score) : 0;
  check(
    best !== undefined && best.score > 0 && confidence >= LEAST_CONFIDENCE,
    () => new UnheardError('findPitch', 'has no pitch: it sounds like noise or a click'),
  );
  return {
    frequencyHz: best.f0 * Math.sqrt(1 + best.stiffness),
    inharmonicity: best.stiffness,
    confidence,
  };
}

/** Follows a stiff series from its first partial upwards, refitting as it goes; scores what it explains. */
function explain(peaks: readonly Peak[], start: number): Series | undefined {
  let f0 = start;
  let stiffness = 0;
  const matched: { n: number; peak: Peak }[] = [];
  const top = peaks[peaks.length - 1].frequencyHz;
  let misses = 0;
  for (let n = 1; n <= MAX_PARTIALS && misses < 8; n++) {
    const predicted = n * f0 * Math.sqrt(1 + stiffness * n * n);
    if (predicted > top * 1.05) break;
    const peak = strongestNear(peaks, predicted, n === 1 ? 0.04 * f0 : Math.min(0.16, 0.05 + 0.01 * n) * f0);
    if (!peak) {
      misses++;
      continue;
    }
    misses = 0;
    matched.push({ n, peak });
    ({ f0, stiffness } = fitStiff(matched, f0));
  }
  if (matched.length === 0) return undefined;
  // Against the final fit: every peak earns by how near a partial it lies, and costs by how near a gap, so that a
  // dense comb over noise earns nothing on average (the kernel of SWIPE, Camacho & Harris 2008). Peaks well below
  // the first partial are hammer knock, and count for nothing.
  let score = 0;
  for (const { frequencyHz, weight } of peaks) {
    const n = partialNumber(frequencyHz / f0, stiffness);
    if (n < 0.5 || n > MAX_PARTIALS) continue;
    score += (weight * Math.cos(2 * Math.PI * n)) / Math.max(1, n) ** 0.25;
  }
  // Partials that should be there, between those that are, and are not.
  let previous = { n: 0, weight: 1 };
  for (const { n, peak } of matched) {
    for (let m = previous.n + 1; m < n; m++)
      score -= (0.5 * Math.min(previous.weight, peak.weight)) / Math.max(1, m) ** 0.25;
    previous = { n, weight: peak.weight };
  }
  return { f0, stiffness, score };
}

/** The n, whole or not, with n·√(1 + B·n²) = ratio. */
function partialNumber(ratio: number, stiffness: number): number {
  if (stiffness < 1e-9) return ratio;
  return Math.sqrt((Math.sqrt(1 + 4 * stiffness * ratio * ratio) - 1) / (2 * stiffness));
}

function strongestNear(peaks: readonly Peak[], frequencyHz: number, toleranceHz: number): Peak | undefined {
  let low = 0;
  let high = peaks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (peaks[middle].frequencyHz < frequencyHz - toleranceHz) low = middle + 1;
    else high = middle;
  }
  let best: Peak | undefined;
  for (let i = low; i < peaks.length && peaks[i].frequencyHz <= frequencyHz + toleranceHz; i++)
    if (!best || peaks[i].weight > best.weight) best = peaks[i];
  return best;
}

/** Weighted least squares of (f/n)² = f0² + f0²·B·n². */
function fitStiff(
  matched: readonly { n: number; peak: Peak }[],
  fallback: number,
): { f0: number; stiffness: number } {
  let w = 0;
  let x = 0;
  let y = 0;
  let xx = 0;
  let xy = 0;
  for (const { n, peak } of matched) {
    const weight = n * n * peak.weight;
    const value = (peak.frequencyHz / n) ** 2;
    w += weight;
    x += weight * n * n;
    y += weight * value;
    xx += weight * n ** 4;
    xy += weight * n * n * value;
  }
  const spread = w * xx - x * x;
  let slope = matched.length >= 2 && spread > 0 ? (w * xy - x * y) / spread : 0;
  const intercept = (y - slope * x) / w;
  slope = Math.min(Math.max(slope, 0), maxStiffness(fallback) * Math.max(intercept, 0));
  const square = (y - slope * x) / w;
  if (!(square > 0)) return { f0: fallback, stiffness: 0 };
  return { f0: Math.sqrt(square), stiffness: slope / square };
}
