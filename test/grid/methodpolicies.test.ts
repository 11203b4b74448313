/** What methods of interpolation refuse, what they do where nodes are missing, and what they keep at hand. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import {
  ArgumentError,
  CoordinateError,
  DeviceError,
  METHODS,
  MissingNodeError,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { giveTangents, makeCube, place, smoothCoords } from '../support/cubes.js';
import { methodOracle } from '../support/methods.js';
import { expectClose, magnitude } from '../support/numbers.js';
import { eachWeight } from '../support/tapsoracle.js';

/** What all backends have kernels for. */
const BACKENDS = ['cpu'];

const valuesOf = async (t: tf.Tensor) => {
  const values = (await t.data()).slice();
  t.dispose();
  return values;
};

eachBackend(
  'policies of methods',
  () => {
    it('refuses unknown methods, an a out of range or of another method, and misspelt options', () =>
      withoutLeaks(() => {
        const { cube } = makeCube();
        const values = tf.zeros([1, 2, 3, 2]);
        for (const [options, said] of [
          [{ method: 'cubic' }, 'method must be one of'],
          [{ method: 'cardinal', a: 0.1 }, 'a must be in [-1, 0]'],
          [{ method: 'cardinal', a: -1.01 }, 'a must be in [-1, 0]'],
          [{ method: 'cardinal', a: Number.NaN }, 'a must be in [-1, 0]'],
          [{ method: 'catmull-rom', a: -0.5 }, "a is the parameter of method 'cardinal'"],
          [{ a: -0.5 }, "a is the parameter of method 'cardinal'"],
          [{ methods: 'linear' }, "no option is called 'methods'"],
        ] as const) {
          const at = [[0, 0, 0]];
          for (const call of [
            () => cube.sample(0, 0, 0, options as never),
            () => cube.sampleBatch(at, options as never),
            () => [...cube.sampleChunks(at, options as never)],
            () => cube.splat(at, values, options as never),
          ]) {
            expect(call).to.throw(ArgumentError, said);
          }
        }
        expect(() => cube.splat([[0, 0, 0]], values, { resolution: 4 } as never)).to.throw('resolution');
        values.dispose();
        cube.dispose();
      }));

    it('bspline and monotone refuse renormalize; bspline needs every node under missing: error', () =>
      withoutLeaks(() => {
        const { cube } = makeCube({ missing: 'renormalize', missingPart: 0.2 });
        const values = tf.zeros([1, 2, 3, 2]);
        for (const method of ['bspline', 'monotone'] as const) {
          expect(() => cube.sampleBatch([[1, 1, 1]], { method })).to.throw(ArgumentError, 'renormalize');
        }
        expect(() => cube.splat([[1, 1, 1]], values, { method: 'bspline' })).to.throw(ArgumentError);
        values.dispose();
        cube.dispose();
        const strict = makeCube({ missing: 'error', dims: [4, 3, 3] }).cube;
        strict.sample(0.5, 0.5, 0.5, { method: 'bspline' }).dispose();
        strict.deleteNode(3, 2, 2);
        expect(() => strict.sample(0.5, 0.5, 0.5, { method: 'bspline' }))
          .to.throw(MissingNodeError)
          .with.deep.property('node', [3, 2, 2]);
        // Far from the missing one the others need it not; within two nodes cubics do, and on a node none.
        for (const method of ['linear', 'cardinal', 'monotone'] as const) {
          strict.sample(0.5, 0.5, 0.5, { method }).dispose();
          strict.sample(1, 2, 2, { method }).dispose();
        }
        strict.sample(1.5, 1.5, 1.5).dispose();
        strict.sample(2.4, 1.6, 1.4, { method: 'nearest' }).dispose();
        for (const method of ['cardinal', 'monotone'] as const) {
          expect(() => strict.sample(1.5, 1.5, 1.5, { method })).to.throw(MissingNodeError);
        }
        expect(() => strict.sample(2.6, 1.6, 1.7, { method: 'nearest' })).to.throw(MissingNodeError);
        strict.dispose();
      }));

    it('boundary error is about the coordinates as they were given', () =>
      withoutLeaks(() => {
        const made = makeCube({ boundary: 'error', dims: [3, 3, 3] });
        giveTangents(made);
        const tensor = tf.tensor2d([[2.2, 1, 1]]);
        for (const method of METHODS) {
          for (const coords of [[[2.2, 1, 1]], [[1, -1e-9, 1]], tensor]) {
            expect(() => made.cube.sampleBatch(coords, { method }), method).to.throw(CoordinateError);
          }
          made.cube.sampleBatch([[2, 0, 1.9]], { method }).dispose();
        }
        tensor.dispose();
        made.cube.dispose();
      }));

    it('renormalize: a constant field stays constant where some weights are positive, and no sample exceeds its bound', () =>
      withoutLeaks(async () => {
        const dims: [number, number, number] = [6, 5, 6];
        // Wrapped, so that no two taps are one node.
        const options = { missing: 'renormalize', boundary: 'wrap', resolution: 1, channels: 1 } as const;
        const made = makeCube({ ...options, dims, missingPart: 0.6 });
        for (const [x, y, z] of made.cube.positions()) {
          made.cube.setNode(x, y, z, [3]);
          made.cube.setTangents(x, y, z, { x: [0], y: [0], z: [0] });
        }
        const coords = smoothCoords(dims, 200);
        for (const method of ['linear', 'nearest', 'smoothstep', 'cardinal', 'hermite'] as const) {
          const got = await valuesOf(made.cube.sampleBatch(coords, { method }));
          let constant = 0;
          got.forEach((v, i) => {
            const r = coords.subarray(3 * i, 3 * i + 3);
            let [sum, size] = [0, 0];
            const basis = method === 'hermite' ? 'hermite' : 'cardinal';
            eachWeight(made.field, Array(3).fill({ basis, a: -0.5 }), r, (cell, w) => {
              if (!made.values.has(cell)) return;
              sum += w;
              size += Math.abs(w);
            });
            if (method === 'cardinal' && Math.abs(sum) < size / 4) {
              expect(Math.abs(v)).to.be.at.most(12 + 1e-4);
            } else if (v !== 0) {
              expect(v, `${method} at ${r}`).to.be.closeTo(3, 1e-4);
              constant++;
            }
          });
          expect(constant, method).to.be.greaterThan(50);
        }
        made.cube.dispose();
      }));

    it('renormalize: gradients of cubics are finite, and those of the quotient', () =>
      withoutLeaks(async () => {
        const dims: [number, number, number] = [4, 4, 4];
        const options = { missing: 'renormalize', boundary: 'wrap', resolution: 1, channels: 1 } as const;
        const made = makeCube({ ...options, dims, missingPart: 0.5 });
        const coords = smoothCoords(dims, 30);
        const r = tf.tensor2d(coords, [30, 3]);
        const f = (x: tf.Tensor) => tf.sum(made.cube.sampleBatch(x, { method: 'cardinal' }));
        const got = await valuesOf(tf.grad(f)(r));
        const quotient = (at: Float64Array) => {
          let [sum, weight, size] = [0, 0, 0];
          eachWeight(made.field, Array(3).fill({ basis: 'cardinal', a: -0.5 }), at, (cell, w) => {
            const node = made.values.get(cell);
            if (!node) return;
            sum += w * node[0];
            weight += w;
            size += Math.abs(w);
          });
          const least = size / 4;
          return sum / (Math.abs(weight) < least ? Math.sign(weight) * least : weight);
        };
        const want = Array.from(coords, (_, k) => {
          const at = (by: number) => {
            const i = Math.floor(k / 3);
            return quotient(
              Float64Array.from([0, 1, 2], (j) => coords[3 * i + j] + (3 * i + j === k ? by : 0)),
            );
          };
          return (at(1e-6) - at(-1e-6)) / 2e-6;
        });
        expectClose(got, want, 1e-4 * magnitude(want));
        r.dispose();
        made.cube.dispose();
      }));

    it('chunks put together are the whole, by every method', () =>
      withoutLeaks(async () => {
        const made = makeCube();
        giveTangents(made);
        const coords = smoothCoords([3, 4, 3], 10);
        for (const method of METHODS) {
          const want = await valuesOf(made.cube.sampleBatch(coords, { method }));
          const got: number[] = [];
          for (const { values } of made.cube.sampleChunks(coords, { method, maxBytes: 4 * 48 })) {
            got.push(...(await valuesOf(values)));
          }
          expectClose(got, want, 0, method);
        }
        made.cube.dispose();
      }));

    it('nlerp gives unit quaternions by every method', () =>
      withoutLeaks(async () => {
        const made = makeCube({ channels: 4, blend: 'nlerp', resolution: 1 });
        giveTangents(made);
        for (const method of METHODS) {
          const got = await valuesOf(made.cube.sampleBatch(smoothCoords([3, 4, 3], 10), { method }));
          for (let i = 0; i < got.length; i += 4) {
            expect(Math.hypot(...got.subarray(i, i + 4)), method).to.be.closeTo(1, 1e-5);
          }
        }
        made.cube.dispose();
      }));

    it('spline coefficients are kept until a node changes, and counted', () =>
      withoutLeaks(async () => {
        const made = makeCube({ dims: [4, 3, 4] });
        const { cube, field, values } = made;
        const coords = smoothCoords(field.dims, 6);
        const resident = () => cube.getMemoryUsage().residentBytes;
        const page = 4 * 48 * 12;
        const expectOracle = async () => {
          const node = (cell: number) => values.get(cell) ?? null;
          const want = Array.from({ length: 6 }, (_, i) => [
            ...methodOracle({ ...field, node }, 'bspline', coords.subarray(3 * i, 3 * i + 3)),
          ]).flat();
          expectClose(await valuesOf(cube.sampleBatch(coords, { method: 'bspline' })), want, 1e-5);
        };
        const bare = resident();
        await expectOracle();
        expect(resident()).to.equal(bare + page);
        const tensors = tf.memory().numTensors;
        await expectOracle();
        expect(tf.memory().numTensors).to.equal(tensors);
        cube.sampleBatch(coords, { method: 'bspline', resolution: 2 }).dispose();
        expect(resident()).to.equal(bare + page + 4 * 48 * 8);
        // Taken on a tape, they are none of it.
        const r = tf.tensor2d(coords, [6, 3]);
        cube.setNode(1, 1, 1, values.get(17)!);
        tf.grad((x: tf.Tensor) => tf.sum(cube.sampleBatch(x, { method: 'bspline' })))(r).dispose();
        r.dispose();
        expect(resident()).to.equal(bare + page);
        values.set(17, new Float32Array(12).fill(5));
        cube.setNode(...place(field.dims, 17), values.get(17)!);
        expect(resident()).to.equal(bare);
        await expectOracle();
        values.delete(20);
        cube.deleteNode(...place(field.dims, 20));
        expect(resident()).to.equal(bare);
        await expectOracle();
        await cube.compressNode(0, 0, 0, { method: 'lossless', quality: 1 });
        const packed = resident();
        await expectOracle();
        expect(resident()).to.be.greaterThan(packed);
        cube.decompressAll();
        await expectOracle();
        cube.dispose();
        const none = makeCube({ dims: [4, 3, 4], cacheBytes: 0 }).cube;
        none.sample(1, 1, 1, { method: 'bspline' }).dispose();
        expect(none.getMemoryUsage().residentBytes).to.equal(bare);
        none.dispose();
      }));

    it('coefficients that would not fit are refused before they are made', () =>
      withoutLeaks(() => {
        const cube = new WavetableMatrix(512, 512, 64, { resolution: 64, channels: 4 });
        cube.setNode(0, 0, 0, new Float32Array(64 * 64 * 4));
        for (const method of ['bspline', 'monotone'] as const) {
          if (method === 'monotone') cube.upscaleNode(0, 0, 0, 2);
          expect(() => cube.sample(0, 0, 0, { method })).to.throw(DeviceError, 'can bind');
        }
        cube.dispose();
      }));
  },
  BACKENDS,
);
