/** Stock tfjs ops on its wasm backend, as it comes: src/ops/composition.ts without any kernel of Wavecube's. */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { sampleComposition } from '../../../dist/src/ops/composition.js';
import { measure } from '../timing.mjs';
import { forwardError, readCase, say } from './entry.mjs';

const peer = 'stock tfjs ops';
const test = await readCase();
await tf.setBackend('wasm');
const nodes = tf.tensor2d(test.nodes, [test.cells, test.payload]);
const grid = tf.range(0, test.cells, 1, 'int32').reshape(test.dims);
const coords = tf.tensor2d(test.coords, [test.samples, 3]);
const attrs = {
  boundary: [0, 0, 0],
  payload: test.payload,
  half: false,
  firstRow: 0,
  rows: test.cells,
  ordered: true,
};
const sample = () => tf.tidy(() => sampleComposition({ nodes, grid, coords }, attrs));

const out = sample();
const error = forwardError(test, out.dataSync());
out.dispose();
say({ peer, pass: 'forward', error, times: await measure(() => sample().dispose()) });
