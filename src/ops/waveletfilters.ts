/**
 * Filters of the wavelet families, and the matrices of one level along one axis that come of them.
 *
 * A level turns n samples into ⌈n/2⌉ low and, behind them, ⌊n/2⌋ high coefficients. With filters of even length F,
 *
 *   low_k  = Σ_j decLow_j  x[2k + F/2 − j]         x[i] = Σ_k low_k · recLow[i − 2k + F/2 − 1]
 *   high_k = Σ_j decHigh_j x[2k + F/2 − j]              + Σ_k high_k · recHigh[i − 2k + F/2 − 1]
 *
 * where low_k stands at position 2k and high_k at 2k + 1, and positions outside are mapped inside by the mode:
 *
 *   periodization   the signal repeats. An odd n takes its last sample out, which becomes √2 times itself as last low
 *                   coefficient. For even n the coefficients are PyWavelets' in its mode 'periodization'.
 *   symmetric       mirrored at the first and last sample (cdf97, cdf53) or beyond them (haar): the extension that
 *                   these filters keep, so that n coefficients are enough for any n. For haar and even n they are PyWavelets'.
 *
 * All families are normalised as PyWavelets' are: low filters sum to √2, so that haar and Daubechies' are orthonormal and
 * the others nearly. A single sample is left as it is. Sources: I. Daubechies, "Ten Lectures on Wavelets" (1992), tables 6.1
 * and 8.3; A. Cohen, I. Daubechies, J.-C. Feauveau, "Biorthogonal bases of compactly supported wavelets" (1992).
 */
import { ArgumentError, check, shown } from '../errors.js';

export const WAVELET_FAMILIES = ['haar', 'db2', 'db3', 'db4', 'cdf53', 'cdf97'] as const;
/** haar, db2–db4: Daubechies'; cdf53, cdf97: Cohen, Daubechies and Feauveau's 5/3 (bior2.2) and 9/7 (bior4.4). */
export type WaveletFamily = (typeof WAVELET_FAMILIES)[number];
/** 'symmetric' is there for haar, cdf53 and cdf97. */
export type WaveletMode = 'symmetric' | 'periodization';

interface Filters {
  decLow: readonly number[];
  decHigh: readonly number[];
  recLow: readonly number[];
  recHigh: readonly number[];
  /** How the symmetric extension mirrors: at a sample, beside it, or not at all. */
  mirror: 'whole' | 'half' | null;
}

/** (−1)^j reversed: the quadrature mirror. */
const alternate = (filter: readonly number[], first: 1 | -1): number[] =>
  filter.map((v, j) => (j % 2 === 0 ? first : -first) * v);

function orthogonal(recLow: readonly number[], mirror: Filters['mirror']): Filters {
  const decLow = [...recLow].reverse();
  const recHigh = alternate(decLow, 1);
  return { decLow, decHigh: [...recHigh].reverse(), recLow, recHigh, mirror };
}

function biorthogonal(decLow: readonly number[], recLow: readonly number[]): Filters {
  return { decLow, decHigh: alternate(recLow, -1), recLow, recHigh: alternate(decLow, 1), mirror: 'whole' };
}

const R2 = Math.SQRT2;
const R3 = Math.sqrt(3);

const FILTERS: Record<WaveletFamily, Filters> = {
  haar: orthogonal([R2 / 2, R2 / 2], 'half'),
  db2: orthogonal(
    [1 + R3, 3 + R3, 3 - R3, 1 - R3].map((v) => v / (4 * R2)),
    null,
  ),
  db3: orthogonal(
    [
      0.3326705529500826, 0.8068915093110925, 0.4598775021184915, -0.1350110200102545, -0.0854412738820267,
      0.0352262918857095,
    ],
    null,
  ),
  db4: orthogonal(
    [
      0.2303778133088965, 0.7148465705529157, 0.6308807679298589, -0.0279837694168599, -0.1870348117190931,
      0.0308413818355607, 0.0328830116668852, -0.010597401785069,
    ],
    null,
  ),
  cdf53: biorthogonal(
    [0, -1, 2, 6, 2, -1].map((v) => (v * R2) / 8),
    [0, 1, 2, 1, 0, 0].map((v) => (v * R2) / 4),
  ),
  cdf97: biorthogonal(
    [
      0, 0.037828455507264, -0.0238494650195568, -0.1106244044184372, 0.3774028556128307, 0.8526986790088938,
      0.3774028556128307, -0.1106244044184372, -0.0238494650195568, 0.037828455507264,
    ],
    [
      0, -0.0645388826286971, -0.0406894176091641, 0.4180922732216172, 0.7884856164055829, 0.4180922732216172,
      -0.0406894176091641, -0.0645388826286971, 0, 0,
    ],
  ),
};

/** A matrix of few entries a row: row r is Σ_t weights[r · taps + t] · x[indices[r · taps + t]]. Unused taps weigh 0. */
export interface Banded {
  rows: number;
  columns: number;
  taps: number;
  indices: Int32Array;
  weights: Float64Array;
}

