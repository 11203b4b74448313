import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { ShapeError } from '../../src/errors.js';
import { resample } from '../../src/index.js';
import { resampleMatrix } from '../../src/ops/resample.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';

const multiply = (m: Float32Array, x: ArrayLike<number>) => {
  const from = x.length;
  return Array.from({ length: m.length / from }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < from; j++) sum += m[i * from + j] * x[j];
    return sum;
  });
};

const SIZES = [1, 2, 3, 4, 5, 7, 8, 12, 31, 64];

describe('resampling one axis', () => {
  for (const periodic of [false, true]) {
    const kind = periodic ? 'periodic' : 'mirrored';

    it(`keeps constants, ${kind}, at all sizes`, () => {
      for (const from of SIZES) {
        for (const to of SIZES) {
          expectClose(
            multiply(resampleMatrix(from, to, periodic), new Float32Array(from).fill(1)),
            new Float32Array(to).fill(1),
            1e-5,
          );
        }
      }
    });

    it(`is the identity up and down again, ${kind}`, () => {
      for (const from of SIZES) {
        for (const to of SIZES) {
          if (to < from) continue;
          const x = randomArray(from, random(from * 100 + to));
          const up = multiply(resampleMatrix(from, to, periodic), x);
          expectClose(multiply(resampleMatrix(to, from, periodic), up), x, 1e-5, `${from} → ${to}`);
        }
      }
    });
  }

  it('equals the analytic wave at half-pixel centres, periodic, and the analytic cosine, mirrored', () => {
    for (const [from, to, k] of [
      [16, 24, 3],
      [16, 9, 3],
      [31, 64, 15],
      [8, 8, 2],
      [64, 17, 8],
    ] as const) {
      const wave = (n: number) =>
        Float64Array.from({ length: n }, (_, i) => Math.sin((2 * Math.PI * k * (i + 0.5)) / n + 0.4));
      expectClose(multiply(resampleMatrix(from, to, true), wave(from)), wave(to), 1e-5);
      const cosine = (n: number) =>
        Float64Array.from({ length: n }, (_, i) => Math.cos((Math.PI * k * (i + 0.5)) / n));
      expectClose(multiply(resampleMatrix(from, to, false), cosine(from)), cosine(to), 1e-5);
    }
  });

  it('leaves nothing of what the smaller size cannot hold: no aliasing', () => {
    for (const k of [9, 13, 20, 31]) {
      const wave = Float64Array.from({ length: 64 }, (_, i) =>
        Math.sin((2 * Math.PI * k * (i + 0.5)) / 64 + 1),
      );
      expectClose(multiply(resampleMatrix(64, 16, true), wave), new Float32Array(16), 1e-5);
      const cosine = Float64Array.from({ length: 64 }, (_, i) =>
        Math.cos((Math.PI * (k + 7) * (i + 0.5)) / 64),
      );
      expectClose(multiply(resampleMatrix(64, 16, false), cosine), new Float32Array(16), 1e-5);
    }
  });
});

