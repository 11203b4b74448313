/**
 * The wavelet transform on the host, in float64: what an encoder needs. Layout and filters are those of ops/wavelet.ts:
 * level by level, rows and columns of the corner of low coefficients.
 */
import {
  analysisMatrix,
  type Banded,
  synthesisMatrix,
  type WaveletFamily,
  type WaveletMode,
} from '../ops/waveletfilters.js';
import type { Band, Layout } from './coefficients.js';
import type { NodeShape } from './parameters.js';
import type { Transform } from './transform.js';

/** The corner [h, w] of each level, the finest first, and the low corner that is left as the last. */
export function cornersOf(height: number, width: number, levels: number): [number, number][] {
  const corners: [number, number][] = [[height, width]];
  for (let l = 0; l < levels; l++) {
    const [h, w] = corners[l];
    corners.push([Math.ceil(h / 2), Math.ceil(w / 2)]);
  }
  return corners;
}

/** Levels until the low corner has at most four samples a side. */
export function levelsOf(height: number, width: number): number {
  let levels = 0;
  for (let n = Math.max(height, width); n > 4; n = Math.ceil(n / 2)) levels++;
  return levels;
}

/** Along columns of the corner [h, w] of x [·, width, c], in place. */
function alongColumns(
  x: Float64Array,
  h: number,
  w: number,
  stride: number,
  c: number,
  matrix: Banded,
): void {
  const { taps, indices, weights } = matrix;
  const line = w * c;
  const copy = new Float64Array(h * line);
  for (let y = 0; y < h; y++) copy.set(x.subarray(y * stride, y * stride + line), y * line);
  for (let r = 0; r < h; r++) {
    const out = x.subarray(r * stride, r * stride + line);
    out.fill(0);
    for (let t = r * taps; t < (r + 1) * taps; t++) {
      const weight = weights[t];
      if (weight === 0) continue;
      const from = indices[t] * line;
      for (let i = 0; i < line; i++) out[i] += weight * copy[from + i];
    }
  }
}

/** Along rows. */
function alongRows(x: Float64Array, h: number, w: number, stride: number, c: number, matrix: Banded): void {
  const { taps, indices, weights } = matrix;
  const line = new Float64Array(w * c);
  const offsets = indices.map((i) => i * c);
  for (let y = 0; y < h; y++) {
    const row = y * stride;
    line.set(x.subarray(row, row + w * c));
    for (let r = 0; r < w; r++) {
      for (let k = 0; k < c; k++) {
        let sum = 0;
        for (let t = r * taps; t < (r + 1) * taps; t++) sum += weights[t] * line[offsets[t] + k];
        x[row + r * c + k] = sum;
      }
    }
  }
}

export function analysed(
  x: Float64Array,
  [height, width, c]: NodeShape,
  levels: number,
  family: WaveletFamily,
  mode: WaveletMode,
): Float64Array {
  const corners = cornersOf(height, width, levels);
  for (let l = 0; l < levels; l++) {
    const [h, w] = corners[l];
    if (w > 1) alongRows(x, h, w, width * c, c, analysisMatrix(family, mode, w));
    if (h > 1) alongColumns(x, h, w, width * c, c, analysisMatrix(family, mode, h));
  }
  return x;
}

export function synthesised(
  x: Float64Array,
  [height, width, c]: NodeShape,
  levels: number,
  family: WaveletFamily,
  mode: WaveletMode,
): Float64Array {
  const corners = cornersOf(height, width, levels);
  for (let l = levels - 1; l >= 0; l--) {
    const [h, w] = corners[l];
    if (h > 1) alongColumns(x, h, w, width * c, c, synthesisMatrix(family, mode, h));
    if (w > 1) alongRows(x, h, w, width * c, c, synthesisMatrix(family, mode, w));
  }
  return x;
}

/** Bands from coarse to fine: low; then of each level rows' details, columns' details, both. */
function bandsOf(height: number, width: number, levels: number): Layout {
  const corners = cornersOf(height, width, levels);
  const [lowH, lowW] = corners[levels];
  const bands: Band[] = [{ y: 0, x: 0, height: lowH, width: lowW, kind: 0 }];
  for (let l = levels - 1; l >= 0; l--) {
    const [h, w] = corners[l];
    const [y, x] = corners[l + 1];
    const parent = (k: number) => (l === levels - 1 ? undefined : bands.length - 3 + k);
    const kind = 3 * (1 + Math.min(l, 14));
    const first = bands.length;
    const parents = [0, 1, 2].map(parent);
    bands.push(
      { y: 0, x, height: y, width: w - x, kind, parent: parents[0] },
      { y, x: 0, height: h - y, width: x, kind: kind + 1, parent: parents[1], sibling: first },
      { y, x, height: h - y, width: w - x, kind: kind + 2, parent: parents[2], sibling: first },
    );
  }
  return bands;
}

export function waveletTransform(family: WaveletFamily, mode: WaveletMode): Transform {
  return {
    coefficientShape: (shape) => shape,
    layout: ([height, width]) => bandsOf(height, width, levelsOf(height, width)),
    forward: (values, shape) =>
      analysed(Float64Array.from(values), shape, levelsOf(shape[0], shape[1]), family, mode),
    inverse(coefficients, [kh, kw, c], shape) {
      const [height, width] = shape;
      const x = new Float64Array(height * width * c);
      for (let y = 0; y < kh; y++) {
        x.set(coefficients.subarray(y * kw * c, (y + 1) * kw * c), y * width * c);
      }
      return synthesised(x, shape, levelsOf(height, width), family, mode);
    },
  };
}
