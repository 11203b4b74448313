import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { solveTridiagonal } from '../../src/ops/tridiagonal.js';
import { tridiagonalComposition } from '../../src/ops/tridiagonalcomposition.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { bandedMatrix, solveDense } from '../support/dense.js';
import { expectClose, GRADIENT_TOLERANCE, magnitude, random, randomArray } from '../support/numbers.js';

/** The matrix is at most 1/0.3 from singular: a few float32 roundings of the largest value. */
const SOLVE_TOLERANCE = 3e-6;

type Shape = [number, number, number];
const SHAPES: Shape[] = [
  [1, 1, 5],
  [3, 1, 1],
  [2, 2, 4],
  [3, 2, 1],
  [2, 3, 3],
  [1, 4, 130],
  [5, 7, 2],
  [2, 33, 67],
  [4, 100, 1],
];
const KINDS = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const;

/** Rows that are dominant by 0.3 to 1; also n = 1 and 2, where neighbours fall together. */
function dominantBands(n: number, next: () => number): Float32Array {
  const bands = new Float32Array(3 * n);
  for (let i = 0; i < n; i++) {
    const [l, u] = [next() - 0.5, next() - 0.5];
    const d = Math.abs(l) + Math.abs(u) + 0.3 + 0.7 * next();
    bands.set([l, next() < 0.2 ? -d : d, u], 3 * i);
  }
  return bands;
}

/** In float64. */
function reference(
  x: ArrayLike<number>,
  [a, n, b]: Shape,
  bands: ArrayLike<number>,
  cyclic: boolean,
  adjoint: boolean,
): Float64Array {
  const matrix = bandedMatrix(bands, n, cyclic, adjoint);
  const out = new Float64Array(a * n * b);
  for (let line = 0; line < a * b; line++) {
    const at = (i: number) => (Math.floor(line / b) * n + i) * b + (line % b);
    const y = solveDense(
      matrix,
      Array.from({ length: n }, (_, i) => x[at(i)]),
    );
    y.forEach((v, i) => {
      out[at(i)] = v;
    });
  }
  return out;
}

const name = (shape: Shape, cyclic: boolean, adjoint: boolean) =>
  `[${shape}]${cyclic ? ', cyclic' : ''}${adjoint ? ', adjoint' : ''}`;

