/**
 * Makes the golden .wvcb files beside it, and what is in them as JSON.
 *
 *     node --import tsx/esm test/golden/wvcb/make.ts
 *
 * Made once for a version of the format: every later library must read these bytes, and read these numbers in them.
 */
import { writeFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs';
import { OctaveHierarchy, ready } from '../../../src/index.js';
import { CUBES, type Expected, expectedOf } from './cubes.js';

tf.enableProdMode();
await ready({ backend: 'cpu' });
const folder = new URL('.', import.meta.url);
const expected: Record<string, Record<string, Expected>> = {};
for (const [name, make] of Object.entries(CUBES)) {
  const made = await make();
  await writeFile(new URL(`${name}.wvcb`, folder), await made.toBytes('wvcb'));
  const cubes = made instanceof OctaveHierarchy ? Object.entries(made.matrices) : [['cube', made] as const];
  expected[name] = {};
  for (const [key, cube] of cubes) expected[name][key] = await expectedOf(cube);
}
await writeFile(new URL('expected.json', folder), `${JSON.stringify(expected)}\n`);
