import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { permuteRows } from '../../src/ops/permute.js';
import { type Places, sumRows, takeRows } from '../../src/ops/sumrows.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, random, randomArray } from '../support/numbers.js';

const matrix = (rows: number, payload: number, seed: number) =>
  tf.tensor2d(randomArray(rows * payload, random(seed)), [rows, payload]);

/** [N, F]: Σ_b of part_b's rows at their places. */
function summed(parts: Float32Array[], places: Places[], n: number, payload: number): Float64Array {
  const out = new Float64Array(n * payload);
  parts.forEach((part, b) => {
    part.forEach((v, at) => {
      const k = Math.floor(at / payload);
      out[(places[b]?.[k] ?? k) * payload + (at % payload)] += v;
    });
  });
  return out;
}

eachBackend('rows of a batch', () => {
  for (const payload of [1, 2, 3, 4, 5, 8, 19]) {
    it(`are summed at their places, untouched ones are zero, gradients go back: ${payload} numbers a row`, () =>
      withoutLeaks(async () => {
        const n = 7;
        const places = [Int32Array.of(0, 2, 5), null, new Int32Array(0), Int32Array.of(5, 6)];
        const sets: Places[][] = [places, [places[0], places[3]], [places[0], places[2]], [places[2]]];
        for (const set of sets) {
          const parts = set.map((rows, b) => matrix(rows ? rows.length : n, payload, b + 1));
          const dy = matrix(n, payload, 9);
          const sum = sumRows(parts, set, n);
          const grads = tf.grads((...given) => sumRows(given as tf.Tensor2D[], set, n))(parts, dy);
          const host = (await Promise.all(parts.map((part) => part.data()))) as Float32Array[];
          expectClose(await sum.data(), summed(host, set, n, payload), 1e-6);
          for (const [b, rows] of set.entries()) {
            expect(grads[b].shape).to.deep.equal(parts[b].shape);
            const taken = tf.tidy(() => tf.clone(takeRows(dy, rows)));
            expect([...(await grads[b].data())]).to.deep.equal([...(await taken.data())]);
            taken.dispose();
          }
          tf.dispose([...parts, dy, sum, ...grads]);
        }
      }));
  }

  it('that are taken keep their shape where there are none, and so do their gradients', () =>
    withoutLeaks(async () => {
      for (const [n, places] of [
        [0, new Int32Array(0)],
        [3, new Int32Array(0)],
        [3, Int32Array.of(2)],
      ] as const) {
        const x = matrix(n, 5, 1);
        const taken = takeRows(x, places);
        expect(taken.shape).to.deep.equal([places.length, 5]);
        const dy = matrix(places.length, 5, 2);
        const back = tf.grad((given) => takeRows(given as tf.Tensor2D, places))(x, dy);
        expect(back.shape).to.deep.equal([n, 5]);
        expectClose(await back.data(), summed([(await dy.data()) as Float32Array], [places], n, 5), 0);
        tf.dispose([x, taken, dy, back]);
      }
    }));

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
