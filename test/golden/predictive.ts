/**
 * Makes predictive.json: a small stream of the predictive codec and what it decodes to, bit for bit.
 *
 *     node --import tsx/esm test/golden/predictive.ts > test/golden/predictive.json
 *
 * Made once for a version of the payload: a decoder on any platform, now or later, must give the same bits.
 */
import * as tf from '@tensorflow/tfjs';
import { PredictiveCodec } from '../../src/codecs/predictive.js';
import { noise, smooth } from '../support/fields.js';

tf.enableProdMode();
await tf.setBackend('cpu');
const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

const shape = [21, 18, 3] as const;
const rough = noise(shape, 5, 0.2).values;
const values = smooth(shape).values.map((v, i) => v + rough[i] + (i === 100 ? 1e9 : 0));
const made = await new PredictiveCodec().encode({ values, shape }, { maxAbs: 0.02 });
const decoded = made.parameters.constants.values.values;
console.log(
  JSON.stringify({
    shape,
    bytes: base64(made.bytes),
    decoded: base64(new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.byteLength)),
  }),
);
