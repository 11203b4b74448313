/**
 * Fewer components for the same field: one is left out, or two near each other are replaced by one where a matched filter
 * wants it, and the rest refined. Growth one by one may cover two Gaussians by one and mend it by several; this undoes it.
 */

import { pause } from '../pause.js';
import { type Field, negligibleEnergy, partOfBounds } from './field.js';
import { FIT_PART, type Grown, TOGETHER } from './grown.js';
import type { Lattice } from './lattice.js';
import { starts } from './matched.js';
import { all, countOf, joined, type Mixture, neighbourhood, picked, SHAPE_SIZE } from './mixture.js';
import { type Refined, refine } from './refine.js';
import { residualOf } from './render.js';

/** Moves tried in all; each costs a refinement. */
const MOST_MOVES = 48;
const ITERATIONS = 24;

/** Squared norm of each component's share of the wavetable. */
function weightsOf({ channels, shapes, amplitudes }: Mixture): number[] {
  return all(shapes.length / SHAPE_SIZE).map((k) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += amplitudes[k * channels + c] ** 2;
    return sum * Math.exp(-shapes[k * SHAPE_SIZE + 2] - shapes[k * SHAPE_SIZE + 4]);
  });
}

/** The mixture less `gone`, refined near them; with one new component if `anew`. */
function without(lattice: Lattice, mixture: Mixture, gone: readonly number[], anew: boolean): Refined {
  const near = neighbourhood(mixture, gone, TOGETHER).filter((k) => !gone.includes(k));
  const kept = all(countOf(mixture)).filter((k) => !gone.includes(k));
  let left = picked(mixture, kept);
  let residual = residualOf(lattice, left);
  const active = near.map((k) => kept.indexOf(k));
  if (anew) {
    const { shapes } = starts(lattice, residual, 1);
    const at = countOf(left);
    left = joined(left, { channels: left.channels, shapes, amplitudes: new Float64Array(left.channels) });
    if (countOf(left) > at) active.push(at);
    ({ mixture: left, residual } = refine(lattice, left, residual, [at], 6));
  }
  return refine(lattice, left, residual, active, ITERATIONS, 1e-2, 1e-2);
}

/** The mixture with as few components as it can do with: the bounds hold still, and nothing of weight is lost. */
export async function prune(
  field: Field,
  lattice: Lattice,
  grown: Grown,
  maxWork: number,
  signal?: AbortSignal,
): Promise<Grown> {
  const negligible = negligibleEnergy(field) / lattice.area;
  let moves = 0;
  let spent = 0;
  for (let better = true; better && countOf(grown.mixture) > 1 && countOf(grown.mixture) <= 4 * TOGETHER; ) {
    better = false;
    const { mixture } = grown;
    const count = countOf(mixture);
    const weights = weightsOf(mixture);
    const order = all(count).sort((a, b) => weights[a] - weights[b]);
    const single = order.slice(0, 6).map((k) => [k]);
    // Each of the lighter ones with the component nearest to it.
    const pairs = order.slice(0, 10).flatMap((k) => {
      const partners = neighbourhood(mixture, [k], Math.min(3, count)).filter((l) => l !== k);
      return partners.map((l) => [k, l]);
    });
    for (const gone of count <= TOGETHER ? [...single, ...pairs] : single) {
      if (moves++ >= MOST_MOVES || spent > maxWork) return { ...grown, work: grown.work + spent };
      await pause(signal);
      const { mixture: fewer, residual, energy, work } = without(lattice, mixture, gone, gone.length > 1);
      spent += work;
      const part = partOfBounds(field, residual, lattice.area);
      if (part > Math.max(FIT_PART, grown.part) || energy > grown.energy + negligible) continue;
      grown = { mixture: fewer, residual, energy, part, work: grown.work };
      better = true;
      break;
    }
  }
  return { ...grown, work: grown.work + spent };
}
