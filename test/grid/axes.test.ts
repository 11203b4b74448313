/** The laws of cubes whose axes have coordinates of their own. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import {
  ArgumentError,
  BOUNDARIES,
  CoordinateError,
  DisposedError,
  type InterpolationMethod,
  type MatrixOptions,
  MissingNodeError,
  meanSquare,
  WavetableMatrix,
} from '../../src/index.js';
import { type AxisGeometry, geometryOf } from '../../src/interpolation/axis.js';
import { axisTapsAt } from '../../src/interpolation/axistaps.js';
import type { Basis } from '../../src/interpolation/taps.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { makeCube, smoothCoords } from '../support/cubes.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';

const DIMS: [number, number, number] = [4, 3, 2];
const INDEX_AXES = { x: [0, 1, 2, 3], y: { positions: [0, 1, 2] }, z: [0, 1] };
/** With the periods of index space. */
const WRAPPED_AXES = {
  x: { positions: [0, 1, 2, 3], period: 4 },
  y: { positions: [0, 1, 2], period: 3 },
  z: { positions: [0, 1], period: 2 },
};
const FUSED: InterpolationMethod[] = ['linear', 'nearest', 'smoothstep'];
const TAPS: InterpolationMethod[] = ['catmull-rom', 'bspline', 'hermite', 'monotone'];
/** Two cubes of the same nodes and tangents. */
function twins(options: MatrixOptions, axes: MatrixOptions['axes']) {
  const pair = [makeCube({ dims: DIMS, ...options }).cube, makeCube({ dims: DIMS, ...options, axes }).cube];
  for (const cube of pair) {
    const next = random(9);
    for (const [x, y, z] of cube.positions()) {
      const [tx, ty, tz] = [0, 1, 2].map(() => randomArray(12, next));
      cube.setTangents(x, y, z, { x: tx, y: ty, z: tz });
    }
  }
  return pair as [WavetableMatrix, WavetableMatrix];
}

const ofMethods = (methods: InterpolationMethod[]) => (backend: string) => {
  // It reads coordinates, which come as tensors here.
  const all = BOUNDARIES.filter((name) => name !== 'error' || backend !== 'webgpu');
  for (const method of methods) {
    // Boundaries are the stencil's affair, the same for these methods; SwiftShader is slow.
    const boundaries =
      backend === 'webgpu' && method !== 'catmull-rom' ? (['wrap', 'extrapolate'] as const) : all;
    it(`a cube at positions 0 … n − 1 is the plain one, gradients and all: ${method}`, () =>
      withoutLeaks(async () => {
        for (const boundary of boundaries) {
          const [plain, cube] = twins({ boundary }, boundary === 'wrap' ? WRAPPED_AXES : INDEX_AXES);
          const inside = smoothCoords(DIMS, 12);
          const coords = boundary === 'error' ? inside : inside.map((r, i) => (i % 5 ? r : r - 1.5));
          const both = [plain, cube].map((one) =>
            tf.tidy(() => {
              const at = tf.tensor2d(coords, [12, 3]);
              const { value, grad } = tf.valueAndGrad((r) =>
                tf.sum(tf.square(one.sampleBatch(r, { method }))),
              )(at);
              return [one.sampleBatch(at, { method }), value, grad];
            }),
          );
          const [want, got] = await Promise.all(both.map((list) => Promise.all(list.map((t) => t.data()))));
          const scale = magnitude(want[0]);
          expectClose(got[0], want[0], 2e-5 * scale, boundary);
          // Coordinates near a mirror's edge may be a rounding apart.
          expectClose(got[2], want[2], 2e-4 * Math.max(scale, magnitude(want[2])), `${boundary} gradient`);
          tf.dispose(both);
          plain.dispose();
          cube.dispose();
        }
      }));
  }
};
eachBackend('cubes with axes', ofMethods(FUSED));
eachBackend('cubes with axes, four taps', ofMethods(TAPS));

