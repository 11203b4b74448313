import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import {
  ArgumentError,
  CoordinateError,
  DCTCodec,
  MultiResolutionWavetableMatrix,
  meanSquare,
  ready,
  resample,
  ShapeError,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { fieldOf, noise, smooth } from '../support/fields.js';
import { expectClose, magnitude, random, randomArray, SAMPLE_TOLERANCE } from '../support/numbers.js';

const PERIODIC = { w: true };
/** Float32 of a resampling of this many points: √log of them roundings of what is there. */
const RESAMPLE_TOLERANCE = 5e-6;
const SIZES: [number, number][] = [
  [1, 1],
  [7, 30],
  [8, 8],
  [5, 9],
  [16, 24],
  [1, 13],
  [64, 64],
  [33, 4],
];

/** A 2 × 2 × 2 cube whose nodes have all these sizes, and its nodes brought to `resolution`. */
function mixed(resolution: [number, number], options: object = {}) {
  const next = random(8);
  const cube = new MultiResolutionWavetableMatrix(2, 2, 2, {
    resolution,
    channels: 2,
    periodic: PERIODIC,
    autoCompress: false,
    ...options,
  });
  const plain = new WavetableMatrix(2, 2, 2, { resolution, channels: 2, periodic: PERIODIC });
  SIZES.forEach(([h, w], cell) => {
    const values = randomArray(h * w * 2, next);
    const place = [cell >> 2, (cell >> 1) & 1, cell & 1] as const;
    cube.setNode(...place, values, { resolution: [h, w] });
    tf.tidy(() =>
      plain.setNode(
        ...place,
        resample(tf.tensor4d(values, [1, h, w, 2]), ...resolution, PERIODIC).squeeze([0]),
      ),
    );
  });
  return { cube, plain };
}

const COORDS = [
  [0.3, 0.6, 0.2],
  [0, 0, 0],
  [1, 0.5, 1],
  [0, 1, 0.25],
  [0.9, 0, 0],
  [Number.NaN, 0, 0],
  [-3, 7, 0.5],
];

eachBackend('cubes of mixed resolutions', (backend) => {
  for (const method of ['linear', 'catmull-rom'] as const) {
    it(`sample what a cube of their nodes, resampled by hand, samples: ${method}`, () =>
      withoutLeaks(async () => {
        for (const resolution of [
          [8, 8],
          [12, 31],
          [1, 5],
        ] as [number, number][]) {
          const { cube, plain } = mixed(resolution);
          const [a, b] = [cube.sampleBatch(COORDS, { method }), plain.sampleBatch(COORDS, { method })];
          const want = await b.data();
          expectClose(await a.data(), want, RESAMPLE_TOLERANCE * 4);
          tf.dispose([a, b]);
          for (const c of [cube, plain]) c.dispose();
        }
      }));
  }

  it('sample alone what they sample together: a bank works for the samples that touch it', () =>
    withoutLeaks(async () => {
      const next = random(3);
      const cube = new MultiResolutionWavetableMatrix(6, 3, 1, {
        resolution: 8,
        channels: 1,
        autoCompress: false,
      });
      for (let x = 0; x < 6; x++) {
        for (let y = 0; y < 3; y++) {
          if (x === 4) continue;
          const n = x === 2 ? 16 : x === 5 ? 40 : 4;
          cube.setNode(x, y, 0, randomArray(n * n, next), { resolution: n });
        }
      }
      const coords = Array.from({ length: 40 }, () => [6 * next() - 0.5, 2 * next(), 0]);
      const all = cube.sampleBatch(coords);
      const got = await all.data();
      for (let i = 0; i < 40; i += 7) {
        const one = cube.sample(...(coords[i] as [number, number, number]));
        expectClose(got.subarray(64 * i, 64 * i + 64), await one.data(), SAMPLE_TOLERANCE);
        one.dispose();
      }
      all.dispose();
      cube.dispose();
    }));

  it('have gradients to nodes of every resolution and to coordinates that are finite differences', () =>
    withoutLeaks(async () => {
      const { cube, plain } = mixed([6, 7], { trainable: true });
      plain.dispose();
      const coords = tf.tensor2d([0.3, 0.6, 0.2, 0.2, 0, 0.4, 1, 1, 0.7, 0, 0.5, 0], [4, 3]);
      const target = tf.tensor4d(randomArray(4 * 6 * 7 * 2, random(2)), [4, 6, 7, 2]);
      const loss = (at: tf.Tensor) => tf.sum(tf.mul(target, tf.square(cube.sampleBatch(at)))) as tf.Scalar;
      const { value: first, grads } = tf.variableGrads(() => loss(coords), cube.trainableVariables());
      first.dispose();
      const value = async (at: tf.Tensor = coords) => {
        const t = tf.tidy(() => loss(at));
        const [v] = await t.data();
        t.dispose();
        return v;
      };
      for (const variable of cube.trainableVariables()) {
        const slope = tf.randomNormal(variable.shape, 0, 1, 'float32', 5);
        const start = tf.clone(variable);
        const moved: number[] = [];
        for (const sign of [1, -1]) {
          tf.tidy(() => variable.assign(tf.add(start, tf.mul(sign, slope))));
          moved.push(await value());
        }
        variable.assign(start);
        const along = tf.tidy(() => tf.sum(tf.mul(grads[variable.name], slope)));
        const [got] = await along.data();
        // Quadratic in the nodes: the difference is exact but for rounding, whatever the step.
        expect(got).to.be.closeTo((moved[0] - moved[1]) / 2, 1e-4 * Math.max(1, moved[0]));
        tf.dispose([slope, start, along]);
      }
      const dCoords = tf.grad((at: tf.Tensor) => loss(at))(coords);
      const got = await dCoords.data();
      const host = await coords.data();
      for (const i of [0, 1, 2, 3, 5, 8, 10]) {
        // Quadratic in each coordinate within its cell.
        const at = [0.125, -0.125].map((d) =>
          tf.tensor2d(
            host.map((v, j) => (j === i ? v + d : v)),
            [4, 3],
          ),
        );
        const [up, low] = [await value(at[0]), await value(at[1])];
        expect(got[i]).to.be.closeTo((up - low) / 0.25, 1e-4 * Math.max(1, magnitude(got)));
        tf.dispose(at);
      }
      tf.dispose([coords, target, dCoords]);
      tf.dispose(grads);
      cube.dispose();
    }));

  it('give every page a gradient, zeros where no sample touches it', () =>
    withoutLeaks(async () => {
      const cube = new MultiResolutionWavetableMatrix(3, 1, 1, {
        resolution: 4,
        channels: 1,
        trainable: true,
        autoCompress: false,
      });
      [2, 4, 9].forEach((n, x) => {
        cube.setNode(x, 0, 0, new Float32Array(n * n).fill(1), { resolution: n });
      });
      const { value, grads } = tf.variableGrads(
        () => meanSquare(cube.sampleBatch([[0.25, 0, 0]])),
        cube.trainableVariables(),
      );
      const sizes = cube.trainableVariables().map(({ name }) => grads[name].size);
      expect(sizes.length).to.equal(3);
      const { page } = cube.rowOf(2, 0, 0);
      expect(magnitude(await grads[cube.trainableVariables()[page].name].data())).to.equal(0);
      value.dispose();
      tf.dispose(grads);
      cube.dispose();
    }));

  it('turn a rotating sine into the same sine at any resolution: periodic, and not moved by half a sample', () =>
    withoutLeaks(async () => {
      const sine = (n: number) =>
        Float32Array.from({ length: n }, (_, i) => Math.sin((2 * Math.PI * 3 * (i + 0.5)) / n + 0.4));
      const cube = new MultiResolutionWavetableMatrix(2, 1, 1, {
        resolution: [1, 64],
        channels: 1,
        periodic: PERIODIC,
        autoCompress: false,
      });
      cube.setNode(0, 0, 0, sine(300), { resolution: [1, 300] });
      cube.setNode(1, 0, 0, sine(7), { resolution: [1, 7] });
      for (const n of [64, 31, 128]) {
        const t = cube.sample(0.37, 0, 0, { resolution: [1, n] });
        expectClose(await t.data(), sine(n), RESAMPLE_TOLERANCE);
        t.dispose();
      }
      cube.dispose();
    }));

  if (backend !== 'cpu') {
    it('sample a zone plate of 1024² at 64² without aliases: what the band holds, and nothing else', () =>
      withoutLeaks(async () => {
        const n = 1024;
        const plate = (i: number, j: number) =>
          Math.cos((Math.PI * n * ((i + 0.5) ** 2 + (j + 0.5) ** 2)) / (2 * n * n));
        // Separable: cos(a + b) = cos a cos b − sin a sin b. Each axis goes down to its 64 first cosines in float64.
        const axis = (f: (x: number) => number) => {
          const x = Float64Array.from({ length: n }, (_, i) => f((Math.PI * (i + 0.5) ** 2) / (2 * n)));
          const low = Float64Array.from({ length: 64 }, (_, k) => {
            let sum = 0;
            for (let i = 0; i < n; i++) sum += x[i] * Math.cos((Math.PI * k * (i + 0.5)) / n);
            return (sum * (k === 0 ? 1 : 2)) / n;
          });
          return Float64Array.from({ length: 64 }, (_, i) =>
            low.reduce((sum, v, k) => sum + v * Math.cos((Math.PI * k * (i + 0.5)) / 64), 0),
          );
        };
        const [c, s] = [axis(Math.cos), axis(Math.sin)];
        const want = Float64Array.from({ length: 64 * 64 }, (_, p) => {
          const [i, j] = [p >> 6, p & 63];
          return c[i] * c[j] - s[i] * s[j];
        });
        const cube = new MultiResolutionWavetableMatrix(1, 1, 1, {
          resolution: 64,
          channels: 1,
          autoCompress: false,
        });
        const values = Float32Array.from({ length: n * n }, (_, p) => plate(Math.floor(p / n), p % n));
        cube.setNode(0, 0, 0, values, { resolution: n });
        const got = cube.sample(0, 0, 0);
        expectClose(await got.data(), want, RESAMPLE_TOLERANCE);
        // The plate's frequency reaches 64's limit at a sixteenth of its side: beyond, hardly anything is left.
        const far = want.filter((_, p) => p >> 6 >= 32 && (p & 63) >= 32);
        expect(magnitude(far)).to.be.below(0.05);
        got.dispose();
        cube.dispose();
      }));
  }

  it('are saved and loaded as what they are, bit for bit, and cloned', () =>
    withoutLeaks(async () => {
      const { cube, plain } = mixed([8, 8]);
      const loaded = (await WavetableMatrix.fromBytes(
        await cube.toBytes(),
      )) as MultiResolutionWavetableMatrix;
      const twin = cube.clone();
      for (const other of [loaded, twin]) {
        expect(other).to.be.instanceOf(MultiResolutionWavetableMatrix);
        expect(other.options).to.deep.equal(cube.options);
        expect(other.getResolutionMap()).to.deep.equal(cube.getResolutionMap());
        for (const { x, y, z, wavetable } of cube.nodes()) {
          const again = other.getNode(x, y, z);
          expectClose(await again.data(), await wavetable.data(), 0);
          tf.dispose([wavetable, again]);
        }
        other.setNode(0, 0, 0, new Float32Array(12), { resolution: [2, 3] });
        other.dispose();
      }
      expect(
        await WavetableMatrix.fromBytes(await plain.toBytes()).then((c) => {
          c.dispose();
          return c instanceof MultiResolutionWavetableMatrix;
        }),
      ).to.equal(false);
      for (const c of [cube, plain]) c.dispose();
    }));
});

describe('nodes of mixed resolutions', function () {
  this.timeout(60_000);
  before(() => ready({ backend: 'wasm' }));
  const cubeOf = (options: object = {}) =>
    new MultiResolutionWavetableMatrix(3, 1, 1, { resolution: [16, 16], channels: 1, ...options });

  it('say their resolution: a tensor, a compressed wavetable, values with { resolution }; else it is the cube’s', () =>
    withoutLeaks(async () => {
      const cube = cubeOf({ autoCompress: false });
      const tensor = tf.zeros<tf.Rank.R3>([7, 300, 1]);
      const compressed = await new DCTCodec().encode(smooth([9, 5, 1]), 0.9);
      cube.setNodes([
        [0, 0, 0, tensor],
        [1, 0, 0, compressed],
        [2, 0, 0, new Float32Array(2), { resolution: [2, 1] }],
      ]);
      expect([...cube.getResolutionMap()]).to.deep.equal([
        ['0_0_0', [7, 300]],
        ['1_0_0', [9, 5]],
        ['2_0_0', [2, 1]],
      ]);
      cube.setNode(0, 0, 0, new Float32Array(256));
      expect(cube.getResolution(0, 0, 0)).to.deep.equal([16, 16]);
      tensor.dispose();
      compressed.dispose();
      cube.dispose();
    }));

  it('are compressed by settle() at the codec and resolution of the fewest bytes, within the quality at their own resolution', () =>
    withoutLeaks(async () => {
      const fields = [
        smooth([40, 48, 1]),
        noise([12, 12, 1], 4),
        fieldOf([30, 30, 1], (y) => (y < 0.5 ? 0 : 1)),
      ];
      const compression = { method: 'quantized', quality: 0.97 };
      const cube = cubeOf({ compression });
      const whole = new MultiResolutionWavetableMatrix(3, 1, 1, { channels: 1, autoCompress: false });
      fields.forEach(({ values, shape: [h, w] }, x) => {
        cube.setNode(x, 0, 0, values, { resolution: [h, w] });
        whole.setNode(x, 0, 0, values, { resolution: [h, w] });
      });
      expect(cube.getResolution(0, 0, 0)).to.deep.equal([40, 48]);
      const reports = await cube.settle();
      const plain = await whole.compressAll(compression);
      expect(reports[0].resolution[0] * reports[0].resolution[1]).to.be.below((40 * 48) / 4);
      for (const [x, { values, shape }] of fields.entries()) {
        expect(reports[x].resolution).to.deep.equal(cube.getResolution(x, 0, 0));
        expect(reports[x].storedBytes).to.be.at.most(plain[x].storedBytes);
        const back = cube.sample(x, 0, 0, { resolution: [shape[0], shape[1]] });
        const got = await back.data();
        const norm = Math.hypot(...values);
        expect(Math.hypot(...values.map((v, i) => v - got[i])) / norm).to.be.at.most(0.03 + 1e-6);
        const worst = values.reduce((most, v, i) => Math.max(most, Math.abs(v - got[i])), 0);
        expect(worst).to.be.closeTo(reports[x].maxError, 1e-5);
        back.dispose();
      }
      expect(await cube.settle()).to.deep.equal([]);
      for (const c of [cube, whole]) c.dispose();
    }));

  it('keep bounds on the largest error through settle(), too', async () => {
    const cube = cubeOf({ compression: { method: 'dct', quality: { maxAbs: 0.01 } }, periodic: PERIODIC });
    const { values } = smooth([32, 36, 1]);
    cube.setNode(1, 0, 0, values, { resolution: [32, 36] });
    const [report] = await cube.settle();
    const back = cube.sample(1, 0, 0, { resolution: [32, 36] });
    const got = await back.data();
    expect(values.reduce((most, v, i) => Math.max(most, Math.abs(v - got[i])), 0)).to.be.at.most(0.01 + 1e-6);
    expect(report.maxError).to.be.at.most(0.01);
    back.dispose();
    cube.dispose();
  });

  it('are pending where they or the cube ask for it, and stay as they are otherwise, and where they cannot be smaller', async () => {
    const cube = cubeOf({ compression: 'dct', autoCompress: false });
    const { values } = smooth([16, 16, 1]);
    cube.setNode(0, 0, 0, values, { autoCompress: true });
    cube.setNode(1, 0, 0, values);
    cube.setNode(2, 0, 0, Float32Array.of(1), { resolution: 1, autoCompress: true });
    const reports = await cube.settle();
    expect(reports.map(({ x, kept }) => [x, kept])).to.deep.equal([
      [0, undefined],
      [2, 'not smaller'],
    ]);
    expect(cube.getCodec(1, 0, 0)).to.equal(null);
    expect(cube.getResolution(2, 0, 0)).to.deep.equal([1, 1]);
    cube.setNode(0, 0, 0, values, { autoCompress: true });
    cube.setNode(0, 0, 0, values);
    expect(await cube.settle()).to.deep.equal([]);
    cube.dispose();
  });

  it('are brought down by adaptNode to the smallest grid within the quality', () =>
    withoutLeaks(async () => {
      const cube = cubeOf({ autoCompress: false });
      const { values } = smooth([40, 40, 1]);
      cube.setNode(0, 0, 0, values, { resolution: 40 });
      const { resolution, achieved } = await cube.adaptNode(0, 0, 0, { quality: 0.99 });
      expect(cube.getResolution(0, 0, 0)).to.deep.equal(resolution);
      expect(resolution[0] * resolution[1]).to.be.below(400);
      const back = cube.sample(0, 0, 0, { resolution: 40 });
      const got = await back.data();
      const error = Math.hypot(...values.map((v, i) => v - got[i])) / Math.hypot(...values);
      expect(error).to.be.at.most(0.01);
      expect(error).to.be.closeTo(achieved.relativeError, 1e-5);
      back.dispose();
      cube.setNode(1, 0, 0, values, { resolution: 40 });
      const adapting = cube.adaptNode(1, 0, 0);
      cube.setNode(1, 0, 0, new Float32Array(256));
      expect((await adapting).resolution).to.deep.equal([16, 16]);
      expect(cube.getResolution(1, 0, 0)).to.deep.equal([16, 16]);
      cube.dispose();
    }));

  it('are refused with the wrong channels, size or options, and nothing is set then', () =>
    withoutLeaks(() => {
      const cube = cubeOf();
      const set = (wavetable: unknown, options?: object) => () =>
        cube.setNode(0, 0, 0, wavetable as Float32Array, options);
      const three = tf.zeros<tf.Rank.R3>([4, 4, 3]);
      const empty = tf.zeros<tf.Rank.R3>([0, 4, 1]);
      expect(set(three)).to.throw(ShapeError, '[4, 4, 1]');
      expect(set(empty)).to.throw(ShapeError);
      expect(set(new Float32Array(5))).to.throw(ShapeError, '[16, 16, 1]');
      expect(set(new Float32Array(5), { resolution: [2, 3] })).to.throw(ShapeError, '[2, 3, 1]');
      expect(set(new Float32Array(5), { resolution: [0, 5] })).to.throw(ArgumentError);
      expect(set(new Float32Array(6), { resolution: [2, 3], compress: true })).to.throw(
        ArgumentError,
        "'compress'",
      );
      expect(set(new Float32Array(256), { autoCompress: 1 })).to.throw(ArgumentError, 'autoCompress');
      expect(() => cube.setNode(3, 0, 0, new Float32Array(256))).to.throw(CoordinateError);
      expect(() =>
        cube.setNodes([
          [0, 0, 0, new Float32Array(4), { resolution: 2 }],
          [1, 0, 0, new Float32Array(5), { resolution: 2 }],
        ]),
      ).to.throw(ShapeError, 'setNodes[1]');
      expect(cube.nodeCount).to.equal(0);
      expect(() => cubeOf({ mixed: false })).to.throw(ArgumentError);
      expect(() => new WavetableMatrix(1, 1, 1, { mixed: true } as object)).to.throw(
        ArgumentError,
        "'mixed'",
      );
      tf.dispose([three, empty]);
      cube.dispose();
    }));
});
