import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import type { HostWavetable } from '../../src/codecs/codec.js';
import { CompressedWavetable } from '../../src/codecs/compressed.js';
import { DCTCodec } from '../../src/codecs/dct.js';
import type { Quality } from '../../src/codecs/quality.js';
import { cosineForward, cosineInverse } from '../../src/codecs/transform/dcthost.js';
import { ArgumentError, FormatError, QualityNotReachedError, resample } from '../../src/index.js';
import { cosineMatrix } from '../../src/ops/axismatrix.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, GRADIENT_TOLERANCE, magnitude, random, randomArray } from '../support/numbers.js';
import fc from '../support/properties.js';

type Shape = [number, number, number];

const codec = new DCTCodec();
const blendable = new DCTCodec({ residual: false });

/** A few waves and a little noise: what a DCT is for. */
function wavetable(shape: Shape, seed = 1, scale = 1): HostWavetable {
  const next = random(seed);
  const [h, w, c] = shape;
  const values = new Float32Array(h * w * c);
  for (let wave = 0; wave < 6; wave++) {
    const [fy, fx, phase, size] = [4 * next(), 4 * next(), 7 * next(), scale * next()];
    for (let i = 0; i < values.length; i++) {
      const [y, x] = [Math.floor(i / (w * c)) / h, (Math.floor(i / c) % w) / w];
      values[i] += size * Math.cos(Math.PI * (fy * y + fx * x) + phase + (i % c));
    }
  }
  for (let i = 0; i < values.length; i++) values[i] += 1e-3 * scale * next();
  return { values, shape };
}

