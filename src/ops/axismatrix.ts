/** Constant matrices for one axis of an image, with the symmetry that lets a kernel do less; and the cosine basis. */
import { Kept } from './kept.js';

/**
 * What is known of a matrix M [to, from], i its row and j its column; kernels may rely on it:
 *
 *   general       nothing
 *   centred       M[to−1−i, from−1−j] = M[i, j]
 *   alternating   M[to−1−i, j] = (−1)^j M[i, j]
 *   cosine        M[i, j] = s_j cos(πj(i + ½)/to) with any s: alternating, and so are its even columns at half the size
 */
export const SYMMETRIES = ['general', 'centred', 'alternating', 'cosine'] as const;
export type Symmetry = (typeof SYMMETRIES)[number];

/** A matrix [to, from], row-major. Not to be written to. */
export interface AxisMatrix {
  readonly to: number;
  readonly from: number;
  readonly values: Float32Array;
  readonly symmetry: Symmetry;
  /** Of a matrix of ops/resample.ts: which of its two kinds. A kernel may transform instead of multiplying. */
  readonly resampling?: ResamplingKind;
}

/** Kinds of band-limited resampling, as kernels get them: 0 for another matrix. */
export const RESAMPLINGS = ['none', 'mirrored', 'periodic'] as const;
export type ResamplingKind = (typeof RESAMPLINGS)[number];

const kept = new Kept<AxisMatrix>(({ values }) => values.byteLength);

/** The matrix of a name, made if it is not among the ones last used. */
export function keptMatrix(name: string, make: () => AxisMatrix): AxisMatrix {
  return kept.get(name, make);
}

/** cos(πm / 2n) for m = 0 … 4n − 1, symmetric to the last bit. */
function cosines(n: number): Float64Array {
  const table = new Float64Array(4 * n);
  for (let m = 0; m <= n; m++) {
    // Below π/4 from either axis, so that sin and cos of one angle agree.
    const c = 2 * m <= n ? Math.cos((Math.PI * m) / (2 * n)) : Math.sin((Math.PI * (n - m)) / (2 * n));
    table[m] = c;
    table[2 * n - m] = -c;
    table[2 * n + m] = -c;
    table[(4 * n - m) % (4 * n)] = c;
  }
  table[n] = 0;
  table[3 * n] = 0;
  return table;
}

/**
 * Values at `to` half-pixel centres of the first `count` terms of the orthonormal DCT-II of `size` points:
 *
 *   M[i, k] = s_k cos(πk(i + ½)/to), s_0 = √(1/size), s_k = √(2/size); 0 for k ≥ to, which `to` points cannot hold
 */
export function cosineMatrix(size: number, count: number, to: number): AxisMatrix {
  const table = cosines(to);
  const values = new Float32Array(to * count);
  const band = Math.min(count, to);
  const s0 = Math.sqrt(1 / size);
  const s = Math.sqrt(2 / size);
  for (let i = 0; i < to; i++) {
    values[i * count] = s0;
    const step = 2 * i + 1;
    for (let k = 1, m = step; k < band; k++) {
      values[i * count + k] = s * table[m];
      m += step;
      if (m >= 4 * to) m -= 4 * to;
    }
  }
  return { to, from: count, values, symmetry: 'cosine' };
}

/** a · b, of which b is alternating or a cosine basis and a is centred. Sums in float64. */
export function productMatrix(a: AxisMatrix, b: AxisMatrix): AxisMatrix {
  const values = new Float32Array(a.to * b.from);
  const row = new Float64Array(b.from);
  for (let i = 0; i < a.to; i++) {
    row.fill(0);
    for (let j = 0; j < a.from; j++) {
      const v = a.values[i * a.from + j];
      if (v === 0) continue;
      const at = j * b.from;
      for (let k = 0; k < b.from; k++) row[k] += v * b.values[at + k];
    }
    values.set(row, i * b.from);
  }
  return { to: a.to, from: b.from, values, symmetry: 'alternating' };
}
