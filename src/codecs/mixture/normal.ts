/**
 * Normal equations of a mixture, by variable projection: amplitudes are eliminated, what is left is a step of the shapes.
 * With Gram matrices of the functions G_k and D_kt = ∂G_k/∂θ_t, which no channel enters,
 *
 *   S = (A Aᵀ) ∘ (⟨D, D⟩ − ⟨D, G⟩ ⟨G, G⟩⁻¹ ⟨G, D⟩),   A [K, C] the amplitudes,
 *
 * is the Gauss–Newton matrix of all channels. Source: G. Golub, V. Pereyra, "Separable nonlinear least squares" (2003), in
 * Kaufman's form.
 */
import { type Basis, FUNCTIONS } from './basis.js';
import { backward, factor, forward, solve } from './linear.js';
import { SHAPE_SIZE } from './mixture.js';

/** Ridge on ⟨G, G⟩, as a part of its diagonal: two Gaussians in one place share their amplitude. */
const RIDGE = 1e-10;

function gramBlock(a: Basis, b: Basis, out: Float64Array): void {
  out.fill(0);
  const [f0, f1, f2, f3, f4, f5] = a.functions;
  const [g0, g1, g2, g3, g4, g5] = b.functions;
  const first = Math.max(a.top, b.top);
  const last = Math.min(a.top + a.start.length, b.top + b.start.length);
  for (let row = first; row < last; row++) {
    const i = row - a.top;
    const k = row - b.top;
    const start = Math.max(a.start[i], b.start[k]);
    const end = Math.min(a.end[i], b.end[k]);
    const fa = a.offset[i] - a.start[i];
    const fb = b.offset[k] - b.start[k];
    // Two functions of the first at a time: twelve sums stay in registers.
    for (let m = 0; m < FUNCTIONS; m += 2) {
      const p = m === 0 ? f0 : m === 2 ? f2 : f4;
      const q = m === 0 ? f1 : m === 2 ? f3 : f5;
      let p0 = 0;
      let p1 = 0;
      let p2 = 0;
      let p3 = 0;
      let p4 = 0;
      let p5 = 0;
      let q0 = 0;
      let q1 = 0;
      let q2 = 0;
      let q3 = 0;
      let q4 = 0;
      let q5 = 0;
      for (let j = start; j < end; j++) {
        const x = p[fa + j];
        const y = q[fa + j];
        const at = fb + j;
        p0 += x * g0[at];
        q0 += y * g0[at];
        p1 += x * g1[at];
        q1 += y * g1[at];
        p2 += x * g2[at];
        q2 += y * g2[at];
        p3 += x * g3[at];
        q3 += y * g3[at];
        p4 += x * g4[at];
        q4 += y * g4[at];
        p5 += x * g5[at];
        q5 += y * g5[at];
      }
      const o = m * FUNCTIONS;
      out[o] += p0;
      out[o + 1] += p1;
      out[o + 2] += p2;
      out[o + 3] += p3;
      out[o + 4] += p4;
      out[o + 5] += p5;
      out[o + 6] += q0;
      out[o + 7] += q1;
      out[o + 8] += q2;
      out[o + 9] += q3;
      out[o + 10] += q4;
      out[o + 11] += q5;
    }
  }
}

/** Gram matrices of K bases. */
export interface Gram {
  count: number;
  /** Lower Cholesky factor of ⟨G, G⟩, [K, K]. */
  values: Float64Array;
  /** ⟨D, D⟩ less its projection on the span of G, [5K, 5K], and its diagonal before. */
  projected: Float64Array;
  diagonal: Float64Array;
  /** ⟨G_k, D_lt⟩, [5K, K]: row lt. */
  mixed: Float64Array;
}

/** Lower Cholesky factor of ⟨G, G⟩, [K, K]; null where it is singular. */
export function valuesGramOf(bases: readonly Basis[]): Float64Array | null {
  const count = bases.length;
  const out = new Float64Array(count * count);
  for (let k = 0; k < count; k++) {
    const a = bases[k];
    const f = a.functions[0];
    for (let l = 0; l <= k; l++) {
      const b = bases[l];
      const g = b.functions[0];
      let sum = 0;
      const last = Math.min(a.top + a.start.length, b.top + b.start.length);
      for (let row = Math.max(a.top, b.top); row < last; row++) {
        const i = row - a.top;
        const j = row - b.top;
        const end = Math.min(a.end[i], b.end[j]);
        const fa = a.offset[i] - a.start[i];
        const fb = b.offset[j] - b.start[j];
        for (let at = Math.max(a.start[i], b.start[j]); at < end; at++) sum += f[fa + at] * g[fb + at];
      }
      out[k * count + l] = sum;
    }
    out[k * count + k] = out[k * count + k] * (1 + RIDGE) + 1e-300;
  }
  return factor(out, count) ? out : null;
}

