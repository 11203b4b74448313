/**
 * The wavelet transform as a list of passes, the same for every backend: each multiplies the corner [height, width] of an
 * image by a banded matrix, along its rows or its columns, and leaves the rest as it is.
 */
import { Kept } from './kept.js';
import {
  analysisMatrix,
  type Banded,
  synthesisMatrix,
  transposed,
  type WaveletFamily,
  type WaveletMode,
} from './waveletfilters.js';

/** The kernel's name; its contract: ops/wavelet.ts. */
export const WAVELET = 'WavecubeWavelet';

/** What a transform is. Levels beyond what the size has do nothing. */
export interface WaveletAttrs {
  family: WaveletFamily;
  mode: WaveletMode;
  levels: number;
  /** Coefficients to samples. */
  inverse: boolean;
  /** The transpose of the map. */
  adjoint: boolean;
}

export interface Pass {
  /** The axis that is multiplied. */
  axis: 'height' | 'width';
  height: number;
  width: number;
  matrix: Banded;
}

/** The corner [h, w] of each level, the finest first, and the low corner that is left as the last. */
export function cornersOf(height: number, width: number, levels: number): [number, number][] {
  const corners: [number, number][] = [[height, width]];
  for (let l = 0; l < levels; l++) {
    const [h, w] = corners[l];
    corners.push([Math.ceil(h / 2), Math.ceil(w / 2)]);
  }
  return corners;
}

/** With the tables that kernels make of passes: 20 bytes a tap. */
const kept = new Kept<readonly Pass[]>((passes) =>
  passes.reduce((sum, { matrix }) => sum + 20 * matrix.indices.length, 0),
);

/** The passes, in order, over images of [height, width]; those of the last calls are kept. */
export function passesOf(attrs: WaveletAttrs, height: number, width: number): readonly Pass[] {
  const { family, mode, levels, inverse, adjoint } = attrs;
  const key = `${family} ${mode} ${levels} ${inverse} ${adjoint} ${height} ${width}`;
  return kept.get(key, () => madePasses(attrs, height, width));
}

function madePasses(
  { family, mode, levels, inverse, adjoint }: WaveletAttrs,
  height: number,
  width: number,
): Pass[] {
  const matrixOf = (n: number): Banded => {
    const matrix = (inverse ? synthesisMatrix : analysisMatrix)(family, mode, n);
    return adjoint ? transposed(matrix) : matrix;
  };
  const passes: Pass[] = [];
  for (const [h, w] of cornersOf(height, width, levels).slice(0, levels)) {
    if (w > 1) passes.push({ axis: 'width', height: h, width: w, matrix: matrixOf(w) });
    if (h > 1) passes.push({ axis: 'height', height: h, width: w, matrix: matrixOf(h) });
  }
  // Analysis goes from fine to coarse, synthesis back; a transpose turns the order round.
  return inverse === adjoint ? passes : passes.reverse();
}

/** The matrices of passes, one after the other: that of pass i begins at first[i] of both arrays. Not to be written to. */
export interface Tables {
  indices: Int32Array<ArrayBuffer>;
  weights: Float32Array<ArrayBuffer>;
  first: number[];
}

const tables = new WeakMap<readonly Pass[], Tables>();

/** The matrices as kernels take them: at once, in float32. */
export function tablesOf(passes: readonly Pass[]): Tables {
  let made = tables.get(passes);
  if (!made) {
    const size = passes.reduce((sum, { matrix }) => sum + matrix.indices.length, 0);
    made = { indices: new Int32Array(size), weights: new Float32Array(size), first: [] };
    let at = 0;
    for (const { matrix } of passes) {
      made.first.push(at);
      made.indices.set(matrix.indices, at);
      made.weights.set(matrix.weights, at);
      at += matrix.indices.length;
    }
    tables.set(passes, made);
  }
  return made;
}

/** Runs a pass on the image [·, width, channels] that begins at x[0], in place, in float64. */
export function runPass(x: Float64Array, width: number, channels: number, pass: Pass): void {
  const { taps, indices, weights } = pass.matrix;
  const stride = width * channels;
  const line = pass.width * channels;
  if (pass.axis === 'height') {
    const copy = new Float64Array(pass.height * line);
    for (let y = 0; y < pass.height; y++) copy.set(x.subarray(y * stride, y * stride + line), y * line);
    for (let r = 0; r < pass.height; r++) {
      const out = x.subarray(r * stride, r * stride + line);
      out.fill(0);
      // Four taps at a time: the result is read and written less often.
      let t = r * taps;
      for (const end = t + taps; t < end; t += 4) {
        const [a, b, c, d] = [0, 1, 2, 3].map((k) => indices[Math.min(t + k, end - 1)] * line);
        const [wa, wb, wc, wd] = [0, 1, 2, 3].map((k) => (t + k < end ? weights[t + k] : 0));
        for (let i = 0; i < line; i++) {
          out[i] += wa * copy[a + i] + wb * copy[b + i] + wc * copy[c + i] + wd * copy[d + i];
        }
      }
    }
    return;
  }
  const copy = new Float64Array(line);
  const offsets = indices.map((i) => i * channels);
  for (let y = 0; y < pass.height; y++) {
    const row = y * stride;
    copy.set(x.subarray(row, row + line));
    for (let r = 0; r < pass.width; r++) {
      const first = r * taps;
      const out = row + r * channels;
      for (let k = 0; k < channels; k++) {
        let sum = 0;
        for (let t = first; t < first + taps; t++) sum += weights[t] * copy[offsets[t] + k];
        x[out + k] = sum;
      }
    }
  }
}
