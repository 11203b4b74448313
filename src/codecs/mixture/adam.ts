/**
 * Adam for many Gaussians. Each component moves in its own coordinates, in which a step means the same whatever its width,
 * direction and height: its centre along u and v, in standard deviations; the logarithms of its two widths and its
 * skew, as a part of them; its amplitudes, as parts of their size. Source: D. Kingma, J. Ba, "Adam: a method for stochastic
 * optimization" (2015). The gradients come from the active backend, moments and steps are float64 on the host, where they
 * are carried along as components come and go.
 */
import type { Canvas } from './canvas.js';
import { all, countOf, type Mixture, picked, SHAPE_SIZE } from './mixture.js';
import { NARROWEST, WIDEST } from './refine.js';

/** A mixture with the memory of its optimiser. */
export interface Trained {
  mixture: Mixture;
  /** [K, 5 + C], means of the gradients and of their squares, in a component's own coordinates. */
  first: Float64Array;
  second: Float64Array;
  /** [K] steps that a component has had. */
  ages: Float64Array;
}

const KEPT_FIRST = 0.9;
const KEPT_SECOND = 0.98;
/** Of the RMS gradient of a kind: where it is less, steps are in proportion to it. */
const FLOOR = 1e-3;

export interface StepSizes {
  /** In standard deviations. */
  centre: number;
  /** In logarithms. */
  shape: number;
  /** As parts of a component's amplitude. */
  amplitude: number;
}

export const untrained = (mixture: Mixture): Trained => {
  const count = countOf(mixture);
  const size = count * (SHAPE_SIZE + mixture.channels);
  return {
    mixture,
    first: new Float64Array(size),
    second: new Float64Array(size),
    ages: new Float64Array(count),
  };
};

/** Components `indices`, in that order, with their memory; one may be taken twice. */
export function keptOf({ mixture, first, second, ages }: Trained, indices: readonly number[]): Trained {
  const size = SHAPE_SIZE + mixture.channels;
  const rows = (from: Float64Array) => {
    const out = new Float64Array(indices.length * size);
    indices.forEach((k, i) => {
      out.set(from.subarray(k * size, (k + 1) * size), i * size);
    });
    return out;
  };
  return {
    mixture: picked(mixture, indices),
    first: rows(first),
    second: rows(second),
    ages: Float64Array.from(indices, (k) => ages[k]),
  };
}

/** Gradients [K, 5 + C] to the parameters → to a component's own coordinates, in place. */
function inOwnCoordinates(gradient: Float64Array, { channels, shapes }: Mixture): void {
  const size = SHAPE_SIZE + channels;
  for (let k = 0; k * size < gradient.length; k++) {
    const s = k * SHAPE_SIZE;
    const g = k * size;
    const a = Math.exp(shapes[s + 2]);
    const q = shapes[s + 3];
    const b = Math.exp(shapes[s + 4]);
    const along = gradient[g] / a;
    gradient[g + 1] = (gradient[g + 1] - q * along) / b;
    gradient[g] = along;
    gradient[g + 2] += q * gradient[g + 3];
    gradient[g + 3] *= b;
  }
}

/** Narrowest standard deviation: what the points of a canvas can tell from a single one, as an inverse logarithm. */
export const narrowestOf = (size: number): number => Math.min(NARROWEST, Math.log(2.2 * size));

function moved(
  shapes: Float64Array,
  s: number,
  step: ArrayLike<number>,
  d: number,
  narrowest: [number, number],
) {
  const a = Math.exp(shapes[s + 2]);
  const q = shapes[s + 3];
  const b = Math.exp(shapes[s + 4]);
  const down = step[d + 1] / b;
  const clip = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x));
  shapes[s] = clip(shapes[s] + (step[d] - q * down) / a, -0.5, 1.5);
  shapes[s + 1] = clip(shapes[s + 1] + down, -0.5, 1.5);
  shapes[s + 2] = clip(shapes[s + 2] + step[d + 2], WIDEST, narrowest[0]);
  const r = clip(shapes[s + 4] + step[d + 4], WIDEST, narrowest[1]);
  shapes[s + 4] = r;
  const most = 4 * Math.exp(r);
  shapes[s + 3] = clip(q * Math.exp(step[d + 2]) + step[d + 3] * b, -most, most);
}