/** Null where ⟨G, G⟩ is singular. */
export function gramOf(bases: readonly Basis[]): Gram | null {
  const count = bases.length;
  const n = count * SHAPE_SIZE;
  const values = new Float64Array(count * count);
  const projected = new Float64Array(n * n);
  const mixed = new Float64Array(n * count);
  const block = new Float64Array(FUNCTIONS * FUNCTIONS);
  for (let k = 0; k < count; k++) {
    for (let l = 0; l <= k; l++) {
      gramBlock(bases[k], bases[l], block);
      values[k * count + l] = block[0];
      for (let s = 0; s < SHAPE_SIZE; s++) {
        mixed[(l * SHAPE_SIZE + s) * count + k] = block[1 + s];
        mixed[(k * SHAPE_SIZE + s) * count + l] = block[(1 + s) * FUNCTIONS];
        for (let t = 0; t < SHAPE_SIZE; t++) {
          projected[(k * SHAPE_SIZE + s) * n + l * SHAPE_SIZE + t] = block[(1 + s) * FUNCTIONS + 1 + t];
        }
      }
    }
  }
  for (let k = 0; k < count; k++) values[k * count + k] = values[k * count + k] * (1 + RIDGE) + 1e-300;
  if (!factor(values, count)) return null;
  const diagonal = Float64Array.from({ length: n }, (_, i) => projected[i * n + i]);
  const half = mixed.slice();
  for (let i = 0; i < n; i++) forward(values, count, half, i * count);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < count; k++) sum += half[i * count + k] * half[j * count + k];
      projected[i * n + j] -= sum;
    }
  }
  return { count, values, projected, diagonal, mixed };
}

/**
 * Steps of shapes [5K] and amplitudes [K, C] from the projections of the residual: onG [C][K], onD [C][5K].
 * `scale` is how many of the residual's points one of the Gram matrices' stands for. Null where the system is singular.
 */
export function stepOf(
  gram: Gram,
  amplitudes: Float64Array,
  onG: readonly Float64Array[],
  onD: readonly Float64Array[],
  damping: number,
  scale = 1,
): { shapes: Float64Array; amplitudes: Float64Array } | null {
  const { count, values, projected, diagonal, mixed } = gram;
  const channels = onG.length;
  const n = count * SHAPE_SIZE;
  const matrix = new Float64Array(n * n);
  const amplitude = (k: number, c: number) => amplitudes[k * channels + c];
  for (let k = 0; k < count; k++) {
    for (let l = 0; l <= k; l++) {
      let weight = 0;
      for (let c = 0; c < channels; c++) weight += amplitude(k, c) * amplitude(l, c);
      for (let s = 0; s < SHAPE_SIZE; s++) {
        const at = (k * SHAPE_SIZE + s) * n + l * SHAPE_SIZE;
        for (let t = 0; t < SHAPE_SIZE; t++) matrix[at + t] = weight * projected[at + t];
      }
      if (k === l) {
        for (let s = 0; s < SHAPE_SIZE; s++) {
          const i = k * SHAPE_SIZE + s;
          matrix[i * n + i] += weight * diagonal[i] * damping + 1e-300;
        }
      }
    }
  }
  const step = new Float64Array(n);
  const solved = onG.map((g) => {
    const x = g.map((v) => v / scale);
    solve(values, count, x);
    return x;
  });
  for (let i = 0; i < n; i++) {
    const k = Math.floor(i / SHAPE_SIZE);
    for (let c = 0; c < channels; c++) {
      let sum = onD[c][i] / scale;
      for (let l = 0; l < count; l++) sum -= mixed[i * count + l] * solved[c][l];
      step[i] += amplitude(k, c) * sum;
    }
  }
  if (!factor(matrix, n)) return null;
  forward(matrix, n, step);
  backward(matrix, n, step);
  const change = new Float64Array(count * channels);
  for (let c = 0; c < channels; c++) {
    const b = onG[c].map((v) => v / scale);
    for (let i = 0; i < n; i++) {
      const f = step[i] * amplitude(Math.floor(i / SHAPE_SIZE), c);
      for (let l = 0; l < count; l++) b[l] -= f * mixed[i * count + l];
    }
    solve(values, count, b);
    for (let k = 0; k < count; k++) change[k * channels + c] = b[k];
  }
  return { shapes: step, amplitudes: change };
}
