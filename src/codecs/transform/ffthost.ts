/** The orthonormal basis of waves on the host: real and imaginary part of a coefficient side by side. */
import { boxTerms, frequencies, frequencyOf } from '../../ops/boxterms.js';
import { analyseWaves, sumWaves } from '../../ops/waveshost.js';
import type { NodeShape } from '../parameters.js';

/** Whether the wave is its own conjugate: of frequency 0 or the highest of an even size along both axes. */
const isReal = (k: number, l: number, [height, width]: NodeShape): boolean => {
  const f = frequencyOf(k, false);
  return (f === 0 || 2 * f === height) && (l === 0 || 2 * l === width);
};

/** Whether the wave stands for the conjugate of another one. */
const isDouble = (k: number, l: number, [, width]: NodeShape): boolean =>
  frequencyOf(k, false) < 0 && (l === 0 || 2 * l === width);

/** The amplitude of a wave of coefficient 1, by row and column: 0 for one that stands for another. */
export function waveScales(shape: NodeShape): (k: number, l: number) => number {
  const single = Math.sqrt(1 / (shape[0] * shape[1]));
  const pair = Math.sqrt(2 / (shape[0] * shape[1]));
  return (k, l) => (isDouble(k, l, shape) ? 0 : isReal(k, l, shape) ? single : pair);
}

const terms = ([height, width]: NodeShape, kh: number, kw: number) => ({
  rows: boxTerms(height, height, kh, false),
  columns: boxTerms(width, width, kw, true),
});

/** [H, W, C] → [H, ⌊W/2⌋ + 1, 2C]. */
export function wavesForward(values: Float32Array, shape: NodeShape): Float64Array {
  const [height, width, channels] = shape;
  const half = frequencies(width, true);
  const sums = new Float64Array(2 * height * half * channels);
  analyseWaves(values, sums, 1, terms(shape, height, half), channels);
  const out = new Float64Array(sums.length);
  const scale = waveScales(shape);
  for (let k = 0, at = 0; k < height; k++) {
    for (let l = 0; l < half; l++, at += 2 * channels) {
      const s = scale(k, l);
      if (s === 0) continue;
      const real = isReal(k, l, shape);
      for (let c = 0; c < channels; c++) {
        out[at + 2 * c] = s * sums[at + c];
        if (!real) out[at + 2 * c + 1] = s * sums[at + channels + c];
      }
    }
  }
  return out;
}

/** A box [kh, kw, 2C] of the first coefficients → [H, W, C]. */
export function wavesInverse(coefficients: Float32Array, box: NodeShape, shape: NodeShape): Float64Array {
  const [kh, kw, parts] = box;
  const channels = parts / 2;
  const waves = new Float64Array(coefficients.length);
  const scale = waveScales(shape);
  for (let k = 0, at = 0; k < kh; k++) {
    for (let l = 0; l < kw; l++, at += parts) {
      const s = scale(k, l);
      for (let c = 0; c < channels; c++) {
        waves[at + c] = s * coefficients[at + 2 * c];
        waves[at + channels + c] = s * coefficients[at + 2 * c + 1];
      }
    }
  }
  const out = new Float64Array(shape[0] * shape[1] * channels);
  sumWaves(waves, out, 1, terms(shape, kh, kw), channels);
  return out;
}