eachBackend('resample', () => {
  it('treats rows and columns apart, and its adjoint is its transpose', () =>
    withoutLeaks(async () => {
      const x = tf.tensor4d(randomArray(2 * 5 * 6 * 3, random(1)), [2, 5, 6, 3]);
      const y = tf.tensor4d(randomArray(2 * 7 * 4 * 3, random(2)), [2, 7, 4, 3]);
      const periodic = { h: false, w: true };
      const down = resample(x, 7, 4, periodic);
      const back = resample(y, 5, 6, periodic, true);
      expect([down.shape, back.shape]).to.deep.equal([y.shape, x.shape]);
      const inner = async (a: tf.Tensor, b: tf.Tensor) => {
        const t = tf.tidy(() => tf.sum(tf.mul(a, b)));
        const [v] = await t.data();
        t.dispose();
        return v;
      };
      expect(await inner(down, y)).to.be.closeTo(await inner(x, back), 1e-4);
      const got = (await down.array())[1].map((row) => row.map((c) => c[2]));
      const host = (await x.array())[1].map((row) => row.map((c) => c[2]));
      const rows = host.map((row) => multiply(resampleMatrix(6, 4, true), row));
      for (let w = 0; w < 4; w++) {
        expectClose(
          got.map((row) => row[w]),
          multiply(
            resampleMatrix(5, 7, false),
            rows.map((row) => row[w]),
          ),
          1e-5,
        );
      }
      expect(resample(x, 5, 6, periodic)).to.equal(x);
      tf.dispose([x, y, down, back]);
    }));

  it('goes by transforms where they are less work, and is the matrix all the same: any sizes, both ways, and its adjoint', () =>
    withoutLeaks(async () => {
      for (const [from, to] of [
        [64, 256],
        [200, 60],
        [250, 1000],
        [97, 331],
        [331, 97],
        [256, 255],
      ]) {
        for (const wraps of [false, true]) {
          for (const adjoint of [false, true]) {
            const [a, b] = adjoint ? [to, from] : [from, to];
            const values = randomArray(3 * a * 3, random(from + to));
            const x = tf.tensor4d(values, [1, 3, a, 3]);
            const y = resample(x, 3, b, { w: wraps }, adjoint);
            const got = await y.data();
            const matrix = resampleMatrix(from, to, wraps);
            const want = new Float64Array(3 * b * 3);
            for (let row = 0; row < 3; row++) {
              for (let c = 0; c < 3; c++) {
                for (let i = 0; i < b; i++) {
                  let sum = 0;
                  for (let j = 0; j < a; j++) {
                    sum += matrix[adjoint ? j * from + i : i * from + j] * values[(row * a + j) * 3 + c];
                  }
                  want[(row * b + i) * 3 + c] = sum;
                }
              }
            }
            // Roundings of a few passes, of sums of squares that the resampling keeps.
            expectClose(got, want, 4e-6 * Math.max(1, magnitude(want)), `${from} → ${to}`);
            tf.dispose([x, y]);
          }
        }
      }
    }));

  it('resamples an image as if it were alone, whatever stands beside it: NaN, infinities, numbers of another size', () =>
    withoutLeaks(async () => {
      const [from, to, lines] = [64, 100, 3];
      const scales = [Number.NaN, 1, Number.POSITIVE_INFINITY, 1e30, 1e-30, 3e38, 1];
      for (const along of ['h', 'w'] as const) {
        for (const wraps of [false, true]) {
          const shape = (n: number, at: number): [number, number, number, number] =>
            along === 'h' ? [n, at, lines, 1] : [n, lines, at, 1];
          // [image][line][place]
          const images = scales.map((scale, k) =>
            Array.from({ length: lines }, (_, line) =>
              randomArray(from, random(10 * k + line)).map((v) => 0.1 * v * scale),
            ),
          );
          const flat = images.flatMap((image) =>
            along === 'h'
              ? Array.from({ length: from * lines }, (_, i) => image[i % lines][Math.floor(i / lines)])
              : image.flatMap((line) => [...line]),
          );
          const x = tf.tensor4d(flat, shape(scales.length, from));
          const [, h, w] = shape(1, to);
          const y = resample(x, h, w, { [along]: wraps });
          const got = await y.data();
          const matrix = resampleMatrix(from, to, wraps);
          images.forEach((image, k) => {
            image.forEach((values, line) => {
              const base = k * lines * to;
              const row = Array.from(
                { length: to },
                (_, i) => got[base + (along === 'h' ? i * lines + line : line * to + i)],
              );
              if (Number.isFinite(scales[k])) {
                const want = multiply(matrix, values);
                expectClose(row, want, 4e-6 * magnitude(want), `${along} ${scales[k]}`);
              } else expect(row.some(Number.isFinite), `${along} ${scales[k]}`).to.equal(false);
            });
          });
          tf.dispose([x, y]);
        }
      }
    }));

  it('refuses images of no rows or no columns, which no kernel can read', () =>
    withoutLeaks(() => {
      for (const shape of [
        [1, 0, 4, 2],
        [1, 4, 0, 2],
      ] as [number, number, number, number][]) {
        const x = tf.zeros<tf.Rank.R4>(shape);
        expect(() => resample(x, 4, 4, { h: false, w: true })).to.throw(ShapeError, 'H, W ≥ 1');
        x.dispose();
      }
    }));
});
