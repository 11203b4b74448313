import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { CompressedWavetable } from '../../src/codecs/compressed.js';
import type { Quality } from '../../src/codecs/quality.js';
import { codecIds, provideCodec } from '../../src/codecs/registry.js';
import { WaveletCodec } from '../../src/codecs/wavelet.js';
import { FormatError, QualityNotReachedError } from '../../src/errors.js';
import { resample } from '../../src/ops/resample.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { magnitude, random } from '../support/numbers.js';

type Shape = readonly [number, number, number];
const codec = new WaveletCodec();
const blendable = new WaveletCodec({ residual: false });

/** Smooth, with an edge and some noise; channels that differ. */
function wavetable([height, width, channels]: Shape, seed = 1, scale = 1, rough = 1) {
  const next = random(seed);
  const phase = 6 * next();
  const values = new Float32Array(height * width * channels);
  for (let i = 0; i < values.length; i++) {
    const c = i % channels;
    const x = (Math.floor(i / channels) % width) / width;
    const y = Math.floor(i / channels / width) / height;
    const edge = x + y > 1.2 ? 0.5 : 0;
    values[i] = scale * (Math.sin(5 * x + 3 * y * (c + 1) + phase) + rough * (edge + 0.02 * (next() - 0.5)));
  }
  return { values, shape: [height, width, channels] as const };
}

