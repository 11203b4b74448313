import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { ArgumentError } from '../../src/errors.js';
import { defaultMode, inverseWaveletTransform, waveletTransform } from '../../src/ops/wavelet.js';
import { waveletComposition } from '../../src/ops/waveletcomposition.js';
import { analysisMatrix, type Banded, WAVELET_FAMILIES } from '../../src/ops/waveletfilters.js';
import golden from '../golden/wavelet.json' with { type: 'json' };
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { random, randomArray } from '../support/numbers.js';

/** Of float32 filters through ten levels, against values of magnitude 1. */
const ROUNDING = 5e-6;

function expectNear(got: ArrayLike<number>, want: ArrayLike<number>, within = ROUNDING): void {
  expect(got.length).to.equal(want.length);
  for (let i = 0; i < want.length; i++) {
    expect(Number.isFinite(got[i]), `element ${i} is finite`).to.equal(true);
    expect(Math.abs(got[i] - want[i]), `element ${i}`).to.be.at.most(within);
  }
}

const images = (shape: [number, number, number, number], seed: number) =>
  tf.tensor4d(randomArray(shape[0] * shape[1] * shape[2] * shape[3], random(seed)), shape);

const modesOf = (family: (typeof WAVELET_FAMILIES)[number]) =>
  defaultMode(family) === 'symmetric'
    ? (['symmetric', 'periodization'] as const)
    : (['periodization'] as const);

const dot = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b));

