/**
 * Makes cube.h5 and octaves.h5, and values.json, what is in them: files of this version, to be read by all that come.
 * node --import tsx/esm test/golden/hdf5/files.ts
 */
import { writeFile } from 'node:fs/promises';
import { OctaveHierarchy, ready, WavetableMatrix } from '../../../src/index.js';
import { plainContents } from '../../support/contents.js';
import { smooth } from '../../support/fields.js';
import { random, randomArray } from '../../support/numbers.js';

await ready({ backend: 'cpu' });
const cube = new WavetableMatrix(3, 2, 1, {
  resolution: [4, 3],
  channels: 2,
  axes: { x: [0, 1, 4] },
  boundary: { y: 'wrap' },
  metadata: { note: 'ünïcode', list: [1, 2.5] },
});
const next = random(5);
cube.setNode(0, 0, 0, randomArray(24, next));
cube.setNode(2, 1, 0, randomArray(24, next));
cube.setTangents(2, 1, 0, { z: randomArray(24, next) });
for (const [x, method] of ['dct', 'lossless', 'quantized'].entries()) {
  const y = x === 2 ? 0 : 1;
  cube.setNode(x, y, 0, smooth([4, 3, 2], 0.5).values);
  await cube.compressNode(x, y, 0, { method, quality: 0.9 });
}
const octaves = new OctaveHierarchy(2, 2, 1, {
  octaveLevels: [-1, 0, 4],
  gridScale: 2,
  resolution: [1, 4],
  channels: 1,
  dtype: 'float16',
});
for (const octave of octaves.octaves) octaves.getMatrix(octave).setNode(0, 0, 0, randomArray(4, next));
const values: Record<string, unknown> = {};
for (const [name, saved] of Object.entries({ cube, octaves })) {
  await writeFile(new URL(`${name}.h5`, import.meta.url), await saved.toBytes('hdf5'));
  const { about, nodes } = await plainContents(saved.contents());
  values[name] = { about, nodes: Object.fromEntries(nodes) };
}
await writeFile(new URL('values.json', import.meta.url), `${JSON.stringify(values, null, 1)}\n`);
