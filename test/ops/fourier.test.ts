import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { ShapeError } from '../../src/errors.js';
import { irfft2, rfft2 } from '../../src/ops/fourier.js';
import { LineTransform, linePlan } from '../../src/ops/fourierplan.js';
import { axisTerms, type Term, type WavesAttrs, waves, wavesAdjoint } from '../../src/ops/waves.js';
import { wavesAdjointComposition, wavesComposition } from '../../src/ops/wavescomposition.js';
import golden from '../golden/fourier.json' with { type: 'json' };
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';

/** Float32 passes: each rounds once or twice, and a line has at most ten. */
const TOLERANCE = 2e-6;

/** The definition of the waves in float64: Σ over all terms and samples. */
function wavesOracle(
  y: ArrayLike<number>,
  { rows, columns }: WavesAttrs,
  n: number,
  channels: number,
): Float64Array {
  const [A, B, H, W] = [rows.entries, columns.entries, rows.size, columns.size];
  const axis = (terms: typeof rows) => {
    const re = new Float64Array(terms.size * terms.entries);
    const im = new Float64Array(terms.size * terms.entries);
    for (let t = 0; t < terms.entry.length; t++) {
      for (let i = 0; i < terms.size; i++) {
        const angle = (2 * Math.PI * ((i * terms.frequency[t]) % terms.size)) / terms.size;
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        re[i * terms.entries + terms.entry[t]] += terms.re[t] * c - terms.im[t] * s;
        im[i * terms.entries + terms.entry[t]] += terms.re[t] * s + terms.im[t] * c;
      }
    }
    return { re, im };
  };
  const [f, g] = [axis(rows), axis(columns)];
  const out = new Float64Array(n * H * W * channels);
  const u = new Float64Array(B);
  const v = new Float64Array(B);
  for (let k = 0; k < n; k++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < H; i++) {
        u.fill(0);
        v.fill(0);
        for (let a = 0; a < A; a++) {
          const [p, q] = [f.re[i * A + a], f.im[i * A + a]];
          for (let b = 0; b < B; b++) {
            const at = ((k * A + a) * B + b) * 2 * channels + c;
            u[b] += p * y[at] - q * y[at + channels];
            v[b] += p * y[at + channels] + q * y[at];
          }
        }
        for (let j = 0; j < W; j++) {
          let sum = 0;
          for (let b = 0; b < B; b++) sum += g.re[j * B + b] * u[b] - g.im[j * B + b] * v[b];
          out[((k * H + i) * W + j) * channels + c] = sum;
        }
      }
    }
  }
  return out;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/** Every third frequency, negative ones, entries without a term, with two, and two entries of one frequency. */
function oddTerms(size: number, entries: number, seed: number): Term[] {
  const next = random(seed);
  const out: Term[] = [];
  for (let a = 0; a < entries; a++) {
    if (a % 5 === 3) continue;
    out.push([a, 3 * a - size, next() - 0.5, next() - 0.5]);
    if (a % 5 === 1) out.push([a, -7 * a - 1, next() - 0.5, next() - 0.5]);
  }
  // The law of contract: at most two entries a frequency.
  const seen = new Map<number, number>();
  return out.filter(([, f]) => {
    const key = ((f % size) + size) % size;
    seen.set(key, (seen.get(key) ?? 0) + 1);
    return (seen.get(key) as number) <= 2;
  });
}

describe('a line of complex values', () => {
  it('transforms as the float64 sum, at sizes 1 … 64, 97, 100, 128, 243, 360, 509, 512', () => {
    for (const n of [...Array.from({ length: 64 }, (_, i) => i + 1), 97, 100, 128, 243, 360, 509, 512]) {
      const line = new LineTransform(linePlan(n), 2);
      const x = randomArray(4 * n, random(n));
      line.re.set(x.subarray(0, 2 * n));
      line.im.set(x.subarray(2 * n));
      line.run();
      for (const k of n > 64 ? [0, 1, n >> 1, n - 1] : Array(n).keys()) {
        let [re, im] = [0, 0];
        for (let j = 0; j < n; j++) {
          const angle = (-2 * Math.PI * ((j * k) % n)) / n;
          re += x[2 * j] * Math.cos(angle) - x[2 * n + 2 * j] * Math.sin(angle);
          im += x[2 * j] * Math.sin(angle) + x[2 * n + 2 * j] * Math.cos(angle);
        }
        expect(line.re[2 * k], `${n}: ${k}`).to.be.closeTo(re, 1e-12 * n);
        expect(line.im[2 * k], `${n}: ${k}`).to.be.closeTo(im, 1e-12 * n);
      }
    }
  });
});

