/**
 * Phase alignment. Two cycles of one pitch crossfade without loss only if their harmonics agree in phase; a circular
 * shift cannot make them agree, for each partial of a string has its own phase, and a stiff string's partials drift.
 * So the harmonics of every cycle get the phases of one real cycle, the reference, and keep their own magnitudes: a
 * blend's k-th harmonic then has the blend of the k-th magnitudes, whatever is blended. What is given up is the
 * waveform's shape (its spectrum and level stay), to which the ear is all but deaf in a steady tone.
 */
import { cycleFromHarmonics, type Harmonics, harmonicsOfCycle } from './fourier.js';

/**
 * The phases of a real cycle's harmonics, turned so that phase 0 lies where its waveform is quietest: there a cycle
 * ends and the next begins.
 * @param harmonics of the cycle: [count] each.
 * @param size samples at which the quietest place is looked for, a power of two.
 * @returns radians, Float64Array [count]; x(φ) = Σ_k magnitude_k · cos(2πkφ − phaseRad_k).
 */
export function referencePhases({ re, im }: Harmonics, size: number): Float64Array {
  const cycle = cycleFromHarmonics({ re, im }, size);
  const reach = Math.max(1, Math.round(size / 16));
  let quietest = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < size; i++) {
    let loudness = 0;
    for (let j = i - reach; j < i + reach; j++)
      loudness += Math.abs(cycle[(j + 1 + size) % size] - cycle[(j + size) % size]);
    if (loudness < least) [least, quietest] = [loudness, i];
  }
  const shift = (quietest + 0.5) / size;
  return Float64Array.from(re, (_, k) => Math.atan2(im[k], re[k]) - 2 * Math.PI * k * shift);
}

/** Phases of a cut cycle referred to `phaseRad`: one cycle [size] with these magnitudes and those phases. */
export function cycleWithPhases(
  magnitudes: Float64Array,
  phaseRad: Float64Array,
  size: number,
): Float32Array {
  const re = magnitudes.map((a, k) => a * Math.cos(phaseRad[k] ?? 0));
  const im = magnitudes.map((a, k) => a * Math.sin(phaseRad[k] ?? 0));
  return cycleFromHarmonics({ re, im }, size);
}

/**
 * Aligns a cycle: keeps its harmonics' magnitudes, takes the reference's phases.
 * @param cycle [N], any N; samples at phases (i + ½)/N.
 * @param phaseRad of referencePhases; harmonics beyond its length get phase 0.
 * @param size of the result, a power of two.
 * @returns Float32Array [size], samples at phases (i + ½)/size.
 */
export function alignCycle(cycle: ArrayLike<number>, phaseRad: Float64Array, size: number): Float32Array {
  const { re, im } = harmonicsOfCycle(cycle);
  return cycleWithPhases(
    re.map((value, k) => Math.hypot(value, im[k])),
    phaseRad,
    size,
  );
}
