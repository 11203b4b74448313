import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { nearestOf, smoothstepOf } from '../../src/ops/ease.js';
import { EASE, EASE_SLOPE, type EaseAttrs, easeComposition } from '../../src/ops/easecontract.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, GRADIENT_TOLERANCE } from '../support/numbers.js';

const ENDS: [number, number, number] = [4, -1, 0];
/** Inside, outside, on nodes, on ends, half-way, and rows that are none. */
const COORDS = [
  [0.2, 1.75, -0.6],
  [4, -1, 0],
  [2.5, 3, -1.5],
  [-7.25, 100.5, 3.9375],
  [Number.NaN, 1.5, 2.25],
  [1.5, Number.POSITIVE_INFINITY, 0.5],
  [0.5, 1.5, Number.NEGATIVE_INFINITY],
  [3.9999, -1.0001, 0.0001],
];
const GOOD = COORDS.map((row) => row.every(Number.isFinite));

/** The derivatives of orders 0 … 4 of the moved coordinate. */
function oracle(r: number, end: number): number[] {
  const f = r === end ? 1 : r - Math.floor(r);
  return [r - f + f * f * (3 - 2 * f), 6 * f - 6 * f * f, 6 - 12 * f, -12, 0];
}
const wanted = (order: number, none: number, by = (_: number) => 1) =>
  COORDS.flatMap((row, i) =>
    row.map((r, j) =>
      GOOD[i] ? oracle(Math.fround(r), ENDS[j] < 0 ? Number.NaN : ENDS[j])[order] * by(3 * i + j) : none,
    ),
  );
const slope = (coords: tf.Tensor, by: tf.Tensor, order: number) =>
  tf.engine().runKernel(EASE_SLOPE, { coords, by }, {
    nearest: false,
    order,
    ends: ENDS,
  } as EaseAttrs) as tf.Tensor2D;

eachBackend('coordinates moved by nearest and smoothstep', () => {
  it('nearest is the nearest node, upwards from the middle; rows that are not finite are NaN', () =>
    withoutLeaks(async () => {
      const coords = tf.tensor2d(COORDS);
      const out = nearestOf(coords);
      const want = COORDS.flatMap((row, i) => row.map((r) => (GOOD[i] ? Math.floor(r + 0.5) : Number.NaN)));
      expectClose(await out.data(), want, 0);
      const gradient = tf.grad((x: tf.Tensor) => tf.sum(nearestOf(x as tf.Tensor2D)))(coords);
      expectClose(await gradient.data(), Array(24).fill(0), 0);
      tf.dispose([coords, out, gradient]);
    }));

  it('smoothstep eases the fraction, which is 1 on an end; slopes are its derivatives, zeros where it is NaN', () =>
    withoutLeaks(async () => {
      const coords = tf.tensor2d(COORDS);
      const by = tf.tensor2d(
        COORDS.map((_, i) => [0, 1, 2].map((j) => (GOOD[i] ? 3 * i + j - 5 : Number.NaN))),
      );
      const out = smoothstepOf(coords, ENDS);
      expectClose(await out.data(), wanted(0, Number.NaN), 1e-5);
      for (const order of [1, 2, 3, 4]) {
        const got = slope(coords, by, order);
        expectClose(
          await got.data(),
          wanted(order, 0, (k) => k - 5),
          GRADIENT_TOLERANCE * 200,
        );
        got.dispose();
      }
      tf.dispose([coords, by, out]);
    }));

  it('gradients of three orders are the derivatives, nothing from rows that are not finite', () =>
    withoutLeaks(async () => {
      const coords = tf.tensor2d(COORDS);
      const grad = (f: (x: tf.Tensor) => tf.Tensor) => tf.grad((x: tf.Tensor) => tf.sum(f(x)));
      const first = grad((x) => smoothstepOf(x as tf.Tensor2D, ENDS));
      const second = grad(first);
      const third = grad(second);
      for (const [order, f] of [first, second, third].entries()) {
        const got = f(coords);
        expectClose(await got.data(), wanted(order + 1, 0), GRADIENT_TOLERANCE * 20);
        got.dispose();
      }
      coords.dispose();
    }));

  it('the stock-op composition equals the kernels', () =>
    withoutLeaks(async () => {
      const coords = tf.tensor2d(COORDS);
      const by = tf.randomUniform([8, 3], -1, 1, 'float32', 1);
      for (const nearest of [true, false]) {
        for (const order of nearest ? [0] : [0, 1, 2, 3, 4]) {
          const attrs: EaseAttrs = { nearest, order, ends: ENDS };
          const inputs: { coords: tf.Tensor; by?: tf.Tensor } = order === 0 ? { coords } : { coords, by };
          const own = tf
            .engine()
            .runKernel(order === 0 ? EASE : EASE_SLOPE, inputs as tf.NamedTensorMap, attrs) as tf.Tensor;
          const stock = easeComposition(inputs, attrs);
          expectClose(await stock.data(), await own.data(), 1e-5);
          tf.dispose([own, stock]);
        }
      }
      tf.dispose([coords, by]);
    }));

  it('of no coordinates there is nothing', () =>
    withoutLeaks(() => {
      const coords = tf.zeros([0, 3]) as tf.Tensor2D;
      const all = [nearestOf(coords), smoothstepOf(coords, ENDS), slope(coords, coords, 1)];
      for (const t of all) expect(t.shape).to.deep.equal([0, 3]);
      tf.dispose([coords, ...all]);
    }));
});
