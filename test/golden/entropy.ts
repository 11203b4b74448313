/**
 * Makes entropy.json: integers and the bytes that they were packed to. Streams in files depend on them: a change of
 * these bytes is a change of format, and needs new codec versions. node --import tsx/esm test/golden/entropy.ts
 */
import { writeFileSync } from 'node:fs';
import { packIntegers } from '../../src/codecs/lossless/integers.js';
import type { NodeShape } from '../../src/codecs/parameters.js';
import { random } from '../support/numbers.js';

const next = random(20);
type Values = (y: number, x: number, c: number) => number;
const cases: [name: string, shape: NodeShape, values: Values][] = [
  ['a ramp with noise', [9, 8, 2], (y, x, c) => 3 * x - 2 * y + c + Math.floor(4 * next())],
  ['large integers', [5, 6, 1], () => Math.floor((2 * next() - 1) * 2 ** 28)],
  ['pieces', [12, 12, 3], (y, x, c) => ((y - 6) ** 2 + (x - 4) ** 2 < 14 ? 5 + c : y > 8 ? -70 : 2)],
  ['one pixel', [7, 3, 2], (_y, _x, c) => 9 - 1000 * c],
];

const golden = cases.map(([name, shape, value]) => {
  const values: number[] = [];
  for (let y = 0; y < shape[0]; y++) {
    for (let x = 0; x < shape[1]; x++) for (let c = 0; c < shape[2]; c++) values.push(value(y, x, c));
  }
  const bytes = packIntegers(Int32Array.from(values), shape);
  return { name, shape, values, bytes: Buffer.from(bytes).toString('base64') };
});
writeFileSync(new URL('./entropy.json', import.meta.url), `${JSON.stringify(golden)}\n`);
