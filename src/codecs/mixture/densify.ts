/**
 * Components come where the error is and go where they are of no use; those that stay keep their optimiser's memory.
 * After B. Kerbl et al., "3D Gaussian splatting" (2023): split what covers much error, prune what is faint; and new ones by
 * matched filter on what is left.
 */
import { areasOf, keptOf, type Trained, untrained } from './adam.js';
import type { Canvas } from './canvas.js';
import { starts } from './matched.js';
import { all, countOf, joined, type Mixture, SHAPE_SIZE } from './mixture.js';

/** Of `grown`'s additions, those that are halves of components; the rest start where the residual's peaks are. */
const SPLIT_PART = 0.25;
/** A component that adds less than this part of the energy left for each is of no use. */
const FAINT = 0.01;
/** Centres nearer than this, in standard deviations, and logarithms of the widths: the same component twice. */
const SAME = 0.15;

function concatenated(a: Trained, b: Trained): Trained {
  const both = (x: Float64Array, y: Float64Array) => {
    const out = new Float64Array(x.length + y.length);
    out.set(x);
    out.set(y, x.length);
    return out;
  };
  return {
    mixture: joined(a.mixture, b.mixture),
    first: both(a.first, b.first),
    second: both(a.second, b.second),
    ages: both(a.ages, b.ages),
  };
}

/** Narrowed to 5/8 along its longer axis, in place, and moved along that by `by` of its standard deviations. */
function halved(shapes: Float64Array, s: number, by: number): void {
  // Of the precision matrix LᵀL: the eigenvector of the smaller eigenvalue is the longer axis.
  const a = Math.exp(shapes[s + 2]);
  const q = shapes[s + 3];
  const b = Math.exp(shapes[s + 4]);
  const [xx, xy, yy] = [a * a, a * q, q * q + b * b];
  const apart = Math.hypot((xx - yy) / 2, xy);
  const least = (a * a * b * b) / ((xx + yy) / 2 + apart);
  let [ex, ey] = [xy, least - xx];
  if (Math.hypot(ex, ey) <= 1e-12 * (xx + yy)) [ex, ey] = xx <= yy ? [1, 0] : [0, 1];
  const norm = Math.hypot(ex, ey);
  ex /= norm;
  ey /= norm;
  const sigma = 1 / Math.sqrt(least);
  shapes[s] += by * sigma * ex;
  shapes[s + 1] += by * sigma * ey;
  const more = least * (1.6 ** 2 - 1);
  const [nx, nxy, ny] = [xx + more * ex * ex, xy + more * ex * ey, yy + more * ey * ey];
  const na = Math.sqrt(nx);
  const nq = nxy / na;
  shapes[s + 2] = Math.log(na);
  shapes[s + 3] = nq;
  shapes[s + 4] = 0.5 * Math.log(Math.max(ny - nq * nq, 1e-9 * ny));
}

/** `more` components more: the halves of those under which most error lies, and others at the residual's peaks. */
export async function densified(canvas: Canvas, trained: Trained, more: number): Promise<Trained> {
  const count = countOf(trained.mixture);
  const residual = await canvas.residual(trained.mixture);
  const splits = Math.min(count, Math.floor(SPLIT_PART * more));
  let out = trained;
  if (splits > 0) {
    const errors = await canvas.errors(trained.mixture);
    const order = all(count).sort((k, l) => errors[l] - errors[k] || k - l);
    const twice = order.slice(0, splits);
    out = keptOf(trained, [...all(count), ...twice]);
    const { shapes, amplitudes, channels } = out.mixture;
    twice.forEach((k, i) => {
      halved(shapes, k * SHAPE_SIZE, 0.5);
      halved(shapes, (count + i) * SHAPE_SIZE, -0.5);
      for (const at of [k, count + i]) {
        for (let c = 0; c < channels; c++) amplitudes[at * channels + c] *= 0.8;
      }
    });
  }
  const { shapes } = starts(canvas.lattice(residual), residual, more - splits);
  const amplitudes = new Float64Array((shapes.length / SHAPE_SIZE) * canvas.channels);
  return concatenated(out, untrained({ channels: canvas.channels, shapes, amplitudes }));
}

/** Squared norm of each component's share. */
const sharesOf = (canvas: Canvas, mixture: Mixture): Float64Array =>
  areasOf(canvas, mixture).map((area, k) => {
    let sum = 0;
    for (let c = 0; c < mixture.channels; c++) sum += mixture.amplitudes[k * mixture.channels + c] ** 2;
    return sum * area;
  });

/** Pairs [kept, merged] of components that are the same but for their amplitudes. */
function twins({ shapes }: Mixture): [number, number][] {
  const count = shapes.length / SHAPE_SIZE;
  const order = all(count).sort((k, l) => shapes[k * SHAPE_SIZE] - shapes[l * SHAPE_SIZE] || k - l);
  const gone = new Set<number>();
  const found: [number, number][] = [];
  order.forEach((k, i) => {
    if (gone.has(k)) return;
    const [x, y, p, q, r] = shapes.subarray(k * SHAPE_SIZE, (k + 1) * SHAPE_SIZE);
    const [a, b] = [Math.exp(p), Math.exp(r)];
    // Along a row no two of a pair are further apart than this.
    const reach = (SAME / a) * (1 + Math.abs(q) / b);
    for (let j = i + 1; j < count; j++) {
      const l = order[j];
      const [lx, ly, lp, lq, lr] = shapes.subarray(l * SHAPE_SIZE, (l + 1) * SHAPE_SIZE);
      if (lx - x > reach) break;
      if (gone.has(l)) continue;
      const u = a * (lx - x) + q * (ly - y);
      const v = b * (ly - y);
      const apart = Math.hypot(u, v, lp - p, lr - r, (lq - q) / Math.max(a, b));
      if (apart > SAME) continue;
      gone.add(l);
      found.push([k, l]);
    }
  });
  return found;
}

/** Without components of no use, near-equal ones as one. `energy` is what the mixture leaves. */
export function thinned(canvas: Canvas, trained: Trained, energy: number): Trained {
  const { mixture } = trained;
  const { channels, amplitudes } = mixture;
  const gone = new Set<number>();
  for (const [k, l] of twins(mixture)) {
    for (let c = 0; c < channels; c++) amplitudes[k * channels + c] += amplitudes[l * channels + c];
    gone.add(l);
  }
  const count = countOf(mixture);
  const least = (FAINT * energy) / count;
  const shares = sharesOf(canvas, mixture);
  const kept = all(count).filter((k) => !gone.has(k) && shares[k] > least);
  return kept.length < count && kept.length > 0 ? keptOf(trained, kept) : trained;
}