describe('cosine transform on the host', () => {
  const shape = fc.tuple(
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 5 }),
  );

  it('gives the sums of the definition, at any size', () => {
    fc.assert(
      fc.property(shape, fc.integer({ min: 0 }), ([h, w, c], seed) => {
        const x = randomArray(h * w * c, random(seed));
        const got = cosineForward(x, [h, w, c]);
        const [a, b] = [cosineMatrix(h, h, h).values, cosineMatrix(w, w, w).values];
        const rows = new Float64Array(h * w * c);
        for (let y = 0; y < h; y++)
          for (let k = 0; k < w; k++)
            for (let j = 0; j < w; j++)
              for (let l = 0; l < c; l++) rows[(y * w + k) * c + l] += b[j * w + k] * x[(y * w + j) * c + l];
        const want = new Float64Array(h * w * c);
        for (let k = 0; k < h; k++)
          for (let y = 0; y < h; y++)
            for (let j = 0; j < w * c; j++) want[k * w * c + j] += a[y * h + k] * rows[y * w * c + j];
        // The matrices are rounded to float32.
        expectClose(got, want, 1e-5);
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  it('keeps energy, and comes back from all coefficients or from a box of them', () => {
    fc.assert(
      fc.property(shape, fc.integer({ min: 0 }), ([h, w, c], seed) => {
        const x = randomArray(h * w * c, random(seed));
        const all = cosineForward(x, [h, w, c]);
        const energy = (v: ArrayLike<number>) => Array.from(v).reduce((sum, e) => sum + e * e, 0);
        expect(energy(all) / energy(x)).to.be.closeTo(1, 1e-12);
        const single = Float32Array.from(all);
        expectClose(cosineInverse(single, [h, w, c], [h, w, c]), x, 1e-5);
        const [kh, kw] = [Math.ceil(h / 2), Math.ceil(w / 3)];
        const box = new Float32Array(kh * kw * c);
        const padded = new Float32Array(h * w * c);
        for (let y = 0; y < kh; y++) {
          const row = single.subarray(y * w * c, (y * w + kw) * c);
          box.set(row, y * kw * c);
          padded.set(row, y * w * c);
        }
        const got = cosineInverse(box, [kh, kw, c], [h, w, c]);
        expectClose(got, cosineInverse(padded, [h, w, c], [h, w, c]), 1e-12);
      }),
      { numRuns: 30, seed: 2 },
    );
  });

  it('equals SciPy: dctn of a ramp, orthonormal', () => {
    // scipy.fft.dctn(numpy.arange(12.).reshape(3, 4), norm='ortho')
    const want = [
      19.052558883257653, -3.8632397288362466, 0, -0.2745519942401631, -11.31370849898476, 0, 0, 0, 0, 0, 0,
      0,
    ];
    expectClose(
      cosineForward(
        Float32Array.from({ length: 12 }, (_, i) => i),
        [3, 4, 1],
      ),
      want,
      1e-12,
    );
  });
});

eachBackend('DCT codec', (backend) => {
  for (const which of [codec, blendable]) {
    const kind = which === codec ? 'with a residual' : 'without residual';
    const qualities: [string, Quality][] = [
      ['q', 0.99],
      ['maxAbs', { maxAbs: 0.01 }],
      ['maxRel', { maxRel: 1e-3 }],
      ['psnr', { psnr: 60 }],
      ['bytes', { bytes: 700 }],
    ];
    for (const [name, quality] of qualities) {
      it(`decoded bytes keep the bound, ${name}, ${kind}`, () =>
        withoutLeaks(async () => {
          const from = wavetable([40, 33, 3]);
          const made = await which.encode(from, quality);
          const back = await CompressedWavetable.fromBytes(made.bytes);
          const out = which.decode(back);
          const got = await out.data();
          let [worst, squared, energy, low, high] = [0, 0, 0, 1e9, -1e9];
          got.forEach((v, i) => {
            const x = from.values[i];
            worst = Math.max(worst, Math.abs(v - x));
            squared += (v - x) ** 2;
            energy += x * x;
            [low, high] = [Math.min(low, x), Math.max(high, x)];
          });
          expect(Number.isFinite(squared)).to.equal(true);
          if (name === 'q') expect(Math.sqrt(squared / energy)).to.be.at.most(0.01);
          if (name === 'maxAbs') expect(worst).to.be.at.most(0.01);
          if (name === 'maxRel') expect(worst).to.be.at.most(1e-3 * (high - low));
          if (name === 'psnr')
            expect(20 * Math.log10((high - low) / Math.sqrt(squared / got.length))).to.be.at.least(60);
          if (name === 'bytes') expect(made.sizeBytes).to.be.within(500, 700);
          if (which === blendable) expect(back.parameters.constants).to.deep.equal({});
          out.dispose();
          made.dispose();
          back.dispose();
        }));
    }
  }

  it('all coefficients in float32 give the wavetable back, to their rounding', async () => {
    for (const shape of [
      [1, 1, 1],
      [1, 37, 2],
      [16, 16, 4],
      [21, 34, 5],
      [64, 31, 3],
    ] as Shape[]) {
      const x = randomArray(shape[0] * shape[1] * shape[2], random(3));
      const values = Float32Array.from(cosineForward(x, shape));
      const whole = CompressedWavetable.ofParameters(codec, shape, {
        params: { coefficients: { shape, values } },
        constants: {},
      });
      const out = codec.decode(whole);
      expectClose(await out.data(), x, 3e-6 * magnitude(values), `${shape}`);
      out.dispose();
      whole.dispose();
    }
  });

  it('decoding at another resolution is resampling, also where axes are periodic', async () => {
    const made = await blendable.encode(wavetable([24, 30, 2]), { maxRel: 1e-4 });
    const native = codec.decode(made);
    for (const periodic of [{}, { w: true }, { h: true, w: true }]) {
      for (const resolution of [
        [24, 30],
        [16, 45],
        [50, 7],
        [1, 64],
        [24, 29],
      ] as [number, number][]) {
        const got = codec.decode(made, { resolution, periodic });
        const want = tf.tidy(() =>
          resample(native.expandDims(0) as tf.Tensor4D, ...resolution, { h: false, w: false, ...periodic }),
        );
        expect(got.shape).to.deep.equal([...resolution, 2]);
        expectClose(await got.data(), await want.data(), 2e-5, `${resolution} ${JSON.stringify(periodic)}`);
        tf.dispose([got, want]);
      }
    }
    native.dispose();
    made.dispose();
  });

  it('coefficients padded with zeros decode to the same, and a blend of nodes is the blend of their decodings', async () => {
    const shape: Shape = [32, 28, 3];
    const [a, b] = [
      await blendable.encode(wavetable(shape, 1), 0.9),
      await blendable.encode(wavetable(shape, 2), 0.999),
    ];
    const context = { shape, resolution: [20, 28] as const, periodic: { h: false, w: false } };
    const { decode } = codec.forms.coefficients as {
      decode: (x: tf.Tensor4D, c: typeof context) => tf.Tensor4D;
    };
    const pad = (c: CompressedWavetable) => {
      const [kh, kw] = c.params.coefficients.shape;
      return tf.pad(c.params.coefficients, [
        [0, 32 - kh],
        [0, 28 - kw],
        [0, 0],
      ]);
    };
    const [blend, apart] = tf.tidy(() => {
      const both = tf.add(tf.mul(pad(a), 0.3), tf.mul(pad(b), 0.7)).expandDims(0) as tf.Tensor4D;
      const one = (c: CompressedWavetable) => codec.decode(c, { resolution: [20, 28] });
      return [decode(both, context), tf.add(tf.mul(one(a), 0.3), tf.mul(one(b), 0.7))];
    });
    expectClose(await blend.data(), await apart.data(), 1e-5);
    tf.dispose([blend, apart]);
    a.dispose();
    b.dispose();
  });

  it('gradients of coefficients equal finite differences, with a residual and at another resolution', () =>
    withoutLeaks(async () => {
      const made = await codec.encode(wavetable([12, 11, 2], 4), { maxAbs: 0.05 });
      const { values, shape } = made.parameters.params.coefficients;
      const options = { resolution: [9, 14] as [number, number], periodic: { w: true } };
      const weights = tf.tensor3d(randomArray(9 * 14 * 2, random(6)), [9, 14, 2]);
      const loss = (x: tf.Tensor) =>
        tf.sum(tf.mul(codec.decode(made.with({ coefficients: x }), options).square(), weights));
      const x = tf.tensor(values.slice() as Float32Array, [...shape]);
      const gradient = tf.tidy(() => tf.grad(loss)(x));
      const got = await gradient.data();
      // Of a square of what is linear: central differences are exact at any step.
      const want = new Float64Array(values.length);
      const step = 0.25;
      for (let i = 0; i < values.length; i++) {
        const at = async (d: number) => {
          const moved = values.slice() as Float32Array;
          moved[i] += d;
          const t = tf.tensor(moved, [...shape]);
          const out = tf.tidy(() => codec.decode(made.with({ coefficients: t }), options));
          const [v, w] = [await out.data<'float32'>(), await weights.data<'float32'>()];
          tf.dispose([t, out]);
          return v.reduce((sum, e, k) => sum + w[k] * e * e, 0);
        };
        want[i] = ((await at(step)) - (await at(-step))) / (2 * step);
      }
      expectClose(got, want, GRADIENT_TOLERANCE * magnitude(want));
      tf.dispose([x, gradient, weights]);
      made.dispose();
    }));

  it('any size and magnitude: odd, one sample, constants, ±1e-30, 1e30, channels of mixed magnitude', async () => {
    const constant = (v: number, shape: Shape) => ({
      values: new Float32Array(shape[0] * shape[1] * shape[2]).fill(v),
      shape,
    });
    const mixed = wavetable([17, 9, 4]);
    for (const [i, v] of mixed.values.entries()) mixed.values[i] = v * 1000 ** (i % 4);
    for (const from of [
      wavetable([1, 1, 1]),
      wavetable([1, 33, 2]),
      wavetable([7, 5, 5]),
      wavetable([13, 8, 4], 2, 1e-30),
      wavetable([13, 8, 4], 2, 1e30),
      constant(3, [5, 6, 2]),
      constant(-1e-30, [4, 4, 1]),
      constant(1e30, [4, 4, 1]),
      mixed,
    ]) {
      const made = await codec.encode(from, 0.999);
      expect(made.achieved.relativeError, `${from.shape}`).to.be.at.most(0.001);
      made.dispose();
    }
    const zeros = await codec.encode({ values: new Float32Array(30), shape: [3, 5, 2] }, 0.5);
    const out = codec.decode(zeros, { resolution: 4 });
    expect(Array.from(await out.data())).to.deep.equal(new Array(32).fill(0));
    out.dispose();
    zeros.dispose();
  });

  it('refuses what it cannot do with typed errors', async () => {
    const rejects = async (promise: Promise<unknown>, kind: new (...args: never[]) => Error) => {
      const error = await promise.then(
        () => null,
        (e: unknown) => e,
      );
      expect(error).to.be.instanceOf(kind);
    };
    const from = wavetable([9, 8, 2]);
    await rejects(codec.encode(from, { lossless: true }), QualityNotReachedError);
    await rejects(codec.encode(from, { maxAbs: 1e-12 }), QualityNotReachedError);
    await rejects(codec.encode({ values: Float32Array.of(Number.NaN), shape: [1, 1, 1] }), ArgumentError);
    const params = { coefficients: { shape: [10, 8, 2], values: new Float32Array(160) } };
    expect(() => CompressedWavetable.ofParameters(codec, [9, 8, 2], { params, constants: {} })).to.throw(
      FormatError,
    );
    const long = { coefficients: { shape: [1, 5000, 1], values: new Float32Array(5000) } };
    expect(() =>
      CompressedWavetable.ofParameters(codec, [1, 5000, 1], { params: long, constants: {} }),
    ).to.throw(FormatError, 'matrices');
  });

  // Unpacking is the host's: one backend with a fast read is enough.
  if (backend !== 'webgpu') {
    it('damaged bytes give a FormatError or finite values', async () => {
      const made = await codec.encode(wavetable([12, 10, 2]), { maxAbs: 0.02 });
      const next = random(9);
      for (let i = 0; i < 300; i++) {
        const cut = i < made.bytes.length;
        const bytes = cut ? made.bytes.slice(0, i) : made.bytes.slice();
        if (!cut) bytes[Math.floor(next() * bytes.length)] ^= 1 << Math.floor(8 * next());
        try {
          const back = CompressedWavetable.read(bytes, { verify: false });
          const out = tf.tidy(() => codec.decode(back));
          const values = await out.data();
          expect(values.every((v) => Number.isFinite(v))).to.equal(true);
          out.dispose();
          back.dispose();
        } catch (error) {
          if (!(error instanceof FormatError || error instanceof ArgumentError)) throw error;
        }
      }
      made.dispose();
    });
  }
});
