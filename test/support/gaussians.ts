/** The float64 reference of Gaussian mixtures: the formula, pixel by pixel, without rows, tiles or culling. */
import { randomArray } from './numbers.js';

export interface MixtureShape {
  images: number;
  count: number;
  channels: number;
  height: number;
  width: number;
}

const clamp = (x: number): number => Math.min(Math.max(x, -40), 40);

/** [u, v] of pixel (i, j) of a component at `at`. */
function factors(x: ArrayLike<number>, at: number, i: number, j: number, s: MixtureShape): [number, number] {
  const dx = (j + 0.5) / s.width - x[at];
  const dy = (i + 0.5) / s.height - x[at + 1];
  return [Math.exp(clamp(x[at + 2])) * dx + x[at + 3] * dy, Math.exp(clamp(x[at + 4])) * dy];
}

/** Calls back with g, u, v of every component that counts at every pixel; `cut` is the radius beyond which none does. */
function each(
  x: ArrayLike<number>,
  s: MixtureShape,
  cut: number,
  body: (at: number, pixel: number, g: number, u: number, v: number) => void,
): void {
  const f = 5 + s.channels;
  for (let t = 0; t < s.images * s.count; t++) {
    const n = Math.floor(t / s.count);
    for (let i = 0; i < s.height; i++) {
      for (let j = 0; j < s.width; j++) {
        const [u, v] = factors(x, t * f, i, j, s);
        const square = u * u + v * v;
        if (square > cut * cut) continue;
        body(t * f, ((n * s.height + i) * s.width + j) * s.channels, Math.exp(-square / 2), u, v);
      }
    }
  }
}

/** [N, H, W, C] in float64. Components must be finite. */
export function mixtureOracle(x: ArrayLike<number>, s: MixtureShape, cut = 6): Float64Array {
  const out = new Float64Array(s.images * s.height * s.width * s.channels);
  each(x, s, cut, (at, pixel, g) => {
    for (let c = 0; c < s.channels; c++) out[pixel + c] += g * x[at + 5 + c];
  });
  return out;
}

/** ⟨mixture, y⟩ without a cut, which differences could see: what gradients are differences of. */
export function mixtureInner(x: ArrayLike<number>, y: ArrayLike<number>, s: MixtureShape): number {
  let sum = 0;
  each(x, s, Number.POSITIVE_INFINITY, (at, pixel, g) => {
    for (let c = 0; c < s.channels; c++) sum += g * x[at + 5 + c] * y[pixel + c];
  });
  return sum;
}

/** d⟨mixture, y⟩/dx by central differences in float64. */
export function mixtureDifferences(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  s: MixtureShape,
): Float64Array {
  const f = 5 + s.channels;
  const out = new Float64Array(x.length);
  const size = s.height * s.width * s.channels;
  for (let k = 0; k < x.length; k++) {
    // Only its own component changes, and only its own image sees it.
    const t = Math.floor(k / f);
    const own = Float64Array.from({ length: f }, (_, i) => x[t * f + i]);
    const n = Math.floor(t / s.count);
    const image = Float64Array.from({ length: size }, (_, i) => y[n * size + i]);
    const one = { ...s, images: 1, count: 1 };
    const h = 1e-5 * Math.max(Math.abs(x[k]), 1e-2);
    const at = (value: number) => {
      own[k % f] = value;
      return mixtureInner(own, image, one);
    };
    out[k] = (at(x[k] + h) - at(x[k] - h)) / (2 * h);
  }
  return out;
}

/** [N, M, 5 + C] of Gaussians in and around the frame, σ from `low` to `high` of it, leaning either way. */
export function randomMixture(s: MixtureShape, next: () => number, low = 0.02, high = 0.3): Float32Array {
  const f = 5 + s.channels;
  const out = new Float32Array(s.images * s.count * f);
  for (let at = 0; at < out.length; at += f) {
    const p = -Math.log(low * (high / low) ** next());
    const r = -Math.log(low * (high / low) ** next());
    const q = 2 * (next() - 0.5) * Math.exp(p);
    out.set([1.4 * next() - 0.2, 1.4 * next() - 0.2, p, q, r], at);
    out.set(randomArray(s.channels, next), at + 5);
  }
  return out;
}

/**
 * What float32 may be off by at a pixel. Of each amplitude 5e-7 for exp and the sum, and, as u and v are at most 6 and
 * a rounding of u moves g by less than itself, a rounding of e^p dx and of q dy: each is at most 6 + 6 |q| e^−r, or 6 on a
 * backend that takes u from its zero on the row (`centred`). Errors of components are independent, so they add as squares.
 */
export function mixtureTolerance(x: ArrayLike<number>, s: MixtureShape, centred: boolean): number {
  const f = 5 + s.channels;
  let worst = 0;
  for (let n = 0; n < s.images; n++) {
    let squares = 0;
    for (let m = 0; m < s.count; m++) {
      const at = (n * s.count + m) * f;
      let amplitude = 0;
      for (let c = 0; c < s.channels; c++) amplitude = Math.max(amplitude, Math.abs(x[at + 5 + c]));
      const lean = centred ? 0 : Math.abs(x[at + 3]) * Math.exp(-clamp(x[at + 4]));
      squares += (amplitude * (5e-7 + 6e-8 * (6 + 6 * lean))) ** 2;
    }
    worst = Math.max(worst, squares);
  }
  return Math.sqrt(worst);
}