eachBackend('tridiagonal systems', () => {
  for (const [cyclic, adjoint] of KINDS) {
    for (const shape of SHAPES) {
      it(`equal a dense float64 solve, ${name(shape, cyclic, adjoint)}; the composition too`, () =>
        withoutLeaks(async () => {
          const next = random(shape[1] * 31 + shape[2]);
          const given = randomArray(shape[0] * shape[1] * shape[2], next);
          const bands = dominantBands(shape[1], next);
          const x = tf.tensor3d(given, shape);
          const b = tf.tensor2d(bands, [shape[1], 3]);
          const out = solveTridiagonal(x, b, { cyclic, adjoint });
          expect(out.shape).to.deep.equal(shape);
          const want = reference(given, shape, bands, cyclic, adjoint);
          const tolerance = SOLVE_TOLERANCE * Math.max(1, magnitude(want));
          expectClose(await out.data(), want, tolerance);
          if (shape[1] <= 33) {
            const stock = tridiagonalComposition({ x, bands: b }, { cyclic, adjoint });
            expectClose(await stock.data(), want, 2 * tolerance, 'composition');
            stock.dispose();
          }
          tf.dispose([x, b, out]);
        }));
    }

    for (const shape of [
      [2, 1, 3],
      [2, 2, 2],
      [1, 5, 4],
    ] as Shape[]) {
      it(`gradients to lines and bands equal differences, and the second order too, ${name(shape, cyclic, adjoint)}`, () =>
        withoutLeaks(async () => {
          const n = shape[1];
          const next = random(n);
          const given = randomArray(shape[0] * n * shape[2], next);
          const values = dominantBands(n, next);
          const [v, p, q] = [given.length, given.length, 3 * n].map((k) => randomArray(k, next));
          const dot = (s: ArrayLike<number>, t: ArrayLike<number>) =>
            Array.from(s).reduce((sum, e, i) => sum + e * t[i], 0);
          const inner = (x: ArrayLike<number>, b: ArrayLike<number>) =>
            dot(reference(x, shape, b, cyclic, adjoint), v);
          /** d/dt of f at t = 0. */
          const slope = (f: (t: number) => number, h: number) => (f(h) - f(-h)) / (2 * h);
          const nudged = (x: ArrayLike<number>, by: ArrayLike<number>, t: number) =>
            Float64Array.from(x, (e, i) => e + t * by[i]);
          const unit = (size: number, i: number) => Float64Array.from({ length: size }, (_, k) => +(k === i));
          const toLines = given.map((_, i) =>
            slope((t) => inner(nudged(given, unit(v.length, i), t), values), 1e-4),
          );
          const toBands = values.map((_, i) =>
            slope((t) => inner(given, nudged(values, unit(3 * n, i), t)), 1e-4),
          );
          // Of ⟨∂/∂x, p⟩ + ⟨∂/∂bands, q⟩ to the bands.
          const along = (b: ArrayLike<number>) =>
            slope((s) => inner(nudged(given, p, s), nudged(b, q, s)), 1e-3);
          const second = values.map((_, i) => slope((t) => along(nudged(values, unit(3 * n, i), t)), 1e-3));

          const [x, b] = [tf.tensor3d(given, shape), tf.tensor2d(values, [n, 3])];
          const [tv, tp, tq] = [tf.tensor3d(v, shape), tf.tensor3d(p, shape), tf.tensor2d(q, [n, 3])];
          const f = (lines: tf.Tensor, rows: tf.Tensor) =>
            tf.sum(
              tf.mul(solveTridiagonal(lines as tf.Tensor3D, rows as tf.Tensor2D, { cyclic, adjoint }), tv),
            );
          const [gx, gb] = tf.grads(f)([x, b]);
          const gg = tf.grad((rows: tf.Tensor) => {
            const [dx, db] = tf.grads(f)([x, rows]);
            return tf.add(tf.sum(tf.mul(dx, tp)), tf.sum(tf.mul(db, tq)));
          })(b);
          const near = (got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number, what: string) =>
            expectClose(got, want, tolerance * Math.max(1, magnitude(want)), what);
          near(await gx.data(), toLines, GRADIENT_TOLERANCE, 'lines');
          near(await gb.data(), toBands, GRADIENT_TOLERANCE, 'bands');
          near(await gg.data(), second, 10 * GRADIENT_TOLERANCE, 'second order');
          tf.dispose([x, b, tv, tp, tq, gx, gb, gg]);
        }));
    }
  }

  it('what is not finite spoils its own line alone, and nothing in gives nothing', () =>
    withoutLeaks(async () => {
      const given = randomArray(2 * 5 * 6, random(1));
      given[5 * 6 + 2 * 6 + 3] = Number.NaN;
      given[1] = Number.POSITIVE_INFINITY;
      const x = tf.tensor3d(given, [2, 5, 6]);
      const bands = tf.tensor2d(dominantBands(5, random(2)), [5, 3]);
      for (const cyclic of [false, true]) {
        const out = solveTridiagonal(x, bands, { cyclic });
        const got = await out.data();
        for (let k = 0; k < got.length; k++) {
          const line = Math.floor(k / 30) * 6 + (k % 6);
          if (line !== 9 && line !== 1) expect(got[k]).to.be.finite;
        }
        expect(got[5 * 6 + 2 * 6 + 3]).to.be.NaN;
        out.dispose();
        for (const empty of [
          [0, 5, 6],
          [2, 5, 0],
        ] as Shape[]) {
          const none = tf.tensor3d([], empty);
          const [toNone, toBands] = tf.grads((e: tf.Tensor, b: tf.Tensor) =>
            solveTridiagonal(e as tf.Tensor3D, b as tf.Tensor2D, { cyclic }),
          )([none, bands]);
          expect(toNone.shape).to.deep.equal(empty);
          expect((await toBands.data()).every((v) => v === 0)).to.equal(true);
          tf.dispose([none, toNone, toBands]);
        }
      }
      tf.dispose([x, bands]);
    }));

  it('shapes that do not fit are refused', () =>
    withoutLeaks(() => {
      const x = tf.zeros([2, 3, 4]) as tf.Tensor3D;
      const bands = tf.ones([4, 3]) as tf.Tensor2D;
      const none = tf.tensor3d([], [2, 0, 3]);
      expect(() => solveTridiagonal(x, bands)).to.throw('bands must be [3, 3], got [4, 3]');
      expect(() => solveTridiagonal(none, bands)).to.throw('n ≥ 1');
      expect(() => solveTridiagonal(x, bands, { cyclical: true } as object)).to.throw('cyclical');
      tf.dispose([x, bands, none]);
    }));
});
