import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { ArgumentError, DisposedError, meanSquare, ShapeError, WavecubeError } from '../../src/index.js';
import { gaussians, gaussiansGrad } from '../../src/ops/gaussians.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import {
  type MixtureShape,
  mixtureDifferences,
  mixtureOracle,
  randomMixture,
  mixtureTolerance as toleranceOf,
} from '../support/gaussians.js';
import { expectClose, GRADIENT_TOLERANCE, random, randomArray } from '../support/numbers.js';
import fc from '../support/properties.js';

const shape = (images: number, count: number, height: number, width: number, channels: number) => ({
  images,
  count,
  height,
  width,
  channels,
});
const parametersOf = (s: MixtureShape): [number, number, number] => [s.images, s.count, 5 + s.channels];
const sizeOf = (s: MixtureShape) => s.images * s.height * s.width * s.channels;

async function evaluate(x: Float32Array, s: MixtureShape): Promise<Float32Array> {
  const components = tf.tensor3d(x.slice(), parametersOf(s));
  const out = gaussians(components, s.height, s.width);
  expect(out.shape).to.deep.equal([s.images, s.height, s.width, s.channels]);
  const values = (await out.data()) as Float32Array;
  tf.dispose([components, out]);
  return values.slice();
}

async function gradient(x: Float32Array, y: Float32Array, s: MixtureShape): Promise<Float32Array> {
  const components = tf.tensor3d(x.slice(), parametersOf(s));
  const dy = tf.tensor4d(y.slice(), [s.images, s.height, s.width, s.channels]);
  const out = gaussiansGrad(components, dy);
  expect(out.shape).to.deep.equal(parametersOf(s));
  const values = (await out.data()) as Float32Array;
  tf.dispose([components, dy, out]);
  return values.slice();
}

/** Within a part of the largest entry of the same parameter: their units differ. */
function expectGradient(got: ArrayLike<number>, want: ArrayLike<number>, s: MixtureShape, tolerance: number) {
  const f = 5 + s.channels;
  expect(got.length).to.equal(want.length);
  for (let k = 0; k < f; k++) {
    const of = (v: ArrayLike<number>) => Array.from({ length: v.length / f }, (_, t) => v[t * f + k]);
    const scale = Math.max(...of(want).map(Math.abs), 0);
    expectClose(of(got), of(want), tolerance * scale, `parameter ${k}`);
  }
}

const SWEEP: MixtureShape[] = [
  shape(2, 7, 16, 16, 1),
  shape(1, 30, 17, 33, 2),
  shape(3, 5, 31, 9, 3),
  shape(2, 64, 64, 64, 4),
  shape(1, 9, 20, 21, 5),
  shape(1, 4, 8, 8, 9),
  shape(2, 3, 1, 1, 4),
  shape(1, 6, 1, 40, 3),
  shape(1, 6, 40, 1, 2),
  shape(0, 3, 4, 4, 2),
  shape(2, 0, 5, 4, 3),
];

