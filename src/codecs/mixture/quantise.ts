/**
 * The fewest bytes that keep a mixture within its bounds. Each number has a uniform step; those of one kind are, by their
 * place in the payload, such parts of its amplitude and standard deviation that all move the wavetable by the same, so three
 * numbers say all. They are searched together, coarse to fine; amplitudes are fitted again to the shapes as decoded.
 */

import { pause } from '../pause.js';
import { basisOf, valueOn } from './basis.js';
import { type Field, negligibleEnergy, partOfBounds } from './field.js';
import { energyOf, type Lattice } from './lattice.js';
import { solve } from './linear.js';
import { all, countOf, type Mixture, picked, SHAPE_SIZE } from './mixture.js';
import { valuesGramOf } from './normal.js';
import { pack, type Steps } from './payload.js';
import { residualOf } from './render.js';

/** Components whose amplitudes are fitted again: the normal matrix of more takes too long. */
const MOST_SOLVED = 400;

export interface Quantised {
  payload: Uint8Array;
  steps: Steps;
  mixture: Mixture;
  /** partOfBounds on the lattice of the search. */
  part: number;
  /** What quantisation alone costs, on the lattice. */
  energy: number;
}

/** As float32 parameters hold it. */
const single = ({ channels, shapes, amplitudes }: Mixture): Mixture => ({
  channels,
  shapes: shapes.map(Math.fround),
  amplitudes: amplitudes.map(Math.fround),
});

/** A mixture at some steps; null where they are too fine to be counted. */
export type Quantiser = (steps: Steps) => Quantised | null;

/** @param lattice of the field; the amplitudes are fitted there to `mixture`, not to the field: noise is left out. */
export function quantiserOf(field: Field, lattice: Lattice, mixture: Mixture): Quantiser {
  const model = residualOf(
    { ...lattice, planes: lattice.planes.map((p) => new Float64Array(p.length)) },
    mixture,
  );
  for (const plane of model) for (let i = 0; i < plane.length; i++) plane[i] = -plane[i];
  const clean = { ...lattice, planes: model };
  const { channels } = mixture;
  const amplitudesOf = (shapes: Float64Array, order: readonly number[]): Float64Array => {
    const count = shapes.length / SHAPE_SIZE;
    if (count > MOST_SOLVED) return picked(mixture, order).amplitudes;
    const bases = all(count).map((k) => basisOf(lattice, shapes, k, false));
    const gram = valuesGramOf(bases);
    const out = new Float64Array(count * channels);
    const b = new Float64Array(count);
    for (let c = 0; c < channels; c++) {
      for (let k = 0; k < count; k++) b[k] = valueOn(bases[k], model[c], lattice.width);
      if (gram) solve(gram, count, b);
      for (let k = 0; k < count; k++) out[k * channels + c] = b[k];
    }
    return out;
  };
  return (steps) => {
    const packed = pack({ compact: field.compact, exponents: field.exponents, mixture }, steps, amplitudesOf);
    if (!packed) return null;
    const decoded = single(packed.mixture);
    const lost = residualOf(clean, decoded);
    // What is left of the field: what the fit left, and what quantisation added.
    const left = lost.map((plane, c) => plane.map((v, i) => v + lattice.planes[c][i] - model[c][i]));
    return {
      payload: packed.payload,
      steps,
      mixture: decoded,
      part: partOfBounds(field, left, lattice.area),
      energy: energyOf(lost),
    };
  };
}

const shifted = (steps: Steps, by: number): Steps => ({
  amplitude: steps.amplitude + by,
  centre: steps.centre + by,
  shape: steps.shape + by,
});

const FINEST = -120;

/** The coarsest of steps · 2^(n/4) with n ≤ 0 that `holds`, from `from` down; null where none does. */
export function coarsest(
  quantiser: Quantiser,
  from: Steps,
  stride: number,
  holds: (q: Quantised) => boolean,
): Quantised | null {
  let found: Quantised | null = null;
  let shift = 0;
  for (; ; shift -= stride) {
    if (Math.min(from.amplitude, from.centre, from.shape) + shift < FINEST) return null;
    const tried = quantiser(shifted(from, shift));
    if (!tried) return null;
    if (holds(tried)) {
      found = tried;
      break;
    }
  }
  for (let up = shift + stride - 1; up > shift && shift < 0; up--) {
    const tried = quantiser(shifted(from, up));
    if (tried && holds(tried)) return tried;
  }
  return found;
}

/** Where every search begins. */
export const COARSE: Steps = { amplitude: 4, centre: 8, shape: 8 };

/**
 * @param faithful whether the quantised mixture stays near the mixture, rather than take all that the bounds leave room for.
 * @returns quantised mixtures that hold on the lattice, the shortest first; a last, safe one with finer steps.
 */
export async function quantise(
  field: Field,
  lattice: Lattice,
  mixture: Mixture,
  faithful: boolean,
  signal?: AbortSignal,
): Promise<Quantised[]> {
  const quantiser = quantiserOf(field, lattice, mixture);
  // Where noise fills a bound, the model must not take the rest of it.
  const bounded = faithful && field.maxAbs.some((e) => e < Number.POSITIVE_INFINITY);
  const most = bounded ? (4 * negligibleEnergy(field)) / lattice.area : Number.POSITIVE_INFINITY;
  const holds = (q: Quantised) => q.part <= 1 && q.energy <= most;
  await pause(signal);
  const first = coarsest(quantiser, COARSE, 8, holds);
  if (!first) return [];
  const found = [first];
  if (countOf(mixture) <= 64) {
    for (const [centre, shape] of [
      [0, 2],
      [2, 0],
      [0, -2],
      [-2, 0],
      [2, 2],
      [4, 2],
      [2, 4],
      [-2, 2],
      [2, -2],
      [4, 4],
      [-2, -2],
    ]) {
      await pause(signal);
      const { amplitude } = first.steps;
      const from = {
        amplitude: amplitude + 2,
        centre: first.steps.centre + centre + 2,
        shape: first.steps.shape + shape + 2,
      };
      const tried = coarsest(quantiser, from, 1, (q) => holds(q) || q.steps.amplitude < amplitude - 4);
      if (tried && holds(tried)) found.push(tried);
    }
  }
  found.sort((a, b) => a.payload.length - b.payload.length);
  for (const finer of [1, 2, 4, 8]) {
    const safe = quantiser(shifted(first.steps, -finer));
    if (safe && holds(safe)) found.push(safe);
  }
  return found;
}
