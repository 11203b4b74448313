/**
 * Linear prediction of a lattice point from what is decoded around it: the mean of its four nearest neighbours, and
 * weighted features that are small where a field is smooth (so that weights of few bits do):
 *
 *   0      half the difference of the two pairs of nearest neighbours
 *   1 2    means of the two groups of four next neighbours, less the mean of the nearest
 *   3 4    of the farthest: corners (centres) or row pair (edges); column pair (edges)
 *   5      the channel's offset, likewise
 *   6–9    what four points decoded before in the same step were off their mean of nearest neighbours
 *   10 11  the residuals of the two channels before at the same place
 *
 * Weights are in 1/256. They start from interpolation of order four (centres: cubic in both directions; edges: the
 * quincunx filter of J. Kovačević and W. Sweldens, "Wavelet families of increasing order in arbitrary dimensions", 2000),
 * and an encoder may fit its own by least squares.
 */
import type { Plane } from './pyramid.js';

export const FEATURES = 12;
export const WEIGHT_ONE = 256;

export type Step = 'centres' | 'edges';

export const CUBIC: Readonly<Record<Step, Int32Array>> = {
  centres: Int32Array.of(0, -36, -36, 4, 0, 0, 0, 0, 0, 0, 0, 0),
  edges: Int32Array.of(0, -32, -32, 0, 0, 0, 0, 0, 0, 0, 0, 0),
};

/** Writes the features at index `i` of a plane; returns the mean of the nearest. */
export type Features = (
  out: Float64Array,
  i: number,
  plane: Plane,
  offs: Float32Array,
  offset: number,
  twin: Float32Array,
  twin2: Float32Array,
) => number;

export const centreFeatures: Features = (out, i, { stride: s, values: v }, offs, offset, twin, twin2) => {
  const a = v[i - s - 1] + v[i + s + 1];
  const b = v[i - s + 1] + v[i + s - 1];
  const mean = (a + b) / 4;
  out[0] = (a - b) / 4;
  out[1] = (v[i - s - 3] + v[i - s + 3] + v[i + s - 3] + v[i + s + 3]) / 4 - mean;
  out[2] = (v[i - 3 * s - 1] + v[i - 3 * s + 1] + v[i + 3 * s - 1] + v[i + 3 * s + 1]) / 4 - mean;
  out[3] = (v[i - 3 * s - 3] + v[i - 3 * s + 3] + v[i + 3 * s - 3] + v[i + 3 * s + 3]) / 4 - mean;
  out[4] = 0;
  out[5] = offset - mean;
  out[6] = offs[i - 2 * s];
  out[7] = offs[i - 2];
  out[8] = offs[i - 2 * s - 2];
  out[9] = offs[i - 2 * s + 2];
  out[10] = twin[i];
  out[11] = twin2[i];
  return mean;
};

export const edgeFeatures: Features = (out, i, { stride: s, values: v }, offs, offset, twin, twin2) => {
  const a = v[i - 1] + v[i + 1];
  const b = v[i - s] + v[i + s];
  const mean = (a + b) / 4;
  out[0] = (a - b) / 4;
  out[1] = (v[i - s - 2] + v[i - s + 2] + v[i + s - 2] + v[i + s + 2]) / 4 - mean;
  out[2] = (v[i - 2 * s - 1] + v[i - 2 * s + 1] + v[i + 2 * s - 1] + v[i + 2 * s + 1]) / 4 - mean;
  out[3] = (v[i - 3] + v[i + 3]) / 2 - mean;
  out[4] = (v[i - 3 * s] + v[i + 3 * s]) / 2 - mean;
  out[5] = offset - mean;
  out[6] = offs[i - s - 1];
  out[7] = offs[i - s + 1];
  out[8] = offs[i - 2 * s];
  out[9] = offs[i - 2];
  out[10] = twin[i];
  out[11] = twin2[i];
  return mean;
};
