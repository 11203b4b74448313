import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { BOUNDARIES, type Boundary } from '../../src/index.js';
import { type AxisGeometry, geometryOf, indexOf } from '../../src/interpolation/axis.js';
import { axisTapsAt } from '../../src/interpolation/axistaps.js';
import { boundaryCode } from '../../src/interpolation/stencil.js';
import { BASES } from '../../src/interpolation/taps.js';
import { axisTaps } from '../../src/ops/axistaps.js';
import { type KnotRange, knotPositions, knotRange, knotVariables } from '../../src/ops/knots.js';
import { type AxisForm, locate } from '../../src/ops/locate.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';

/** Positions that are float32 numbers, so that the host's arithmetic is of the same. */
function uneven(n: number, seed: number): number[] {
  const next = random(seed);
  let t = 4 * next() - 2;
  return Array.from({ length: n }, () => {
    const here = Math.fround(t);
    t += 0.2 + 1.3 * next();
    return here;
  });
}

interface Case {
  boundary: Boundary;
  form: AxisForm;
  positions: number[];
  /** Of these or of other positions. */
  geometry(positions?: number[]): AxisGeometry;
}

function caseOf(boundary: Boundary, n: number, seed = n): Case {
  const positions = uneven(n, seed);
  const period = boundary === 'wrap' ? Math.fround(positions[n - 1] - positions[0] + 0.75) : null;
  const spec = { positions, spacing: null, period, trainable: false };
  return {
    boundary,
    positions,
    form: { code: boundaryCode(boundary), period, single: 1 },
    geometry: (at = positions) => geometryOf(spec, at),
  };
}

/** Coordinates in and about an axis, away from nodes and from folds, as float32 numbers. */
function coordsOf({ positions, geometry, form }: Case, count: number, seed = 1): Float32Array {
  const next = random(seed);
  const [first, last] = [positions[0], positions[positions.length - 1]];
  const out: number[] = [];
  while (out.length < count) {
    const u = Math.fround(first - 2.5 + next() * (last - first + 5));
    const f = indexOf(u, geometry(), form.code) % 1;
    if (positions.length === 1 || (Math.abs(f) > 0.05 && Math.abs(f) < 0.95)) out.push(u);
  }
  return Float32Array.from(out);
}

/** A coordinate of index space: its last bits, and those of a difference over a cell. */
const INDEX_TOLERANCE = 4e-6;
/** Weights, whose quotients lose a few bits where gaps are uneven. */
const WEIGHT_TOLERANCE = 1e-5;

