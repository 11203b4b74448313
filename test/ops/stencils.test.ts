import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { BOUNDARIES, boundaryCode } from '../../src/interpolation/stencil.js';
import { stencilOf } from '../../src/ops/taps.js';
import { STENCIL } from '../../src/ops/tapscontract.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, magnitude, random } from '../support/numbers.js';
import { SAMPLED, specOf } from '../support/tapscases.js';
import { axisNodeWeights } from '../support/tapsoracle.js';

eachBackend('stencils of four taps', () => {
  describe('nodes weigh what the oracle says; derivatives are differences of it', () => {
    for (const boundary of BOUNDARIES) {
      it(boundary, () =>
        withoutLeaks(async () => {
          const sizes: [number, number, number][] = [
            [1, 2, 3],
            [4, 7, 1],
          ];
          for (const dims of sizes) {
            for (let b = 0; b < SAMPLED.length; b++) {
              const bases = [0, 1, 2].map((j) => SAMPLED[(b + j) % SAMPLED.length]);
              await checkStencil(dims, boundary, bases as [never, never, never]);
            }
          }
        }),
      );
    }
  });

  async function checkStencil(
    dims: [number, number, number],
    boundary: (typeof BOUNDARIES)[number],
    bases: [(typeof SAMPLED)[number], (typeof SAMPLED)[number], (typeof SAMPLED)[number]],
  ): Promise<void> {
    const a = -0.7;
    const next = random(3);
    const n = 60;
    // Half of them whole, half amid a cell, some far out.
    const positions = Float32Array.from({ length: 3 * n }, (_, k) => {
      const r = -6 + (dims[k % 3] + 12) * next();
      return k % 2 ? Math.round(r) : Math.floor(r) + 0.1 + 0.8 * next();
    });
    const coords = tf.tensor2d(positions, [n, 3]);
    const spec = specOf(dims, Array(3).fill(boundaryCode(boundary)) as never, bases, a);
    const { taps, weights } = stencilOf(coords, spec);
    expect(taps.dtype).to.equal('int32');
    expect([taps.shape, weights.shape]).to.deep.equal([
      [n, 3, 4],
      [n, 3, 4],
    ]);
    const nodes = await taps.data();
    const slopes = [1, 2, 3].map((order) => {
      return tf.engine().runKernel(STENCIL, { coords }, { ...spec, order }) as tf.Tensor;
    });
    const values = [await weights.data(), ...(await Promise.all(slopes.map((s) => s.data())))];
    for (let k = 0; k < 3 * n; k++) {
      const j = k % 3;
      const r = positions[k];
      const dense = (w: ArrayLike<number>) => {
        const out = new Float64Array(dims[j]);
        for (let s = 4 * k; s < 4 * k + 4; s++) if (nodes[s] >= 0) out[nodes[s]] += w[s];
        return out;
      };
      const oracle = (at: number) => axisNodeWeights(at, dims[j], boundary, { basis: bases[j], a });
      const want = oracle(r);
      const scale = Math.max(1, magnitude(want));
      const what = `${bases[j]}, n ${dims[j]}, r ${r}`;
      expectClose(dense(values[0]), want, 6e-7 * scale, what);
      if (k % 2) continue;
      const h = 0.01;
      const around = [-3, -2, -1, 0, 1, 2, 3].map((s) => oracle(r + s * h));
      const difference = (factors: number[], by: number) =>
        want.map((_, i) => factors.reduce((sum, f, s) => sum + f * around[s][i], 0) / by);
      // Exact for cubics.
      expectClose(dense(values[1]), difference([0, 1, -8, 0, 8, -1, 0], 12 * h), 3e-6, `${what}, order 1`);
      expectClose(dense(values[2]), difference([0, 0, 1, -2, 1, 0, 0], h * h), 1e-5, `${what}, order 2`);
      expectClose(
        dense(values[3]),
        difference([0, -1, 2, 0, -2, 1, 0], 2 * h ** 3),
        2e-5,
        `${what}, order 3`,
      );
    }
    tf.dispose([coords, taps, weights, slopes]);
  }

  it('sum to one with every boundary but zero, also far out', () =>
    withoutLeaks(async () => {
      const far = [3.5, -1e4, 2 ** 24, 2 ** 24 + 2, -(2 ** 26), 3e9, -3e9, 1e20, -3e38];
      const coords = tf.tensor2d(far.map((r, i) => [r, far[(i + 3) % far.length], 0.25]));
      for (const boundary of ['clamp', 'wrap', 'reflect', 'error'] as const) {
        for (const basis of ['linear', 'cardinal', 'bspline', 'hermite'] as const) {
          const spec = specOf(
            [3, 5, 1],
            Array(3).fill(boundaryCode(boundary)) as never,
            [basis, basis, basis],
            -0.3,
          );
          const { taps, weights } = stencilOf(coords, spec);
          const [nodes, w] = [await taps.data(), await weights.data()];
          for (let k = 0; k < w.length; k += 4) {
            let sum = 0;
            for (let s = k; s < k + 4; s++) {
              expect(nodes[s]).to.be.within(-1, [3, 5, 1][(k / 4) % 3] - 1);
              if (nodes[s] >= 0) sum += w[s];
            }
            expect(sum).to.be.closeTo(1, 4e-7);
          }
          tf.dispose([taps, weights]);
        }
      }
      coords.dispose();
    }));

  it('place has the fraction, and its derivative the slope', () =>
    withoutLeaks(async () => {
      const coords = tf.tensor2d([
        [0.25, -0.25, 1],
        [2, 2.75, -1.5],
        [-1, 4.5, 1e9],
      ]);
      const codes = ['clamp', 'reflect', 'zero'].map((b) => boundaryCode(b as 'clamp'));
      const spec = specOf([3, 4, 1], codes as never, ['place', 'place', 'place'], -0.5);
      const { taps, weights } = stencilOf(coords, spec);
      const slopes = tf.engine().runKernel(STENCIL, { coords }, { ...spec, order: 1 }) as tf.Tensor;
      const first = (x: ArrayLike<number>) => Array.from(x).filter((_, k) => k % 4 === 0);
      expectClose(first(await weights.data()), [0.25, 0.25, 0, 1, 0.75, 0.5, 0, 0.5, 0], 1e-6);
      expectClose(first(await slopes.data()), [1, -1, 1, 1, 1, 1, 0, -1, 0], 0);
      tf.dispose([coords, taps, weights, slopes]);
    }));

  it('of coordinates that are not finite have no taps, NaN for weights and zero for derivatives', () =>
    withoutLeaks(async () => {
      const rows = [
        [Number.NaN, 1, 1],
        [1, Number.POSITIVE_INFINITY, 1],
        [1, 1, Number.NEGATIVE_INFINITY],
        [1, 1, 1],
      ];
      const coords = tf.tensor2d(rows);
      for (const boundary of BOUNDARIES) {
        for (const basis of [...SAMPLED, 'place'] as const) {
          const spec = specOf(
            [3, 3, 3],
            Array(3).fill(boundaryCode(boundary)) as never,
            [basis, basis, basis],
            -0.5,
          );
          const { taps, weights } = stencilOf(coords, spec);
          const slopes = tf.engine().runKernel(STENCIL, { coords }, { ...spec, order: 1 }) as tf.Tensor;
          expect(Array.from((await taps.data()).slice(0, 36))).to.deep.equal(Array(36).fill(-1));
          const w = await weights.data();
          expect(w.slice(0, 36).every(Number.isNaN) && w.slice(36).every(Number.isFinite)).to.equal(true);
          expect((await slopes.data()).slice(0, 36).every((s) => s === 0)).to.equal(true);
          tf.dispose([taps, weights, slopes]);
        }
      }
      coords.dispose();
    }));

  it('of no coordinates are empty', () =>
    withoutLeaks(() => {
      const coords = tf.tensor2d([], [0, 3]);
      const { taps, weights } = stencilOf(
        coords,
        specOf([2, 2, 2], [0, 0, 0], ['bspline', 'bspline', 'bspline'], 0),
      );
      expect([taps.shape, weights.shape]).to.deep.equal([
        [0, 3, 4],
        [0, 3, 4],
      ]);
      tf.dispose([coords, taps, weights]);
    }));
});
