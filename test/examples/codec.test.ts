/** The example of a user's own codec: it keeps the contract that Wavecube's own keep. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { PolynomialCodec } from '../../examples/codec/polynomial.js';
import {
  ArgumentError,
  CompressedWavetable,
  FormatError,
  provideCodec,
  QualityNotReachedError,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { fieldOf, noise } from '../support/fields.js';
import { expectClose } from '../support/numbers.js';

const codec = new PolynomialCodec();
const cubic = (y: number, x: number, c: number) => 1 + c - 2 * x + x * y * y - (1 + c) * y ** 3;
const field = fieldOf([20, 24, 3], cubic);

eachBackend("a user's own codec", () => {
  before(() => provideCodec(codec));

  it('keeps a cubic in ten floats a channel, and its bytes are read back', async () => {
    await withoutLeaks(async () => {
      const made = await codec.encode(field, { maxAbs: 1e-5 });
      expect(made.sizeBytes).to.be.at.most(3 * 40 + 64);
      const read = await CompressedWavetable.fromBytes(made.bytes);
      const decoded = codec.decode(read);
      expectClose(await decoded.data(), field.values, 1e-5);
      const larger = codec.decode(read, { resolution: [33, 11] });
      expectClose(await larger.data(), fieldOf([33, 11, 3], cubic).values, 1e-5);
      for (const one of [made, read, decoded, larger]) one.dispose();
    });
  });

  it('is differentiable to its coefficients: it is linear in them', async () => {
    const made = await codec.encode(field, { maxAbs: 1e-5 });
    const sum = (coefficients: tf.Tensor): tf.Scalar => tf.sum(codec.decode(made.with({ coefficients })));
    const gradient = tf.grad(sum)(made.params.coefficients);
    const values = (await gradient.data()) as Float32Array;
    const first = tf.tidy(() => sum(tf.oneHot(0, 30).reshape([10, 3]).cast('float32')));
    expectClose([values[0]], await first.data(), 1e-5);
    tf.dispose([gradient, first]);
    made.dispose();
  });

  it('refuses noise, NaN, cut payloads, and a second codec of its name', async () => {
    const errorOf = (promise: Promise<unknown>) =>
      promise.then(
        () => null,
        (e: unknown) => e,
      );
    expect(await errorOf(codec.encode(noise([8, 8, 1], 1), 0.99))).to.be.instanceOf(QualityNotReachedError);
    expect(await errorOf(codec.encode(fieldOf([2, 2, 1], () => Number.NaN)))).to.be.instanceOf(ArgumentError);
    expect(() => codec.unpack(new Uint8Array(39), [4, 4, 1], 'cut')).to.throw(FormatError, 'cut');
    expect(() => provideCodec(new PolynomialCodec())).to.throw(ArgumentError, 'polynomial');
  });
});
