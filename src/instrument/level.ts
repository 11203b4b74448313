/** The law a morphable cube must keep: a blend is as loud as what it blends. */
import type { WavetableMatrix } from '../grid/matrix.js';

export interface CellLevels {
  /** 20·log₁₀(RMS at the centre / mean RMS of the corners) of each cell, dB. */
  readonly differencesDb: Float64Array;
  /** How many of them lie within ±limitDb. */
  readonly within: number;
}

/**
 * Samples the centre of every cell whose corners are all there and compares its level, the RMS, with the arithmetic
 * mean of its corners' RMS. Cycles with agreeing phases stay near 0 dB (below it as far as their spectra differ),
 * cycles with random ones fall towards −9 dB.
 * @param limitDb what still counts as `within`. Default 1 dB.
 */
export async function cellLevels(cube: WavetableMatrix, limitDb = 1): Promise<CellLevels> {
  const dims = [cube.width, cube.height, cube.depth];
  const [dx, dy, dz] = dims.map((n) => (n > 1 ? [0, 1] : [0]));
  const span = dx.flatMap((x) => dy.flatMap((y) => dz.map((z) => [x, y, z])));
  const corners: number[][] = [];
  const centres: number[][] = [];
  const [X, Y, Z] = dims.map((n) => Math.max(n - 1, 1));
  for (let x = 0; x < X; x++)
    for (let y = 0; y < Y; y++)
      for (let z = 0; z < Z; z++) {
        const cell = span.map(([i, j, k]) => [x + i, y + j, z + k]);
        if (!cell.every(([i, j, k]) => cube.hasNode(i, j, k))) continue;
        corners.push(...cell);
        centres.push([x, y, z].map((base, axis) => base + (dims[axis] > 1 ? 0.5 : 0)));
      }
  const atCentres = await levels(cube, centres);
  const atCorners = await levels(cube, corners);
  const differencesDb = new Float64Array(centres.length);
  let within = 0;
  for (let i = 0; i < centres.length; i++) {
    let mean = 0;
    for (let j = 0; j < span.length; j++) mean += atCorners[i * span.length + j] / span.length;
    differencesDb[i] = atCentres[i] === mean ? 0 : 20 * Math.log10(atCentres[i] / mean);
    if (Math.abs(differencesDb[i]) <= limitDb) within++;
  }
  return { differencesDb, within };
}

/** RMS of the wavetable at each coordinate. */
async function levels(cube: WavetableMatrix, coords: number[][]): Promise<Float64Array> {
  const out = new Float64Array(coords.length);
  for (const { offset, values: sampled } of cube.sampleChunks(coords)) {
    const values = await sampled.data();
    const length = values.length / sampled.shape[0];
    sampled.dispose();
    for (let i = 0; i * length < values.length; i++) {
      let sum = 0;
      for (let t = i * length; t < (i + 1) * length; t++) sum += values[t] * values[t];
      out[offset + i] = Math.sqrt(sum / length);
    }
  }
  return out;
}
