/**
 * Levenberg–Marquardt on some components of a mixture, the others held: shapes by a damped Gauss–Newton step of the projected
 * problem, amplitudes solved linearly at each trial. Source: K. Levenberg (1944), D. Marquardt (1963).
 */
import { addTo, type Basis, basisOf, FUNCTIONS, projectionsOf, valueOn } from './basis.js';
import { copiesOf, energyOf, type Lattice } from './lattice.js';
import { solve } from './linear.js';
import { type Mixture, SHAPE_SIZE } from './mixture.js';
import { type Gram, gramOf, stepOf } from './normal.js';

export interface Refined {
  mixture: Mixture;
  /** What is left of the lattice's planes. */
  residual: Float64Array[];
  energy: number;
  /** Of the damping in the end: a next call may start there. */
  damping: number;
  /** Multiplications that it took, roughly: what limits on effort count, as a clock would not give the same fit twice. */
  work: number;
}

/** Logarithms of the widest and of the narrowest inverse standard deviation. */
export const WIDEST = -3;
export const NARROWEST = 9;

/** A step kept within what the linear model is good for: a standard deviation in place, a factor of two in width. */
export function bounded(shapes: Float64Array, at: number, step: Float64Array, from: number): void {
  const a = Math.exp(shapes[at + 2]);
  const b = Math.exp(shapes[at + 4]);
  const q = shapes[at + 3];
  const size = Math.max(
    Math.abs(a * step[from] + q * step[from + 1]),
    Math.abs(b * step[from + 1]),
    Math.abs(step[from + 2]) / 0.7,
    Math.abs(step[from + 3]) / (0.7 * Math.max(a, b)),
    Math.abs(step[from + 4]) / 0.7,
  );
  const part = size > 1 ? 1 / size : 1;
  for (let s = 0; s < SHAPE_SIZE; s++) shapes[at + s] += part * step[from + s];
  for (const s of [0, 1]) shapes[at + s] = Math.min(2.5, Math.max(-1.5, shapes[at + s]));
  for (const s of [2, 4]) shapes[at + s] = Math.min(NARROWEST, Math.max(WIDEST, shapes[at + s]));
  const most = 8 * Math.exp(Math.max(shapes[at + 2], shapes[at + 4]));
  shapes[at + 3] = Math.min(most, Math.max(-most, shapes[at + 3]));
}

interface Trial {
  bases: Basis[];
  gram: Gram;
  shapes: Float64Array;
  amplitudes: Float64Array;
  residual: Float64Array[];
  energy: number;
}

/** The best amplitudes of some shapes against `planes`, and what is left then. */
function solvedAt(lattice: Lattice, planes: readonly Float64Array[], shapes: Float64Array): Trial | null {
  const count = shapes.length / SHAPE_SIZE;
  const bases = Array.from({ length: count }, (_, k) => basisOf(lattice, shapes, k));
  const gram = gramOf(bases);
  if (!gram) return null;
  const channels = planes.length;
  const amplitudes = new Float64Array(count * channels);
  const residual = copiesOf(planes);
  const b = new Float64Array(count);
  planes.forEach((plane, c) => {
    for (let k = 0; k < count; k++) b[k] = valueOn(bases[k], plane, lattice.width);
    solve(gram.values, count, b);
    for (let k = 0; k < count; k++) {
      amplitudes[k * channels + c] = b[k];
      addTo(residual[c], lattice.width, bases[k], -b[k]);
    }
  });
  const energy = energyOf(residual);
  return Number.isFinite(energy) ? { bases, gram, shapes, amplitudes, residual, energy } : null;
}

/**
 * @param residual of the lattice's planes and the whole mixture; not written to.
 * @param active the components that move.
 */
export function refine(
  lattice: Lattice,
  mixture: Mixture,
  residual: readonly Float64Array[],
  active: readonly number[],
  iterations: number,
  damping = 1e-3,
  enough = 1e-4,
): Refined {
  const { channels } = mixture;
  const count = active.length;
  const shapes = new Float64Array(count * SHAPE_SIZE);
  const planes = copiesOf(residual);
  active.forEach((k, i) => {
    shapes.set(mixture.shapes.subarray(k * SHAPE_SIZE, (k + 1) * SHAPE_SIZE), i * SHAPE_SIZE);
    const basis = basisOf(lattice, mixture.shapes, k);
    for (let c = 0; c < channels; c++)
      addTo(planes[c], lattice.width, basis, mixture.amplitudes[k * channels + c]);
  });
  const before = energyOf(residual);
  let best = solvedAt(lattice, planes, shapes);
  let work = 0;
  if (!best) return { mixture, residual: copiesOf(residual), energy: before, damping, work };
  const cost =
    (40 + 20 * count) * best.bases.reduce((sum, b) => sum + b.functions[0].length, 0) + 80 * count ** 3;
  let fails = 0;
  for (let done = 0; done < iterations && fails < 6; done++) {
    const onG = planes.map(() => new Float64Array(count));
    const onD = planes.map(() => new Float64Array(count * SHAPE_SIZE));
    for (let k = 0; k < count; k++) {
      for (let c = 0; c < channels; c++) {
        const found = projectionsOf(best.bases[k], best.residual[c], lattice.width);
        onG[c][k] = found[0];
        onD[c].set(found.subarray(1, FUNCTIONS), k * SHAPE_SIZE);
      }
    }
    let gained = false;
    for (; fails < 6; fails++) {
      const step = stepOf(best.gram, best.amplitudes, onG, onD, damping);
      if (step) {
        const next = best.shapes.slice();
        for (let k = 0; k < count; k++) bounded(next, k * SHAPE_SIZE, step.shapes, k * SHAPE_SIZE);
        const trial: Trial | null = solvedAt(lattice, planes, next);
        work += cost;
        if (trial && trial.energy < best.energy) {
          gained = trial.energy < best.energy * (1 - enough);
          best = trial;
          damping = Math.max(1e-9, damping / 8);
          fails = 0;
          break;
        }
      }
      damping = Math.min(1e3, Math.max(1e-6, damping * 6));
    }
    if (!gained) break;
  }
  const out = { channels, shapes: mixture.shapes.slice(), amplitudes: mixture.amplitudes.slice() };
  active.forEach((k, i) => {
    out.shapes.set(best.shapes.subarray(i * SHAPE_SIZE, (i + 1) * SHAPE_SIZE), k * SHAPE_SIZE);
    out.amplitudes.set(best.amplitudes.subarray(i * channels, (i + 1) * channels), k * channels);
  });
  return { mixture: out, residual: best.residual, energy: best.energy, damping, work: work + cost };
}
