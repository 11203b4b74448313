import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import {
  type Boundary,
  CoordinateError,
  DeviceError,
  MissingNodeError,
  trilinearInterpolate,
  trilinearInterpolateGpu,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { makeCube, place, smoothCoords, type TestCube } from '../support/cubes.js';
import {
  expectClose,
  GRADIENT_TOLERANCE,
  magnitude,
  random,
  randomArray,
  SAMPLE_TOLERANCE,
} from '../support/numbers.js';
import { inner, sampleOracle, weights } from '../support/oracle.js';

const N = 9;

/** The loss Σ v · sample, and Σ v · sample², by the oracle. */
const oracleLoss = ({ field }: TestCube, coords: ArrayLike<number>, v: Float32Array) => {
  let sum = 0;
  for (let i = 0; i < coords.length / 3; i++) {
    const s = sampleOracle(field, [coords[3 * i], coords[3 * i + 1], coords[3 * i + 2]]);
    for (let f = 0; f < s.length; f++) sum += v[i * s.length + f] * s[f] * s[f];
  }
  return sum;
};

eachBackend('sampleBatch', (backend) => {
  for (const pageBytes of [undefined, 200]) {
    for (const dtype of ['float32', 'float16'] as const) {
      it(`equals the oracle, ${dtype}, ${pageBytes ? 'paged' : 'one page'}, missing nodes`, () =>
        withoutLeaks(async () => {
          const made = makeCube({ dtype, pageBytes, missingPart: 0.25 });
          const coords = smoothCoords(made.field.dims, N);
          const out = made.cube.sampleBatch(coords);
          expect(out.shape).to.deep.equal([N, 2, 3, 2]);
          const want = Array.from({ length: N }, (_, i) => [
            ...sampleOracle(made.field, coords.subarray(3 * i, 3 * i + 3)),
          ]).flat();
          expectClose(await out.data(), want, dtype === 'float32' ? SAMPLE_TOLERANCE : 2 ** -11);
          out.dispose();
          made.cube.dispose();
        }));
    }
  }

  it('takes rows, flat arrays and tensors alike, and an empty batch', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube();
      const rows = [
        [0.5, 1, 1.5],
        [2, 3, 0],
      ];
      const tensor = tf.tensor2d(rows);
      const all = [
        rows,
        rows.flat(),
        Float32Array.from(rows.flat()),
        Float64Array.from(rows.flat()),
        tensor,
      ].map((c) => cube.sampleBatch(c));
      const [first, ...others] = await Promise.all(all.map((t) => t.data()));
      for (const other of others) expectClose(other, first, 0);
      const empty = tf.zeros([0, 3]);
      const none = [[], new Float32Array(0), empty].map((c) => cube.sampleBatch(c as never));
      for (const t of none) expect(t.shape).to.deep.equal([0, 2, 3, 2]);
      const one = trilinearInterpolate(cube, 0.5, 1, 1.5);
      expect(one.shape).to.deep.equal([2, 3, 2]);
      expectClose(await one.data(), first.slice(0, 12), 0);
      tf.dispose([tensor, one, empty, ...all, ...none]);
      cube.dispose();
    }));

  it('an empty cube samples as zeros, and as NaN where a coordinate is', () =>
    withoutLeaks(async () => {
      const cube = new WavetableMatrix(3, 3, 3, { resolution: 2, channels: 1 });
      const out = cube.sampleBatch([
        [1, 1, 1],
        [Number.NaN, 0, 0],
      ]);
      expectClose(await out.data(), [0, 0, 0, 0, Number.NaN, Number.NaN, Number.NaN, Number.NaN], 0);
      out.dispose();
      cube.dispose();
    }));

  it('chunks put together are the whole', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube();
      const coords = smoothCoords([3, 4, 3], 10);
      const whole = cube.sampleBatch(coords);
      const want = await whole.data();
      const got = new Float32Array(want.length);
      const offsets: number[] = [];
      for (const { offset, values } of cube.sampleChunks(coords, { maxBytes: 4 * 48 })) {
        offsets.push(offset);
        got.set(await values.data<'float32'>(), offset * 12);
        values.dispose();
      }
      expect(offsets).to.deep.equal([0, 4, 8]);
      expectClose(got, want, 0);
      whole.dispose();
      cube.dispose();
    }));

  it('normalized coordinates run from the first node, 0, to the last, 1, and carry gradients', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube();
      const unit = tf.tensor2d([[0, 0.5, 1]]);
      const index = cube.normalized(unit);
      expect([...(await index.data())]).to.deep.equal([0, 1.5, 2]);
      const g = tf.grad((u: tf.Tensor) => tf.sum(cube.normalized(u)))(unit);
      expect([...(await g.data())]).to.deep.equal([2, 3, 2]);
      tf.dispose([unit, index, g]);
      cube.dispose();
    }));

  it('channels picks channels in the order asked for', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ channels: 3 });
      const all = cube.sample(1.2, 0.7, 1.9);
      const picked = cube.sample(1.2, 0.7, 1.9, { channels: [2, 0] });
      expect(picked.shape).to.deep.equal([2, 3, 2]);
      const a = await all.array();
      const p = await picked.array();
      expect(p[1][2]).to.deep.equal([a[1][2][2], a[1][2][0]]);
      tf.dispose([all, picked]);
      cube.dispose();
    }));

  it('trilinearInterpolateGpu samples on a GPU and says how to get one elsewhere', () =>
    withoutLeaks(async () => {
      const { cube, field } = makeCube();
      if (backend === 'webgpu') {
        const out = trilinearInterpolateGpu(cube, [[0.5, 0.5, 0.5]]);
        expectClose(await out.data(), sampleOracle(field, [0.5, 0.5, 0.5]), SAMPLE_TOLERANCE);
        out.dispose();
      } else {
        expect(() => trilinearInterpolateGpu(cube, [[0.5, 0.5, 0.5]])).to.throw(
          DeviceError,
          "ready({ backend: 'webgpu' })",
        );
      }
      cube.dispose();
    }));
});

