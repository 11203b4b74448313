/** 1,000 samples at 64×64×4 over a 10³ cube of 8-Gaussian nodes set as parameters. */
import * as tf from '@tensorflow/tfjs';
import { coordinates, cubeOf, kilobytes, megabytes, PLACES, peakRss, reporter, start } from './entry.mjs';
import { deviation, mixtureNodes } from './mixtures.mjs';

const SAMPLES = 1000;
const EDGE = 64;
/** Compared with float64. */
const CHECKED = 50;

const { tell, time, done } = reporter('gaussians');
await start();
const nodes = mixtureNodes(PLACES.length, EDGE, 3);
const filled = (options) => {
  const cube = cubeOf(EDGE, options);
  PLACES.forEach((place, i) => {
    cube.setNode(...place, nodes[i].compressed);
  });
  return cube;
};
const cube = filled();
const host = coordinates(SAMPLES, 4);
const coords = tf.tensor2d(host, [SAMPLES, 3]);

globalThis.gc?.();
const before = peakRss();
const out = cube.sampleBatch(coords);
const above = peakRss() - before - 4 * out.size;
tell('peak RSS above cube and result (bar: < 50 MB)', megabytes(above), { bytes: above });
const error = deviation(nodes, host, out.dataSync(), EDGE, CHECKED);
out.dispose();
tell(`largest error to float64, ${CHECKED} samples (bar: ≤ 1e-5)`, error.toExponential(2), { error });
await time('1,000 samples, no cache (bar: ≤ 400 ms)', () => cube.sampleBatch(coords).dispose());

const usage = cube.getMemoryUsage();
tell('bytes stored, and of the index', `${kilobytes(usage.storedBytes)}, ${kilobytes(usage.indexBytes)}`, {
  usage,
});
const cached = filled({ cacheBytes: 2 ** 27 });
await time('1,000 samples, all decoded rows cached', () => cached.sampleBatch(coords).dispose());
done();
