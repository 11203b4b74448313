import * as tf from '@tensorflow/tfjs';
import { BOUNDARIES } from '../../src/index.js';
import { coordGradRows, sampleRows, splatRows } from '../../src/ops/sample.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { type CaseOptions, makeCase } from '../support/cases.js';
import {
  expectClose,
  GRADIENT_TOLERANCE,
  magnitude,
  random,
  randomArray,
  SAMPLE_TOLERANCE,
} from '../support/numbers.js';
import { oracleCoordGrad, oracleSamples, oracleSplat, weightSpan } from '../support/oraclecases.js';

const long = typeof process !== 'undefined' && process.env?.WAVECUBE_LONG === '1';
const SEEDS = long ? 400 : 12;
const PAYLOADS = [1, 2, 3, 4, 5, 7, 8, 12, 16, 33, 64, 100, 1023, 1024, 1025, 2050];

/** Any shape, boundaries, gaps, page and storage. */
function anyCase(seed: number): CaseOptions {
  const next = random(seed * 7919 + 13);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)];
  const dims = [0, 1, 2].map(() => 1 + Math.floor(next() * 6)) as [number, number, number];
  const cells = dims[0] * dims[1] * dims[2];
  const payload = pick(PAYLOADS);
  const missing = next() < 0.5 ? 0 : 0.6 * next();
  const first = Math.floor(next() * cells);
  return {
    dims,
    payload,
    samples: Math.ceil((next() * 3000) / payload) + 1,
    boundary: [pick(BOUNDARIES), pick(BOUNDARIES), pick(BOUNDARIES)],
    missing,
    half: next() < 0.3,
    page: missing === 0 && next() < 0.3 ? [first, cells - first] : undefined,
    margin: next() < 0.5 ? 0 : 3 * next(),
    seed,
  };
}

eachBackend('any sampling problem', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const options = anyCase(seed);
    it(`equals the oracle, value and gradients, seed ${seed}`, () =>
      withoutLeaks(async () => {
        const c = makeCase(options);
        const values = randomArray(options.samples * options.payload, random(seed));
        const v = tf.tensor2d(values, [options.samples, options.payload]);
        const out = sampleRows(c.nodes, c.grid, c.coords, c.attrs);
        const tolerance = weightSpan(c) * SAMPLE_TOLERANCE * magnitude(c.rows);
        expectClose(await out.data(), oracleSamples(c), tolerance, 'sample');
        const splat = splatRows(v, c.grid, c.coords, { ...c.attrs, half: false });
        const want = oracleSplat(c, values);
        expectClose(await splat.data(), want, 5e-6 * weightSpan(c) * Math.max(1, magnitude(want)), 'splat');
        tf.dispose([out, splat]);
        c.dispose();

        const smooth = makeCase({ ...options, smooth: true });
        const g = coordGradRows(smooth.nodes, smooth.grid, smooth.coords, v, smooth.attrs);
        const slopes = oracleCoordGrad(smooth, values);
        expectClose(await g.data(), slopes, GRADIENT_TOLERANCE * Math.max(1, magnitude(slopes)), 'coordGrad');
        tf.dispose([g, v]);
        smooth.dispose();
      }));
  }
});
