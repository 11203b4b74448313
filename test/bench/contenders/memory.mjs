/** Memory of one cube: `memory.mjs KIND`, KIND one of dense, sparse, float16. Prints { usage, rssBytes, … }. */
import { performance } from 'node:perf_hooks';
import { ready, WavetableMatrix } from '../../../dist/src/index.js';
import { seededRandom } from '../reference.mjs';
import { say } from './entry.mjs';

const SIZE = 10;
const kind = process.argv[2];
const part = kind === 'sparse' ? 0.1 : 1;
await ready({ backend: process.argv[3] ?? 'wasm' });

const random = seededRandom(1);
const node = Float32Array.from({ length: 64 * 64 * 4 }, () => 2 * random() - 1);
const options = {
  resolution: 64,
  channels: 4,
  sparse: kind === 'sparse',
  dtype: kind === 'float16' ? kind : 'float32',
};
new WavetableMatrix(1, 1, 1, options).setNode(0, 0, 0, node); // what any cube needs: heap, kernels, compiled code

globalThis.gc?.();
const before = process.memoryUsage.rss();
const started = performance.now();
const cube = new WavetableMatrix(SIZE, SIZE, SIZE, options);
for (let cell = 0; cell < SIZE ** 3 * part; cell++) {
  // A stride prime to the number of cells scatters the nodes of the sparse cube.
  const at = (cell * 7) % SIZE ** 3;
  cube.setNode(Math.floor(at / SIZE ** 2), Math.floor(at / SIZE) % SIZE, at % SIZE, node);
}
cube.sample(0.5, 0.5, 0.5).dispose();
const buildMs = performance.now() - started;
globalThis.gc?.();
say({ kind, usage: cube.getMemoryUsage(), rssBytes: process.memoryUsage.rss() - before, buildMs });
process.exit(0);
