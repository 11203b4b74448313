/**
 * A 10³ cube of 512×512×4 nodes of eight Gaussians: 980 set as parameters, 20 fitted from dense nodes by compressNode.
 * Dense it would take 4.2 GB.
 */
import * as tf from '@tensorflow/tfjs';
import { coordinates, cubeOf, kilobytes, megabytes, PLACES, peakRss, reporter, start } from './entry.mjs';
import { deviation, evaluate, mixtureNodes } from './mixtures.mjs';

const EDGE = 512;
const FITTED = 20;
/** Fits keep this part of the node's range. */
const TOLERANCE = 1e-3;

const { tell, time, done } = reporter('large');
await start();
globalThis.gc?.();
const idle = peakRss();
const nodes = mixtureNodes(PLACES.length, EDGE, 5);
const cube = cubeOf(EDGE);
let fitted = 0;
let spent = 0;
for (const [i, place] of PLACES.entries()) {
  if (i % (PLACES.length / FITTED) !== 0) {
    cube.setNode(...place, nodes[i].compressed);
    continue;
  }
  const values = Float32Array.from(evaluate(nodes[i].gaussians, EDGE));
  const range = values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
  globalThis.gc?.(); // this program's own float64 is not the cube's
  cube.setNode(...place, values);
  const started = performance.now();
  try {
    await cube.compressNode(...place, { method: 'gaussian', quality: { maxAbs: TOLERANCE * range } });
    fitted++;
  } catch (error) {
    tell(`node ${place.join(' ')} is not fitted`, error.name);
    cube.setNode(...place, nodes[i].compressed);
  }
  spent += performance.now() - started;
}
tell('nodes fitted from dense ones', `${fitted} of ${FITTED}, ${(spent / FITTED / 1000).toFixed(2)} s each`);
const { storedBytes, indexBytes } = cube.getMemoryUsage();
tell('bytes stored, and of the index', `${kilobytes(storedBytes)}, ${kilobytes(indexBytes)}`);
tell('both (bar: ≤ 400 kB)', kilobytes(storedBytes + indexBytes), { bytes: storedBytes + indexBytes });
tell('peak RSS above the idle process, cube built', megabytes(peakRss() - idle), { bytes: peakRss() - idle });

const host = coordinates(100, 6);
const coords = tf.tensor2d(host, [100, 3]);
const one = () => cube.sample(...host.subarray(0, 3));
const small = () => cube.sampleBatch(coords, { resolution: 64 });
tf.dispose([one(), small()]);
const peak = peakRss() - idle;
tell('peak RSS above the idle process, sampled too (bar: < 300 MB)', megabytes(peak), { bytes: peak });
await time('one sample at 512×512', () => one().dispose());
await time('100 samples at 64×64', () => small().dispose());
for (const [what, sample, edge, count] of [
  ['one sample at 512×512', one, EDGE, 1],
  ['20 samples at 64×64', small, 64, 20],
]) {
  const out = sample();
  const error = deviation(nodes, host, out.dataSync(), edge, count);
  out.dispose();
  tell(`largest error to float64, ${what}; fitted nodes keep ${TOLERANCE}`, error.toExponential(2), {
    error,
  });
}
done();