eachBackend('coordinates in the user’s units', () => {
  it('are those of nodes at the nodes, between { min, max } and at positions', () =>
    withoutLeaks(async () => {
      const axes = { x: [-3, 0.1, 7, 7.5], y: { min: 20, max: 20_000 }, z: { min: -1, max: 1 } };
      const { cube, values } = makeCube({ dims: DIMS, axes });
      const coords: number[][] = [];
      const want: number[] = [];
      for (const [cell, node] of values) {
        const [x, y, z] = [Math.floor(cell / 6), Math.floor(cell / 2) % 3, cell % 2];
        coords.push([axes.x[x], 20 + y * 9990, 2 * z - 1]);
        want.push(...node);
      }
      const got = cube.sampleBatch(coords);
      expectClose(await got.data(), want, 1e-6 * magnitude(want));
      const between = cube.sample(3.55, 5015, 0.5);
      const node = (x: number, y: number, z: number) => values.get((x * 3 + y) * 2 + z)!;
      const blend = Array.from(node(1, 0, 0), (_, f) =>
        [1, 2].reduce(
          (sum, x) =>
            sum + [0, 1].reduce((s, y) => s + 0.25 * (0.25 * node(x, y, 0)[f] + 0.75 * node(x, y, 1)[f]), 0),
          0,
        ),
      );
      expectClose(await between.data(), blend, 1e-5 * magnitude(want));
      const normal = cube.normalized([
        [0, 0, 0],
        [1, 1, 1],
        [0.5, 0.5, 0.5],
      ]);
      expectClose(await normal.data(), [-3, 20, -1, 7.5, 20_000, 1, 2.25, 10_010, 0], 1e-6);
      tf.dispose([got, between, normal]);
      cube.dispose();
    }));

  it('splat is the adjoint of sampleBatch, also in parts', () =>
    withoutLeaks(async () => {
      const axes = { x: [0, 0.1, 1, 3], y: { min: -1, max: 1 } };
      const { cube } = makeCube({ dims: DIMS, axes, boundary: 'reflect', trainable: true });
      const coords = tf.tensor2d(randomArray(60, random(2), -1, 3), [20, 3]);
      const values = tf.tensor4d(randomArray(240, random(3)), [20, 2, 3, 2]);
      const sample = cube.sampleBatch(coords);
      const splats = cube.splat(coords, values);
      const dot = async (a: tf.Tensor, b: tf.Tensor) => {
        const [p, q] = [await a.data<'float32'>(), await b.data<'float32'>()];
        return p.reduce((s, v, i) => s + v * q[i], 0);
      };
      let right = 0;
      for (const [i, page] of cube.trainableVariables().entries()) right += await dot(page, splats[i]);
      expect(await dot(sample, values)).to.be.closeTo(right, 1e-4 * Math.abs(right));
      const all = await sample.data();
      for (const { offset, values: part } of cube.sampleChunks(coords, { maxBytes: 48 * 7 })) {
        expectClose(await part.data(), all.slice(12 * offset, 12 * offset + part.size), 1e-6);
        part.dispose();
      }
      tf.dispose([coords, values, sample, splats]);
      cube.dispose();
    }));

  it('take an empty batch, with gradients of its shape', () =>
    withoutLeaks(() => {
      const axes = { x: { positions: [0, 0.1, 1, 3], trainable: true }, y: { min: -1, max: 1 } };
      const { cube } = makeCube({ dims: DIMS, axes, trainable: true });
      const coords = tf.zeros<tf.Rank.R2>([0, 3]);
      const ones = tf.ones([0, 2, 3, 2]);
      for (const method of [...FUSED, ...TAPS].filter((name) => name !== 'hermite')) {
        const sample = (at: tf.Tensor) => cube.sampleBatch(at as tf.Tensor2D, { method });
        const got = sample(coords);
        const by = tf.grad((at) => tf.mul(sample(at), 2))(coords, ones);
        expect([got.shape, by.shape], method).to.deep.equal([
          [0, 2, 3, 2],
          [0, 3],
        ]);
        tf.dispose([got, by]);
      }
      tf.dispose([coords, ones]);
      cube.dispose();
    }));

  it('are what boundary error and missing error speak of', async () => {
    const axes = { x: [5, 5.5, 9, 10], y: { positions: [0, 1, 9], trainable: true } };
    const { cube } = makeCube({ dims: DIMS, axes, boundary: 'error' });
    cube
      .sampleBatch([
        [10, 9, 1],
        [5, 0, 0],
      ])
      .dispose();
    expect(() => cube.sampleBatch([[10.5, 0, 0]])).to.throw(CoordinateError, /x in \[5, 10\]/);
    expect(() => cube.sample(4.9, 0, 0)).to.throw(CoordinateError);
    cube.dispose();
    const sparse = new WavetableMatrix(3, 1, 1, {
      resolution: 1,
      channels: 1,
      missing: 'error',
      axes: { x: [0, 10, 100] },
    });
    sparse.setNode(0, 0, 0, [1]);
    sparse.setNode(1, 0, 0, [3]);
    const half = sparse.sample(5, 0, 0);
    expect(Array.from(await half.data())).to.deep.equal([2]);
    half.dispose();
    expect(() => sparse.sample(11, 0, 0)).to.throw(MissingNodeError, /\(2, 0, 0\)/);
    sparse.dispose();
  });

  it('reach compressed nodes as they do dense ones', () =>
    withoutLeaks(async () => {
      for (const method of ['dct', 'quantized']) {
        const options = { dims: DIMS, resolution: 4, axes: { x: [0, 0.1, 1, 3] } };
        const { cube } = makeCube(options);
        await cube.compressAll({ method, quality: 0.9 });
        const coords = Array.from({ length: 8 }, (_, i) => [i / 3, 1.3, 0.4]);
        const got = cube.sampleBatch(coords);
        cube.decompressAll();
        const want = cube.sampleBatch(coords);
        expectClose(await got.data(), await want.data(), 1e-5);
        tf.dispose([got, want]);
        cube.dispose();
      }
    }));
});

