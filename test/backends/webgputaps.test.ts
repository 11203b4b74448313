/** What only the webgpu backend promises of kernels with given weights; their values are the concern of test/ops. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { type Stencil, splatTapRows, stencilOf, tapRows } from '../../src/ops/taps.js';
import type { TapsAttrs } from '../../src/ops/tapscontract.js';
import { BACKENDS, eachBackend } from '../support/backends.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';
import { specOf } from '../support/tapscases.js';

/** Sums of up to thousands of float32 terms, relative to the largest sum. */
const CROWD_TOLERANCE = 2e-6;

type Dims = [number, number, number];

const attrsOf = (payload: number, rows: number, ordered = true): TapsAttrs => ({
  payload,
  half: false,
  firstRow: 0,
  rows,
  ordered,
});

const gridOf = (dims: Dims) =>
  tf.tensor3d(
    Int32Array.from({ length: dims[0] * dims[1] * dims[2] }, (_, cell) => cell),
    dims,
    'int32',
  );

/** [cells, F] in float64, from the taps and weights themselves. */
async function splatted({ taps, weights }: Stencil, values: Float32Array, dims: Dims, payload: number) {
  const t = await taps.data();
  const u = await weights.data();
  const out = new Float64Array(dims[0] * dims[1] * dims[2] * payload);
  for (let i = 0; i < taps.shape[0]; i++) {
    for (let k = 0; k < 64; k++) {
      const slots = [12 * i + (k >> 4), 12 * i + 4 + ((k >> 2) & 3), 12 * i + 8 + (k & 3)];
      const [x, y, z] = slots.map((slot) => t[slot]);
      if (Math.min(x, y, z) < 0) continue;
      const w = u[slots[0]] * u[slots[1]] * u[slots[2]];
      const row = (x * dims[1] + y) * dims[2] + z;
      for (let f = 0; f < payload; f++) out[row * payload + f] += w * values[i * payload + f];
    }
  }
  return out;
}

/** Splats twice in cell order and once through the grid: the same bits, and close to float64. */
async function expectSplat(at: Stencil, values: Float32Array, dims: Dims, payload: number) {
  const rows = dims[0] * dims[1] * dims[2];
  const grid = gridOf(dims);
  const v = tf.tensor2d(values.slice(), [at.taps.shape[0], payload]);
  const want = await splatted(at, values, dims, payload);
  const runs: Uint32Array[] = [];
  for (const ordered of [true, false, true]) {
    const out = splatTapRows(v, grid, at, attrsOf(payload, rows, ordered));
    const got = (await out.data()) as Float32Array;
    expectClose(got, want, CROWD_TOLERANCE * magnitude(want));
    runs.push(new Uint32Array(got.slice().buffer));
    out.dispose();
  }
  expect(runs[1]).to.deep.equal(runs[0]);
  expect(runs[2]).to.deep.equal(runs[0]);
  tf.dispose([grid, v]);
}

eachBackend(
  'webgpu kernels of given weights',
  () => {
    // 18,000 samples of one element: more chunks than a group holds. 1,028: a workgroup a row.
    for (const [payload, samples] of [
      [1, 18_000],
      [3, 1500],
      [8, 1500],
      [1028, 400],
    ]) {
      it(`a cell of ${0.75 * samples} samples equals float64 and repeats bit by bit, payload ${payload}`, async () => {
        const dims: Dims = [5, 2, 6];
        const next = random(payload);
        const coords = new Float32Array(3 * samples);
        for (let i = 0; i < coords.length; i++) {
          // Three samples in four in one cell, so that chunks begin and end inside and beside it.
          coords[i] = Math.floor(i / 3) % 4 ? 0.2 + 0.7 * next() : next() * (dims[i % 3] - 1);
        }
        const points = tf.tensor2d(coords, [samples, 3]);
        const at = stencilOf(points, specOf(dims, [1, 2, 0], ['cardinal', 'bspline', 'cardinal'], -0.5));
        await expectSplat(at, randomArray(samples * payload, next, 0, 1), dims, payload);
        tf.dispose([points, at.taps, at.weights]);
      });
    }

    for (const payload of [4, 1028]) {
      it(`taps that fit no cell are splatted too, beside others that do, payload ${payload}`, async () => {
        const dims: Dims = [6, 1, 7];
        const samples = 60;
        const next = random(5);
        const points = tf.tensor2d(randomArray(3 * samples, next, -1, 9), [samples, 3]);
        const regular = stencilOf(points, specOf(dims, [1, 2, 3], ['cardinal', 'bspline', 'hermite'], -0.5));
        const nodes = Int32Array.from(await regular.taps.data());
        for (let i = 0; i < samples; i += 3) {
          for (let k = 0; k < 12; k++) {
            nodes[12 * i + k] = Math.floor(next() * (dims[Math.floor(k / 4)] + 1)) - 1;
          }
        }
        const at = { taps: tf.tensor3d(nodes, [samples, 3, 4], 'int32'), weights: regular.weights };
        await expectSplat(at, randomArray(samples * payload, next, 0, 1), dims, payload);
        tf.dispose([points, regular.taps, regular.weights, at.taps]);
      });
    }

    it('a splat of more records than one dispatch has, all in one cell, counts its samples', async () => {
      const samples = 330_000;
      const dims: Dims = [2, 2, 2];
      const coords = Float32Array.from({ length: 3 * samples }, (_, k) => (Math.floor(k / 3) >> (k % 3)) & 1);
      const points = tf.tensor2d(coords, [samples, 3]);
      const at = stencilOf(points, specOf(dims, [0, 0, 0], ['cardinal', 'cardinal', 'cardinal'], -0.3));
      const ones = tf.fill([samples, 1], 1) as tf.Tensor2D;
      const grid = gridOf(dims);
      const out = splatTapRows(ones, grid, at, attrsOf(1, 8));
      expect([...(await out.data())]).to.deep.equal(Array(8).fill(samples / 8));
      tf.dispose([points, at.taps, at.weights, ones, grid, out]);
    });

    it('kernels leave no scratch behind, and what does not fit a binding is a DeviceError that names the limit', () => {
      const gpu = tf.backend() as unknown as {
        device: { limits: { maxStorageBufferBindingSize: number } };
        numDataIds(): number;
      };
      const limit = gpu.device.limits.maxStorageBufferBindingSize;
      const dims: Dims = [2, 2, 2];
      const grid = gridOf(dims);
      const points = tf.tensor2d([0.5, 0, 0], [1, 3]);
      const values = tf.tensor2d([1, 1, 1], [1, 3]);
      const nodes = tf.fill([8, 3], 1) as tf.Tensor2D;
      const at = stencilOf(points, specOf(dims, [0, 0, 0], ['cardinal', 'cardinal', 'cardinal'], -0.5));
      const before = gpu.numDataIds();
      const out = [
        tapRows(nodes, grid, at, attrsOf(3, 8)),
        tapRows(tf.tensor2d([], [0, 3]), grid, at, attrsOf(3, 0)),
        splatTapRows(values, grid, at, attrsOf(3, 8, false)),
      ];
      expect(() => splatTapRows(values, grid, at, attrsOf(3, Math.ceil(limit / 12) + 1)))
        .to.throw(/maxStorageBufferBindingSize of \d+ bytes, got \d+ bytes/)
        .with.property('name', 'DeviceError');
      // The empty page is the test's own.
      expect(gpu.numDataIds()).to.equal(before + out.length + 1);
      tf.dispose([grid, points, values, nodes, at.taps, at.weights, ...out]);
    });
  },
  BACKENDS.filter((backend) => backend === 'webgpu'),
);
