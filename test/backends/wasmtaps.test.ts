/** What the wasm kernels of four taps an axis promise beyond the contract: fused narrow rows, borders of memory, scratch. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { activeWasm, heapOf } from '../../src/backends/wasm/heap.js';
import { DeviceError, WavetableMatrix } from '../../src/index.js';
import { BOUNDARIES, boundaryCode } from '../../src/interpolation/stencil.js';
import { BASES, basisCode } from '../../src/interpolation/taps.js';
import { packHalves } from '../../src/ops/half.js';
import { fuses, stencilOf, tapRows, tapRowsAt } from '../../src/ops/taps.js';
import { TAPS_TANGENT, type TapsAttrs } from '../../src/ops/tapscontract.js';
import { BACKENDS, eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose } from '../support/numbers.js';

type Three = [number, number, number];

/** Samples inside, on nodes, on borders, outside, and none. */
function places(n: number, dims: Three, seed: number): tf.Tensor2D {
  const at = tf.randomUniform([n, 3], -1.5, 1.5, 'float32', seed).dataSync().slice();
  for (let i = 0; i < at.length; i++) {
    const last = dims[i % 3] - 1;
    at[i] = i % 7 === 0 ? Math.round(at[i]) : (at[i] + 1) * 0.5 * last;
  }
  at[0] = Number.NaN;
  at[10] = Number.POSITIVE_INFINITY;
  return tf.tensor2d(at, [n, 3]);
}

/** Nodes, a grid of cells in order, and what says so. */
function page(dims: Three, payload: number, seed: number) {
  const rows = dims[0] * dims[1] * dims[2];
  const nodes = tf.randomUniform([rows, payload], -1, 1, 'float32', seed);
  const grid = tf.tensor3d(
    Int32Array.from({ length: rows }, (_, i) => i),
    dims,
    'int32',
  );
  const attrs: TapsAttrs = { payload, half: false, firstRow: 0, rows, ordered: true };
  return { nodes, grid, attrs };
}

