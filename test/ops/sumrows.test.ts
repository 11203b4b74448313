import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { resample } from '../../src/index.js';
import { permuteRows } from '../../src/ops/permute.js';
import { sumResampled, takeResampled } from '../../src/ops/sumrows.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';

const WRAPS = { h: false, w: true };
/** Two roundings of the same resampling, which may take its axes in another grouping, and sums of a few of them. */
const TOLERANCE = 4e-6;

const image = (shape: [number, number, number, number], seed: number) =>
  tf.tensor4d(
    randomArray(
      shape.reduce((a, b) => a * b, 1),
      random(seed),
    ),
    shape,
  );

async function expectSame(got: tf.Tensor, want: tf.Tensor) {
  const [a, b] = [await got.data(), await want.data()];
  expectClose(a, b, TOLERANCE * Math.max(1, magnitude(b)));
  tf.dispose([got, want]);
}

/** Row i of the result as a sum of rows resampled one by one. */
const byHand = (
  parts: { x: tf.Tensor4D; places: Int32Array | null }[],
  n: number,
  [h, w]: [number, number],
): tf.Tensor4D =>
  tf.tidy(() => {
    const rows = Array.from({ length: n }, (_, i) => {
      const own = parts.flatMap(({ x, places }) => {
        const k = places ? places.indexOf(i) : i;
        if (k < 0) return [];
        return [resample(tf.slice(x, [k, 0, 0, 0], [1, -1, -1, -1]), h, w, WRAPS)];
      });
      return own.reduce<tf.Tensor4D>((a, b) => tf.add(a, b), tf.zeros([1, h, w, parts[0].x.shape[3]]));
    });
    return tf.concat(rows, 0);
  });

eachBackend('rows resampled and added', () => {
  // Channels: lines side by side, an odd last four, and any; images whose transforms pay, and ones whose matrices do.
  for (const channels of [1, 3, 4]) {
    it(`are the sum of each row’s images, resampled by hand; rows of none are zeros: ${channels} channels`, () =>
      withoutLeaks(async () => {
        const n = 7;
        const parts = [
          { x: image([3, 5, 5, channels], 1), places: Int32Array.of(1, 2, 4) },
          { x: image([n - 1, 12, 40, channels], 2), places: Int32Array.of(0, 1, 2, 3, 4, 6) },
          { x: image([2, 128, 64, channels], 3), places: Int32Array.of(2, 6) },
          { x: image([2, 6, 160, channels], 4), places: Int32Array.of(0, 3) },
        ];
        await expectSame(sumResampled(parts, n, [12, 40], WRAPS), byHand(parts, n, [12, 40]));
        tf.dispose(parts.map(({ x }) => x));
      }));
  }

  it('add up where an odd number of fours is left over, and where every part has all rows', () =>
    withoutLeaks(async () => {
      const parts = [
        { x: image([3, 3, 20, 4], 1), places: null },
        { x: image([3, 3, 80, 4], 2), places: null },
        { x: image([3, 1, 6, 4], 3), places: null },
      ];
      await expectSame(sumResampled(parts, 3, [3, 20], WRAPS), byHand(parts, 3, [3, 20]));
      tf.dispose(parts.map(({ x }) => x));
    }));

  it('have the gradients of that sum, which have theirs', () =>
    withoutLeaks(async () => {
      const [x, y] = [image([2, 16, 64, 1], 1), image([3, 6, 5, 1], 2)];
      const weights = image([4, 9, 16, 1], 3);
      const places = [Int32Array.of(0, 3), Int32Array.of(1, 2, 3)];
      type Sum = (parts: { x: tf.Tensor4D; places: Int32Array }[]) => tf.Tensor4D;
      const own: Sum = (parts) => sumResampled(parts, 4, [9, 16], WRAPS);
      const hand: Sum = (parts) => byHand(parts, 4, [9, 16]);
      const loss =
        (sum: Sum) =>
        (a: tf.Tensor, b: tf.Tensor): tf.Scalar => {
          const out = sum([
            { x: a as tf.Tensor4D, places: places[0] },
            { x: b as tf.Tensor4D, places: places[1] },
          ]);
          return tf.sum(tf.mul(weights, tf.mul(out, tf.square(out))));
        };
      const second = (sum: Sum) =>
        tf.grad((a: tf.Tensor) => tf.sum(tf.square(tf.grad((p: tf.Tensor) => loss(sum)(p, y))(a))))(x);
      const [got, want] = [tf.grads(loss(own))([x, y]), tf.grads(loss(hand))([x, y])];
      await expectSame(got[0], want[0]);
      await expectSame(got[1], want[1]);
      await expectSame(second(own), second(hand));
      tf.dispose([x, y, weights]);
    }));

  it('are taken from any places in any order, and none; the others get gradients of zeros', () =>
    withoutLeaks(async () => {
      const x = image([5, 64, 20, 1], 1);
      const places = Int32Array.of(4, 0, 1);
      const hand = (a: tf.Tensor) =>
        resample(
          tf.concat([...places].map((k) => tf.slice(a as tf.Tensor4D, [k, 0, 0, 0], [1, -1, -1, -1]))),
          16,
          20,
          WRAPS,
        );
      const own = (a: tf.Tensor) => takeResampled(a as tf.Tensor4D, places, [16, 20], WRAPS);
      await expectSame(
        own(x),
        tf.tidy(() => hand(x)),
      );
      const slope = (f: (a: tf.Tensor) => tf.Tensor) => tf.grad((a) => tf.sum(tf.square(f(a))))(x);
      await expectSame(slope(own), slope(hand));
      const none = (a: tf.Tensor) => takeResampled(a as tf.Tensor4D, new Int32Array(0), [16, 20], WRAPS);
      await expectSame(none(x), tf.zeros([0, 16, 20, 1]));
      await expectSame(tf.grad((a) => none(a))(x), tf.zerosLike(x));
      x.dispose();
    }));
});

eachBackend('rows of a batch', () => {
  it('are permuted, with the inverse as gradient, of first and second order', () =>
    withoutLeaks(async () => {
      const order = Int32Array.of(3, 0, 4, 1, 2);
      const x = tf.tensor3d(randomArray(5 * 2 * 3, random(4)), [5, 2, 3]);
      const cubes = (y: tf.Tensor) => tf.mul(tf.square(permuteRows(y, order)), permuteRows(y, order));
      const second = tf.grad((y) => tf.sum(tf.grad((z) => tf.sum(cubes(z)))(y)))(x);
      const permuted = permuteRows(x, order);
      const [host, got, by] = [await x.data(), await permuted.data(), await second.data()];
      for (let i = 0; i < 5; i++) {
        expect([...got.slice(6 * i, 6 * i + 6)]).to.deep.equal([
          ...host.slice(6 * order[i], 6 * order[i] + 6),
        ]);
      }
      expectClose(
        by,
        host.map((v) => 6 * v),
        1e-5,
      );
      tf.dispose([x, second, permuted]);
    }));
});
