/** Wavecube on a backend: `wavecube.mjs FOLDER BACKEND`. */
import * as tf from '@tensorflow/tfjs';
import { meanSquare, ready, WavetableMatrix } from '../../../dist/src/index.js';
import { measure } from '../timing.mjs';
import { forwardError, readCase, say, trainError } from './entry.mjs';

const backend = process.argv[3];
const peer = `wavecube ${backend}`;
const test = await readCase();
await ready({ backend });

const cube = tf.tidy(() =>
  WavetableMatrix.fromTensor(tf.tensor(test.nodes, [...test.dims, ...test.shape]), { trainable: true }),
);
const coords = tf.variable(tf.tensor2d(test.coords, [test.samples, 3]));
const parameters = [...cube.trainableVariables(), coords];

/** On wasm and cpu a call returns when its work is done; a GPU has done it when an element of it can be read. */
const done =
  backend === 'webgpu'
    ? async (tensors) => {
        const elements = tensors.map((t) => tf.tidy(() => t.flatten().slice(0, 1)));
        await Promise.all(elements.map((e) => e.data()));
        tf.dispose([elements, tensors]);
      }
    : (tensors) => tf.dispose(tensors);

const sample = () => (test.single ? cube.sample(...test.coords) : cube.sampleBatch(coords));
const gradients = () => tf.variableGrads(() => meanSquare(cube.sampleBatch(coords)), parameters);

const out = sample();
const error = forwardError(test, await out.data());
out.dispose();
say({ peer, pass: 'forward', error, times: await measure(() => done([sample()])) });

if (test.passes.includes('train')) {
  const { value, grads } = gradients();
  const [coordGrad, ...pages] = [coords, ...cube.trainableVariables()].map((v) => grads[v.name]);
  const nodeGrad = new Float32Array(test.nodes.length);
  let offset = 0;
  for (const page of pages) {
    nodeGrad.set(await page.data(), offset);
    offset += page.size;
  }
  const trained = trainError(test, nodeGrad, await coordGrad.data());
  tf.dispose([value, grads]);
  const step = () => {
    const { value, grads } = gradients();
    return done([value, ...Object.values(grads)]);
  };
  say({ peer, pass: 'train', error: trained, times: await measure(step) });
}
process.exit(0); // Dawn keeps the process alive
