/** What holds to the last bit, or however far the coordinate and however large the nodes. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { BOUNDARIES, type Boundary } from '../../src/interpolation/stencil.js';
import { sampleComposition } from '../../src/ops/composition.js';
import type { SamplingInputs } from '../../src/ops/contract.js';
import { floatToHalf, halfToFloat, packHalves } from '../../src/ops/half.js';
import { sampleRows } from '../../src/ops/sample.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { makeCase, type SamplingCase } from '../support/cases.js';
import { place } from '../support/cubes.js';
import { expectClose, hugeFloat, random } from '../support/numbers.js';

const PAYLOADS = [1, 2, 3, 4, 5, 8, 12, 16, 67, 1024];
const DIMS: [number, number, number] = [4, 3, 5];
const CELLS = 60;

/** Sizes whose reciprocals are rounded in float32 and float64. */
const ODD_DIMS: [number, number, number] = [13, 21, 22];

/** [cells, 3]: the coordinates of every node, in cell order. */
const everyNode = (dims: readonly number[]) =>
  Float32Array.from(
    { length: 3 * dims[0] * dims[1] * dims[2] },
    (_, i) => place(dims, Math.floor(i / 3))[i % 3],
  );

/** The node that stands at integer t of a wrapped or reflected axis, in integers of any size. */
function nodeAt(t: number, n: number, boundary: Boundary): number {
  const period = BigInt(boundary === 'wrap' ? n : 2 * (n - 1));
  const m = Number(((BigInt(t) % period) + period) % period);
  return m < n ? m : Number(period) - m;
}

/** Samples `rows` in the place of the case's own nodes. */
async function sampled(c: SamplingCase, rows: Float32Array, positions: Float32Array): Promise<Float32Array> {
  const nodes = tf.tensor2d(rows.slice(), c.nodes.shape);
  const coords = tf.tensor2d(positions, [positions.length / 3, 3]);
  const out = sampleRows(nodes, c.grid, coords, c.attrs);
  const got = (await out.data()) as Float32Array;
  tf.dispose([nodes, coords, out]);
  return got;
}

eachBackend('exactness', () => {
  for (const boundary of BOUNDARIES) {
    for (const shuffled of [false, true]) {
      const order = shuffled ? 'rows not in cell order' : 'rows in cell order';
      it(`a sample on a node is that node, whatever its neighbours: ${boundary}, ${order}`, async () => {
        for (const payload of PAYLOADS) {
          await withoutLeaks(async () => {
            const c = makeCase({ dims: DIMS, payload, samples: 1, boundary, shuffled });
            const next = random(payload);
            const mixed = c.rows.map(() => (next() < 0.5 ? -1 : 1) * 10 ** (12 * next() - 3));
            const extreme = c.rows.map(() => [3e38, -3e38, 1, -1e-3][Math.floor(4 * next())]);
            for (const rows of [mixed, extreme]) {
              const got = await sampled(c, rows, everyNode(DIMS));
              const want = new Float32Array(CELLS * payload);
              c.cellOfRow.forEach((cell, row) => {
                want.set(rows.subarray(row * payload, (row + 1) * payload), cell * payload);
              });
              expectClose(got, want, 0, `payload ${payload}`);
            }
            c.dispose();
          });
        }
      });
    }
  }

  it('a sample on a node of float16 is that node, whatever its neighbours', async () => {
    for (const payload of PAYLOADS) {
      for (const shuffled of [false, true]) {
        const c = makeCase({ dims: DIMS, payload, samples: 1, shuffled, half: true });
        const next = random(payload);
        // Subnormal halves up to the largest.
        const rows = c.rows.map(() =>
          halfToFloat(floatToHalf((next() < 0.5 ? -1 : 1) * Math.min(65504, 2 ** (40 * next() - 23)))),
        );
        const nodes = tf.tensor2d(packHalves(rows, payload), c.nodes.shape, 'int32');
        const coords = tf.tensor2d(everyNode(DIMS), [CELLS, 3]);
        const out = sampleRows(nodes, c.grid, coords, c.attrs);
        const want = new Float32Array(CELLS * payload);
        c.cellOfRow.forEach((cell, row) => {
          want.set(rows.subarray(row * payload, (row + 1) * payload), cell * payload);
        });
        expectClose(await out.data(), want, 0, `payload ${payload}`);
        tf.dispose([nodes, coords, out]);
        c.dispose();
      }
    }
  });

  it('between nodes of ±3e38 nothing overflows', async () => {
    for (const payload of PAYLOADS) {
      for (const shuffled of [false, true]) {
        const c = makeCase({ dims: DIMS, payload, samples: 40, shuffled });
        const next = random(payload);
        const got = await sampled(
          c,
          c.rows.map(() => (next() < 0.5 ? -3e38 : 3e38)),
          c.positions,
        );
        for (const v of got) expect(Math.abs(v)).to.be.at.most(3.0001e38);
        c.dispose();
      }
    }
  });

  for (const boundary of ['clamp', 'wrap', 'reflect'] as const) {
    it(`a cube of ones is one at every finite coordinate, ${boundary}`, async () => {
      for (const payload of [1, 3, 4, 8, 20]) {
        const c = makeCase({ dims: ODD_DIMS, payload, samples: 1, boundary });
        const next = random(payload);
        const positions = Float32Array.from({ length: 900 }, () => hugeFloat(next));
        const got = await sampled(c, c.rows.fill(1), positions);
        expectClose(got, new Float32Array(300 * payload).fill(1), 1e-6);
        c.dispose();
      }
    });
  }

  for (const boundary of ['wrap', 'reflect'] as const) {
    it(`a whole coordinate takes the node that exact arithmetic names, ${boundary}`, async () => {
      const c = makeCase({ dims: ODD_DIMS, payload: 3, samples: 1, boundary });
      const next = random(5);
      const positions = Float32Array.from({ length: 3000 }, () => Math.round(hugeFloat(next)));
      const rows = everyNode(ODD_DIMS);
      const got = await sampled(c, rows, positions);
      const want = positions.map((t, i) => nodeAt(t, ODD_DIMS[i % 3], boundary));
      expectClose(got, want, 0);
      c.dispose();
    });
  }
});

describe('the stock-op composition far from the grid', () => {
  for (const boundary of ['clamp', 'wrap', 'reflect'] as const) {
    it(`gives one in a cube of ones, and below 2²⁴ the right node, ${boundary}`, async () => {
      await tf.setBackend('cpu');
      const c = makeCase({ dims: ODD_DIMS, payload: 3, samples: 1, boundary });
      const next = random(9);
      const positions = Float32Array.from({ length: 900 }, (_, i) =>
        i < 600 ? hugeFloat(next) : Math.round((2 * next() - 1) * 2 ** 24),
      );
      const compose = (nodes: tf.Tensor, at: Float32Array) =>
        tf.tidy(() => {
          const coords = tf.tensor2d(at, [at.length / 3, 3]);
          const inputs = { nodes, grid: c.grid, coords } as unknown as SamplingInputs;
          return sampleComposition(inputs, c.attrs).dataSync();
        });
      const ones = tf.ones(c.nodes.shape);
      expectClose(compose(ones, positions), new Float32Array(900).fill(1), 1e-6);
      if (boundary !== 'clamp') {
        const nodes = tf.tensor2d(everyNode(ODD_DIMS), c.nodes.shape as [number, number]);
        const near = positions.slice(600);
        const want = near.map((t, i) => nodeAt(t, ODD_DIMS[i % 3], boundary));
        expectClose(compose(nodes, near), want, 0);
        nodes.dispose();
      }
      ones.dispose();
      c.dispose();
    });
  }
});
