/**
 * Where a Gaussian would take most from a residual: a matched filter at all places and, by halving the residual again
 * and again, at all widths; then the best of some ellipses there. Source: S. Mallat, Z. Zhang, "Matching pursuits with
 * time-frequency dictionaries" (1993).
 */
import { eachRow, fillRow } from './basis.js';
import type { Lattice } from './lattice.js';
import { SHAPE_SIZE } from './mixture.js';

/** Widths tried on each level of the pyramid, in its points. */
const WIDTHS = [0.8, 1.13];
const LEVELS = 9;

interface Peak {
  /** In lattice points. */
  x: number;
  y: number;
  width: number;
  /** Energy that a Gaussian there would take. */
  score: number;
}

function blurred(plane: Float64Array, h: number, w: number, sigma: number): Float64Array {
  const radius = Math.ceil(3.5 * sigma);
  const taps = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - radius) / sigma) ** 2),
  );
  const half = new Float64Array(h * w);
  const out = new Float64Array(h * w);
  for (let i = 0; i < h; i++) {
    for (let t = -radius; t <= radius; t++) {
      const f = taps[t + radius];
      const from = Math.max(0, -t);
      const to = Math.min(w, w - t);
      for (let j = from; j < to; j++) half[i * w + j] += f * plane[i * w + j + t];
    }
  }
  for (let i = 0; i < h; i++) {
    for (let t = Math.max(-radius, -i); t <= Math.min(radius, h - 1 - i); t++) {
      const f = taps[t + radius];
      for (let j = 0; j < w; j++) out[i * w + j] += f * half[(i + t) * w + j];
    }
  }
  return out;
}

function halved(plane: Float64Array, h: number, w: number): Float64Array {
  const hh = Math.ceil(h / 2);
  const hw = Math.ceil(w / 2);
  const out = new Float64Array(hh * hw);
  for (let i = 0; i < h; i++) {
    for (let j = 0; j < w; j++) out[(i >> 1) * hw + (j >> 1)] += 0.25 * plane[i * w + j];
  }
  return out;
}

/** The local maxima of what a round Gaussian takes, the highest first, `most` of them and none near a higher one. */
function peaksOf(residual: readonly Float64Array[], height: number, width: number, most: number): Peak[] {
  const found: Peak[] = [];
  let planes = residual;
  let h = height;
  let w = width;
  for (let level = 0; level < LEVELS; level++) {
    const cell = 2 ** level;
    for (const sigma of WIDTHS) {
      const score = new Float64Array(h * w);
      for (const plane of planes) {
        const b = blurred(plane, h, w, sigma);
        for (let i = 0; i < score.length; i++) score[i] += b[i] * b[i];
      }
      const unit = (cell * cell) / (Math.PI * sigma * sigma);
      for (let i = 0; i < h; i++) {
        for (let j = 0; j < w; j++) {
          const s = score[i * w + j];
          let top = s > 0;
          for (let y = Math.max(0, i - 1); top && y <= Math.min(h - 1, i + 1); y++) {
            for (let x = Math.max(0, j - 1); x <= Math.min(w - 1, j + 1); x++) {
              if (score[y * w + x] > s) top = false;
            }
          }
          if (!top) continue;
          const at = (n: number) => (n + 0.5) * cell - 0.5;
          found.push({ x: at(j), y: at(i), width: sigma * cell, score: s * unit });
        }
      }
    }
    if (h <= 2 && w <= 2) break;
    planes = planes.map((plane) => halved(plane, h, w));
    h = Math.ceil(h / 2);
    w = Math.ceil(w / 2);
  }
  found.sort((a, b) => b.score - a.score);
  const taken: Peak[] = [];
  for (const peak of found) {
    if (taken.length === most) break;
    const near = (t: Peak) => Math.hypot(t.x - peak.x, t.y - peak.y) < 2 * Math.max(t.width, peak.width);
    if (!taken.some(near)) taken.push(peak);
  }
  return taken;
}

/** Energy that the Gaussian takes from the residual with its best amplitudes. */
function gain(
  lattice: Lattice,
  residual: readonly Float64Array[],
  shape: Float64Array,
  row: Float64Array,
): number {
  const dots = new Float64Array(residual.length);
  let norm = 0;
  eachRow(lattice, shape, 0, 3.5, (i, start, end, u, uStep, _dy, v) => {
    fillRow(row, 0, end - start, u, uStep, v);
    const at = i * lattice.width + start;
    for (let j = 0; j < end - start; j++) norm += row[j] * row[j];
    for (let c = 0; c < dots.length; c++) {
      const plane = residual[c];
      let sum = 0;
      for (let j = 0; j < end - start; j++) sum += row[j] * plane[at + j];
      dots[c] += sum;
    }
  });
  return norm > 0 ? dots.reduce((sum, d) => sum + d * d, 0) / norm : 0;
}

/** cx, cy, p, q, r of an ellipse: standard deviations along and across a direction. */
export function ellipse(cx: number, cy: number, along: number, across: number, angle: number): Float64Array {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const i = 1 / along ** 2;
  const k = 1 / across ** 2;
  const xx = i * cos * cos + k * sin * sin;
  const xy = (i - k) * cos * sin;
  const yy = i * sin * sin + k * cos * cos;
  const a = Math.sqrt(xx);
  const q = xy / a;
  return Float64Array.of(cx, cy, Math.log(a), q, 0.5 * Math.log(Math.max(yy - q * q, 1e-12 * yy)));
}

/** Shapes [n, 5], n ≤ most, with which new components should start, that which takes most first; and what it takes. */
export function starts(
  lattice: Lattice,
  residual: readonly Float64Array[],
  most: number,
): { shapes: Float64Array; scores: number[] } {
  const { height, width, x0, y0, stepX, stepY } = lattice;
  const row = new Float64Array(width);
  const peaks = peaksOf(residual, height, width, most);
  const shapes = new Float64Array(peaks.length * SHAPE_SIZE);
  const scores = peaks.map((peak, n) => {
    const cx = x0 + peak.x * stepX;
    const cy = y0 + peak.y * stepY;
    const step = Math.sqrt(stepX * stepY);
    let best = ellipse(cx, cy, peak.width * stepX, peak.width * stepX, 0);
    let most = gain(lattice, residual, best, row);
    for (const aspect of [1.6, 2.6, 4.2]) {
      for (const size of aspect > 2 ? [0.7, 1] : [1]) {
        for (let direction = 0; direction < 8; direction++) {
          const s = peak.width * step * size;
          const angle = (Math.PI * direction) / 8;
          const shape = ellipse(cx, cy, s * Math.sqrt(aspect), s / Math.sqrt(aspect), angle);
          const g = gain(lattice, residual, shape, row);
          if (g > most) {
            most = g;
            best = shape;
          }
        }
      }
    }
    shapes.set(best, n * SHAPE_SIZE);
    return most;
  });
  return { shapes, scores };
}