eachBackend('Fourier transforms', () => {
  it("equal NumPy's rfft2 and irfft2", () =>
    withoutLeaks(async () => {
      for (const { shape, x, spectrum, back } of golden) {
        const t = tf.tensor4d(x, shape as [number, number, number, number]);
        const y = rfft2(t);
        expectClose(await y.data(), spectrum, TOLERANCE * 10 * magnitude(x), `rfft2 of ${shape}`);
        const half = tf.mul(y, 0.5) as tf.Tensor4D;
        // A spectrum that no real array has: what irfft2 leaves out is NumPy's convention too.
        const odd = tf.add(half, 0.25) as tf.Tensor4D;
        const z = irfft2(odd, shape[2]);
        expectClose(await z.data(), back, TOLERANCE * 10, `irfft2 of ${shape}`);
        tf.dispose([t, y, half, odd, z]);
      }
    }));

  it('equal the float64 sum of waves along each axis, at sizes 1 … 64, 97, 100, 128, 243, 360, 512', () =>
    withoutLeaks(async () => {
      const sizes = [...Array.from({ length: 64 }, (_, i) => i + 1), 97, 100, 128, 243, 360, 512];
      for (const [at, n] of sizes.entries()) {
        for (const [height, width] of [
          [n, 3],
          [2, n],
        ]) {
          const channels = 1 + (at % 5);
          const half = Math.floor(width / 2) + 1;
          const y = randomArray(height * half * 2 * channels, random(n));
          const t = tf.tensor4d(y, [1, height, half, 2 * channels]);
          const plain = (count: number, factor: (k: number) => number) =>
            Array.from({ length: count }, (_, k): Term => [k, k, factor(k), 0]);
          const want = wavesOracle(
            y,
            {
              rows: axisTerms(
                height,
                height,
                plain(height, () => 1 / height),
              ),
              columns: axisTerms(
                width,
                half,
                plain(half, (k) => (k === 0 || 2 * k === width ? 1 : 2) / width),
              ),
            },
            1,
            channels,
          );
          const x = irfft2(t, width);
          expectClose(await x.data(), want, TOLERANCE, `irfft2 at ${height}×${width}×${channels}`);
          const again = rfft2(x);
          const twice = irfft2(again, width);
          expectClose(
            await twice.data(),
            want,
            2 * TOLERANCE,
            `there and back at ${height}×${width}×${channels}`,
          );
          tf.dispose([t, x, again, twice]);
        }
      }
    }));

  it('sum any listed waves, batched, whatever the terms; the composition does so too; adjoint to each other', () =>
    withoutLeaks(async () => {
      for (const [n, A, H, B, W, channels] of [
        [2, 5, 9, 4, 8, 1],
        [1, 16, 12, 7, 11, 2],
        [3, 6, 37, 8, 25, 3],
        [1, 9, 8, 16, 44, 4],
        [2, 3, 1, 2, 1, 5],
        [1, 8, 20, 12, 74, 8],
        [0, 8, 20, 12, 74, 4],
      ]) {
        const attrs = {
          rows: axisTerms(H, A, oddTerms(H, A, 1)),
          columns: axisTerms(W, B, oddTerms(W, B, 2)),
        };
        const y = randomArray(n * A * B * 2 * channels, random(3));
        const x = randomArray(n * H * W * channels, random(4));
        const [ty, tx] = [tf.tensor4d(y, [n, A, B, 2 * channels]), tf.tensor4d(x, [n, H, W, channels])];
        const want = wavesOracle(y, attrs, n, channels);
        const scale = Math.max(1, magnitude(want));
        const down = waves(ty, attrs);
        expect(down.shape).to.deep.equal([n, H, W, channels]);
        expectClose(await down.data(), want, TOLERANCE * scale, 'waves');
        const up = wavesAdjoint(tx, attrs);
        expect(up.shape).to.deep.equal([n, A, B, 2 * channels]);
        const back = await up.data();
        expect(dot(back, y)).to.be.closeTo(dot(x, want), 1e-5 * scale * Math.max(1, x.length) ** 0.5);
        const composed = tf.tidy(() => [wavesComposition(ty, attrs), wavesAdjointComposition(tx, attrs)]);
        expectClose(await composed[0].data(), want, 4 * TOLERANCE * scale, 'composition');
        expectClose(
          await composed[1].data(),
          back,
          4 * TOLERANCE * Math.max(1, magnitude(back)),
          'its adjoint',
        );
        tf.dispose([ty, tx, down, up, ...composed]);
      }
    }));

  it('have gradients equal to finite differences, also of the second order', () =>
    withoutLeaks(async () => {
      for (const [height, width, channels] of [
        [3, 4, 1],
        [4, 5, 2],
        [5, 6, 4],
      ]) {
        const half = Math.floor(width / 2) + 1;
        const y = tf.tensor4d(randomArray(height * half * 2 * channels, random(1)), [
          1,
          height,
          half,
          2 * channels,
        ]);
        const d = tf.tensor4d(randomArray(y.size, random(2)), y.shape);
        const v = tf.tensor4d(randomArray(height * width * channels, random(3)), [
          1,
          height,
          width,
          channels,
        ]);
        // Cubic in y, so that the second order is not nothing.
        const f = (a: tf.Tensor) => tf.sum(tf.mul(v, tf.pow(irfft2(a as tf.Tensor4D, width), 3)));
        const directed = (a: tf.Tensor) => tf.sum(tf.mul(d, tf.grad(f)(a)));
        // In float64 on the host: f of y + h·d.
        const attrs = {
          rows: axisTerms(
            height,
            height,
            Array.from({ length: height }, (_, k): Term => [k, k, 1 / height, 0]),
          ),
          columns: axisTerms(
            width,
            half,
            Array.from(
              { length: half },
              (_, k): Term => [k, k, (k === 0 || 2 * k === width ? 1 : 2) / width, 0],
            ),
          ),
        };
        const [y0, d0, v0] = [await y.data(), await d.data(), await v.data()];
        const at = (h: number, g: number, e: Float64Array) => {
          const moved = Float64Array.from(y0, (a, i) => a + h * d0[i] + g * e[i]);
          return wavesOracle(moved, attrs, 1, channels).reduce((sum, x, i) => sum + v0[i] * x ** 3, 0);
        };
        const first = tf.grad(f)(y);
        const second = tf.grad(directed)(y);
        const [g1, g2] = [await first.data(), await second.data()];
        const [s1, s2] = [magnitude(g1), magnitude(g2)];
        const step = 1e-3;
        for (let i = 0; i < y.size; i++) {
          const e = new Float64Array(y.size);
          e[i] = 1;
          expect(g1[i]).to.be.closeTo((at(0, step, e) - at(0, -step, e)) / (2 * step), 1e-5 * s1 + 1e-6);
          const cross = at(step, step, e) - at(step, -step, e) - at(-step, step, e) + at(-step, -step, e);
          expect(g2[i]).to.be.closeTo(cross / (4 * step * step), 1e-5 * s2 + 1e-6);
        }
        const square = (a: tf.Tensor) => tf.sum(tf.square(rfft2(a as tf.Tensor4D)));
        const energy = tf.grad(square)(v);
        // d/dx |F x|² = 2 Fᵀ F x, and F sees interior columns once where Parseval counts them twice.
        const again = tf.tidy(() => tf.mul(2, wavesAdjointOf(v, height, width)));
        expectClose(await energy.data(), await again.data(), 1e-4 * height * width, 'gradient of rfft2');
        tf.dispose([y, d, v, first, second, energy, again]);
      }
    }));

  it('keep what is not finite to its wavetable', () =>
    withoutLeaks(async () => {
      const x = randomArray(2 * 5 * 7 * 3, random(1));
      const t = tf.tensor4d(x, [2, 5, 7, 3]);
      const y = rfft2(t);
      const clean = await y.data();
      x[17] = Number.NaN;
      const u = tf.tensor4d(x, [2, 5, 7, 3]);
      const z = rfft2(u);
      const spread = await z.data();
      const half = spread.length / 2;
      expectClose(spread.subarray(half), clean.subarray(half), 0);
      expect(spread.subarray(0, half).some(Number.isNaN)).to.equal(true);
      const w = irfft2(z, 7);
      const back = await w.data();
      expectClose(back.subarray(back.length / 2), x.subarray(x.length / 2), 1e-6);
      tf.dispose([t, y, u, z, w]);
    }));

  it('refuse what is no wavetable and no spectrum', () => {
    const x = tf.zeros([4, 5, 2]);
    const y = tf.zeros([1, 4, 3, 2]) as tf.Tensor4D;
    expect(() => rfft2(x as tf.Tensor4D)).to.throw(ShapeError, 'rfft2: x must be [N, H, W, C]');
    expect(() => irfft2(y, 6)).to.throw(ShapeError, 'irfft2: y for width 6 must be [N, H, 4, 2C]');
    expect(() => irfft2(y, 0)).to.throw(ShapeError);
    tf.dispose([x, y]);
  });
});

/** Fᵀ F x by the adjoint's own definition: each column of rfft2 summed back once. */
function wavesAdjointOf(x: tf.Tensor4D, height: number, width: number): tf.Tensor {
  const half = Math.floor(width / 2) + 1;
  const once = (count: number) => Array.from({ length: count }, (_, k): Term => [k, k, 1, 0]);
  const attrs = {
    rows: axisTerms(height, height, once(height)),
    columns: axisTerms(width, half, once(half)),
  };
  return wavesComposition(wavesAdjointComposition(x, attrs), attrs);
}