/** `steps` of Adam, of step sizes that fall from `sizes` to a tenth of them. @returns the energy before each. */
export async function train(
  canvas: Canvas,
  trained: Trained,
  {
    steps,
    sizes,
    sharpness,
    each,
  }: {
    steps: number;
    sizes: StepSizes;
    sharpness?: number;
    /** Called before each step: yields, counts, throws when aborted. */
    each: () => Promise<void>;
  },
): Promise<number[]> {
  const { mixture, first, second, ages } = trained;
  const { channels, shapes, amplitudes } = mixture;
  const count = countOf(mixture);
  const size = SHAPE_SIZE + channels;
  const narrowest: [number, number] = [narrowestOf(canvas.width), narrowestOf(canvas.height)];
  const kinds = [sizes.centre, sizes.centre, sizes.shape, sizes.shape, sizes.shape];
  for (let c = 0; c < channels; c++) kinds.push(sizes.amplitude);
  const energies: number[] = [];
  const step = new Float64Array(size);
  for (let n = 0; n < steps; n++) {
    await each();
    const { values, energy } = await canvas.gradient(mixture, sharpness);
    energies.push(energy);
    const gradient = Float64Array.from(values);
    inOwnCoordinates(gradient, mixture);
    const typical = new Float64Array(size);
    for (let i = 0; i < gradient.length; i++) {
      first[i] += (1 - KEPT_FIRST) * (gradient[i] - first[i]);
      second[i] += (1 - KEPT_SECOND) * (gradient[i] ** 2 - second[i]);
      typical[i % size] += second[i];
    }
    const floor = typical.map((t) => FLOOR * Math.sqrt(t / count) + 1e-300);
    const rate = 0.1 + 0.45 * (1 + Math.cos((Math.PI * n) / steps));
    const rms = Math.sqrt(energy / (canvas.points * channels));
    for (let k = 0; k < count; k++) {
      const age = ++ages[k];
      const scale = rate / (1 - KEPT_FIRST ** age);
      const correction = 1 / (1 - KEPT_SECOND ** age);
      let height = 0;
      for (let c = 0; c < channels; c++) height += amplitudes[k * channels + c] ** 2;
      const unit = Math.sqrt(height / channels) + rms;
      for (let i = 0; i < size; i++) {
        const at = k * size + i;
        step[i] = (-scale * kinds[i] * first[at]) / (Math.sqrt(second[at] * correction) + floor[i]);
      }
      moved(shapes, k * SHAPE_SIZE, step, 0, narrowest);
      for (let c = 0; c < channels; c++) amplitudes[k * channels + c] += unit * step[SHAPE_SIZE + c];
    }
  }
  return energies;
}

/** ∫ G² of each component, in points of the canvas. */
export const areasOf = ({ points }: Canvas, mixture: Mixture): Float64Array =>
  Float64Array.from(all(countOf(mixture)), (k) => {
    const p = mixture.shapes[k * SHAPE_SIZE + 2];
    const r = mixture.shapes[k * SHAPE_SIZE + 4];
    return points * Math.PI * Math.exp(-p - r);
  });

/**
 * The amplitudes of least squares for the shapes as they are, in place, by conjugate gradients: the normal matrix is never
 * made, its product is a render and a gradient. Source: M. Hestenes, E. Stiefel (1952), preconditioned by the diagonal.
 */
export async function solveAmplitudes(
  canvas: Canvas,
  mixture: Mixture,
  iterations: number,
  each: () => Promise<void>,
): Promise<void> {
  const { channels, amplitudes } = mixture;
  const areas = areasOf(canvas, mixture);
  const size = amplitudes.length;
  await each();
  const residual = await canvas.projections(mixture);
  const eased = () => residual.map((v, i) => v / (areas[Math.floor(i / channels)] + 1e-3));
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, v, i) => sum + v * b[i], 0);
  let z = eased();
  const direction = z.slice();
  let rho = dot(residual, z);
  const start = rho;
  for (let n = 0; n < iterations && rho > 1e-10 * start; n++) {
    await each();
    const product = await canvas.gram({ ...mixture, amplitudes: direction });
    const curve = dot(direction, product);
    if (!(curve > 0)) return;
    const alpha = rho / curve;
    for (let i = 0; i < size; i++) {
      amplitudes[i] += alpha * direction[i];
      residual[i] -= alpha * product[i];
    }
    z = eased();
    const next = dot(residual, z);
    for (let i = 0; i < size; i++) direction[i] = z[i] + (next / rho) * direction[i];
    rho = next;
  }
}
