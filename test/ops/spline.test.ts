import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { BOUNDARIES, type Boundary, boundaryCode } from '../../src/interpolation/stencil.js';
import { splineCoefficients } from '../../src/ops/spline.js';
import { tapRows } from '../../src/ops/taps.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { solveDense } from '../support/dense.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';
import { makeTapsCase } from '../support/tapscases.js';
import { axisNodeWeights } from '../support/tapsoracle.js';

type Dims = [number, number, number];
const codesOf = (boundary: Boundary): Dims => Array(3).fill(boundaryCode(boundary)) as Dims;
const METHOD = { basis: 'bspline', a: 0 } as const;

/** Coefficients in float64: along each axis the dense inverse of what the oracle weighs nodes with at nodes. */
function reference(rows: ArrayLike<number>, dims: Dims, F: number, boundary: Boundary): Float64Array {
  const out = Float64Array.from(rows);
  const strides = [dims[1] * dims[2] * F, dims[2] * F, F];
  dims.forEach((n, j) => {
    const matrix = Array.from({ length: n }, (_, i) => [...axisNodeWeights(i, n, boundary, METHOD)]);
    for (let first = 0; first < out.length; first++) {
      if (Math.floor(first / strides[j]) % n !== 0) continue;
      const line = Array.from({ length: n }, (_, i) => out[first + i * strides[j]]);
      solveDense(matrix, line).forEach((v, i) => {
        out[first + i * strides[j]] = v;
      });
    }
  });
  return out;
}

/** Coordinates of all nodes, in bulk order. */
const nodesOf = ([x, y, z]: Dims) =>
  Array.from({ length: x * y * z }, (_, i) => [Math.floor(i / (y * z)), Math.floor(i / z) % y, i % z]).flat();

/** Samples of what the rows of a full grid are, prefiltered, at coordinates [N, 3]. */
function splineSamples(
  rows: tf.Tensor2D,
  dims: Dims,
  boundary: Boundary,
  coords: ArrayLike<number>,
): tf.Tensor2D {
  return tf.tidy(() => {
    const c = makeTapsCase({ dims, payload: rows.shape[1], samples: 0, basis: 'bspline', boundary });
    const at = tf.tensor2d(Float32Array.from(coords), [coords.length / 3, 3]);
    return tapRows(splineCoefficients(rows, dims, codesOf(boundary)), c.grid, c.stencil(at), c.attrs);
  });
}

/** What the prefilter amplifies (3 an axis) and sampling sums, as a part of the largest value. */
const SPLINE_TOLERANCE = 1e-5;

eachBackend('the B-spline prefilter', () => {
  for (const boundary of BOUNDARIES) {
    for (const [dims, F] of [
      [[1, 2, 3], 4],
      [[4, 7, 1], 3],
      [[2, 1, 9], 1],
    ] as [Dims, number][]) {
      it(`coefficients equal a dense float64 solve, and the spline takes the values at nodes, ${boundary}, ${dims.join('×')}`, () =>
        withoutLeaks(async () => {
          const given = randomArray(dims[0] * dims[1] * dims[2] * F, random(F));
          const rows = tf.tensor2d(given, [given.length / F, F]);
          const coefficients = splineCoefficients(rows, dims, codesOf(boundary));
          const want = reference(given, dims, F, boundary);
          expectClose(await coefficients.data(), want, SPLINE_TOLERANCE * magnitude(want));
          const samples = splineSamples(rows, dims, boundary, nodesOf(dims));
          expectClose(await samples.data(), given, SPLINE_TOLERANCE, 'at nodes');
          tf.dispose([rows, coefficients, samples]);
        }));
    }
  }

  it('polynomials of degree 3 are reproduced in the interior of 32 nodes', () =>
    withoutLeaks(async () => {
      const n = 32;
      const p = (x: number, y: number) => {
        const [s, t] = [x / 16 - 1, y / 2 - 1];
        return 0.3 + 0.5 * s - 0.8 * s ** 2 + 0.9 * s ** 3 * (1 - 0.4 * t);
      };
      const dims: Dims = [n, 5, 1];
      const rows = tf.tensor2d(
        Array.from({ length: n * 5 }, (_, i) => [p(Math.floor(i / 5), i % 5)]),
        [n * 5, 1],
      );
      const coords = Array.from({ length: 200 }, (_, i) => [12 + (8 * i) / 199, (i * 0.37) % 4, 0]);
      // Linear in y, which extrapolated ends keep, so its whole axis is exact.
      const out = splineSamples(rows, dims, 'extrapolate', coords.flat());
      const want = coords.map(([x, y]) => p(Math.fround(x), Math.fround(y)));
      expectClose(await out.data(), want, 1e-5);
      tf.dispose([rows, out]);
    }));

  it('is linear with the adjoint as gradient, and its gradient linear again', () =>
    withoutLeaks(async () => {
      for (const boundary of ['clamp', 'wrap', 'reflect', 'zero', 'extrapolate'] as const) {
        const dims: Dims = [3, 4, 2];
        const [x, v, w] = [1, 2, 3].map((seed) => tf.tensor2d(randomArray(72, random(seed)), [24, 3]));
        const f = (rows: tf.Tensor, weights: tf.Tensor) =>
          tf.sum(tf.mul(splineCoefficients(rows as tf.Tensor2D, dims, codesOf(boundary)), weights));
        const adjoint = tf.grad((rows: tf.Tensor) => f(rows, v))(x);
        // ⟨C w, v⟩ = ⟨w, Cᵀ v⟩
        const forth = splineCoefficients(w, dims, codesOf(boundary));
        const inner = async (a: tf.Tensor, b: tf.Tensor) => {
          const [p, q] = [await a.data(), await b.data()];
          return Array.from(p).reduce((sum, e, i) => sum + e * q[i], 0);
        };
        expect(await inner(forth, v)).to.be.closeTo(await inner(w, adjoint), 1e-4);
        // The gradient to the weights of the gradient along w is C w.
        const again = tf.grad((weights: tf.Tensor) =>
          tf.sum(tf.mul(tf.grad((rows: tf.Tensor) => f(rows, weights))(x), w)),
        )(v);
        expectClose(await again.data(), await forth.data(), 1e-5 * magnitude(await forth.data()));
        tf.dispose([x, v, w, adjoint, forth, again]);
      }
    }));

  it('rows that do not fit the grid are refused', () => {
    const rows = tf.zeros([5, 2]) as tf.Tensor2D;
    expect(() => splineCoefficients(rows, [2, 3, 1], [0, 0, 0])).to.throw('rows must be [6, F], got [5, 2]');
    rows.dispose();
  });
});
