/** Quantisation: levels · scale + offset, trainable; as many levels as the dtype has; halves to even. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { QuantizedCodec, type QuantizedDtype } from '../../src/codecs/quantized.js';
import { ArgumentError, QualityNotReachedError } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { fieldOf, noise, smooth } from '../support/fields.js';
import { expectClose, random } from '../support/numbers.js';

const refused = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).to.be.instanceOf(QualityNotReachedError);
};

eachBackend('quantised', () => {
  it('decodes to levels · scale + offset by channel, and resampled as the dense wavetable is', async () => {
    await withoutLeaks(async () => {
      const codec = new QuantizedCodec();
      const made = await codec.encode(smooth([12, 10, 3]), { maxRel: 0.01 });
      const { scale, offset } = made.parameters.params;
      const levels = made.parameters.constants.levels.values;
      const whole = codec.decode(made);
      const expected = Array.from(levels, (l, i) => l * scale.values[i % 3] + offset.values[i % 3]);
      expectClose(await whole.data(), expected, 1e-6);
      const half = codec.decode(made, { resolution: [6, 5] });
      expect(half.shape).to.deep.equal([6, 5, 3]);
      // Band-limited resampling keeps the mean.
      const mean = (t: tf.Tensor) => tf.tidy(() => tf.mean(t, [0, 1]));
      const [a, b] = [mean(whole), mean(half)];
      expectClose(await a.data(), [...(await b.data())], 1e-5);
      tf.dispose([whole, half, a, b]);
      made.dispose();
    });
  });

  it('gradients of scale and offset are those of finite differences', async () => {
    const codec = new QuantizedCodec({ dtype: 'int8' });
    const made = await codec.encode(noise([6, 5, 2], 1), 0.9);
    const next = random(2);
    const weights = Float32Array.from({ length: 60 }, () => next() - 0.5);
    for (const resolution of [undefined, [4, 7] as const]) {
      const [h, w] = resolution ?? [6, 5];
      const loss = (scale: tf.Tensor, offset: tf.Tensor): tf.Scalar => {
        const decoded = codec.decode(made.with({ scale, offset }), { resolution });
        const factors = tf.tensor3d(weights.slice(0, h * w * 2), [h, w, 2]);
        return tf.sum(tf.mul(decoded, factors));
      };
      const { scale, offset } = made.params;
      const [byScale, byOffset] = tf.grads(loss as (...x: tf.Tensor[]) => tf.Scalar)([scale, offset]);
      // The loss is linear in both: a difference of any size is the derivative.
      const at = async (s: number[], o: number[]) => {
        const value = tf.tidy(() => loss(tf.tensor1d(s), tf.tensor1d(o)));
        const [number] = await value.data();
        value.dispose();
        return number;
      };
      const zero = [0, 0];
      expectClose(await byScale.data(), [await at([1, 0], zero), await at([0, 1], zero)], 1e-4);
      expectClose(await byOffset.data(), [await at(zero, [1, 0]), await at(zero, [0, 1])], 1e-4);
      tf.dispose([byScale, byOffset]);
    }
    made.dispose();
  });

  it('float16 gives the nearest halves, ties to even, and refuses what overflows', async () => {
    const codec = new QuantizedCodec({ dtype: 'float16' });
    const values = Float32Array.of(1, -0, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 65504, -(2 ** -24), 1 / 3, 0);
    const made = await codec.encode({ values, shape: [2, 4, 1] }, { psnr: 20 });
    const decoded = codec.decode(made);
    expect([...(await decoded.data())].map((v) => v + 0)).to.deep.equal([
      1,
      0,
      1,
      1 + 2 ** -9,
      65504,
      -(2 ** -24),
      0.333251953125,
      0,
    ]);
    decoded.dispose();
    made.dispose();
    values[0] = 70_000;
    await refused(codec.encode({ values, shape: [2, 4, 1] }, { psnr: 20 }));
  });
});

describe('quantised levels', () => {
  const field = noise([24, 24, 3], 3);

  it('int8 and int16 span each channel by 2⁸ and 2¹⁶ levels, within half a step', async () => {
    for (const [dtype, most] of [
      ['int8', 255],
      ['int16', 65535],
    ] as const) {
      const made = await new QuantizedCodec({ dtype }).encode(field, 0.9);
      const levels = made.parameters.constants.levels.values;
      for (let c = 0; c < 3; c++) {
        const own = levels.filter((_: number, i: number) => i % 3 === c);
        expect(Math.max(...own) - Math.min(...own)).to.equal(most);
        expect(Math.min(...own)).to.equal(-(most + 1) / 2);
      }
      const step = Math.max(...made.parameters.params.scale.values);
      expect(made.achieved.maxError).to.be.at.most(step * 0.5 + 1e-6);
      made.dispose();
    }
  });

  it('a dtype that is too coarse refuses; auto takes as many levels as it needs', async () => {
    const fine = { maxAbs: 1e-3 };
    await refused(new QuantizedCodec({ dtype: 'int8' }).encode(field, fine));
    for (const dtype of ['int16', 'auto'] as const) {
      const made = await new QuantizedCodec({ dtype }).encode(field, fine);
      expect(made.achieved.maxError).to.be.at.most(1e-3);
      made.dispose();
    }
    await refused(new QuantizedCodec().encode(field, { lossless: true }));
    await refused(new QuantizedCodec().encode(field, { maxAbs: 1e-9 }));
  });

  it('auto takes the coarsest step: nearly all of the bound is used', async () => {
    const codec = new QuantizedCodec();
    for (const bound of [0.3, 0.03, 0.003]) {
      const made = await codec.encode(field, { maxAbs: bound });
      expect(made.parameters.params.scale.values[0]).to.be.within(1.98 * bound, 2 * bound);
      made.dispose();
    }
    for (const q of [0.7, 0.95, 0.999]) {
      const made = await codec.encode(field, q);
      expect(made.achieved.relativeError / (1 - q)).to.be.within(0.95, 1.000001);
      made.dispose();
    }
  });

  it('bytes are kept and used', async () => {
    for (const dtype of ['auto', 'int8'] as const) {
      for (const bytes of [300, 800]) {
        const made = await new QuantizedCodec({ dtype }).encode(field, { bytes });
        expect(made.sizeBytes).to.be.within(0.85 * bytes, bytes);
        made.dispose();
      }
    }
    await refused(new QuantizedCodec().encode(field, { bytes: 40 }));
  });

  it('what lies on a lattice is kept on it: an 8-bit image without error at less than half its step', async () => {
    const next = random(4);
    const image = fieldOf([20, 20, 3], () => Math.floor(256 * next()) / 255);
    const made = await new QuantizedCodec().encode(image, { maxAbs: 0.0012 });
    // Two float32 roundings of values up to 1.
    expect(made.achieved.maxError).to.be.at.most(2 ** -22);
    made.dispose();
  });

  it('options are checked', () => {
    expect(() => new QuantizedCodec({ dtype: 'int4' as QuantizedDtype })).to.throw(ArgumentError, 'int4');
    expect(() => new QuantizedCodec({ bits: 3 } as object)).to.throw(ArgumentError, 'bits');
  });
});
