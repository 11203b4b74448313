/** An encoder's choice of interpolation weights: by least squares over a sample of a step's points. */

import type { Places } from './hierarchy.js';
import { CUBIC, FEATURES, type Features, WEIGHT_ONE } from './interpolators.js';
import { MARGIN, type Plane } from './pyramid.js';

const LARGEST_WEIGHT = 4 * WEIGHT_ONE;
/** Points that are looked at. */
const SAMPLES = 6000;

/** Sums for least squares of a target by features: G = Σ ω f fᵀ, h = Σ ω f t, e = Σ ω t². */
class Normal {
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

/** What the features of a step are made of besides its plane, and its quantisation step. */
export interface FitContext {
  /** Room for a plane: what points are off the mean of their nearest neighbours. Overwritten. */
  offs: Float32Array;
  offset: number;
  twin: Float32Array;
  twin2: Float32Array;
  step: number;
}

/** The weights that promise the fewest bytes: `last`, cubic ones, or fitted ones. The plane holds the originals. */
export function fittedWeights(
  plane: Plane,
  { kind, firstRow, rowsBy, firstColumns, nearest: [n1, n2] }: Places,
  featuresAt: Features,
  { offs, offset, twin, twin2, step }: FitContext,
  last: Int32Array,
): Int32Array {
  const { height, width, stride, values } = plane;
  const features = new Float64Array(FEATURES);
  const normal = new Normal();
  const points = (height * width) / (kind === 'centres' ? 4 : 2);
  const every = Math.max(1, Math.floor(points / SAMPLES));
  let left = 1;
  offs.fill(0);
  for (let y = firstRow; y < height; y += rowsBy) {
    const first = firstColumns[y & 1];
    let i = (y + MARGIN) * stride + MARGIN + first;
    for (let x = first; x < width; x += 2, i += 2) {
      offs[i] = values[i] - (values[i - n1] + values[i + n1] + values[i - n2] + values[i + n2]) / 4;
      if (--left > 0) continue;
      left = every;
      featuresAt(features, i, plane, offs, offset, twin, twin2);
      const spread = features[0] ** 2 + features[1] ** 2 + features[2] ** 2;
      // Bits follow the logarithm of an error: where the field is active, a larger one costs no more.
      normal.add(features, offs[i], 1 / (step * step + spread));
    }
  }
  if (normal.count === 0) return last;
  // Roughly the rate of a quantised Laplacian, for errors in units of the step.
  const bits = (weights: Int32Array, told: number) =>
    told + (points / 2) * Math.log2(1 + (8 * normal.error(weights)) / normal.count);
  const own = normal.fit(last, 1);
  const toldOwn = last.reduce((n, w, i) => n + 2 * (33 - Math.clz32(Math.abs(own[i] - w))), 9);
  let best = last;
  let least = bits(last, 1);
  for (const [weights, told] of [
    [CUBIC[kind], 3],
    [own, toldOwn],
  ] as const) {
    const cost = bits(weights, told);
    if (cost < least) {
      least = cost;
      best = weights;
    }
  }
  return best;
}
