import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { ArgumentError, ShapeError } from '../../src/index.js';
import { type AxisMatrix, cosineMatrix, productMatrix } from '../../src/ops/axismatrix.js';
import { resampleMatrix } from '../../src/ops/resample.js';
import { separable } from '../../src/ops/separable.js';
import { IDENTITY, separableComposition } from '../../src/ops/separablecontract.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';

/** Sums of float32 products, at most 130 of them between roundings, as a part of Σ |factor| |value|. */
const SUM_TOLERANCE = 1e-6;

/** out[n, h, w, c] = Σ left[h, kh] right[w, kw] x[n, kh, kw, c] in float64, and the same of magnitudes. */
function oracle(
  x: Float32Array,
  [n, kh, kw, c]: readonly number[],
  left: (h: number, k: number) => number,
  right: (w: number, k: number) => number,
  [h, w]: readonly [number, number],
): { values: Float64Array; bound: number } {
  const run = (size: (v: number) => number) => {
    const middle = new Float64Array(n * kh * w * c);
    for (let r = 0; r < n * kh; r++)
      for (let j = 0; j < w; j++)
        for (let k = 0; k < kw; k++)
          for (let l = 0; l < c; l++)
            middle[(r * w + j) * c + l] += size(right(j, k)) * size(x[(r * kw + k) * c + l]);
    const out = new Float64Array(n * h * w * c);
    for (let m = 0; m < n; m++)
      for (let i = 0; i < h; i++)
        for (let k = 0; k < kh; k++)
          for (let j = 0; j < w * c; j++)
            out[(m * h + i) * w * c + j] += size(left(i, k)) * middle[(m * kh + k) * w * c + j];
    return out;
  };
  const bound = run(Math.abs).reduce((a, b) => Math.max(a, b), 0);
  return { values: run((v) => v), bound };
}

const general = (to: number, from: number, seed: number): AxisMatrix => ({
  to,
  from,
  values: randomArray(to * from, random(seed)),
  symmetry: 'general',
});
const centred = (to: number, from: number): AxisMatrix => ({
  to,
  from,
  values: resampleMatrix(from, to, false),
  symmetry: 'centred',
});
const periodic = (to: number, from: number): AxisMatrix => ({
  to,
  from,
  values: resampleMatrix(from, to, true),
  symmetry: 'centred',
});
const cosine = (to: number, from: number): AxisMatrix => cosineMatrix(Math.max(to, from), from, to);
const alternating = (to: number, from: number): AxisMatrix =>
  productMatrix(periodic(to, from + 3), cosineMatrix(from + 3, from, from + 3));

type Case = [name: string, n: number, channels: number, left: AxisMatrix | null, right: AxisMatrix | null];
const CASES: Case[] = [
  ['any matrices', 2, 3, general(5, 7, 1), general(6, 4, 2)],
  ['one place an axis', 3, 2, general(1, 1, 1), general(1, 1, 2)],
  ['one row', 9, 1, general(1, 1, 1), cosine(65, 9)],
  ['rows only', 2, 5, cosine(33, 8), null],
  ['columns only', 3, 3, null, cosine(40, 17)],
  ['any wide', 1, 4, general(67, 130, 1), general(70, 66, 2)],
  ['cosines, 64 × 64', 3, 4, cosine(64, 28), cosine(64, 28)],
  ['cosines, all of them', 1, 4, cosine(128, 128), cosine(64, 64)],
  ['cosines, more than the points hold', 2, 2, cosine(16, 40), cosine(24, 31)],
  ['cosines, odd sizes', 2, 5, cosine(37, 20), cosine(35, 11)],
  ['cosines, even sizes of odd halves', 2, 3, cosine(38, 7), cosine(76, 13)],
  ['cosines of few points', 2, 1, cosine(15, 3), cosine(7, 7)],
  ['one coefficient', 5, 4, cosine(64, 1), cosine(31, 1)],
  ['alternating', 2, 8, alternating(48, 20), alternating(31, 12)],
  ['centred, even and odd', 2, 4, centred(32, 45), periodic(51, 28)],
  ['centred and small', 2, 6, centred(12, 5), periodic(6, 20)],
  ['a symmetry an axis', 4, 1, cosine(32, 9), centred(17, 33)],
];

/** x, and the float64 result for it, of a case. */
function problem([, n, channels, left, right]: Case, adjoint: boolean) {
  const sides = (m: AxisMatrix | null): [number, number] =>
    m ? (adjoint ? [m.to, m.from] : [m.from, m.to]) : [6, 6];
  const [fromH, toH] = sides(left);
  const [fromW, toW] = sides(right);
  const element = (m: AxisMatrix | null) => (i: number, k: number) => {
    if (!m) return Number(i === k);
    return m.values[adjoint ? k * m.from + i : i * m.from + k];
  };
  const shape = [n, fromH, fromW, channels] as [number, number, number, number];
  const x = randomArray(n * fromH * fromW * channels, random(5));
  const want = oracle(x, shape, element(left), element(right), [toH, toW]);
  return { x, shape, to: [n, toH, toW, channels] as [number, number, number, number], ...want };
}