const X = [0, 0.3, 0.5, 1.2, 2];

/** A cube of numbers on an axis of trained knots. */
function line(values: number[], options: MatrixOptions = {}): WavetableMatrix {
  const cube = new WavetableMatrix(values.length, 1, 1, {
    ...{ resolution: 1, channels: 1, trainable: true, axes: { x: { positions: X, trainable: true } } },
    ...options,
  });
  for (const [i, v] of values.entries()) cube.setNode(i, 0, 0, [v]);
  return cube;
}

const knotGradients = (methods: [InterpolationMethod, Basis][]) => () => {
  for (const [method, basis] of methods) {
    it(`gradients to coordinates and knots equal finite differences: ${method}`, () =>
      withoutLeaks(async () => {
        const values = [1, -2, 0.5, 3, 1];
        const cube = line(values);
        const u = [0.1, 0.21, 0.42, 0.9, 1.7, 1.1];
        const [variable] = cube.axisVariables();
        const { value, grads } = tf.variableGrads(
          () =>
            tf.sum(
              tf.square(
                cube.sampleBatch(
                  u.map((x) => [x, 0, 0]),
                  { method },
                ),
              ),
            ) as tf.Scalar,
          [variable],
        );
        const at0 = tf.tensor2d(u.map((x) => [x, 0, 0]));
        const du = tf.grad((c) => tf.sum(tf.square(cube.sampleBatch(c, { method }))))(at0);
        const theta = Array.from(await variable.data());
        const floor = 1e-4 / 4;
        const positionsOf = (v: number[]) => {
          const e = v.map(Math.exp);
          const total = e.reduce((a, b) => a + b);
          let t = 0;
          return [0, ...e.map((x) => (t += 2 * (floor + (1 - 4 * floor) * (x / total))))];
        };
        const nodes = new Int32Array(4);
        const weights = new Float64Array(4);
        const at = (x: number, axis: AxisGeometry) => {
          axisTapsAt(x, axis, 0, basis, -0.5, nodes, weights);
          return [0, 1, 2, 3].reduce((s, k) => s + (nodes[k] < 0 ? 0 : weights[k] * values[nodes[k]]), 0);
        };
        const loss = (coords: number[], v: number[]) => {
          const positions = positionsOf(v);
          const axis = geometryOf({ positions, spacing: null, period: null, trainable: true });
          return coords.reduce((s, x) => s + at(x, axis) ** 2, 0);
        };
        const h = 1e-5;
        const differences = (list: number[], f: (moved: number[]) => number) =>
          list.map((_, k) => {
            const moved = (d: number) => f(list.map((x, j) => (j === k ? x + d : x)));
            return (moved(h) - moved(-h)) / (2 * h);
          });
        const wantV = differences(theta, (v) => loss(u, v));
        const wantU = differences(u, (coords) => loss(coords, theta));
        expectClose(await grads[variable.name].data(), wantV, 1e-4 * magnitude(wantV));
        const got = await du.data();
        expectClose(
          u.map((_, i) => got[3 * i]),
          wantU,
          1e-4 * magnitude(wantU),
        );
        tf.dispose([value, grads, du, at0]);
        cube.dispose();
      }));
  }
};
eachBackend('trained knots', knotGradients([['linear', 'linear']]));
eachBackend('trained knots, four taps', knotGradients([['catmull-rom', 'cardinal']]));

