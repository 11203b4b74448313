/**
 * Makes vN.json, N being the version of the npz layout that this library writes: files in base64, and what is in them.
 * node --import tsx/esm test/golden/npz/make.ts N
 * v1.json and v2.json were made so at the last commit that wrote these versions, 9dae2e1; they are not to be made anew.
 */
import { writeFile } from 'node:fs/promises';
import { OctaveHierarchy, ready, WavetableMatrix } from '../../../src/index.js';

/** Numbers between −1 and 1 that float32 and float16 hold exactly. */
const values = (n: number, seed: number) =>
  Float32Array.from({ length: n }, (_, i) => ((i * 37 + seed * 101) % 64) / 32 - 1);

const metadata = { note: 'grün', list: [1, { a: null }] };

async function cubeOf(dtype: 'float32' | 'float16', tangents: boolean): Promise<WavetableMatrix> {
  const axes = { x: [0, 0.25], y: { min: -1, max: 1 } };
  const cube = new WavetableMatrix(2, 2, 1, {
    ...{ resolution: [3, 4], channels: 1, dtype, metadata },
    boundary: { x: 'wrap', y: 'reflect' },
    axes: { x: { positions: axes.x, period: 2 }, y: axes.y },
  });
  cube.setNode(0, 0, 0, values(12, 1));
  cube.setNode(1, 0, 0, values(12, 2));
  if (tangents) cube.setTangents(1, 0, 0, { z: values(12, 3) });
  cube.setNode(0, 1, 0, values(12, 4));
  await cube.compressNode(0, 1, 0, { method: 'dct', quality: 0.7 });
  return cube;
}

function octavesOf(): OctaveHierarchy {
  const made = new OctaveHierarchy(2, 1, 1, {
    ...{ octaveLevels: [-1, 0], gridScale: 2, resolution: 1, channels: 2, basis: 'laplacian' as const, metadata },
  });
  for (const octave of made.octaves) {
    const cube = made.getMatrix(octave);
    for (let x = 0; x < cube.width; x++) cube.setNode(x, 0, 0, values(2, x));
  }
  return made;
}

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

async function nodesOf(cube: WavetableMatrix): Promise<Record<string, string>> {
  const nodes: Record<string, string> = {};
  for await (const node of cube.storedNodes()) {
    const { x, y, z } = node;
    if ('compressed' in node) nodes[`${x}_${y}_${z}`] = toHex(node.compressed);
    else {
      const place = `${node.tangent ? `${node.tangent} ` : ''}${x}_${y}_${z}`;
      const { buffer, byteOffset, byteLength } = node.values;
      nodes[place] = `[${node.shape}] ${toHex(new Uint8Array(buffer, byteOffset, byteLength))}`;
    }
  }
  return nodes;
}

async function cubeCase(name: string, cube: WavetableMatrix, deflate: boolean) {
  const npz = Buffer.from(await cube.toBytes('npz', { deflate })).toString('base64');
  const { options, metadata } = cube;
  return { name, npz, size: [cube.width, cube.height, cube.depth], options, metadata, nodes: await nodesOf(cube) };
}

await ready({ backend: 'cpu' });
const version = Number(process.argv[2]);
const files: object[] = [];
if (version !== 2) files.push(await cubeCase('a cube', await cubeOf('float32', false), false));
if (version !== 1) files.push(await cubeCase('tangents, float16', await cubeOf('float16', true), true));
if (version !== 2) {
  const made = octavesOf();
  const npz = Buffer.from(await made.toBytes('npz', { deflate: true })).toString('base64');
  const levels: Record<string, object> = {};
  for (const octave of made.octaves) levels[octave] = await nodesOf(made.getMatrix(octave));
  files.push({ name: 'octaves', npz, size: [2, 1, 1], basis: made.basis, metadata, levels });
}
await writeFile(new URL(`v${version}.json`, import.meta.url), `${JSON.stringify({ version, files })}\n`);
