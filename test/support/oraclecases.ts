/** What the oracle makes of a sampling problem: values, adjoint, slopes. */
import type { SamplingCase } from './cases.js';
import { inner, sampleOracle, splatOracle, weights } from './oracle.js';

const STEP = 1e-5;

/** [N, F] by the oracle. */
export function oracleSamples(c: SamplingCase): Float64Array {
  const n = c.positions.length / 3;
  const out = new Float64Array(n * c.field.payload);
  for (let i = 0; i < n; i++) {
    out.set(sampleOracle(c.field, c.positions.subarray(3 * i, 3 * i + 3)), i * c.field.payload);
  }
  return out;
}

/** [rows, F] by the oracle. */
export function oracleSplat(c: SamplingCase, values: Float32Array): Float64Array {
  const rowOf = new Map(c.cellOfRow.map((cell, row) => [cell, row]));
  return splatOracle(c.field, c.positions, values, (cell) => rowOf.get(cell) ?? -1, c.attrs.rows);
}

/** [N, 3] central differences of ⟨sample, values⟩ in float64. */
export function oracleCoordGrad(c: SamplingCase, values: Float32Array): Float64Array {
  const F = c.field.payload;
  const out = new Float64Array(c.positions.length);
  for (let i = 0; i < out.length; i++) {
    const s = Math.floor(i / 3);
    const v = values.subarray(s * F, (s + 1) * F);
    const at = (h: number) => {
      const r = Float64Array.from(c.positions.subarray(3 * s, 3 * s + 3));
      r[i % 3] += h;
      return inner(c.field, r, v);
    };
    out[i] = (at(STEP) - at(-STEP)) / (2 * STEP);
  }
  return out;
}

/** Sum of |weights| where it exceeds one: extrapolation amplifies, and its rounding with it. */
export function weightSpan(c: SamplingCase): number {
  if (!c.field.boundary.includes('extrapolate')) return 1;
  let span = 1;
  for (let i = 0; i < c.positions.length; i += 3) {
    const w = weights(c.field, c.positions[i], c.positions[i + 1], c.positions[i + 2]);
    span = Math.max(
      span,
      w.reduce((sum, [, v]) => sum + Math.abs(v), 0),
    );
  }
  return span;
}