eachBackend('splines on axes', () => {
  it('take the nodes’ values at nodes, for all boundaries', () =>
    withoutLeaks(async () => {
      const values = [1, -2, 0.5, 3, 1];
      for (const boundary of BOUNDARIES) {
        const around = boundary === 'wrap' ? { period: 2.6 } : {};
        const cube = line(values, { boundary: { x: boundary }, axes: { x: { positions: X, ...around } } });
        const got = cube.sampleBatch(
          X.map((x) => [x, 0, 0]),
          { method: 'bspline' },
        );
        expectClose(await got.data(), values, 2e-5, boundary);
        got.dispose();
        cube.dispose();
      }
    }));

  it('have gradients to their knots, through the prefilter too, as differences have', () =>
    withoutLeaks(async () => {
      const cube = line([1, -2, 0.5, 3, 1], { boundary: 'reflect' });
      const [variable] = cube.axisVariables();
      const coords = [0.1, 0.21, 0.42, 0.9, 1.7].map((x) => [x, 0, 0]);
      const loss = () => tf.sum(tf.square(cube.sampleBatch(coords, { method: 'bspline' }))) as tf.Scalar;
      const { value, grads } = tf.variableGrads(loss, [variable]);
      const got = await grads[variable.name].data();
      const theta = Array.from(await variable.data());
      // Samples are float32: large steps, of the fourth order.
      const h = 0.04;
      const want: number[] = [];
      for (let k = 0; k < theta.length; k++) {
        const at = async (by: number) => {
          const moved = tf.tensor1d(theta.map((v, j) => (j === k ? v + by : v)));
          variable.assign(moved);
          const l = tf.tidy(loss);
          const [result] = await l.data();
          tf.dispose([moved, l]);
          return result;
        };
        const near = (await at(h)) - (await at(-h));
        const far = (await at(2 * h)) - (await at(-2 * h));
        const still = tf.tensor1d(theta);
        variable.assign(still);
        still.dispose();
        want.push((8 * near - far) / (12 * h));
      }
      expectClose(got, want, 2e-4 * magnitude(want));
      tf.dispose([value, grads]);
      cube.dispose();
    }));
});

