/**
 * Linear prediction of a lattice point from what is decoded around it: the mean of its four nearest neighbours, and
 * weighted features that are small where a field is smooth (so that weights of few bits do):
 *
 *   0      half the difference of the two pairs of nearest neighbours
 *   1 2    means of the two groups of four next neighbours, less the mean of the nearest
 *   3 4    of the farthest: corners (centres) or row pair (edges); column pair (edges)
 *   5      the channel's offset, likewise
 *   6–9    what four points decoded before in the same step were off their mean of nearest neighbours
 *   10 11  the residuals of the two channels before at the same place
 *
 * Weights are in 1/256. They start from interpolation of order four (centres: cubic in both directions; edges: the
 * quincunx filter of J. Kovačević and W. Sweldens, "Wavelet families of increasing order in arbitrary dimensions", 2000),
 * and an encoder may fit its own by least squares.
 */
import type { Plane } from './pyramid.js';

export const FEATURES = 12;
export const WEIGHT_ONE = 256;
const LARGEST_WEIGHT = 4 * WEIGHT_ONE;

export type Step = 'centres' | 'edges';

export const CUBIC: Readonly<Record<Step, Int32Array>> = {
  centres: Int32Array.of(0, -36, -36, 4, 0, 0, 0, 0, 0, 0, 0, 0),
  edges: Int32Array.of(0, -32, -32, 0, 0, 0, 0, 0, 0, 0, 0, 0),
};

/** Writes the features at index `i` of a plane; returns the mean of the nearest. */
export type Features = (
  out: Float64Array,
  i: number,
  plane: Plane,
  offs: Float64Array,
  offset: number,
  twin: Float64Array,
  twin2: Float64Array,
) => number;

export const centreFeatures: Features = (out, i, { stride: s, values: v }, offs, offset, twin, twin2) => {
  const a = v[i - s - 1] + v[i + s + 1];
  const b = v[i - s + 1] + v[i + s - 1];
  const mean = (a + b) / 4;
  out[0] = (a - b) / 4;
  out[1] = (v[i - s - 3] + v[i - s + 3] + v[i + s - 3] + v[i + s + 3]) / 4 - mean;
  out[2] = (v[i - 3 * s - 1] + v[i - 3 * s + 1] + v[i + 3 * s - 1] + v[i + 3 * s + 1]) / 4 - mean;
  out[3] = (v[i - 3 * s - 3] + v[i - 3 * s + 3] + v[i + 3 * s - 3] + v[i + 3 * s + 3]) / 4 - mean;
  out[4] = 0;
  out[5] = offset - mean;
  out[6] = offs[i - 2 * s];
  out[7] = offs[i - 2];
  out[8] = offs[i - 2 * s - 2];
  out[9] = offs[i - 2 * s + 2];
  out[10] = twin[i];
  out[11] = twin2[i];
  return mean;
};

export const edgeFeatures: Features = (out, i, { stride: s, values: v }, offs, offset, twin, twin2) => {
  const a = v[i - 1] + v[i + 1];
  const b = v[i - s] + v[i + s];
  const mean = (a + b) / 4;
  out[0] = (a - b) / 4;
  out[1] = (v[i - s - 2] + v[i - s + 2] + v[i + s - 2] + v[i + s + 2]) / 4 - mean;
  out[2] = (v[i - 2 * s - 1] + v[i - 2 * s + 1] + v[i + 2 * s - 1] + v[i + 2 * s + 1]) / 4 - mean;
  out[3] = (v[i - 3] + v[i + 3]) / 2 - mean;
  out[4] = (v[i - 3 * s] + v[i + 3 * s]) / 2 - mean;
  out[5] = offset - mean;
  out[6] = offs[i - s - 1];
  out[7] = offs[i - s + 1];
  out[8] = offs[i - 2 * s];
  out[9] = offs[i - 2];
  out[10] = twin[i];
  out[11] = twin2[i];
  return mean;
};

/** Sums for least squares of a target by features: G = Σ ω f fᵀ, h = Σ ω f t, e = Σ ω t². */
export class Normal {
  private readonly gram = new Float64Array(FEATURES * FEATURES);
  private readonly cross = new Float64Array(FEATURES);
  private energy = 0;
  count = 0;

  add(features: Float64Array, target: number, weight: number): void {
    for (let i = 0; i < FEATURES; i++) {
      const f = weight * features[i];
      if (f === 0) continue;
      for (let j = 0; j <= i; j++) this.gram[FEATURES * i + j] += f * features[j];
      this.cross[i] += f * target;
    }
    this.energy += weight * target * target;
    this.count++;
  }

  /** Σ ω (t − w·f)². */
  error(weights: Int32Array): number {
    let sum = this.energy;
    for (let i = 0; i < FEATURES; i++) {
      const wi = weights[i] / WEIGHT_ONE;
      let dot = this.gram[FEATURES * i + i] * wi;
      for (let j = 0; j < i; j++) dot += (2 * this.gram[FEATURES * i + j] * weights[j]) / WEIGHT_ONE;
      sum += wi * (dot - 2 * this.cross[i]);
    }
    return Math.max(0, sum);
  }

  /** The weights of least error, drawn to `prior` with the strength `pull`. */
  fit(prior: Int32Array, pull: number): Int32Array {
    const n = FEATURES;
    // (G + pull) d = h − G w₀ by Cholesky's L Lᵀ.
    const l = new Float64Array(n * n);
    const d = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      let r = this.cross[i];
      for (let j = 0; j < n; j++) {
        const g = j <= i ? this.gram[n * i + j] : this.gram[n * j + i];
        r -= (g * prior[j]) / WEIGHT_ONE;
      }
      for (let j = 0; j <= i; j++) {
        let sum = this.gram[n * i + j];
        if (i === j) sum += pull + 1e-9 * sum;
        for (let k = 0; k < j; k++) sum -= l[n * i + k] * l[n * j + k];
        l[n * i + j] = i === j ? Math.sqrt(Math.max(sum, 1e-300)) : sum / l[n * j + j];
      }
      for (let k = 0; k < i; k++) r -= l[n * i + k] * d[k];
      d[i] = r / l[n * i + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) d[i] -= l[n * k + i] * d[k];
      d[i] /= l[n * i + i];
    }
    return prior.map((w, i) => {
      const fitted = Math.round(w + WEIGHT_ONE * d[i]);
      return Number.isFinite(d[i]) ? Math.max(-LARGEST_WEIGHT, Math.min(LARGEST_WEIGHT, fitted)) : w;
    });
  }
}
