/**
 * The orthonormal basis of an axis in the order in which resampling keeps it (ops/resample.ts): down to K samples and up again is
 * the projection onto the first K functions, so what a size loses is the energy of the others (Parseval). u = (i + ½)/n:
 *
 *   mirrored    √(1/n), √(2/n) cos(πku) for k = 1, 2, …                                     the DCT-II
 *   periodic    √(1/n), √(2/n) sin(2πu), √(2/n) cos(2πu), √(2/n) sin(4πu), …               sin before cos: of the highest
 *               frequency of an even K, half-pixel centres see the sine alone; of an even n it is √(1/n) sin(πnu)
 *
 * Source of the cosine transform by Fourier's: J. Makhoul, "A fast cosine transform in one and two dimensions" (1980).
 */
import type { NodeShape } from '../../codecs/parameters.js';
import { LineTransform, linePlan, rootsOf } from '../../ops/fourierplan.js';

/** Complex lines that are transformed at once, each of two real ones. */
const LANES = 8;

interface Axis {
  n: number;
  /** Values from one to the next of the axis. */
  inner: number;
  periodic: boolean;
}

/** Transforms x [outer, n, inner] along its middle axis, in place. */
function transformAxis(x: Float64Array, { n, inner, periodic }: Axis): void {
  if (n === 1) return;
  const line = new LineTransform(linePlan(n), LANES);
  const turns = rootsOf(periodic ? 2 * n : 4 * n, n);
  const lines = x.length / n;
  const startOf = (l: number) => Math.floor(l / inner) * n * inner + (l % inner);
  const from = periodic ? (i: number) => i : (i: number) => (2 * i < n ? 2 * i : 2 * (n - 1 - i) + 1);
  for (let first = 0; first < lines; first += 2 * LANES) {
    const count = Math.min(2 * LANES, lines - first);
    const starts = Array.from({ length: count }, (_, l) => startOf(first + l));
    line.clear();
    for (let i = 0; i < n; i++) {
      const at = from(i) * inner;
      for (let l = 0; l < count; l++) (l & 1 ? line.im : line.re)[i * LANES + (l >> 1)] = x[starts[l] + at];
    }
    line.run();
    const { re, im } = line;
    const last = periodic ? n >> 1 : n - 1;
    for (let k = 0; k <= last; k++) {
      const alone = k === 0 || (periodic && 2 * k === n);
      const scale = Math.sqrt((alone ? 1 : 2) / n) / 2;
      const c = scale * turns[2 * k];
      const d = scale * turns[2 * k + 1];
      const far = k === 0 ? 0 : (n - k) * LANES;
      for (let l = 0; l < count; l++) {
        const a = k * LANES + (l >> 1);
        const b = far + (l >> 1);
        // What two real lines made one complex line of: its part that is even under conjugation, and the odd one.
        const p = l & 1 ? im[a] + im[b] : re[a] + re[b];
        const q = l & 1 ? re[b] - re[a] : im[a] - im[b];
        const cosine = c * p - d * q;
        const sine = -(c * q + d * p);
        if (!periodic) x[starts[l] + k * inner] = cosine;
        else {
          if (k > 0) x[starts[l] + (2 * k - 1) * inner] = sine;
          if (2 * k < n) x[starts[l] + 2 * k * inner] = cosine;
        }
      }
    }
  }
}

/** [H, W] the energy of each pair of functions, over all channels: rows and columns in the order in which they are kept. */
export function bandEnergy(
  values: Float32Array,
  [h, w, c]: NodeShape,
  periodic: { h: boolean; w: boolean },
): Float64Array {
  const x = Float64Array.from(values);
  transformAxis(x, { n: w, inner: c, periodic: periodic.w });
  transformAxis(x, { n: h, inner: w * c, periodic: periodic.h });
  const energy = new Float64Array(h * w);
  for (let i = 0, at = 0; i < energy.length; i++) {
    for (let k = 0; k < c; k++, at++) energy[i] += x[at] * x[at];
  }
  return energy;
}

/** What boxes of first functions leave out. */
export class BandTable {
  /** [H + 1] energy of rows h and beyond. */
  readonly #rows: Float64Array;
  /** [H + 1, W + 1] energy of the first h rows in columns w and beyond. */
  readonly #columns: Float64Array;

  constructor(
    energy: Float64Array,
    readonly height: number,
    readonly width: number,
  ) {
    const stride = width + 1;
    this.#rows = new Float64Array(height + 1);
    this.#columns = new Float64Array((height + 1) * stride);
    for (let i = 0; i < height; i++) {
      // From the far end, where energies are small: sums of them keep their digits.
      for (let j = width - 1, sum = 0; j >= 0; j--) {
        sum += energy[i * width + j];
        this.#columns[(i + 1) * stride + j] = this.#columns[i * stride + j] + sum;
      }
    }
    for (let i = height - 1; i >= 0; i--) {
      const row = this.#columns[(i + 1) * stride] - this.#columns[i * stride];
      this.#rows[i] = this.#rows[i + 1] + Math.max(0, row);
    }
  }

  /** Energy outside the box of h × w first functions. */
  outside(h: number, w: number): number {
    return this.#rows[h] + this.#columns[h * (this.width + 1) + w];
  }

  /** The smallest w with `outside(h, w)` ≤ budget; null where there is none. */
  narrowest(h: number, budget: number): number | null {
    if (!(this.outside(h, this.width) <= budget)) return null;
    let low = 1;
    let high = this.width;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.outside(h, middle) <= budget) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The box of the fewest samples that leaves out `budget` at most, of these the one that leaves out least. */
  smallest(budget: number): [h: number, w: number] {
    let best: [number, number] = [this.height, this.width];
    for (let h = 1; h <= this.height; h++) {
      const w = this.narrowest(h, budget);
      if (w === null || h * w > best[0] * best[1]) continue;
      if (h * w < best[0] * best[1] || this.outside(h, w) < this.outside(...best)) best = [h, w];
    }
    return best;
  }
}