eachBackend('tangents on axes', () => {
  it('are per unit of the user’s coordinate: a cubic with its slopes is reproduced', () =>
    withoutLeaks(async () => {
      const f = (u: number) => 1 - u + 0.5 * u ** 2 - 0.25 * u ** 3;
      const slope = (u: number) => -1 + u - 0.75 * u ** 2;
      const even = [-1, 0.5, 2, 3.5, 5];
      for (const [positions, axis] of [
        [X, X],
        [even, { min: -1, max: 5 }],
      ] as const) {
        const cube = line(positions.map(f), { axes: { x: axis } });
        for (const [i, t] of positions.entries()) cube.setTangents(i, 0, 0, { x: [slope(t)] });
        const u = Array.from(
          { length: 9 },
          (_, i) => positions[0] + ((i + 0.4) / 9) * (positions[4] - positions[0]),
        );
        const got = cube.sampleBatch(
          u.map((x) => [x, 0, 0]),
          { method: 'hermite' },
        );
        const want = u.map(f);
        expectClose(await got.data(), want, 1e-5 * magnitude(want));
        got.dispose();
        cube.dispose();
      }
    }));

  it('hermite reads the ends of a cell alone: NaN in other nodes leaves samples and gradients finite', () =>
    withoutLeaks(async () => {
      for (const x of [X, { positions: X, trainable: true }, { min: -1, max: 5 }]) {
        const cube = line([NaN, NaN, 2, -1, NaN], { axes: { x } });
        for (let i = 0; i < 5; i++) cube.setTangents(i, 0, 0, { x: [i === 2 || i === 3 ? i : NaN] });
        const [low, high] = 'min' in x ? [2, 3.5] : [X[2], X[3]];
        const at = [0.1, 0.4, 0.9].map((f) => [low + f * (high - low), 0, 0]);
        const onHost = cube.sampleBatch(at, { method: 'hermite' });
        const coords = tf.tensor2d(at);
        const { value, grads } = tf.variableGrads(
          () => tf.sum(cube.sampleBatch(coords, { method: 'hermite' })) as tf.Scalar,
        );
        const toCoords = tf.grad((r: tf.Tensor) =>
          tf.sum(cube.sampleBatch(r as tf.Tensor2D, { method: 'hermite' })),
        )(coords);
        for (const t of [onHost, value, toCoords, ...Object.values(grads)]) {
          expect((await t.data()).every(Number.isFinite)).to.equal(true);
        }
        tf.dispose([onHost, coords, value, toCoords, grads]);
        cube.dispose();
      }
    }));
});