eachBackend('coordinates on an axis with positions', () => {
  it('lie where the host says, for all boundaries', () =>
    withoutLeaks(async () => {
      for (const boundary of BOUNDARIES) {
        for (const n of [1, 2, 3, 7, 40]) {
          const it = caseOf(boundary, n);
          const u = coordsOf(it, 40, n);
          const index = tf.tidy(() => locate(tf.tensor1d(u), tf.tensor1d(it.positions), it.form).index);
          const want = Array.from(u, (v) => indexOf(v, it.geometry(), it.form.code));
          expectClose(await index.data(), want, INDEX_TOLERANCE * n, `${boundary} ${n}`);
          index.dispose();
        }
      }
    }));

  it('lie on nodes exactly, the last one too, and are NaN where they are not finite', () =>
    withoutLeaks(async () => {
      for (const boundary of BOUNDARIES) {
        const it = caseOf(boundary, 6);
        const u = [...it.positions, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
        const index = tf.tidy(() => locate(tf.tensor1d(u), tf.tensor1d(it.positions), it.form).index);
        expect(Array.from(await index.data()), boundary).to.deep.equal([0, 1, 2, 3, 4, 5, NaN, NaN, NaN]);
        index.dispose();
      }
    }));

  it('have gradients, to coordinates and positions, that equal finite differences; zero where not finite', () =>
    withoutLeaks(async () => {
      for (const boundary of BOUNDARIES) {
        const it = caseOf(boundary, 5);
        const u = coordsOf(it, 12);
        const code = it.form.code;
        const far =
          code !== boundaryCode('extrapolate') &&
          code !== boundaryCode('wrap') &&
          code !== boundaryCode('reflect');
        const all = Float32Array.from([...u, Number.NaN, Number.NEGATIVE_INFINITY, ...(far ? [1e38] : [])]);
        const dy = randomArray(all.length, random(4));
        const [du, dt] = tf.tidy(() =>
          tf.grads((v, t) => {
            const { index, beyond } = locate(v as tf.Tensor1D, t as tf.Tensor1D, it.form);
            // As the kernels do, which give rows that are not finite no gradient.
            return tf.where(tf.isNaN(beyond), tf.zerosLike(beyond), index).mul(tf.tensor1d(dy));
          })([tf.tensor1d(all), tf.tensor1d(it.positions)]),
        );
        const sum = (v: ArrayLike<number>, t: number[]) =>
          Array.from(v).reduce((s, x, i) => s + dy[i] * indexOf(x, it.geometry(t), code), 0);
        const h = 1e-6;
        const wantU = Array.from(u, (v, i) => {
          const moved = (d: number) => dy[i] * indexOf(v + d, it.geometry(), code);
          return (moved(h) - moved(-h)) / (2 * h);
        });
        const wantT = it.positions.map((_, k) => {
          const moved = (d: number) =>
            sum(
              u,
              it.positions.map((t, j) => (j === k ? t + d : t)),
            );
          return (moved(h) - moved(-h)) / (2 * h);
        });
        const gotU = await du.data();
        expectClose(gotU.slice(0, u.length), wantU, 1e-4 * magnitude(wantU), `${boundary} u`);
        expect(
          gotU.slice(u.length).every((g) => g === 0),
          `${boundary} not finite`,
        ).to.equal(true);
        expectClose(await dt.data(), wantT, 1e-4 * magnitude(wantT), `${boundary} positions`);
        tf.dispose([du, dt]);
      }
    }));

  it('have the taps and weights that the host says, for all boundaries and bases', () =>
    withoutLeaks(async () => {
      const nodes = new Int32Array(4);
      const weights = new Float64Array(4);
      for (const boundary of BOUNDARIES) {
        for (const n of [1, 2, 5]) {
          const it = caseOf(boundary, n);
          const u = Float32Array.from([...coordsOf(it, 12, n), it.positions[n - 1], Number.NaN, 50, -50]);
          for (const basis of BASES) {
            const got = tf.tidy(() => {
              const t = tf.tensor1d(it.positions);
              return { ...axisTaps(locate(tf.tensor1d(u), t, it.form), t, it.form, basis, -0.75) };
            });
            const wantTaps: number[] = [];
            const wantWeights: number[] = [];
            u.forEach((v) => {
              if (Number.isNaN(v)) {
                wantTaps.push(-1, -1, -1, -1);
                wantWeights.push(NaN, NaN, NaN, NaN);
                return;
              }
              axisTapsAt(v, it.geometry(), it.form.code, basis, -0.75, nodes, weights);
              wantTaps.push(...nodes);
              wantWeights.push(...weights);
            });
            const what = `${boundary} ${n} ${basis}`;
            expect(Array.from(await got.taps.data()), what).to.deep.equal(wantTaps);
            // Far beyond an extrapolated axis weights are large, and so are their roundings.
            const scale = Math.max(1, magnitude(wantWeights.map((w) => w || 0)));
            expectClose(await got.weights.data(), wantWeights, WEIGHT_TOLERANCE * scale, what);
            tf.dispose([got.taps, got.weights]);
          }
        }
      }
    }));

  it('have weights whose gradients, to coordinates and positions, equal finite differences', () =>
    withoutLeaks(async () => {
      const nodes = new Int32Array(4);
      const weights = new Float64Array(4);
      for (const boundary of BOUNDARIES) {
        const it = caseOf(boundary, 4);
        const u = coordsOf(it, 8);
        const dy = randomArray(4 * u.length, random(5));
        for (const basis of ['cardinal', 'bspline', 'hermite-tangent', 'place'] as const) {
          const [du, dt] = tf.tidy(() =>
            tf.grads((v, t) => {
              const located = locate(v as tf.Tensor1D, t as tf.Tensor1D, it.form);
              const taps = axisTaps(located, t as tf.Tensor1D, it.form, basis, -0.5);
              return taps.weights.mul(tf.tensor2d(dy, [u.length, 4]));
            })([tf.tensor1d(u), tf.tensor1d(it.positions)]),
          );
          const one = (v: number, i: number, t = it.positions) => {
            axisTapsAt(v, it.geometry(t), it.form.code, basis, -0.5, nodes, weights);
            return weights.reduce((s, w, k) => s + w * dy[4 * i + k], 0);
          };
          const h = 1e-6;
          const wantU = Array.from(u, (v, i) => (one(v + h, i) - one(v - h, i)) / (2 * h));
          const wantT = it.positions.map((_, k) => {
            const moved = (d: number) => it.positions.map((t, j) => (j === k ? t + d : t));
            const sum = (t: number[]) => Array.from(u).reduce((s, v, i) => s + one(v, i, t), 0);
            return (sum(moved(h)) - sum(moved(-h))) / (2 * h);
          });
          const what = `${boundary} ${basis}`;
          expectClose(await du.data(), wantU, 2e-4 * magnitude(wantU), `${what} u`);
          expectClose(await dt.data(), wantT, 2e-4 * magnitude(wantT), `${what} positions`);
          tf.dispose([du, dt]);
        }
      }
    }));

  it('have a second order: the derivative of a gradient to positions equals differences of gradients', () =>
    withoutLeaks(async () => {
      const it = caseOf('clamp', 4);
      const u = coordsOf(it, 6);
      const direction = [0.3, -0.2, 0.5, 0.1];
      const slope = (t: tf.Tensor) =>
        tf.grad((x) => tf.sum(tf.square(locate(tf.tensor1d(u), x as tf.Tensor1D, it.form).index)))(t);
      const second = tf.tidy(() =>
        tf.grad((t) => tf.sum(tf.mul(slope(t), tf.tensor1d(direction))))(tf.tensor1d(it.positions)),
      );
      const first = async (by: number) => {
        const g = tf.tidy(() => slope(tf.tensor1d(it.positions.map((t, k) => t + by * direction[k]))));
        const values = await g.data();
        g.dispose();
        return Array.from(values);
      };
      // Gradients are float32: large steps, of the fourth order.
      const h = 0.01;
      const [a, b, c, d] = [await first(h), await first(-h), await first(2 * h), await first(-2 * h)];
      const want = a.map((v, k) => (8 * (v - b[k]) - (c[k] - d[k])) / (12 * h));
      expectClose(await second.data(), want, 2e-4 * magnitude(want));
      second.dispose();
    }));

  it('are found in a thousand cells as fast as in ten, within a factor', () =>
    withoutLeaks(async () => {
      const n = 1000;
      const positions = Array.from({ length: n }, (_, i) => (i / (n - 1)) ** 2);
      const u = randomArray(20_000, random(8), 0, 1);
      const form: AxisForm = { code: 0, period: null, single: 1 };
      const index = tf.tidy(() => locate(tf.tensor1d(u), tf.tensor1d(positions), form).index);
      const got = await index.data();
      const t = Float32Array.from(positions);
      got.forEach((r, i) => {
        const k = Math.min(Math.floor(r), n - 2);
        const back = t[k] + (r - k) * (t[k + 1] - t[k]);
        if (!(Math.abs(back - u[i]) < 1e-6)) expect.fail(`${u[i]} lies at ${r}, which is ${back}`);
      });
      index.dispose();
    }));
});

eachBackend('positions made of variables', () => {
  const made = (positions: number[]): { range: KnotRange; v: Float32Array } => {
    const range = knotRange('test', positions);
    return { range, v: knotVariables(positions, range) };
  };

  it('are the initial ones to float precision, with the ends exactly', () =>
    withoutLeaks(async () => {
      for (const positions of [[0, 0.1, 1], uneven(30, 2), [-1e3, -1e3 + 0.5, 5, 2e3], [0, 2e-6, 1]]) {
        const { range, v } = made(positions);
        const t = tf.tidy(() => knotPositions(tf.tensor1d(v), range));
        const got = await t.data();
        const span = positions[positions.length - 1] - positions[0];
        expectClose(got, positions, 2e-6 * span);
        expect([got[0], got[got.length - 1]]).to.deep.equal([
          Math.fround(positions[0]),
          Math.fround(positions[positions.length - 1]),
        ]);
        t.dispose();
      }
    }));

  it('have gradients that are finite differences, of axes of several lengths one after the other', () =>
    withoutLeaks(async () => {
      for (const n of [9, 4, 6]) {
        const { range, v } = made(uneven(n, 1));
        const weights = randomArray(n, random(n));
        const loss = (x: ArrayLike<number>) => {
          const e = Array.from(x, Math.exp);
          const total = e.reduce((a, b) => a + b);
          let sum = 0;
          return Array.from(weights).reduce((value, w, i) => {
            if (i > 0) sum += range.floor + (1 - (n - 1) * range.floor) * (e[i - 1] / total);
            return value + w * (range.first + (range.last - range.first) * sum);
          }, 0);
        };
        const gradient = tf.grad((x) =>
          tf.sum(tf.mul(tf.tensor1d(weights), knotPositions(x as tf.Tensor1D, range))),
        );
        const got = tf.tidy(() => gradient(tf.tensor1d(v)));
        const h = 1e-4;
        const want = Array.from(v, (_, k) => {
          const at = (by: number) => loss(Float64Array.from(v, (x, j) => (j === k ? x + by : x)));
          return (at(h) - at(-h)) / (2 * h);
        });
        expectClose(await got.data(), want, 1e-5 * Math.max(1, magnitude(want)), `${n} knots`);
        got.dispose();
      }
    }));

  it('increase strictly whatever the variables are', () =>
    withoutLeaks(async () => {
      const next = random(3);
      for (const n of [3, 10, 300]) {
        const { range } = made(Array.from({ length: n }, (_, i) => 100 + i / n));
        for (const size of [1, 50, 1e4, 1e30]) {
          const v = randomArray(n - 1, next, -size, size);
          const t = tf.tidy(() => knotPositions(tf.tensor1d(v), range));
          const got = await t.data();
          for (let i = 1; i < n; i++) expect(got[i], `${n} ${size} ${i}`).to.be.greaterThan(got[i - 1]);
          t.dispose();
        }
      }
    }));
});
