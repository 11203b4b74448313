/** Values of a mixture on a lattice, in float64. */
import { eachRow, FUNCTIONS, fillRow, VALUE_REACH } from './basis.js';
import { copiesOf, type Lattice } from './lattice.js';
import { countOf, type Mixture, SHAPE_SIZE } from './mixture.js';

/** The lattice's planes less the mixture. */
export function residualOf(lattice: Lattice, mixture: Mixture): Float64Array[] {
  const out = copiesOf(lattice.planes);
  const { channels, shapes, amplitudes } = mixture;
  const g = new Float64Array(lattice.width);
  for (let k = 0; k < countOf(mixture); k++) {
    eachRow(lattice, shapes, k, VALUE_REACH, (row, start, end, u, uStep, _dy, v) => {
      const count = end - start;
      fillRow(g, 0, count, u, uStep, v);
      const at = row * lattice.width + start;
      for (let c = 0; c < channels; c++) {
        const plane = out[c];
        const a = amplitudes[k * channels + c];
        for (let j = 0; j < count; j++) plane[at + j] -= a * g[j];
      }
    });
  }
  return out;
}

/** Projections of planes on every component's G, [C][K], and on its derivatives, [C][5K]. */
export function projectAll(
  lattice: Lattice,
  mixture: Mixture,
  planes: readonly Float64Array[],
): { onG: Float64Array[]; onD: Float64Array[] } {
  const count = countOf(mixture);
  const { shapes } = mixture;
  const onG = planes.map(() => new Float64Array(count));
  const onD = planes.map(() => new Float64Array(count * SHAPE_SIZE));
  const rows = Array.from({ length: FUNCTIONS }, () => new Float64Array(lattice.width));
  const [g, gu, guu] = rows;
  for (let k = 0; k < count; k++) {
    const a = Math.exp(shapes[k * SHAPE_SIZE + 2]);
    const q = shapes[k * SHAPE_SIZE + 3];
    const b = Math.exp(shapes[k * SHAPE_SIZE + 4]);
    eachRow(lattice, shapes, k, VALUE_REACH, (row, start, end, u, uStep, dy, v) => {
      const n = end - start;
      fillRow(g, 0, n, u, uStep, v);
      for (let j = 0; j < n; j++) {
        const x = u + j * uStep;
        gu[j] = g[j] * x;
        guu[j] = gu[j] * x;
      }
      const at = row * lattice.width + start;
      // All derivatives are combinations of G, G u and G u² along a row.
      planes.forEach((plane, c) => {
        let s0 = 0;
        let s1 = 0;
        let s2 = 0;
        for (let j = 0; j < n; j++) {
          const r = plane[at + j];
          s0 += g[j] * r;
          s1 += gu[j] * r;
          s2 += guu[j] * r;
        }
        const d = onD[c];
        const o = k * SHAPE_SIZE;
        onG[c][k] += s0;
        d[o] += a * s1;
        d[o + 1] += q * s1 + b * v * s0;
        d[o + 2] += q * dy * s1 - s2;
        d[o + 3] -= dy * s1;
        d[o + 4] -= v * v * s0;
      });
    });
  }
  return { onG, onD };
}