eachBackend('wavelet codec', (backend) => {
  before(() => {
    if (!codecIds().includes('wavelet')) provideCodec(codec);
  });

  const qualities: [string, Quality][] = [
    ['q', 0.99],
    ['maxAbs', { maxAbs: 0.01 }],
    ['maxRel', { maxRel: 0.05 }],
    ['psnr', { psnr: 45 }],
    ['bytes', { bytes: 700 }],
  ];
  for (const [name, quality] of qualities) {
    it(`each bound holds on the decoded bytes, ${name}`, async () => {
      for (const which of [codec, blendable]) {
        const from = wavetable([48, 40, 3]);
        await withoutLeaks(async () => {
          const made = await which.encode(from, quality);
          const back = await CompressedWavetable.fromBytes(made.bytes);
          const out = which.decode(back);
          const got = await out.data();
          let worst = 0;
          let squared = 0;
          let energy = 0;
          for (let i = 0; i < got.length; i++) {
            worst = Math.max(worst, Math.abs(got[i] - from.values[i]));
            squared += (got[i] - from.values[i]) ** 2;
            energy += from.values[i] ** 2;
          }
          expect(Number.isFinite(squared)).to.equal(true);
          if (name === 'q') expect(Math.sqrt(squared / energy)).to.be.at.most(0.01);
          if (name === 'maxAbs') expect(worst).to.be.at.most(0.01);
          if (name === 'bytes') expect(made.sizeBytes).to.be.within(500, 700);
          expect(Math.abs(back.achieved.maxError - worst)).to.be.at.most(1e-6 + 1e-6 * worst);
          if (which === blendable) expect(Object.keys(back.parameters.constants)).to.deep.equal([]);
          tf.dispose(out);
          made.dispose();
          back.dispose();
        });
      }
    });
  }

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
    const by = await codec.encode(mixed, { maxRel: 0.01 });
    expect(by.achieved.maxError).to.be.at.most(0.01 * 2.6e9);
    by.dispose();
  });

  it('zeros decode to exact zeros', async () => {
    const made = await codec.encode({ values: new Float32Array(30), shape: [3, 5, 2] }, 0.5);
    const out = codec.decode(made, { resolution: 4 });
    expect(Array.from(await out.data())).to.deep.equal(new Array(32).fill(0));
    out.dispose();
    made.dispose();
  });

  it('what it cannot reach is said: lossless, and bounds below the rounding of float32', async () => {
    for (const quality of [{ lossless: true }, { maxAbs: 1e-12 }, { bytes: 38 }] as Quality[]) {
      let caught: unknown;
      await codec.encode(wavetable([16, 16, 2]), quality).catch((error) => (caught = error));
      expect(caught, JSON.stringify(quality)).to.be.instanceOf(QualityNotReachedError);
    }
  });

  it('another resolution is the band-limited resampling of the native one, by levels or by matrices', async () => {
    const from = wavetable([64, 48, 2]);
    for (const quality of [{ maxAbs: 0.3 }, { maxAbs: 0.005 }]) {
      const made = await codec.encode(from, quality);
      for (const resolution of [
        [64, 48],
        [8, 12],
        [31, 70],
      ] as [number, number][]) {
        const periodic = { w: true };
        const got = codec.decode(made, { resolution, periodic });
        const want = tf.tidy(() =>
          resample(codec.decode(made).expandDims(0) as tf.Tensor4D, ...resolution, { h: false, w: true }),
        );
        const [a, b] = [await got.data(), await want.data()];
        for (let i = 0; i < a.length; i++) expect(Math.abs(a[i] - b[i])).to.be.at.most(2e-5);
        tf.dispose([got, want]);
      }
      made.dispose();
    }
  });

  it('coefficients padded with zeros decode to the same: boxes nest', async () => {
    const made = await blendable.encode(wavetable([40, 24, 2], 1, 1, 0), { maxAbs: 0.2 });
    const { decode } = blendable.forms.coefficients as { decode: (c: tf.Tensor4D, x: object) => tf.Tensor4D };
    const context = { shape: [40, 24, 2], resolution: [40, 24], periodic: { h: false, w: false } };
    const box = made.params.coefficients;
    const [kh, kw] = box.shape;
    const [small, large] = tf.tidy(() => {
      const one = box.expandDims(0) as tf.Tensor4D;
      const wide = tf.pad(one, [
        [0, 0],
        [0, 40 - kh],
        [0, 24 - kw],
        [0, 0],
      ]);
      return [decode(one, context), decode(wide, context)];
    });
    expect(kh).to.be.below(40);
    const [a, b] = [await small.data(), await large.data()];
    for (let i = 0; i < a.length; i++) expect(Math.abs(a[i] - b[i])).to.be.at.most(1e-5);
    tf.dispose([small, large]);
    made.dispose();
  });

  it('gradients of decode equal finite differences, at any resolution', async () => {
    const made = await codec.encode(wavetable([24, 20, 2]), { maxAbs: 0.05 });
    const coefficients = made.params.coefficients as tf.Tensor3D;
    for (const resolution of [
      [24, 20],
      [6, 10],
    ] as [number, number][]) {
      const loss = (c: tf.Tensor) =>
        tf.sum(tf.square(codec.decode(made.with({ coefficients: c }), { resolution }))) as tf.Scalar;
      const gradient = tf.grad(loss)(coefficients);
      const numbers = await gradient.data();
      const base = await coefficients.data();
      const largest = magnitude(numbers);
      for (const i of [0, 3, 50, base.length - 1]) {
        // The loss is a parabola in each coefficient: a central difference is exact, whatever its step.
        const at = (by: number) =>
          tf.tidy(() => {
            const moved = base.slice();
            moved[i] += by;
            return loss(tf.tensor3d(moved, coefficients.shape));
          });
        const [up, down] = [at(1), at(-1)];
        const difference = ((await up.data())[0] - (await down.data())[0]) / 2;
        expect(Math.abs(difference - numbers[i])).to.be.at.most(1e-3 * largest);
        tf.dispose([up, down]);
      }
      gradient.dispose();
    }
    made.dispose();
  });

  if (backend === 'cpu') {
    it('a payload cut anywhere, or with bits turned, gives FormatError or finite values', async () => {
      const made = await codec.encode(wavetable([16, 12, 2]), { maxAbs: 0.02 });
      const payload = made.bytes.subarray(made.bytes.length - 4 - 300, made.bytes.length - 4);
      const whole = made.bytes;
      // The payload's start: its length is known from the container's overhead.
      for (let length = 0; length < payload.length; length += 3) {
        try {
          codec.unpack(payload.subarray(0, length), made.shape, 'cut');
        } catch (error) {
          expect(error).to.be.instanceOf(FormatError);
        }
      }
      const next = random(8);
      for (let turn = 0; turn < 2000; turn++) {
        const bytes = whole.slice();
        const bit = Math.floor(next() * bytes.length * 8);
        bytes[bit >> 3] ^= 1 << (bit & 7);
        try {
          const read = CompressedWavetable.read(bytes, { verify: false });
          if (read.shape[0] * read.shape[1] > 4096) continue;
          expect(read.parameters.params.coefficients.values.every((v) => Number.isFinite(v))).to.equal(true);
        } catch (error) {
          expect(error).to.be.instanceOf(FormatError);
        }
      }
      made.dispose();
    });

    it('another family has its own id, and keeps the bound too', async () => {
      for (const family of ['haar', 'db3', 'cdf53'] as const) {
        const other = new WaveletCodec({ family });
        expect(other.id).to.equal(`wavelet-${family}`);
        const made = await other.encode(wavetable([21, 18, 2]), { maxAbs: 0.02 });
        expect(made.achieved.maxError).to.be.at.most(0.02);
        made.dispose();
      }
    });
  }
});