eachBackend('gaussians', (backend) => {
  const mixtureTolerance = (x: Float32Array, s: MixtureShape) => toleranceOf(x, s, backend !== 'webgpu');

  describe('equal the float64 oracle', () => {
    for (const s of SWEEP) {
      it(`${s.images} of ${s.count} at ${s.height} × ${s.width} × ${s.channels}`, () =>
        withoutLeaks(async () => {
          const x = randomMixture(s, random(sizeOf(s) + s.count));
          expectClose(await evaluate(x, s), mixtureOracle(x, s), mixtureTolerance(x, s));
        }));
    }

    it('to 1e-5 for eight corners of eight Gaussians with σ of 0.02 to 0.12, amplitudes up to 1', () =>
      withoutLeaks(async () => {
        const s = shape(3, 64, 64, 64, 4);
        const x = randomMixture(s, random(6), 0.02, 0.12);
        expectClose(await evaluate(x, s), mixtureOracle(x, s), 1e-5);
      }));

    it('for hundreds of components in tiles and rows they do not all reach', () =>
      withoutLeaks(async () => {
        const s = shape(1, 700, 70, 90, 3);
        const x = randomMixture(s, random(5), 0.004, 0.05);
        expectClose(await evaluate(x, s), mixtureOracle(x, s), 1e-5);
      }));

    it('for any sizes, centres, widths and leans', () =>
      fc.assert(
        fc.asyncProperty(
          fc.record({ height: fc.integer({ min: 1, max: 24 }), width: fc.integer({ min: 1, max: 24 }) }),
          fc.integer({ min: 1, max: 5 }),
          fc.integer({ min: 0, max: 9 }),
          fc.integer(),
          async (size, channels, count, seed) => {
            const s = { ...size, channels, count, images: 2 };
            const x = randomMixture(s, random(seed), 1e-3, 30);
            expectClose(await evaluate(x, s), mixtureOracle(x, s), mixtureTolerance(x, s));
          },
        ),
        { numRuns: 30 },
      ));
  });

  it('at three times the size have the same values where pixel centres coincide', async () => {
    const s = shape(1, 12, 13, 10, 2);
    const x = randomMixture(s, random(3));
    const small = await evaluate(x, s);
    const large = await evaluate(x, { ...s, height: 39, width: 30 });
    const there = small.map((_, k) => {
      const [i, j, c] = [Math.floor(k / 20), Math.floor(k / 2) % 10, k % 2];
      return large[((3 * i + 1) * 30 + 3 * j + 1) * 2 + c];
    });
    expectClose(there, small, 2 * mixtureTolerance(x, s));
  });

  it('integrate to 2π e^(−p−r) times the amplitude, leaning or not', async () => {
    const s = shape(2, 1, 64, 64, 1);
    const x = Float32Array.of(0.5, 0.5, 3, 0, 2.8, 1, 0.45, 0.55, 3.2, 14, 2.9, -2);
    const values = await evaluate(x, s);
    const sum = (n: number) => values.subarray(n * 4096, (n + 1) * 4096).reduce((a, b) => a + b, 0) / 4096;
    expect(sum(0)).to.be.closeTo(2 * Math.PI * Math.exp(-5.8), 1e-6);
    expect(sum(1)).to.be.closeTo(-4 * Math.PI * Math.exp(-3.2 - Math.fround(2.9)), 1e-6);
  });

  it('much narrower than a pixel light the pixel they are centred on and no other', async () => {
    const s = shape(3, 1, 6, 8, 1);
    for (const p of [8, 20, 40, 88, 700, 3e38]) {
      const one = (cx: number, cy: number) => [cx, cy, p, 0, p, 3];
      // On the centre of pixel (4, 2), a thousandth of a pixel beside it, and out of the frame.
      const x = Float32Array.from([...one(2.5 / 8, 4.5 / 6), ...one(2.6 / 8, 4.5 / 6), ...one(-2, 0.75)]);
      x[1] = x[7] = 4.5 / 6;
      const values = await evaluate(x, s);
      const want = new Float32Array(values.length);
      want[4 * 8 + 2] = 3;
      if (p === 8) want.set(mixtureOracle(x, s));
      expectClose(values, want, 3e-6, `p = ${p}`);
    }
  });

  it('much wider than the frame are flat, and far-off ones nothing', async () => {
    const s = shape(1, 1, 5, 7, 2);
    for (const p of [-10, -40, -90, -3e38]) {
      const flat = await evaluate(Float32Array.of(0.3, 0.6, p, 0, p, 2, -1), s);
      expectClose(
        flat,
        Float32Array.from({ length: 70 }, (_, k) => (k % 2 ? -1 : 2)),
        1e-6,
        `p = ${p}`,
      );
    }
    for (const far of [1e4, 1e30, -3e38]) {
      expectClose(await evaluate(Float32Array.of(far, 0.5, 0, 0, 0, 2, 2), s), new Float32Array(70), 0);
      expectClose(await evaluate(Float32Array.of(0.5, far, 0, 0, 0, 2, 2), s), new Float32Array(70), 0);
      // All of it leans away but where dy = 0, on the middle row.
      const lean = await evaluate(Float32Array.of(0.5, 0.5, -40, far, 0, 2, 2), s);
      expectClose(
        lean,
        Float32Array.from({ length: 70 }, (_, k) => (Math.floor(k / 14) === 2 ? 2 : 0)),
        1e-6,
        `q = ${far}`,
      );
    }
  });

  it('of any finite parameters, the largest included, are finite and have finite gradients where amplitudes are small', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noDefaultInfinity: true, noNaN: true }), { minLength: 10, maxLength: 10 }),
        async (wild) => {
          const s = shape(1, 2, 5, 6, 1);
          const x = Float32Array.from([...wild.slice(0, 5), 1, ...wild.slice(5), 0.5]);
          for (const v of await evaluate(x, s)) expect(v).to.be.within(-1e-6, 1.5 + 1e-6);
          const dy = new Float32Array(30).fill(1);
          for (const v of await gradient(x, dy, s)) expect(v).not.to.be.NaN;
        },
      ),
      { numRuns: 60 },
    ));

  describe('edges', () => {
    it('a component of zero amplitudes adds exactly nothing, whatever else it holds', () =>
      withoutLeaks(async () => {
        const s = shape(1, 6, 9, 11, 3);
        const x = randomMixture(s, random(8));
        const want = await evaluate(x, s);
        const odd = [0.5, 0.5, Number.NaN, 0, 1, 0, -0, 0];
        const infinite = [Number.POSITIVE_INFINITY, 0.5, 1, Number.NEGATIVE_INFINITY, 1, 0, 0, 0];
        const padded = Float32Array.from([
          ...odd,
          ...x.subarray(0, 24),
          ...infinite,
          ...x.subarray(24),
          ...odd,
        ]);
        expect(await evaluate(padded, { ...s, count: 9 })).to.deep.equal(want);
      }));

    it('any other number that is not finite makes its image NaN, and no other', async () => {
      const s = shape(3, 4, 7, 18, 2);
      for (let k = 0; k < 7; k++) {
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          const x = randomMixture(s, random(9));
          const want = mixtureOracle(x, s).map((v, i) => (Math.floor(i / 252) === 1 ? Number.NaN : v));
          x[(1 * 4 + 2) * 7 + k] = bad;
          expectClose(
            await evaluate(x, s),
            want,
            mixtureTolerance(x.subarray(0, 28), { ...s, images: 1 }) * 4,
          );
        }
      }
    });

    it('a component that is not finite has the gradient 0, its neighbours have theirs', async () => {
      const s = shape(1, 3, 8, 9, 2);
      const x = randomMixture(s, random(10));
      const y = randomArray(sizeOf(s), random(11));
      const want = await gradient(x, y, s);
      for (let k = 0; k < 7; k++) {
        const broken = x.slice();
        broken[7 + k] = Number.NaN;
        const got = await gradient(broken, y, s);
        // Plus zero: −0 is a zero too.
        expect(got.map((v) => v + 0)).to.deep.equal(want.map((v, i) => (i >= 7 && i < 14 ? 0 : v + 0)));
      }
    });

    it('p and r beyond ±40 are 40 and have the gradient 0', async () => {
      const s = shape(1, 2, 4, 4, 1);
      const at = (p: number) => Float32Array.of(0.375, 0.375, -p, 0, p, 1, 0.4, 0.3, p, 0, -p, 1);
      expect(await evaluate(at(60), s)).to.deep.equal(await evaluate(at(40), s));
      const got = await gradient(at(60), new Float32Array(16).fill(1), s);
      expect([2, 4, 8, 10].map((k) => Math.abs(got[k]))).to.deep.equal([0, 0, 0, 0]);
    });

    it('equal calls give equal bits', async () => {
      const s = shape(1, 300, 30, 20, 4);
      const x = randomMixture(s, random(12));
      const y = randomArray(sizeOf(s), random(13));
      expect(await evaluate(x, s)).to.deep.equal(await evaluate(x, s));
      expect(await gradient(x, y, s)).to.deep.equal(await gradient(x, y, s));
    });

    it('refuse other shapes, dtypes and sizes with typed errors', () =>
      withoutLeaks(() => {
        const good = tf.zeros([2, 3, 6]) as tf.Tensor3D;
        const dy = tf.zeros([2, 4, 4, 2]) as tf.Tensor4D;
        const five = tf.zeros([2, 3, 5]) as tf.Tensor3D;
        const whole = tf.zeros([2, 3, 6], 'int32') as tf.Tensor3D;
        for (const size of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
          expect(() => gaussians(good, size, 4)).to.throw(ShapeError, 'positive integers');
          expect(() => gaussians(good, 4, size)).to.throw(ShapeError, 'positive integers');
        }
        expect(() => gaussians(five, 4, 4)).to.throw(ShapeError, '[N, M, 5 + C]');
        expect(() => gaussians(dy as unknown as tf.Tensor3D, 4, 4)).to.throw(ShapeError);
        expect(() => gaussians(whole, 4, 4)).to.throw(ArgumentError, 'float32');
        expect(() => gaussiansGrad(good, dy)).to.throw(ShapeError, '[2, H, W, 1]');
        tf.dispose([good, dy, five, whole]);
        expect(() => gaussians(good, 4, 4)).to.throw(DisposedError);
      }));
  });

  describe('gradients equal finite differences in float64', () => {
    for (const s of SWEEP) {
      it(`${s.images} of ${s.count} at ${s.height} × ${s.width} × ${s.channels}`, () =>
        withoutLeaks(async () => {
          const few = { ...s, count: Math.min(s.count, 9) };
          const x = randomMixture(few, random(sizeOf(s) + 1));
          const y = randomArray(sizeOf(few), random(sizeOf(s) + 2));
          expectGradient(await gradient(x, y, few), mixtureDifferences(x, y, few), few, GRADIENT_TOLERANCE);
        }));
    }

    it('of narrow, leaning Gaussians', async () => {
      const s = shape(1, 20, 60, 61, 3);
      const x = randomMixture(s, random(21), 0.01, 0.05);
      const y = randomArray(sizeOf(s), random(22));
      expectGradient(await gradient(x, y, s), mixtureDifferences(x, y, s), s, GRADIENT_TOLERANCE);
    });
  });

  it('tf.grads gives gaussiansGrad, a minimiser descends and leaks nothing', async () => {
    const s = shape(2, 3, 12, 14, 2);
    const x = randomMixture(s, random(31));
    const start = randomMixture(s, random(32));
    const components = tf.variable(tf.tensor3d(start, parametersOf(s)));
    const initial = tf.tensor3d(x, parametersOf(s));
    const target = gaussians(initial, 12, 14);
    const error = () => meanSquare(tf.sub(gaussians(components as unknown as tf.Tensor3D, 12, 14), target));
    const [by] = tf.grads((c: tf.Tensor) => tf.sum(tf.mul(gaussians(c as tf.Tensor3D, 12, 14), target)))([
      components,
    ]);
    const direct = gaussiansGrad(components as unknown as tf.Tensor3D, target);
    expect([...(await by.data())]).to.deep.equal([...(await direct.data())]);
    const value = async () => {
      const e = error();
      const [v] = await e.data();
      e.dispose();
      return v;
    };
    const before = await value();
    const optimizer = tf.train.adam(0.01);
    optimizer.minimize(() => error());
    await withoutLeaks(() => {
      for (let k = 0; k < 20; k++) optimizer.minimize(() => error());
    });
    expect(await value()).to.be.below(0.9 * before);
    optimizer.dispose();
    tf.dispose([components, initial, target, by, direct]);
  });

  it('a second derivative throws and says that there is none', () => {
    const x = tf.tensor3d([0.5, 0.5, 1, 0, 1, 1], [1, 1, 6]);
    const first = tf.grad((c: tf.Tensor) => tf.sum(tf.square(gaussians(c as tf.Tensor3D, 4, 4))));
    const second = tf.grad((c: tf.Tensor) => tf.sum(tf.square(first(c))));
    expect(() => tf.tidy(() => second(x))).to.throw(WavecubeError, 'gaussiansGrad');
    x.dispose();
  });
});
