/**
 * Many Gaussians, for fields that are no small mixture: coarse to fine, at each resolution in rounds of more components,
 * amplitudes solved, Adam; on the active backend. The same numbers there each time.
 */

import { pause } from '../pause.js';
import { type StepSizes, solveAmplitudes, type Trained, train, untrained } from './adam.js';
import { Canvas } from './canvas.js';
import { densified, thinned } from './densify.js';
import { type Field, partOfBounds } from './field.js';
import { countOf, emptyMixture, type Mixture } from './mixture.js';

export interface ManyOptions {
  maxGaussians: number;
  /** Points of a canvas, summed over renders: what a fit may take. */
  maxWork: number;
  /** The part of the bounds at which it is good enough. */
  enough: number;
  signal?: AbortSignal;
}

export interface Many {
  mixture: Mixture;
  /** partOfBounds at full resolution. */
  part: number;
}

const FEWEST_POINTS = 32;
/** Components of a round for each of the last: no more, and no fewer. */
const MOST_GROWTH = 1.5;
const LEAST_GROWTH = 1.06;
/** Where bounds hold but for a peak here and there: errors of a bound's size count so many times more than small ones. */
const SHARPNESS = 6;
const PEAKS_ONLY = 2;
const FIRST = 16;
const ROUND_STEPS = 24;
const LAST_STEPS = 60;
const SIZES: StepSizes = { centre: 0.05, shape: 0.04, amplitude: 0.04 };
const SOLVER_ITERATIONS = 6;
/** Values of a canvas for each number of a component: what can be told from it. */
const VALUES_A_NUMBER = 2;
/** A component costs what so many points do. */
const POINTS_A_COMPONENT = 16;

export async function manyGaussians(field: Field, options: ManyOptions): Promise<Many> {
  const { maxGaussians, maxWork, enough, signal } = options;
  const full = Canvas.of(field);
  let canvas: Canvas | null = null;
  let work = 0;
  try {
    let trained: Trained = untrained(emptyMixture(field.planes.length));
    let best: Many = { mixture: trained.mixture, part: Number.POSITIVE_INFINITY };
    const bounded = field.maxAbs.some((e) => e < Number.POSITIVE_INFINITY);
    const size = Math.max(field.height, field.width);
    let stride = 1;
    while (size / (2 * stride) >= FEWEST_POINTS) stride *= 2;
    for (; stride >= 1; stride /= 2) {
      const last = stride === 1;
      canvas = last
        ? full
        : full.resampled(Math.ceil(field.height / stride), Math.ceil(field.width / stride));
      const at = canvas;
      const area = full.points / at.points;
      const each = async () => {
        work += at.points + POINTS_A_COMPONENT * countOf(trained.mixture);
        await pause(signal);
      };
      const most = Math.min(
        maxGaussians,
        Math.floor((at.points * at.channels) / VALUES_A_NUMBER / (5 + at.channels)),
      );
      const measured = async () => partOfBounds(field, await at.residual(trained.mixture), area);
      let before = Number.POSITIVE_INFINITY;
      let part = Number.POSITIVE_INFINITY;
      while (work < maxWork) {
        const count = countOf(trained.mixture);
        // The error falls with the root of their number, or slower.
        const growth = Math.min(MOST_GROWTH, Math.max(LEAST_GROWTH, (part / enough) ** 2));
        const more = Math.min(most, Math.max(FIRST, Math.ceil(growth * count))) - count;
        const grows = more > 0;
        if (grows) trained = await densified(at, trained, more);
        if (countOf(trained.mixture) === 0) break;
        await pause(signal);
        await solveAmplitudes(at, trained.mixture, SOLVER_ITERATIONS, each);
        const energies = await train(at, trained, {
          steps: grows ? ROUND_STEPS : LAST_STEPS,
          sizes: SIZES,
          sharpness: last && bounded && part < PEAKS_ONLY ? SHARPNESS : 0,
          each,
        });
        const energy = energies[energies.length - 1];
        trained = thinned(at, trained, energy);
        part = await measured();
        if (last && part < best.part) best = { mixture: structuredClone(trained.mixture), part };
        if (part <= enough) break;
        if (!grows && energy > 0.985 * before) break;
        before = energy;
        if (!last && countOf(trained.mixture) >= 0.9 * most) break;
      }
      if (!last) at.dispose();
      canvas = null;
    }
    return best;
  } finally {
    if (canvas !== full) canvas?.dispose();
    full.dispose();
  }
}
