/**
 * What a contender is: a program that gets the folder of a case, times its passes, and prints one JSON line each:
 *   { peer, pass, times: [ms], error }   error: largest deviation from float64, relative to the largest value
 *   { peer, pass, skipped: 'why' }
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export async function readCase(folder = process.argv[2]) {
  const floats = async (name) => {
    const bytes = await readFile(join(folder, name));
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  };
  return {
    ...JSON.parse(await readFile(join(folder, 'case.json'), 'utf8')),
    nodes: await floats('nodes.f32'),
    coords: await floats('coords.f32'),
  };
}

export const say = (row) => console.log(JSON.stringify(row));

const worst = (pairs) => {
  const scale = Math.max(...pairs.map(([, want]) => Math.abs(want)));
  const error = Math.max(...pairs.map(([got, want]) => Math.abs(got - want))) / scale;
  return Number.isNaN(error) ? null : error; // null: not a number somewhere; the table says so
};

/** @param out [samples, payload] flat. */
export function forwardError({ payload, points }, out) {
  return worst(points.map(([i, f, want]) => [out[i * payload + f], want]));
}

/**
 * The loss is quadratic in the nodes: ⟨node gradient, nodes⟩ = 2 · loss.
 * @param nodeGrad flat, in the order of the nodes. @param coordGrad [samples, 3] flat.
 */
export function trainError({ loss, slopes, nodes }, nodeGrad, coordGrad) {
  let sum = 0;
  for (let i = 0; i < nodes.length; i++) sum += nodes[i] * nodeGrad[i];
  const energy = worst([[sum, 2 * loss]]);
  const slope = worst(slopes.flatMap(([i, ...want]) => want.map((w, axis) => [coordGrad[3 * i + axis], w])));
  return energy === null || slope === null ? null : Math.max(energy, slope);
}
