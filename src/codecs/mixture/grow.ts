/**
 * A mixture grown on a lattice: the Gaussian that takes most from the residual, refined alone, then with the others; until
 * the bounds hold and nothing of weight is left, or until it is clear that they never will.
 */
import { pause } from './pause.js';
import type { Character } from './character.js';
import { type Field, negligibleEnergy, partOfBounds } from './field.js';
import { energyOf, type Lattice } from './lattice.js';
import { starts } from './matched.js';
import { all, countOf, emptyMixture, joined, type Mixture, picked, SHAPE_SIZE } from './mixture.js';
import { refine } from './refine.js';
import { residualOf } from './render.js';

/** The part of a bound that a fit may take; the rest is for quantisation. */
export const FIT_PART = 0.8;
/** Components that are refined together. */
const TOGETHER = 32;

export interface Grown {
  mixture: Mixture;
  residual: Float64Array[];
  energy: number;
  /** partOfBounds on the lattice. */
  part: number;
}

export interface GrowOptions {
  maxGaussians: number;
  signal?: AbortSignal;
  /** Called with each mixture on the way. */
  onGrown?: (grown: Grown) => void;
}

/** Components whose Gaussians lie nearest to those of `seeds`, these included, `most` in all. */
export function neighbourhood(mixture: Mixture, seeds: readonly number[], most: number): number[] {
  const { shapes } = mixture;
  const count = countOf(mixture);
  if (count <= most) return all(count);
  const at = (k: number, s: number) => shapes[k * SHAPE_SIZE + s];
  const distance = (k: number, l: number) => {
    const dx = at(k, 0) - at(l, 0);
    const dy = at(k, 1) - at(l, 1);
    const size = Math.exp(-at(k, 2)) + Math.exp(-at(l, 2)) + Math.exp(-at(k, 4)) + Math.exp(-at(l, 4));
    return Math.hypot(dx, dy) / size;
  };
  const near = all(count).map((k) => ({ k, d: Math.min(...seeds.map((s) => (s === k ? -1 : distance(k, s)))) }));
  near.sort((a, b) => a.d - b.d || a.k - b.k);
  return near
    .slice(0, most)
    .map(({ k }) => k)
    .sort((a, b) => a - b);
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
  { maxGaussians, signal, onGrown }: GrowOptions,
): Promise<Grown> {
  const negligible = negligibleEnergy(field) / lattice.area;
  const whole = energyOf(lattice.planes);
  let mixture = countOf(from) > 0 ? from : emptyMixture(lattice.planes.length);
  let residual = residualOf(lattice, mixture);
  let energy = energyOf(residual);
  let damping = 1e-3;
  const part = () => partOfBounds(field, residual, lattice.area);
  const together = (active: readonly number[], iterations: number) => {
    const refined = refine(lattice, mixture, residual, active, iterations, damping, 0.02);
    ({ mixture, residual, energy, damping } = refined);
  };
  // history[K]: energy of the best mixture of K.
  const history: number[] = new Array(countOf(mixture) + 1).fill(energy);
  history[0] = whole;
  if (countOf(mixture) > 0) together(neighbourhood(mixture, [countOf(mixture) - 1], TOGETHER), 8);
  while (true) {
    await pause(signal);
    const count = countOf(mixture);
    const now = part();
    history[count] = energy;
    onGrown?.({ mixture, residual, energy, part: now });
    if (!(energy > 1e-24 * whole) || count >= maxGaussians) break;
    const met = now <= FIT_PART;
    if (!met && count >= (character.plausible ? 24 : 8) && count % 8 === 0) {
      const most = character.plausible && energy < 0.6 * whole ? 1e6 : 4 * maxGaussians;
      if (hopeless(history, now, most)) break;
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
    if (count > 0) {
      damping = 1e-3;
      const active = neighbourhood(mixture, seeds, TOGETHER);
      let last: number;
      let rounds = 0;
      do {
        last = energy;
        together(active, 6);
      } while (energy < 0.5 * last && ++rounds < 6);
    }
    for (let k = count + 1; k < count + added; k++) history[k] = energy;
    if (met && before.energy - energy < negligible) {
      ({ mixture, residual, energy } = before);
      break;
    }
  }
  return { mixture, residual, energy, part: part() };
}

/** The mixture without components that it can do without: the bounds hold still, and nothing of weight is lost. */
export async function prune(field: Field, lattice: Lattice, grown: Grown, signal?: AbortSignal): Promise<Grown> {
  const negligible = negligibleEnergy(field) / lattice.area;
  for (let fails = 0, tried = new Set<string>(); fails < 4; ) {
    const { mixture } = grown;
    const { channels, shapes, amplitudes } = mixture;
    const weight = (k: number) => {
      let sum = 0;
      for (let c = 0; c < channels; c++) sum += amplitudes[k * channels + c] ** 2;
      return sum * Math.exp(-shapes[k * SHAPE_SIZE + 2] - shapes[k * SHAPE_SIZE + 4]);
    };
    const key = (k: number) => shapes.subarray(k * SHAPE_SIZE, k * SHAPE_SIZE + 2).join();
    const order = all(countOf(mixture))
      .filter((k) => !tried.has(key(k)))
      .sort((a, b) => weight(a) - weight(b));
    if (order.length === 0) break;
    await pause(signal);
    const without = picked(
      mixture,
      all(countOf(mixture)).filter((k) => k !== order[0]),
    );
    const active = neighbourhood(without, [Math.min(order[0], countOf(without) - 1)], TOGETHER);
    const refined = refine(lattice, without, residualOf(lattice, without), active, 20, 1e-3, 1e-2);
    const part = partOfBounds(field, refined.residual, lattice.area);
    if (part <= Math.max(FIT_PART, grown.part) && refined.energy <= grown.energy + negligible) {
      grown = { mixture: refined.mixture, residual: refined.residual, energy: refined.energy, part };
      tried = new Set();
      fails = 0;
    } else {
      tried.add(key(order[0]));
      fails++;
    }
  }
  return grown;
}