eachBackend('policies', (backend) => {
  const line = (options: object) => {
    const cube = new WavetableMatrix(3, 1, 1, { resolution: 1, channels: 1, ...options });
    cube.setNode(0, 0, 0, [2]);
    cube.setNode(2, 0, 0, [8]);
    return cube;
  };
  const at = async (cube: WavetableMatrix, xs: number[]) => {
    const out = cube.sampleBatch(xs.map((x) => [x, 0, 0]));
    const data = await out.data();
    out.dispose();
    return data;
  };

  it('missing zero: an absent corner is zero', () =>
    withoutLeaks(async () => {
      const cube = line({});
      expectClose(await at(cube, [0, 0.25, 1, 1.5]), [2, 1.5, 0, 4], 1e-6);
      cube.dispose();
    }));

  it('missing renormalize: only corners that are there count; where none does, zero', () =>
    withoutLeaks(async () => {
      const cube = line({ missing: 'renormalize' });
      expectClose(await at(cube, [0, 0.25, 1, 1.5, 1.999]), [2, 2, 0, 8, 8], 1e-5);
      // The grid of what is present follows the nodes.
      cube.setNode(1, 0, 0, [4]);
      expectClose(await at(cube, [0.5, 1.5]), [3, 6], 1e-6);
      cube.dispose();
    }));

  it('missing renormalize beyond a zero boundary: the zeros out there count', () =>
    withoutLeaks(async () => {
      const cube = line({ missing: 'renormalize', boundary: 'zero' });
      expectClose(await at(cube, [-0.25, 0.5, 2.5]), [1.5, 2, 4], 1e-6);
      cube.dispose();
    }));

  it('missing error: names the node, unless its weight is zero', () =>
    withoutLeaks(async () => {
      const cube = line({ missing: 'error' });
      expectClose(await at(cube, [0, 2]), [2, 8], 0);
      expect(() => cube.sampleBatch([[0.5, 0, 0]])).to.throw(MissingNodeError, '(1, 0, 0)');
      expect(() => cube.sample(0.5, 0, 0)).to.throw(MissingNodeError, 'sample: ');
      expectClose(await at(cube, [Number.NaN]), [Number.NaN], 0);
      // Coordinates on a GPU cannot be looked at.
      const coords = tf.tensor2d([[0.5, 0, 0]]);
      const [type, message] =
        backend === 'webgpu' ? [DeviceError, 'read the coordinates'] : [MissingNodeError, '(1, 0, 0)'];
      expect(() => cube.sampleBatch(coords)).to.throw(type as never, message);
      coords.dispose();
      cube.dispose();
    }));

  it('boundary error: names the coordinate outside the grid', () =>
    withoutLeaks(async () => {
      const cube = line({ boundary: { x: 'error' } });
      expectClose(await at(cube, [0, 2]), [2, 8], 0);
      expect(() =>
        cube.sampleBatch([
          [0, 0, 0],
          [2.01, 0, 0],
        ]),
      ).to.throw(CoordinateError, 'coords[1]');
      cube.dispose();
    }));

  for (const boundary of ['clamp', 'wrap', 'reflect', 'zero', 'extrapolate'] as Boundary[]) {
    it(`boundary ${boundary} equals the oracle, outside the grid too`, () =>
      withoutLeaks(async () => {
        const made = makeCube({ boundary: { x: boundary, z: boundary } });
        const coords = randomArray(30, random(4), -3.3, 5.2);
        const out = made.cube.sampleBatch(coords);
        const want = Array.from({ length: 10 }, (_, i) => [
          ...sampleOracle(made.field, coords.subarray(3 * i, 3 * i + 3)),
        ]).flat();
        expectClose(
          await out.data(),
          want,
          SAMPLE_TOLERANCE * Math.max(1, magnitude(want)) * (boundary === 'extrapolate' ? 4 : 1),
        );
        out.dispose();
        made.cube.dispose();
      }));
  }

  it('a picture of a cube with strict policies can be drawn on every backend', () =>
    withoutLeaks(() => {
      const cube = line({ missing: 'error', boundary: 'error' });
      cube.visualizeSlice().dispose();
      cube.dispose();
    }));

  it('nlerp gives unit quaternions in the direction of the linear blend, and lets gradients through', () =>
    withoutLeaks(async () => {
      const made = makeCube({ channels: 4, blend: 'nlerp', trainable: true });
      const linear = makeCube({ channels: 4 });
      const coords = tf.tensor2d(smoothCoords([3, 4, 3], 4), [4, 3]);
      const out = made.cube.sampleBatch(coords);
      const q = await out.data();
      const plain = linear.cube.sampleBatch(coords);
      const p = await plain.data();
      for (let i = 0; i < q.length; i += 4) {
        const norm = Math.hypot(p[i], p[i + 1], p[i + 2], p[i + 3]);
        for (let c = 0; c < 4; c++) expect(q[i + c]).to.be.closeTo(p[i + c] / norm, 1e-5);
      }
      const v = tf.tensor4d(randomArray(q.length, random(5)), [4, 2, 3, 4]);
      const g = tf.grad((r: tf.Tensor) => tf.sum(tf.mul(made.cube.sampleBatch(r), v)))(coords);
      const vv = await v.data();
      const flat = await coords.data();
      const loss = (r: ArrayLike<number>) => {
        let sum = 0;
        for (let i = 0; i < 4; i++) {
          const s = sampleOracle(made.field, [r[3 * i], r[3 * i + 1], r[3 * i + 2]]);
          for (let f = 0; f < s.length; f += 4) {
            const norm = Math.hypot(s[f], s[f + 1], s[f + 2], s[f + 3]);
            for (let c = 0; c < 4; c++) sum += (vv[i * s.length + f + c] * s[f + c]) / norm;
          }
        }
        return sum;
      };
      const want = differences(loss, flat);
      expectClose(await g.data(), want, GRADIENT_TOLERANCE * magnitude(want));
      tf.dispose([coords, out, plain, v, g]);
      made.cube.dispose();
      linear.cube.dispose();
    }));

  it('a zero quaternion stays zero under nlerp, and its gradient finite', () =>
    withoutLeaks(async () => {
      const cube = new WavetableMatrix(2, 1, 1, {
        resolution: 1,
        channels: 4,
        blend: 'nlerp',
        sparse: false,
        trainable: true,
      });
      const out = cube.sample(0.5, 0, 0);
      expectClose(await out.data(), [0, 0, 0, 0], 0);
      const { value, grads } = tf.variableGrads(
        () => tf.sum(cube.sample(0.5, 0, 0)) as tf.Scalar,
        cube.trainableVariables(),
      );
      for (const v of await Object.values(grads)[0].data()) expect(v).to.be.finite;
      tf.dispose([out, value, grads as never]);
      cube.dispose();
    }));
});