/** The matrix of rows given as maps index → weight. */
function banded(rows: readonly Map<number, number>[], columns: number): Banded {
  const taps = rows.reduce((most, row) => Math.max(most, row.size), 1);
  const indices = new Int32Array(rows.length * taps);
  const weights = new Float64Array(rows.length * taps);
  rows.forEach((row, r) => {
    let at = r * taps;
    for (const [index, weight] of [...row].sort(([a], [b]) => a - b)) {
      indices[at] = index;
      weights[at++] = weight;
    }
    // Unused taps read what the row reads anyway.
    for (const first = indices[r * taps]; at < (r + 1) * taps; at++) indices[at] = first;
  });
  return { rows: rows.length, columns, taps, indices, weights };
}

/** The transpose: what a gradient needs. */
export function transposed({ rows, columns, taps, indices, weights }: Banded): Banded {
  const out = Array.from({ length: columns }, () => new Map<number, number>());
  for (let r = 0; r < rows; r++) {
    for (let t = r * taps; t < (r + 1) * taps; t++) {
      if (weights[t] !== 0) out[indices[t]].set(r, weights[t]);
    }
  }
  return banded(out, rows);
}

/** Where an extended signal of n samples takes position i from; −1: from nowhere (zero). */
function mapped(i: number, n: number, how: 'whole' | 'half' | 'wrap'): number {
  if (how === 'wrap') return ((i % n) + n) % n;
  if (how === 'half') {
    const m = ((i % (2 * n)) + 2 * n) % (2 * n);
    return m < n ? m : 2 * n - 1 - m;
  }
  const period = 2 * (n - 1);
  const m = ((i % period) + period) % period;
  return m < n ? m : period - m;
}

const add = (row: Map<number, number>, index: number, weight: number): void => {
  if (weight !== 0) row.set(index, (row.get(index) ?? 0) + weight);
};

function extensionOf({ mirror }: Filters, mode: WaveletMode): 'whole' | 'half' | 'wrap' {
  return mode === 'periodization' || mirror === null ? 'wrap' : mirror;
}

/** One level of analysis of n samples: [n, n]. */
export function analysisMatrix(family: WaveletFamily, mode: WaveletMode, n: number): Banded {
  if (n === 1) return banded([new Map([[0, 1]])], 1);
  const filters = FILTERS[family];
  const extension = extensionOf(filters, mode);
  const alone = extension === 'wrap' ? n % 2 : 0;
  const m = n - alone;
  const half = filters.decLow.length / 2;
  const part = (filter: readonly number[], count: number) =>
    Array.from({ length: count }, (_, k) => {
      const row = new Map<number, number>();
      for (const [j, v] of filter.entries()) add(row, mapped(2 * k + half - j, m, extension), v);
      return row;
    });
  const low = part(filters.decLow, Math.ceil(m / 2));
  if (alone) low.push(new Map([[m, R2]]));
  return banded([...low, ...part(filters.decHigh, Math.floor(m / 2))], n);
}

/** Its inverse: [n, n]. */
export function synthesisMatrix(family: WaveletFamily, mode: WaveletMode, n: number): Banded {
  if (n === 1) return banded([new Map([[0, 1]])], 1);
  const filters = FILTERS[family];
  const extension = extensionOf(filters, mode);
  const alone = extension === 'wrap' ? n % 2 : 0;
  const m = n - alone;
  const lows = Math.ceil(n / 2);
  const length = filters.recLow.length;
  const rows = Array.from({ length: m }, (_, i) => {
    const row = new Map<number, number>();
    for (let j = 0; j < length; j++) {
      // j = i − 2k + F/2 − 1
      const twice = i + length / 2 - 1 - j;
      if (twice % 2 !== 0) continue;
      if (extension === 'half') {
        if (twice < 0 || twice >= n) continue;
        add(row, twice / 2, filters.recLow[j]);
        if (twice + 1 < n) add(row, lows + twice / 2, filters.recHigh[j]);
        continue;
      }
      add(row, mapped(twice, m, extension) / 2, filters.recLow[j]);
      add(row, lows + (mapped(twice + 1, m, extension) - 1) / 2, filters.recHigh[j]);
    }
    return row;
  });
  if (alone) rows.push(new Map([[lows - 1, 1 / R2]]));
  return banded(rows, n);
}

/** @throws ArgumentError for what no family or mode is, and for a mode that the family lacks. */
export function checkWavelet(where: string, family: WaveletFamily, mode: WaveletMode): void {
  check(
    WAVELET_FAMILIES.includes(family),
    () =>
      new ArgumentError(
        `${where}: family must be one of ${WAVELET_FAMILIES.join(', ')}, got ${shown(family)}`,
      ),
  );
  check(
    mode === 'periodization' || mode === 'symmetric',
    () => new ArgumentError(`${where}: mode must be symmetric or periodization, got ${shown(mode)}`),
  );
  check(
    mode === 'periodization' || FILTERS[family].mirror !== null,
    () =>
      new ArgumentError(
        `${where}: mode must be periodization for ${family}, whose filters keep no symmetry, got ${mode}`,
      ),
  );
}
