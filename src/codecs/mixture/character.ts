/** What a field looks like before anything is fitted: how coarse a lattice holds it, and whether a mixture is likely. */
import type { Planes } from './lattice.js';

export interface Character {
  /** Stride of the lattice to begin with, of rows and columns. */
  stride: [number, number];
  /** Standard deviation of white noise in each plane; 0 where something else hides it. */
  noise: number[];
  /** Rapidly decaying spectrum, or one that does so down to a floor of white noise: a mixture's. */
  plausible: boolean;
}

/** Interpolation half-way from the points at ±1, ±3, ±5, ±7 steps, exact for polynomials of degree 7. */
const TAPS = [1225 / 2048, -245 / 2048, 49 / 2048, -5 / 2048];
/** √(1 + 2 Σ taps²): what white noise of variance one leaves of that. */
const WHITE = Math.sqrt(1 + 2 * TAPS.reduce((sum, t) => sum + t * t, 0));
/** Points of the coarsest lattice along an axis. */
const FEWEST = 32;

/** RMS of what interpolation from points two steps apart misses, per plane; NaN where the axis is too short. */
function missed(planes: readonly Float64Array[], height: number, width: number, step: number): number[] {
  return planes.map((plane) => {
    let sum = 0;
    let count = 0;
    const across = (base: number, stride: number, at: number) => {
      let v = plane[base + at * stride];
      TAPS.forEach((tap, t) => {
        const d = (2 * t + 1) * step;
        v -= tap * (plane[base + (at - d) * stride] + plane[base + (at + d) * stride]);
      });
      sum += v * v;
      count++;
    };
    const reach = 7 * step;
    const thin = Math.max(1, Math.floor(height / 128));
    const thinAcross = Math.max(1, Math.floor(width / 128));
    for (let i = 0; i < height; i += thin)
      for (let j = reach; j < width - reach; j += thinAcross) across(i * width, 1, j);
    for (let j = 0; j < width; j += thinAcross)
      for (let i = reach; i < height - reach; i += thin) across(j, width, i);
    return count > 0 ? Math.sqrt(sum / count) : Number.NaN;
  });
}

const rms = (plane: Float64Array): number =>
  Math.sqrt(plane.reduce((sum, v) => sum + v * v, 0) / plane.length);

export function characterOf({ height, width, planes }: Planes): Character {
  const sizes = planes.map(rms);
  const total = Math.hypot(...sizes);
  const fine = missed(planes, height, width, 1);
  const double = missed(planes, height, width, 2);
  const known = Number.isFinite(fine[0]) && Number.isFinite(double[0]);
  const floor = known ? Math.hypot(...fine) : 0;
  const white = known && Math.hypot(...double) <= 1.25 * floor;
  const plausible = !known || white || floor <= 2e-3 * total;
  // Only of noise is known that no mixture takes it.
  const noise = fine.map((f) => (white ? f / WHITE : 0));
  let stride = 1;
  // Missed from points 2 · step apart is what a lattice of that stride does not say.
  for (let step = 1; Math.max(height, width) / (2 * step) >= FEWEST; step *= 2) {
    const part = Math.hypot(...missed(planes, height, width, step));
    // What is no mixture shows it on a coarse lattice too, and sooner.
    const coarse = !plausible && Math.max(height, width) / step > 64;
    if (!coarse && !(part <= 0.03 * total + 1.3 * floor)) break;
    stride = 2 * step;
  }
  const along = (n: number) => Math.max(1, Math.min(stride, Math.floor(n / Math.min(n, FEWEST))));
  return { stride: [along(height), along(width)], noise, plausible };
}