/** Central differences of a float64 function. */
function differences(f: (r: Float64Array) => number, at: ArrayLike<number>, step = 1e-5): Float64Array {
  const out = new Float64Array(at.length);
  const r = Float64Array.from(at);
  for (let i = 0; i < out.length; i++) {
    const kept = r[i];
    r[i] = kept + step;
    const up = f(r);
    r[i] = kept - step;
    out[i] = (up - f(r)) / (2 * step);
    r[i] = kept;
  }
  return out;
}

eachBackend('gradients', () => {
  for (const boundary of ['clamp', 'wrap', 'reflect', 'zero', 'extrapolate'] as Boundary[]) {
    it(`of a loss with respect to coords and nodes equal finite differences, ${boundary}`, () =>
      withoutLeaks(async () => {
        const made = makeCube({ boundary, trainable: true, missingPart: 0.1 });
        const flat = smoothCoords(made.field.dims, N).map((r, i) => (i % 5 === 0 ? r + 2 : r));
        const coords = tf.tensor2d(flat, [N, 3]);
        const v = randomArray(N * 12, random(6));
        const vt = tf.tensor4d(v, [N, 2, 3, 2]);
        const loss = (r: tf.Tensor) => tf.sum(tf.mul(vt, tf.square(made.cube.sampleBatch(r)))) as tf.Scalar;
        const g = tf.grad(loss)(coords);
        const want = differences((r) => oracleLoss(made, r, v), flat);
        expectClose(await g.data(), want, GRADIENT_TOLERANCE * magnitude(want), 'coords');

        const variables = made.cube.trainableVariables();
        const { value, grads } = tf.variableGrads(() => loss(coords), variables);
        const sums = new Map<number, Float64Array>();
        for (let i = 0; i < N; i++) {
          const r = flat.subarray(3 * i, 3 * i + 3);
          const s = sampleOracle(made.field, r);
          for (const [cell, w] of weights(made.field, r[0], r[1], r[2])) {
            const sum = sums.get(cell) ?? new Float64Array(12);
            for (let f = 0; f < 12; f++) sum[f] += 2 * v[i * 12 + f] * s[f] * w;
            sums.set(cell, sum);
          }
        }
        // Each node's gradient, found through the page the optimiser would see: write it to the cube and read it back.
        const names = Object.keys(grads);
        expect(names.length).to.equal(variables.length);
        for (const variable of variables) variable.assign(grads[variable.name] as tf.Tensor);
        for (const [cell] of made.values) {
          const node = made.cube.getNode(...place(made.field.dims, cell));
          const expected = sums.get(cell) ?? new Float64Array(12);
          expectClose(
            await node.data(),
            expected,
            GRADIENT_TOLERANCE * Math.max(1, magnitude(expected)),
            `node ${cell}`,
          );
          node.dispose();
        }
        tf.dispose([coords, vt, g, value, grads as never]);
        made.cube.dispose();
      }));
  }

  it('of a renormalised sample with respect to coords equals finite differences', () =>
    withoutLeaks(async () => {
      const made = makeCube({ missing: 'renormalize', missingPart: 0.3, trainable: true });
      const flat = smoothCoords(made.field.dims, N);
      const coords = tf.tensor2d(flat, [N, 3]);
      const v = randomArray(N * 12, random(6));
      const vt = tf.tensor4d(v, [N, 2, 3, 2]);
      const g = tf.grad((r: tf.Tensor) => tf.sum(tf.mul(vt, made.cube.sampleBatch(r))))(coords);
      const loss = (r: ArrayLike<number>) => {
        let sum = 0;
        for (let i = 0; i < N; i++) {
          const taps = weights(made.field, r[3 * i], r[3 * i + 1], r[3 * i + 2]).filter(([cell]) =>
            made.values.has(cell),
          );
          const total = taps.reduce((t, [, w]) => t + w, 0);
          for (const [cell, w] of taps) {
            for (let f = 0; f < 12; f++) sum += (v[12 * i + f] * w * made.values.get(cell)![f]) / total;
          }
        }
        return sum;
      };
      const want = differences(loss, flat);
      expectClose(await g.data(), want, GRADIENT_TOLERANCE * magnitude(want));
      tf.dispose([coords, vt, g]);
      made.cube.dispose();
    }));

  it('adjoint: ⟨sampleBatch(c), y⟩ = Σ ⟨page, splat(c, y)⟩, in pages, mixed resolutions and renormalised', () =>
    withoutLeaks(async () => {
      for (const options of [{}, { pageBytes: 200 }, { missing: 'renormalize', missingPart: 0.3 }] as const) {
        const { cube } = makeCube({ trainable: true, ...options });
        if (!('pageBytes' in options)) {
          const [[x, y, z]] = [...cube.positions()];
          cube.upscaleNode(x, y, z, 2);
        }
        const coords = smoothCoords([3, 4, 3], N);
        const y = tf.tensor4d(randomArray(N * 12, random(9)), [N, 2, 3, 2]);
        const s = cube.sampleBatch(coords);
        const left = tf.tidy(() => tf.sum(tf.mul(s, y)));
        const pages = cube.splat(coords, y);
        const variables = cube.trainableVariables();
        expect(pages.map((p) => p.shape)).to.deep.equal(variables.map((p) => p.shape));
        const right = tf.tidy(() =>
          pages.map((p, i) => tf.sum(tf.mul(p, variables[i]))).reduce((a, b) => tf.add(a, b)),
        );
        const [l, r] = [(await left.data())[0], (await right.data())[0]];
        expect(r).to.be.closeTo(l, 1e-4 * Math.max(1, Math.abs(l)));
        tf.dispose([y, s, left, right, ...pages]);
        cube.dispose();
      }
    }));

  it('second order: the gradient of a gradient’s norm equals finite differences of it', () =>
    withoutLeaks(async () => {
      const made = makeCube({ trainable: true });
      const flat = smoothCoords(made.field.dims, N);
      const coords = tf.tensor2d(flat, [N, 3]);
      const v = randomArray(N * 12, random(6));
      const u = randomArray(N * 3, random(8));
      const vt = tf.tensor4d(v, [N, 2, 3, 2]);
      const ut = tf.tensor2d(u, [N, 3]);
      const first = (r: tf.Tensor) => tf.sum(tf.mul(vt, tf.square(made.cube.sampleBatch(r))));
      // ⟨u, ∂loss/∂coords⟩, differentiated once more to coords: mixed terms of two axes included.
      const second = (r: tf.Tensor) => tf.sum(tf.mul(ut, tf.grad(first)(r)));
      const g = tf.grad(second)(coords);
      const outer = (r: Float64Array) => {
        const inside = differences((q) => oracleLoss(made, q, v), r, 1e-4);
        return inside.reduce((sum, d, i) => sum + d * u[i], 0);
      };
      const want = differences(outer, flat, 1e-4);
      expectClose(await g.data(), want, GRADIENT_TOLERANCE * 5 * magnitude(want));
      tf.dispose([coords, vt, ut, g]);
      made.cube.dispose();
    }));

  it('second order with respect to nodes: mixed derivatives agree in either order', () =>
    withoutLeaks(async () => {
      const made = makeCube({ trainable: true });
      const coords = tf.tensor2d(smoothCoords(made.field.dims, N), [N, 3]);
      const vt = tf.tensor4d(randomArray(N * 12, random(6)), [N, 2, 3, 2]);
      const ut = tf.tensor2d(randomArray(N * 3, random(8)), [N, 3]);
      const loss = (r: tf.Tensor) => tf.sum(tf.mul(vt, made.cube.sampleBatch(r)));
      // ∂/∂nodes of ⟨u, ∂⟨v, sample⟩/∂coords⟩ is the splat of v along the tangent u: linear in the nodes, so
      // its inner product with the nodes is the value itself (Euler).
      const variables = made.cube.trainableVariables();
      const { value, grads } = tf.variableGrads(
        () => tf.sum(tf.mul(ut, tf.grad(loss)(coords))) as tf.Scalar,
        variables,
      );
      const again = tf.tidy(() =>
        variables.map((p) => tf.sum(tf.mul(p, grads[p.name]))).reduce((a, b) => tf.add(a, b)),
      );
      const [a, b] = [(await value.data())[0], (await again.data())[0]];
      expect(Math.abs(a)).to.be.greaterThan(0.01);
      expect(b).to.be.closeTo(a, 1e-4 * Math.abs(a));
      // And it is the derivative of inner products, by differences along the tangent.
      const flat = await coords.data();
      const [v, u] = [await vt.data(), await ut.data()];
      let want = 0;
      for (let i = 0; i < N; i++) {
        const at = (h: number) =>
          inner(
            made.field,
            [0, 1, 2].map((j) => flat[3 * i + j] + h * u[3 * i + j]),
            v.slice(12 * i, 12 * i + 12),
          );
        want += (at(1e-5) - at(-1e-5)) / 2e-5;
      }
      expect(a).to.be.closeTo(want, GRADIENT_TOLERANCE * Math.abs(want));
      tf.dispose([coords, vt, ut, value, again, grads as never]);
      made.cube.dispose();
    }));

  it('tf.profile shows the own kernels in sample, splat and gradients, and no gather', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ trainable: true });
      const coords = tf.tensor2d(smoothCoords([3, 4, 3], N), [N, 3]);
      const y = tf.ones([N, 2, 3, 2]) as tf.Tensor4D;
      const profile = await tf.profile(() => {
        tf.dispose(cube.splat(coords, y));
        const second = (r: tf.Tensor) =>
          tf.sum(tf.grad((q: tf.Tensor) => tf.sum(tf.square(cube.sampleBatch(q))))(r));
        tf.dispose(tf.grad(second)(coords));
        const { value, grads } = tf.variableGrads(
          () => tf.sum(tf.square(cube.sampleBatch(coords))) as tf.Scalar,
          cube.trainableVariables(),
        );
        tf.dispose([value, grads as never]);
      });
      const own = profile.kernels.map((k) => k.name);
      for (const name of ['Sample', 'SampleTangent', 'Splat', 'CoordGrad', 'CoordGradTangent']) {
        expect(own).to.include(`Wavecube${name}`);
      }
      expect(own).to.not.include('GatherV2');
      expect(own).to.not.include('UnsortedSegmentSum');
      tf.dispose([coords, y]);
      cube.dispose();
    }));
});