eachBackend(
  'taps on wasm',
  () => {
    for (const payload of [1, 3, 4, 8, 11, 64]) {
      for (const boundary of BOUNDARIES) {
        it(`narrow rows sampled from coordinates equal those sampled with a stencil, F = ${payload}, ${boundary}`, () =>
          withoutLeaks(() =>
            tf.tidy(() => {
              for (const dims of [
                [7, 5, 6],
                [1, 4, 9],
              ] as Three[]) {
                const { nodes, grid, attrs } = page(dims, payload, 3);
                const coords = places(301, dims, 4);
                const code = boundaryCode(boundary);
                for (const name of BASES) {
                  const basis = Array<number>(3).fill(basisCode(name)) as Three;
                  const spec = { dims, boundary: [code, code, code] as Three, basis, a: -0.5 };
                  expect(fuses(attrs)).to.equal(true);
                  const fused = tapRowsAt(nodes, grid, coords, spec, attrs).dataSync();
                  const parted = tapRows(nodes, grid, stencilOf(coords, spec), attrs).dataSync();
                  expectClose(fused, parted, 2e-5);
                }
              }
            }),
          ));
      }
    }

    it('samples of a large page, which are visited in another order, stay in their places', () =>
      withoutLeaks(() =>
        tf.tidy(() => {
          const dims: Three = [40, 40, 40];
          const { nodes, grid, attrs } = page(dims, 8, 5);
          const coords = places(70_001, dims, 6);
          const code = boundaryCode('reflect');
          const spec = { dims, boundary: [code, code, code] as Three, basis: [1, 1, 1] as Three, a: -0.5 };
          const fused = tapRowsAt(nodes, grid, coords, spec, attrs).dataSync();
          const again = tapRowsAt(nodes, grid, coords, spec, attrs).dataSync();
          expect(fused).to.deep.equal(again);
          expectClose(fused, tapRows(nodes, grid, stencilOf(coords, spec), attrs).dataSync(), 2e-5);
        }),
      ));

    it('gradients of first and second order of the fused kernel equal those through a stencil', () =>
      withoutLeaks(() =>
        tf.tidy(() => {
          const dims: Three = [4, 5, 6];
          const { nodes, grid, attrs } = page(dims, 4, 7);
          const coords = places(40, dims, 8).slice([4, 0], [36, 3]) as tf.Tensor2D;
          const code = boundaryCode('clamp');
          const spec = { dims, boundary: [code, code, code] as Three, basis: [1, 1, 1] as Three, a: -0.5 };
          const losses = [
            (x: tf.Tensor, r: tf.Tensor) => tapRowsAt(x, grid, r as tf.Tensor2D, spec, attrs),
            (x: tf.Tensor, r: tf.Tensor) => tapRows(x, grid, stencilOf(r as tf.Tensor2D, spec), attrs),
          ].map((f) => (x: tf.Tensor, r: tf.Tensor) => tf.sum(tf.square(f(x, r))) as tf.Scalar);
          const [fused, parted] = losses.map((loss) => {
            const first = tf.grads(loss)([nodes, coords]);
            const steep = (x: tf.Tensor, r: tf.Tensor) =>
              tf
                .grads(loss)([x, r])
                .reduce((sum, g) => tf.add(sum, tf.sum(tf.square(g))), tf.scalar(0));
            return [...first, ...tf.grads(steep as typeof loss)([nodes, coords])];
          });
          fused.forEach((g, i) => {
            const scale = tf.max(tf.abs(parted[i])).dataSync()[0];
            expectClose(g.div(scale).dataSync(), parted[i].div(scale).dataSync(), 2e-5);
          });
        }),
      ));

    for (const half of [false, true]) {
      for (const ordered of [false, true]) {
        it(`many samples of long rows equal few at a time, ${half ? 'float16' : 'float32'}, ${ordered ? 'in' : 'out of'} order`, () =>
          withoutLeaks(() =>
            tf.tidy(() => {
              // Long enough to be cut into tiles, the last one short; many enough for several blocks, and not to stay in a cache.
              const dims: Three = [9, 8, 7];
              const [payload, n] = [1363, 1200];
              const rows = 504;
              const values = tf.randomUniform([rows, payload], -1, 1, 'float32', 9).dataSync<'float32'>();
              const nodes = half
                ? tf.tensor2d(packHalves(values, payload), [rows, 682], 'int32')
                : tf.tensor2d(values, [rows, payload]);
              // Two pages' worth of rows, of which this is the second, and some cells without one.
              const at = Int32Array.from({ length: rows }, (_, i) =>
                i % 11 === 3 ? -1 : rows + rows - 1 - i,
              );
              const grid = tf.tensor3d(
                at.map((row, i) => (ordered ? i : i % 7 ? row : i)),
                dims,
                'int32',
              );
              const attrs: TapsAttrs = { payload, half, firstRow: ordered ? 0 : rows, rows, ordered };
              const spec = { dims, boundary: [1, 2, 0] as Three, basis: [1, 2, 1] as Three, a: -0.5 };
              const coords = places(n, dims, 10);
              const tangent = tf.randomUniform([n, 3, 4], -1, 1, 'float32', 11);
              const one = (from: number, count: number) => {
                const stencil = stencilOf(tf.slice(coords, [from, 0], [count, 3]), spec);
                const h = tf.slice(tangent, [from, 0, 0], [count, 3, 4]);
                const inputs = { nodes, grid, ...stencil, tangent: h };
                return [
                  tapRows(nodes, grid, stencil, attrs),
                  tf.engine().runKernel(TAPS_TANGENT, inputs, attrs) as tf.Tensor,
                ];
              };
              const many = one(0, n);
              const few = Array.from({ length: 24 }, (_, k) => one(50 * k, 50));
              for (const k of [0, 1]) {
                const parts = tf.concat(
                  few.map((each) => each[k]),
                  0,
                );
                expectClose(many[k].dataSync(), parts.dataSync(), 2e-5);
              }
            }),
          ));
      }
    }

    it('a splat of rows of three writes nothing behind the last row', () =>
      withoutLeaks(() => {
        const heap = heapOf(activeWasm());
        const { kernels } = heap;
        const [grid, taps, weights, values] = [
          tf.tensor1d([0, 1, 2, 3], 'int32'),
          tf.tensor1d([-1, 0, -1, -1, -1, 0, -1, -1, 0, 1, 2, 3], 'int32'),
          tf.tensor1d([0, 1, 0, 0, 0, 1, 0, 0, 0.25, 0.25, 0.25, 0.25]),
          tf.tensor1d([4, 8, 12]),
        ];
        const marked = tf.fill([20], 7);
        const sampled = tf.fill([8], 7);
        heap.withScratch(kernels.tapsScratch(1, 3, 4), (scratch) => {
          kernels.setPage(heap.offsetOf(grid), 1, 1, 4, 0, 4, 1);
          const at = [heap.offsetOf(taps), heap.offsetOf(weights)] as const;
          kernels.tapSplat(heap.offsetOf(marked), heap.offsetOf(values), ...at, 0, 1, 3, scratch);
          kernels.tapSample(heap.offsetOf(sampled), heap.offsetOf(marked), ...at, 0, 1, 3, 0, scratch);
        });
        const row = [1, 2, 3];
        expect([...marked.dataSync()]).to.deep.equal([...row, ...row, ...row, ...row, ...Array(8).fill(7)]);
        expect([...sampled.dataSync()]).to.deep.equal([...row, 7, 7, 7, 7, 7]);
        tf.dispose([grid, taps, weights, values, marked, sampled]);
      }));

    it('scratch does not grow with the samples of a large batch, nor with the length of rows', () => {
      const { kernels } = heapOf(activeWasm());
      const most = 2 ** 20;
      for (const payload of [8, 256, 2 ** 20]) {
        expect(kernels.tapsScratch(2 ** 22, payload, 1000)).to.be.below(2 * most);
        expect(kernels.tapsFusedScratch(2 ** 22, payload, 1000)).to.be.below(2 * most);
      }
    });

    it('a call whose scratch does not fit throws DeviceError and leaves nothing behind', () =>
      withoutLeaks(() => {
        const heap = heapOf(activeWasm());
        const cube = new WavetableMatrix(4, 4, 4, { resolution: [1, 8], channels: 1, sparse: false });
        const wide = new WavetableMatrix(4, 4, 4, { resolution: [8, 16], channels: 1, sparse: false });
        heap.withScratch = (bytes) => {
          throw new DeviceError(`wasm heap exhausted: there is no room for ${bytes} bytes`);
        };
        try {
          for (const each of [cube, wide]) {
            const ask = () => each.sampleBatch([[1, 1.5, 1]], { method: 'catmull-rom' });
            expect(ask).to.throw(DeviceError, 'wasm heap exhausted');
          }
        } finally {
          delete (heap as Partial<typeof heap>).withScratch;
          cube.dispose();
          wide.dispose();
        }
      }));
  },
  BACKENDS.filter((name) => name === 'wasm'),
);
