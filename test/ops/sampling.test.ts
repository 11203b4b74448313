import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { packHalves } from '../../src/ops/half.js';
import { coordGradRows, sampleRows, splatRows } from '../../src/ops/sample.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { type CaseOptions, makeCase, type SamplingCase, sweep } from '../support/cases.js';
import {
  expectClose,
  GRADIENT_TOLERANCE,
  magnitude,
  random,
  randomArray,
  SAMPLE_TOLERANCE,
} from '../support/numbers.js';
import { weights } from '../support/oracle.js';
import { oracleCoordGrad, oracleSamples, oracleSplat, weightSpan } from '../support/oraclecases.js';

async function using(options: CaseOptions, body: (c: SamplingCase) => Promise<void>): Promise<void> {
  await withoutLeaks(async () => {
    const c = makeCase(options);
    await body(c);
    c.dispose();
  });
}

eachBackend('sampling kernels', () => {
  describe('samples equal the float64 oracle', () => {
    for (const [name, options] of sweep()) {
      it(name, () =>
        using(options, async (c) => {
          const out = sampleRows(c.nodes, c.grid, c.coords, c.attrs);
          expect(out.shape).to.deep.equal([options.samples, options.payload]);
          expectClose(
            await out.data(),
            oracleSamples(c),
            weightSpan(c) * SAMPLE_TOLERANCE * magnitude(c.rows),
          );
          out.dispose();
        }),
      );
    }
  });

  describe('samples of float16 nodes equal the oracle on the rounded nodes', () => {
    for (const [name, options] of sweep({ half: true })) {
      it(name, () =>
        using(options, async (c) => {
          const out = sampleRows(c.nodes, c.grid, c.coords, c.attrs);
          expectClose(
            await out.data(),
            oracleSamples(c),
            weightSpan(c) * SAMPLE_TOLERANCE * magnitude(c.rows),
          );
          out.dispose();
        }),
      );
    }
  });

  describe('splat is the adjoint of sample, row by row', () => {
    for (const [name, options] of sweep()) {
      it(name, () =>
        using(options, async (c) => {
          const values = randomArray(options.samples * options.payload, random(99));
          const v = tf.tensor2d(values, [options.samples, options.payload]);
          const out = splatRows(v, c.grid, c.coords, c.attrs);
          expect(out.shape).to.deep.equal([c.attrs.rows, options.payload]);
          const want = oracleSplat(c, values);
          expectClose(await out.data(), want, 3e-6 * Math.max(1, magnitude(want)));
          // Rows that no sample touched are zero, not nearly zero.
          const got = await out.data();
          for (let i = 0; i < want.length; i++) if (want[i] === 0) expect(got[i]).to.equal(0);
          tf.dispose([v, out]);
        }),
      );
    }
  });

  for (const half of [false, true]) {
    describe(`coordinate gradient equals finite differences, ${half ? 'float16' : 'float32'} nodes`, () => {
      for (const [name, options] of sweep({ smooth: true, half })) {
        it(name, () =>
          using(options, async (c) => {
            const values = randomArray(options.samples * options.payload, random(98));
            const v = tf.tensor2d(values, [options.samples, options.payload]);
            const out = coordGradRows(c.nodes, c.grid, c.coords, v, c.attrs);
            const want = oracleCoordGrad(c, values);
            expectClose(await out.data(), want, GRADIENT_TOLERANCE * Math.max(1, magnitude(want)));
            tf.dispose([v, out]);
          }),
        );
      }
    });
  }

  describe('the derivative at a node is the right-hand one, at the last node the left-hand one', () => {
    for (const boundary of ['clamp', 'zero', 'extrapolate'] as const) {
      it(boundary, () =>
        using({ dims: [4, 1, 1], payload: 1, samples: 4, boundary, seed: 5 }, async (c) => {
          const at = [0, 1, 2, 3];
          const coords = tf.tensor2d(at.map((x) => [x, 0, 0]));
          const ones = tf.ones([4, 1]) as tf.Tensor2D;
          const out = coordGradRows(c.nodes, c.grid, coords, ones, c.attrs);
          const got = await out.data();
          const want = at.map((x) => c.rows[Math.min(x, 2) + 1] - c.rows[Math.min(x, 2)]);
          expectClose(
            got.filter((_, i) => i % 3 === 0),
            want,
            1e-6,
          );
          tf.dispose([coords, ones, out]);
        }),
      );
    }
  });

  describe('not-finite coordinates', () => {
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const payload of [1, 3, 8, 20, 1030]) {
      for (const boundary of ['clamp', 'wrap', 'reflect', 'zero', 'extrapolate'] as const) {
        it(`give NaN rows and zero gradients, payload ${payload}, ${boundary}`, () =>
          using({ dims: [3, 3, 3], payload, samples: 9, boundary, margin: 0 }, async (c) => {
            const positions = c.positions.slice();
            for (let j = 0; j < 3; j++) positions[3 * (2 * j + 1) + j] = bad[j];
            const coords = tf.tensor2d(positions, [9, 3]);
            const out = sampleRows(c.nodes, c.grid, coords, c.attrs);
            expectClose(await out.data(), oracleSamples({ ...c, positions }), 1e-5);
            // What came back as NaN must not come in again: not through values, not through rows.
            const nodeGrad = splatRows(out, c.grid, coords, c.attrs);
            const coordGrad = coordGradRows(c.nodes, c.grid, coords, out, c.attrs);
            for (const v of await nodeGrad.data()) expect(v).to.be.finite;
            const g = await coordGrad.data();
            for (let i = 0; i < 9; i++) {
              for (let j = 0; j < 3; j++) {
                expect(g[3 * i + j]).to.be.finite;
                if (i % 2 === 1 && i < 6) expect(g[3 * i + j]).to.equal(0);
              }
            }
            tf.dispose([coords, out, nodeGrad, coordGrad]);
          }));
      }
    }
  });

  for (const half of [false, true]) {
    for (const payload of [1, 3, 5, 8, 20, 1030]) {
      const storage = half ? 'float16' : 'float32';
      it(`a node of NaN and ∞ does not leak into samples that do not touch it, payload ${payload}, ${storage}`, () =>
        using({ dims: [3, 3, 3], payload, samples: 24, missing: 0.4, half }, async (c) => {
          // A row amid others, so that reading beyond a neighbour's end would meet it.
          const row = c.attrs.rows >> 1;
          const poison = Float32Array.from({ length: payload }, (_, f) =>
            f % 2 ? Number.POSITIVE_INFINITY : Number.NaN,
          );
          const rows = c.rows.slice();
          rows.set(poison, row * payload);
          const poisoned = half
            ? tf.tensor2d(packHalves(rows, payload), c.nodes.shape, 'int32')
            : tf.tensor2d(rows, c.nodes.shape);
          const v = tf.tensor2d(randomArray(24 * payload, random(6)), [24, payload]);
          const out = sampleRows(poisoned, c.grid, c.coords, c.attrs);
          const gradient = coordGradRows(poisoned, c.grid, c.coords, v, c.attrs);
          const want = oracleSamples(c);
          const [got, slopes] = [await out.data(), await gradient.data()];
          let clean = 0;
          for (let i = 0; i < 24; i++) {
            const at = c.positions.subarray(3 * i, 3 * i + 3);
            if (weights(c.field, at[0], at[1], at[2]).some(([cell]) => cell === c.cellOfRow[row])) continue;
            clean++;
            const part = [i * payload, (i + 1) * payload] as const;
            expectClose(got.slice(...part), want.slice(...part), SAMPLE_TOLERANCE * magnitude(c.rows));
            for (let j = 0; j < 3; j++) expect(slopes[3 * i + j]).to.be.finite;
          }
          expect(clean).to.be.above(4);
          tf.dispose([poisoned, v, out, gradient]);
        }));
    }
  }

  it('backward twice on the same input is bitwise equal, a crowded cell included', async () => {
    for (const payload of [1, 3, 8, 20, 1030]) {
      await using({ dims: [4, 4, 4], payload, samples: payload > 1000 ? 300 : 2000 }, async (c) => {
        const n = c.positions.length / 3;
        // A third of the samples in one cell.
        const positions = c.positions.map((v, i) => (i < n ? 1 + 0.999 * Math.abs(v % 1) : v));
        const coords = tf.tensor2d(positions, [n, 3]);
        const values = randomArray(n * payload, random(3));
        const v = tf.tensor2d(values, [n, payload]);
        const results = await Promise.all(
          [0, 1].map(async () => {
            const a = splatRows(v, c.grid, coords, c.attrs);
            const b = coordGradRows(c.nodes, c.grid, coords, v, c.attrs);
            const data = [await a.data(), await b.data()];
            tf.dispose([a, b]);
            return data;
          }),
        );
        expect(bits(results[0][0])).to.deep.equal(bits(results[1][0]));
        expect(bits(results[0][1])).to.deep.equal(bits(results[1][1]));
        const want = oracleSplat({ ...c, positions }, values);
        expectClose(results[0][0], want, 1e-5 * Math.max(1, magnitude(want)));
        tf.dispose([coords, v]);
      });
    }
  });
});

const bits = (x: Float32Array | Int32Array | Uint8Array) => new Uint32Array(x.slice().buffer);
