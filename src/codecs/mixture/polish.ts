/**
 * Gauss–Newton on every pixel: gradients are exact, the normal matrix is that of a coarser lattice, which is the same up to
 * the number of points as long as it resolves the Gaussians.
 */
import { basisOf } from './basis.js';
import { energyOf, type Lattice } from './lattice.js';
import { countOf, type Mixture, SHAPE_SIZE } from './mixture.js';
import { gramOf, stepOf } from './normal.js';
import { bounded } from './refine.js';
import { projectAll, residualOf } from './render.js';

export interface Polished {
  mixture: Mixture;
  residual: Float64Array[];
  energy: number;
}

export function polish(full: Lattice, coarse: Lattice, mixture: Mixture, iterations: number): Polished {
  let residual = residualOf(full, mixture);
  let energy = energyOf(residual);
  let damping = 1e-6;
  const count = countOf(mixture);
  const scale = coarse.area / full.area;
  for (let done = 0; done < iterations && count > 0; done++) {
    const gram = gramOf(Array.from({ length: count }, (_, k) => basisOf(coarse, mixture.shapes, k)));
    if (!gram) break;
    const { onG, onD } = projectAll(full, mixture, residual);
    let gain = 0;
    for (let tries = 0; tries < 3; tries++) {
      const step = stepOf(gram, mixture.amplitudes, onG, onD, damping, scale);
      damping *= 30;
      if (!step) continue;
      const shapes = mixture.shapes.slice();
      for (let k = 0; k < count; k++) bounded(shapes, k * SHAPE_SIZE, step.shapes, k * SHAPE_SIZE);
      const amplitudes = mixture.amplitudes.map((a, i) => a + step.amplitudes[i]);
      const next = { channels: mixture.channels, shapes, amplitudes };
      const left = residualOf(full, next);
      const squares = energyOf(left);
      if (!(squares < energy)) continue;
      gain = 1 - squares / energy;
      [mixture, residual, energy] = [next, left, squares];
      damping = Math.max(1e-9, damping / 300);
      break;
    }
    if (gain < 1e-3) break;
  }
  return { mixture, residual, energy };
}
