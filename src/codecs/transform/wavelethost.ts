/**
 * The wavelet transform on the host, in float64: what an encoder needs. Layout and filters are those of ops/wavelet.ts:
 * level by level, rows and columns of the corner of low coefficients.
 */
import type { WaveletFamily, WaveletMode } from '../../ops/waveletfilters.js';
import { cornersOf, passesOf, runPass } from '../../ops/waveletpasses.js';
import type { NodeShape } from '../parameters.js';
import type { Band, Layout } from './coefficients.js';
import type { Transform } from './contract.js';

/** Levels until the low corner has at most four samples a side. */
export function levelsOf(height: number, width: number): number {
  let levels = 0;
  for (let n = Math.max(height, width); n > 4; n = Math.ceil(n / 2)) levels++;
  return levels;
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

/** The transform of a family, in as many levels as levelsOf says. */
export function waveletOnHost(family: WaveletFamily, mode: WaveletMode): Transform {
  const run = (x: Float64Array, [height, width, c]: NodeShape, inverse: boolean): Float64Array => {
    const attrs = { family, mode, levels: levelsOf(height, width), inverse, adjoint: false };
    for (const pass of passesOf(attrs, height, width)) runPass(x, width, c, pass);
    return x;
  };
  return {
    coefficientShape: (shape) => shape,
    layout: ([height, width]) => bandsOf(height, width, levelsOf(height, width)),
    forward: (values, shape) => run(Float64Array.from(values), shape, false),
    inverse(coefficients, [kh, kw, c], shape) {
      const x = new Float64Array(shape[0] * shape[1] * c);
      const row = kw * c;
      for (let y = 0; y < kh; y++) x.set(coefficients.subarray(y * row, (y + 1) * row), y * shape[1] * c);
      return run(x, shape, true);
    },
  };
}
