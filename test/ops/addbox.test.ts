import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { addBox } from '../../src/ops/addbox.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, random, randomArray } from '../support/numbers.js';

eachBackend('addBox', () => {
  for (const [n, h, w, c, kh, kw] of [
    [3, 5, 7, 4, 2, 6],
    [2, 4, 3, 3, 4, 2],
    [1, 1, 1, 1, 1, 1],
    [2, 6, 5, 5, 1, 1],
    [0, 2, 2, 4, 1, 1],
    [2, 3, 2, 4, 0, 2],
    [1, 2, 3, 3, 2, 0],
  ]) {
    it(`adds [${n}, ${kh}, ${kw}, ${c}] to the first corner of [${n}, ${h}, ${w}, ${c}], with both gradients`, async () => {
      const next = random(5);
      const [a, b, weights] = [n * h * w * c, n * kh * kw * c, n * h * w * c].map((size) =>
        randomArray(size, next),
      );
      const want = a.slice();
      const boxWeights: number[] = [];
      for (let i = 0; i < b.length; i++) {
        const [image, row, rest] = [
          Math.floor(i / (kh * kw * c)),
          Math.floor(i / (kw * c)) % kh,
          i % (kw * c),
        ];
        const at = (image * h + row) * w * c + rest;
        want[at] += b[i];
        boxWeights.push(weights[at]);
      }
      await withoutLeaks(async () => {
        const [x, y] = [tf.tensor4d(a, [n, h, w, c]), tf.tensor4d(b, [n, kh, kw, c])];
        const sum = addBox(x, y);
        expectClose(await sum.data(), want, 1e-6);
        // tfjs's own sum takes no empty tensor on WebGPU.
        if (n === 0) return tf.dispose([x, y, sum]);
        const grads = tf.grads((p, q) =>
          tf.sum(tf.mul(addBox(p as tf.Tensor4D, q as tf.Tensor4D), tf.tensor4d(weights, [n, h, w, c]))),
        )([x, y]);
        expectClose(await grads[0].data(), weights, 0);
        expectClose(await grads[1].data(), boxWeights, 0);
        tf.dispose([x, y, sum, grads]);
      });
    });
  }

  it('refuses a box that does not fit', () => {
    expect(() => addBox(tf.zeros([1, 2, 2, 1]), tf.zeros([1, 3, 2, 1]))).to.throw(
      /addBox: y must be at most/,
    );
  });
});
