/**
 * The waves of a box of low frequencies, at any resolution. Samples sit at half-pixel centres u = (i + ½)/r; a wavetable of n
 * samples along an axis has the waves e^{2πi f u}, |f| < n/2, and for even n sin(πnu), all that samples show of ±n/2. At
 * another resolution r these are evaluated at its own centres, without those above r/2: what resample makes of a periodic axis.
 */
import { type AxisTerms, axisTerms, type Term } from './waves.js';

/** The frequency of an entry of a box's axis: 0, 1, −1, 2, −2, … or, where the axis is halved, 0, 1, 2, … */
export const frequencyOf = (entry: number, halved: boolean): number =>
  halved ? entry : entry % 2 ? (entry + 1) / 2 : -entry / 2;

/** Entries of all frequencies of n samples. */
export const frequencies = (n: number, halved: boolean): number => (halved ? Math.floor(n / 2) + 1 : n);

/** The terms of the first `entries` frequencies of a wavetable of n samples, at r samples. */
export function boxTerms(n: number, r: number, entries: number, halved: boolean): AxisTerms {
  const terms: Term[] = [];
  for (let a = 0; a < entries; a++) {
    const f = frequencyOf(a, halved);
    if (2 * Math.abs(f) > r) continue;
    const turn = (Math.PI * f) / r;
    const [c, s] = [Math.cos(turn), Math.sin(turn)];
    if (2 * f !== n) terms.push([a, f, c, s]);
    else if (r === n) terms.push([a, f, 1, 0]);
    // sin(x) = (e^{ix} − e^{−ix}) / 2i
    else terms.push([a, f, s / 2, -c / 2], [a, -f, s / 2, c / 2]);
  }
  return axisTerms(r, entries, terms);
}
