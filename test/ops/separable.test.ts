import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { ArgumentError, ShapeError } from '../../src/index.js';
import { type AxisMatrix, cosineMatrix, productMatrix } from '../../src/ops/axismatrix.js';
import { registerComposition } from '../../src/ops/composition.js';
import { resampleMatrix } from '../../src/ops/resample.js';
import { separable } from '../../src/ops/separable.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, random, randomArray } from '../support/numbers.js';

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

eachBackend('separable', (backend) => {
  // Stock ops stand in for the kernel on a backend that has none.
  void backend;
  for (const adjoint of [false, true]) {
    describe(adjoint ? 'transposed' : 'as it is', () => {
      for (const [name, n, channels, left, right] of CASES) {
        it(`equals the sums of products in float64: ${name}`, () =>
          withoutLeaks(async () => {
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
            const input = tf.tensor4d(x.slice(), shape);
            const out = separable(input, left, right, adjoint);
            expect(out.shape).to.deep.equal([n, toH, toW, channels]);
            expectClose(await out.data(), want.values, SUM_TOLERANCE * want.bound);
            tf.dispose([input, out]);
          }));
      }
    });
  }
});
void ArgumentError;
void ShapeError;
void registerComposition;