eachBackend('separable', (backend) => {
  for (const adjoint of [false, true]) {
    describe(adjoint ? 'transposed' : 'as it is', () => {
      for (const each of CASES) {
        it(`equals the sums of products in float64: ${each[0]}`, () =>
          withoutLeaks(async () => {
            const { x, shape, to, values, bound } = problem(each, adjoint);
            const input = tf.tensor4d(x.slice(), shape);
            const out = separable(input, each[3], each[4], adjoint);
            expect(out.shape).to.deep.equal(to);
            expectClose(await out.data(), values, SUM_TOLERANCE * bound);
            tf.dispose([input, out]);
          }));
      }
    });
  }

  it('its gradient is its transpose, and the second order is that of a linear map', () =>
    withoutLeaks(async () => {
      for (const each of [CASES[5], CASES[9], CASES[14]]) {
        const [, n, channels, left, right] = each;
        const { x, shape, to } = problem(each, false);
        const input = tf.tensor4d(x.slice(), shape);
        const dy = tf.tensor4d(
          randomArray(
            to.reduce((a, b) => a * b),
            random(8),
          ),
          to,
        );
        const [got, want, curved, twice] = tf.tidy(() => {
          const out = (y: tf.Tensor) => separable(y as tf.Tensor4D, left, right);
          const back = (y: tf.Tensor) => separable(y as tf.Tensor4D, left, right, true);
          const slope = tf.grad((y: tf.Tensor) => tf.sum(tf.mul(out(y), dy)))(input);
          // Of Σ (Mx)² the gradient is 2 MᵀMx, and that one's along v is 2 MᵀMv.
          const first = (y: tf.Tensor) => tf.grad((z: tf.Tensor) => tf.sum(tf.square(out(z))))(y);
          const v = tf.ones(shape);
          const second = tf.grad((y: tf.Tensor) => tf.sum(tf.mul(first(y), v)))(input);
          return [slope, back(dy), second, tf.mul(back(out(v)), 2)];
        });
        const w = await want.data();
        const t = await twice.data();
        expectClose(await got.data(), w, 1e-6 * magnitude(w), `first order, ${n} × ${channels}`);
        expectClose(await curved.data(), t, 1e-5 * magnitude(t), 'second order');
        tf.dispose([input, dy, got, want, curved, twice]);
      }
    }));

  it('is exact for a matrix of zeros and ones, keeps 1e30 and 1e-30 apart, and takes nothing', () =>
    withoutLeaks(async () => {
      const identity: AxisMatrix = {
        to: 9,
        from: 9,
        values: Float32Array.from({ length: 81 }, (_, i) => Number(i % 10 === 0)),
        symmetry: 'general',
      };
      const x = randomArray(9 * 9 * 2, random(3)).map((v, i) => v * (i % 2 ? 1e30 : 1e-30));
      const input = tf.tensor4d(x.slice(), [1, 9, 9, 2]);
      const same = separable(input, identity, identity);
      expect(Array.from(await same.data())).to.deep.equal(Array.from(x));
      const none = tf.tensor4d([], [0, 9, 9, 2]);
      const nothing = separable(none, identity, null);
      expect(nothing.shape).to.deep.equal([0, 9, 9, 2]);
      expect(separable(input, null, null)).to.equal(input);
      tf.dispose([input, same, none, nothing]);
    }));

  it('refuses what does not fit', () =>
    withoutLeaks(() => {
      const x = tf.zeros([1, 5, 6, 2]) as tf.Tensor4D;
      const whole = x.cast('int32') as tf.Tensor4D;
      expect(() => separable(x, general(3, 4, 1), null)).to.throw(
        ShapeError,
        'separable: x must be [N, 4, 6, C]',
      );
      expect(() => separable(x, null, general(6, 3, 1))).to.throw(ShapeError);
      expect(() => separable(whole, null, null)).to.throw(ArgumentError);
      tf.dispose([x, whole]);
    }));

  if (backend === 'cpu') {
    it('the composition of stock ops gives the same', () =>
      withoutLeaks(async () => {
        for (const each of CASES) {
          for (const adjoint of [false, true]) {
            const [, , , left, right] = each;
            const { x, shape, values, bound } = problem(each, adjoint);
            const matrix = (m: AxisMatrix | null) =>
              m ? tf.tensor2d(m.values, [m.to, m.from]) : tf.scalar(0);
            const out = tf.tidy(() =>
              separableComposition({
                inputs: { x: tf.tensor4d(x.slice(), shape), left: matrix(left), right: matrix(right) },
                attrs: {
                  adjoint,
                  leftSymmetry: left ? 0 : IDENTITY,
                  rightSymmetry: right ? 0 : IDENTITY,
                  leftResampling: 0,
                  rightResampling: 0,
                },
                backend: null,
              }),
            );
            expectClose(await out.data(), values, SUM_TOLERANCE * bound, each[0]);
            out.dispose();
          }
        }
      }));
  }
});

describe('cosine matrices', () => {
  it('hold the cosines of the definition, and none that the points cannot hold', () => {
    for (const [size, count, to] of [
      [8, 8, 8],
      [9, 5, 17],
      [16, 12, 7],
      [1, 1, 3],
      [100, 3, 1],
    ] as const) {
      const { values } = cosineMatrix(size, count, to);
      const want = Float64Array.from({ length: to * count }, (_, at) => {
        const [i, k] = [Math.floor(at / count), at % count];
        if (k >= to) return 0;
        return Math.sqrt((k ? 2 : 1) / size) * Math.cos((Math.PI * k * (i + 0.5)) / to);
      });
      expectClose(values, want, 1e-7);
    }
  });
});