eachBackend('axes of a cube', (backend) => {
  it('knots stay in order, and nothing leaks, in hundreds of large steps of Adam', () =>
    withoutLeaks(async () => {
      const cube = line([1, -2, 0.5, 3, 1]);
      // The law is of the arithmetic, which is the slowest to step through on SwiftShader.
      const steps = backend === 'webgpu' ? 25 : 300;
      const optimizer = tf.train.adam(5);
      const next = random(1);
      let warm = 0;
      for (let i = 0; i < steps; i++) {
        const coords = Array.from({ length: 8 }, () => [2 * next(), 0, 0]);
        const target = tf.tensor4d(randomArray(8, next, -5, 5), [8, 1, 1, 1]);
        optimizer.minimize(() => meanSquare(tf.sub(cube.sampleBatch(coords), target)), false, [
          ...cube.trainableVariables(),
          ...cube.axisVariables(),
        ]);
        target.dispose();
        if (i === 1) warm = tf.memory().numTensors;
        if (i % 50 && i < steps - 10) continue;
        const positions = cube.axisPositions('x');
        const t = await positions.data();
        for (let k = 1; k < 5; k++) expect(t[k], `step ${i}`).to.be.greaterThan(t[k - 1]);
        expect([t[0], t[4]]).to.deep.equal([0, 2]);
        positions.dispose();
      }
      expect(tf.memory().numTensors).to.equal(warm);
      optimizer.dispose();
      cube.dispose();
    }));

  it('are kept by clones, files and fromTensor, as they were trained', () =>
    withoutLeaks(async () => {
      const cube = line([1, -2, 0.5, 3, 1], {
        boundary: { x: 'wrap' },
        axes: { x: { positions: X, trainable: true, period: 2.5 }, y: { min: -1, max: 1 } },
      });
      const moved = tf.tensor1d([0.3, -1, 0.2, 1]);
      cube.axisVariables()[0].assign(moved);
      moved.dispose();
      const coords = Array.from({ length: 9 }, (_, i) => [i / 3, 0, 0]);
      const twin = cube.clone();
      const back = await WavetableMatrix.fromBytes(await cube.toBytes());
      const of = async (one: WavetableMatrix) => {
        const [sample, positions] = [one.sampleBatch(coords), one.axisPositions('x')];
        const data = [...(await sample.data()), ...(await positions.data())];
        tf.dispose([sample, positions]);
        return data;
      };
      const want = await of(cube);
      expect(want[9 + 1]).to.not.be.closeTo(X[1], 0.05);
      expectClose(await of(twin), want, 0);
      expectClose(await of(back), want, 1e-5);
      expect(back.options.axes.y).to.deep.equal({ min: -1, max: 1 });
      const { x } = back.options.axes as { x: { positions: number[]; trainable: boolean; period: number } };
      expect([x.trainable, x.period]).to.deep.equal([true, 2.5]);
      expectClose(x.positions, want.slice(9), 1e-6);
      // The twin's knots are its own.
      const even = tf.zeros([4]);
      twin.axisVariables()[0].assign(even);
      even.dispose();
      expectClose(await of(cube), want, 0);
      for (const one of [cube, twin, back]) one.dispose();
      expect(() => cube.axisVariables()).to.throw(DisposedError);
    }));

  it('are plain without an entry: no variables, 0 … n − 1, and no word in options', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: DIMS });
      const positions = cube.axisPositions('x');
      expect(Array.from(await positions.data())).to.deep.equal([0, 1, 2, 3]);
      expect(cube.axisVariables()).to.deep.equal([]);
      expect(cube.options.axes).to.deep.equal({});
      expect(() => cube.axisPositions('w' as 'x')).to.throw(ArgumentError, /'x', 'y' or 'z'/);
      positions.dispose();
      cube.dispose();
    }));

  it('that are none are refused before anything is made', () =>
    withoutLeaks(() => {
      const bad: unknown[] = [
        { x: [0, 2, 1, 3] },
        { x: [0, 1, 2] },
        { y: { min: 1, max: 0 } },
        { x: { positions: [0, 1, 2, 3], trainable: true }, y: [0, 0, 1] },
        { x: { positions: [0, 1, 1 + 3e-7, 3], trainable: true } },
        { z: { positions: [0, 1], trainable: true } },
        { w: [0, 1] },
        [0, 1, 2],
      ];
      for (const axes of bad) {
        expect(() => makeCube({ dims: DIMS, axes: axes as MatrixOptions['axes'], sparse: false })).to.throw(
          ArgumentError,
        );
      }
    }));
});

describe('axes of a cube that moves', () => {
  it('toBackend takes the knots along, variables and all', () =>
    withoutLeaks(async () => {
      const { ready } = await import('../../src/index.js');
      await ready({ backend: 'cpu' });
      const cube = line([1, -2, 0.5, 3, 1]);
      const [variable] = cube.axisVariables();
      const before = cube.axisPositions('x');
      const want = await before.data();
      before.dispose();
      await cube.toBackend('wasm');
      expect(cube.axisVariables()[0]).to.equal(variable);
      const after = cube.axisPositions('x');
      expectClose(await after.data(), want, 1e-6);
      after.dispose();
      cube.dispose();
    }));
});
