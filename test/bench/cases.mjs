/**
 * The cases, and what a contender needs of one: nodes and coordinates as files, and values computed here in float64
 * that its results must agree with.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom, trilinear } from './reference.mjs';

const BOTH = ['forward', 'train'];

/** `train` is forward + backward to nodes and coordinates of mean(out²). `single`: one coordinate, through `sample`. */
export const CASES = [
  { id: 'W1', dims: [10, 10, 10], shape: [64, 64, 4], samples: 1000, passes: BOTH },
  { id: 'W2', dims: [33, 33, 33], shape: [1, 1, 3], samples: 1920 * 1080, passes: BOTH },
  { id: 'W3', dims: [2, 2, 2], shape: [512, 512, 4], samples: 1, passes: BOTH },
  { id: 'W4', dims: [64, 64, 64], shape: [1, 1, 8], samples: 64 ** 3, passes: BOTH },
  { id: 'one', dims: [10, 10, 10], shape: [64, 64, 4], samples: 1, passes: ['forward'], single: true },
  { id: 'many', dims: [10, 10, 10], shape: [16, 16, 4], samples: 100_000, passes: ['forward'] },
];

export function describe({ dims, shape, samples }) {
  const count = samples === 1 ? 'one sample' : `${samples.toLocaleString('en')} samples`;
  return `${dims.join('×')} of ${shape.join('×')}, ${count}`;
}

const product = (list) => list.reduce((a, b) => a * b, 1);

/** Values checked of each contender: enough to tell a wrong gather, few enough to travel as JSON. */
const CHECKED = 64;
/** A contender may place a coordinate this near to a node into the next cell: slopes are not compared there. */
const NEAR_NODE = 1e-3;

/** Writes the case into `folder`. @returns the case with payload, and the bytes each pass must move. */
export async function prepare(test, folder) {
  const { id, dims, shape, samples, passes } = test;
  const payload = product(shape);
  const cells = product(dims);
  const random = seededRandom(CASES.findIndex((c) => c.id === id) + 1);
  const nodes = Float32Array.from({ length: cells * payload }, () => 2 * random() - 1);
  const coords = Float32Array.from({ length: samples * 3 }, (_, i) => random() * (dims[i % 3] - 1));

  const at = trilinear(dims, payload, nodes, coords);
  const points = Array.from({ length: CHECKED }, () => {
    const [i, f] = [Math.floor(random() * samples), Math.floor(random() * payload)];
    return [i, f, at.value(i, f)];
  });
  const prepared = { ...test, payload, cells, points, bytes: { forward: at.bytes } };
  if (passes.includes('train')) {
    const inside = (i) =>
      [0, 1, 2].every((j) => Math.abs(coords[3 * i + j] - Math.round(coords[3 * i + j])) > NEAR_NODE);
    const rows = Array.from({ length: CHECKED / 4 }, () => Math.floor(random() * samples)).filter(inside);
    prepared.slopes = rows.map((i) => [i, ...at.lossSlope(i)]);
    prepared.loss = at.loss();
    // The backward reads the result (its gradient is a multiple of it) and the nodes again, and writes their gradient.
    prepared.bytes.train = 2 * at.bytes + 4 * nodes.length;
  }
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'nodes.f32'), nodes);
  await writeFile(join(folder, 'coords.f32'), coords);
  await writeFile(join(folder, 'case.json'), JSON.stringify(prepared));
  return prepared;
}