eachBackend('wavelet transforms', () => {
  for (const [name, want] of Object.entries(golden)) {
    it(`coefficients equal PyWavelets', ${name}`, async () => {
      const [family, mode = 'periodization'] = name.split(' ') as ['haar', 'symmetric'];
      const values = Float32Array.from({ length: 16 * 24 }, (_, i) => {
        const y = Math.floor(i / 24);
        const x = i % 24;
        return ((7 * y * y + 13 * x + 5 * x * y) % 64) / 64;
      });
      const got = tf.tidy(() =>
        waveletTransform(tf.tensor4d(values, [1, 16, 24, 1]), { family, mode, levels: 2 }),
      );
      expectNear(await got.data(), want);
      got.dispose();
    });
  }

  for (const family of WAVELET_FAMILIES) {
    for (const mode of modesOf(family)) {
      it(`synthesis undoes analysis, ${family}, ${mode}`, async () => {
        for (const shape of [
          [1, 1, 1, 1],
          [2, 1, 7, 3],
          [1, 2, 2, 4],
          [1, 5, 3, 2],
          [2, 9, 16, 4],
          [1, 33, 31, 5],
        ] as [number, number, number, number][]) {
          await withoutLeaks(async () => {
            const x = images(shape, 3);
            const back = tf.tidy(() =>
              inverseWaveletTransform(waveletTransform(x, { family, mode }), { family, mode }),
            );
            expectNear(await back.data(), await x.data());
            tf.dispose([x, back]);
          });
        }
      });

      it(`gradients are the adjoint, and equal finite differences, ${family}, ${mode}`, async () => {
        const shape: [number, number, number, number] = [1, 7, 10, 2];
        const options = { family, mode, levels: 2 };
        for (const transform of [waveletTransform, inverseWaveletTransform]) {
          const [x, y] = [images(shape, 5), images(shape, 6)];
          const value = (z: tf.Tensor) => dot(transform(z as tf.Tensor4D, options), y);
          const gradient = tf.grad(value)(x);
          const [left, right] = tf.tidy(() => [value(x), dot(gradient, x)]);
          expect(Math.abs((await left.data())[0] - (await right.data())[0])).to.be.at.most(1e-4);
          // The map is linear: a difference of any size is exact, and is that with a unit step.
          const numbers = await gradient.data();
          const base = await x.data();
          for (const i of [0, 17, 139]) {
            const moved = base.slice();
            moved[i] += 1;
            const difference = tf.tidy(() => tf.sub(value(tf.tensor4d(moved, shape)), value(x)));
            expect(Math.abs((await difference.data())[0] - numbers[i])).to.be.at.most(1e-4);
            difference.dispose();
          }
          tf.dispose([x, y, gradient, left, right]);
        }
      });
    }
  }

  it('second-order gradients are those of a linear map: of ½‖Ax‖² its Hessian times v is AᵀAv', async () => {
    const [x, v] = [images([1, 6, 5, 1], 7), images([1, 6, 5, 1], 8)];
    const half = (z: tf.Tensor) => tf.mul(0.5, tf.sum(tf.square(waveletTransform(z as tf.Tensor4D))));
    const hessian = tf.tidy(() => tf.grad((z) => dot(tf.grad(half)(z), v))(x));
    const expected = tf.tidy(() =>
      tf.grad((z) => dot(waveletTransform(z as tf.Tensor4D), waveletTransform(v as tf.Tensor4D)))(x),
    );
    expectNear(await hessian.data(), await expected.data(), 1e-4);
    tf.dispose([x, v, hessian, expected]);
  });

  it('the stock-op composition equals the kernel', async () => {
    for (const inverse of [false, true]) {
      for (const adjoint of [false, true]) {
        const x = images([2, 13, 6, 3], 9);
        const attrs = { family: 'cdf97', mode: 'symmetric', levels: 3, inverse, adjoint } as const;
        tf.dispose(waveletTransform(x));
        const own = tf.engine().runKernel('WavecubeWavelet', { x }, attrs) as tf.Tensor;
        const stock = waveletComposition(x, attrs);
        expectNear(await own.data(), await stock.data());
        tf.dispose([x, own, stock]);
      }
    }
  });

  it('an empty batch stays empty, and zero levels change nothing', async () => {
    const empty = waveletTransform(tf.zeros([0, 4, 4, 2]));
    expect(empty.shape).to.deep.equal([0, 4, 4, 2]);
    const x = images([1, 4, 4, 1], 2);
    const same = waveletTransform(x, { levels: 0 });
    expectNear(await same.data(), await x.data(), 0);
    tf.dispose([empty, x, same]);
  });

  it('wrong arguments are named', () => {
    const x = tf.zeros([1, 4, 4, 1]) as tf.Tensor4D;
    expect(() => waveletTransform(x, { family: 'db9' as 'db4' })).to.throw(/family must be one of haar/);
    expect(() => waveletTransform(x, { family: 9 as never })).to.throw(
      ArgumentError,
      'family must be one of',
    );
    expect(() => inverseWaveletTransform([] as never)).to.throw('coefficients must be a tensor');
    expect(() => waveletTransform(x, { family: 'db4', mode: 'symmetric' })).to.throw(/must be periodization/);
    expect(() => waveletTransform(x, { levels: 1.5 })).to.throw(/levels must be an integer/);
    expect(() => waveletTransform(x, { level: 1 } as object)).to.throw(/no option is called 'level'/);
    expect(() => waveletTransform(tf.zeros([4, 4]) as unknown as tf.Tensor4D)).to.throw(/\[N, H, W, C\]/);
  });
});

describe('wavelet filters', () => {
  const times = ({ rows, taps, indices, weights }: Banded, x: readonly number[]) =>
    Array.from({ length: rows }, (_, r) => {
      let sum = 0;
      for (let t = r * taps; t < (r + 1) * taps; t++) sum += weights[t] * x[indices[t]];
      return sum;
    });

  it('details of a symmetric level vanish on what the family reproduces: constants, for any size', () => {
    for (const family of WAVELET_FAMILIES) {
      for (let n = 2; n < 40; n++) {
        const out = times(analysisMatrix(family, defaultMode(family), n), new Array<number>(n).fill(1));
        const lows = Math.ceil(n / 2);
        expectNear(out.slice(0, lows), new Array<number>(lows).fill(Math.SQRT2), 1e-9);
        expectNear(out.slice(lows), new Array<number>(n - lows).fill(0), 1e-9);
      }
    }
  });
});
