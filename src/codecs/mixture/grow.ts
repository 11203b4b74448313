/**
 * A mixture grown on a lattice: the Gaussian that takes most from the residual, refined alone, then with the others; until
 * the bounds hold and nothing of weight is left, or until it is clear that they never will.
 */

import { pause } from '../pause.js';
import type { Character } from './character.js';
import { type Field, negligibleEnergy, partOfBounds } from './field.js';
import { FIT_PART, type Grown, TOGETHER } from './grown.js';
import { energyOf, type Lattice } from './lattice.js';
import { starts } from './matched.js';
import { all, countOf, emptyMixture, joined, type Mixture, neighbourhood, SHAPE_SIZE } from './mixture.js';
import { prune } from './prune.js';
import { refine } from './refine.js';
import { residualOf } from './render.js';

/** Components of a mixture of many that are refined together. */
const GROUP = 12;

export interface GrowOptions {
  maxGaussians: number;
  /** Growth ends when its refinements took this. */
  maxWork: number;
  signal?: AbortSignal;
  /** Called with each mixture on the way. */
  onGrown?: (grown: Grown) => void;
}

/** Whether growth by the pace so far ends above `most` components. */
function hopeless(history: readonly number[], part: number, most: number): boolean {
  const count = history.length - 1;
  const pace = Math.log(history[Math.floor(count / 2)] / history[count]);
  const needed = Math.log((part / FIT_PART) ** 2);
  return needed > 0 && needed / Math.max(pace, 1e-3) > Math.log2(most / count);
}

export async function grow(
  field: Field,
  lattice: Lattice,
  character: Character,
  from: Mixture,
  { maxGaussians, maxWork, signal, onGrown }: GrowOptions,
): Promise<Grown> {
  const negligible = negligibleEnergy(field) / lattice.area;
  const whole = energyOf(lattice.planes);
  let mixture = countOf(from) > 0 ? from : emptyMixture(lattice.planes.length);
  let residual = residualOf(lattice, mixture);
  let energy = energyOf(residual);
  let damping = 1e-3;
  let work = 0;
  const part = () => partOfBounds(field, residual, lattice.area);
  const together = (active: readonly number[], iterations: number) => {
    const refined = refine(lattice, mixture, residual, active, iterations, damping, 0.02);
    ({ mixture, residual, energy, damping } = refined);
    work += refined.work;
  };
  /** Refines each of `seeds` with its neighbours, those already refined with another left out. */
  const sweep = async (seeds: readonly number[]) => {
    const done = new Set<number>();
    for (const k of seeds) {
      if (done.has(k)) continue;
      await pause(signal);
      const active = neighbourhood(mixture, [k], GROUP);
      damping = 1e-3;
      together(active, 3);
      for (const l of active.slice(0, GROUP)) done.add(l);
    }
  };
  // history[K]: energy of the best mixture of K.
  const history: number[] = new Array(countOf(mixture) + 1).fill(energy);
  history[0] = whole;
  const revised = new Set<number>();
  if (countOf(mixture) > 0) together(neighbourhood(mixture, [countOf(mixture) - 1], TOGETHER), 8);
  while (true) {
    await pause(signal);
    const count = countOf(mixture);
    const now = part();
    history[count] = energy;
    onGrown?.({ mixture, residual, energy, part: now, work });
    if (!(energy > 1e-24 * whole) || count >= maxGaussians || work > maxWork) break;
    const met = now <= FIT_PART;
    // Near the end of a mixture that was taken apart wrongly, growth slows down: fewer components may do better.
    if (!met && [16, 20, 24, 32].includes(count) && energy < 1e-2 * whole && !revised.has(count)) {
      revised.add(count);
      const fewer = await prune(
        field,
        lattice,
        { mixture, residual, energy, part: now, work: 0 },
        maxWork / 8,
        signal,
      );
      work += fewer.work;
      if (countOf(fewer.mixture) < count) {
        ({ mixture, residual, energy } = fewer);
        history.length = countOf(mixture);
        continue;
      }
    }
    if (!met && count >= (character.plausible ? 24 : 8) && count % 8 === 0) {
      // A mixture of many slows down only to fall in the end; what looks like none, or is no nearer by then, is none.
      const patient = character.plausible && energy < 0.6 * whole;
      if (!patient && hopeless(history, now, 4 * maxGaussians)) break;
    }
    const found = starts(lattice, residual, met || count < 24 ? 1 : Math.ceil(count / 8));
    if (found.scores.length === 0 || (met && found.scores[0] < negligible)) break;
    const before = { mixture, residual, energy };
    const added = Math.min(found.scores.length, maxGaussians - count);
    const seeds = Array.from({ length: added }, (_, i) => count + i);
    const amplitudes = new Float64Array(added * mixture.channels);
    mixture = joined(mixture, {
      channels: mixture.channels,
      shapes: found.shapes.slice(0, added * SHAPE_SIZE),
      amplitudes,
    });
    damping = 1e-3;
    for (const k of seeds) together([k], 6);
    if (count + added <= TOGETHER) {
      damping = 1e-3;
      const active = all(count + added);
      let last: number;
      let rounds = 0;
      do {
        last = energy;
        together(active, 6);
      } while (count > 0 && energy < 0.5 * last && ++rounds < 6);
    } else {
      await sweep(seeds);
      let last: number;
      let rounds = count + added < 64 ? 0 : 5;
      do {
        last = energy;
        if (rounds > 0) await sweep(all(count + added));
      } while (rounds-- > 0 && energy < 0.85 * last);
    }
    for (let k = count + 1; k < count + added; k++) history[k] = energy;
    if (met && before.energy - energy < negligible) {
      ({ mixture, residual, energy } = before);
      break;
    }
  }
  return { mixture, residual, energy, part: part(), work };
}
