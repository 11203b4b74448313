import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { readContainer } from '../../src/codecs/container.js';
import { PredictiveCodec } from '../../src/codecs/predictive.js';
import { CompressedWavetable, QualityNotReachedError, ready } from '../../src/index.js';
import golden from '../golden/predictive.json' with { type: 'json' };
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { fromBase64 } from '../support/base64.js';
import { fieldOf, noise, smooth } from '../support/fields.js';
import { expectClose, magnitude, random } from '../support/numbers.js';
import fc from '../support/properties.js';

const codec = new PredictiveCodec();
type Shape = readonly [number, number, number];

/** Smooth waves, edges and noise of any proportion, each channel with its own magnitude. */
function anyField(shape: Shape, seed: number): Float32Array {
  const next = random(seed);
  const waves = next();
  const edges = next() < 0.5 ? 0 : next();
  const rough = next() < 0.5 ? 0 : next() ** 4;
  const scales = Array.from({ length: shape[2] }, () => 10 ** (12 * next() - 6));
  const ground = noise(shape, seed + 1, rough).values;
  let i = 0;
  return fieldOf(shape, (y, x, c) => {
    const wave = waves * Math.sin(9 * x + c) * Math.cos(7 * y * waves);
    return scales[c] * (wave + (x + y > 1.1 ? edges : 0) + ground[i++]);
  }).values;
}

describe('predictive codec', () => {
  before(() => ready({ backend: 'cpu' }));

  it('keeps the largest error of each channel, for fields, shapes and bounds of any kind', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(
          fc.integer({ min: 1, max: 21 }),
          fc.integer({ min: 1, max: 21 }),
          fc.integer({ min: 1, max: 4 }),
        ),
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: -5, max: 0.5, noNaN: true }),
        async (shape, seed, exponent) => {
          const values = anyField(shape, seed);
          const maxRel = 10 ** exponent;
          const made = await codec.encode({ values, shape }, { maxRel });
          const decoded = made.parameters.constants.values.values;
          for (let c = 0; c < shape[2]; c++) {
            const of = (all: ArrayLike<number>) => Array.from(all).filter((_, i) => i % shape[2] === c);
            const own = of(values);
            const range = Math.max(...own) - Math.min(...own);
            const error = Math.max(...of(decoded).map((v, i) => Math.abs(v - own[i])));
            expect(error, `channel ${c}`).to.be.at.most(maxRel * range);
          }
          made.dispose();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('decodes the same bits as ever: a golden stream with an outlier that is stored as it is', () => {
    const bytes = fromBase64(golden.bytes);
    const { payload } = readContainer(bytes, 'golden');
    const { values } = codec.unpack(payload, golden.shape as unknown as Shape, 'golden').constants.values;
    const want = new Float32Array(fromBase64(golden.decoded).buffer);
    expect(Array.from(values)).to.deep.equal(Array.from(want));
  });

  it('tells a smooth field in a fiftieth of its bytes, and noise in what its entropy asks for', async () => {
    const flat = await codec.encode(smooth([128, 128, 2]), { maxRel: 1e-3 });
    expect(flat.ratio).to.be.above(50);
    const next = random(3);
    const uniform = fieldOf([64, 64, 4], () => 256 * next());
    const rough = await codec.encode(uniform, { maxAbs: 0.5 });
    // 256 values, as likely each, are a byte of four; learning that costs the rest.
    expect(rough.ratio).to.be.above(3.7);
    flat.dispose();
    rough.dispose();
  });

  it('uses the channels before: one that repeats another costs next to nothing', async () => {
    const one = noise([64, 64, 1], 4);
    const two = fieldOf([64, 64, 2], () => 0);
    for (let i = 0; i < two.values.length; i++) two.values[i] = one.values[i >> 1];
    const alone = await codec.encode(one, { maxRel: 1e-2 });
    const both = await codec.encode(two, { maxRel: 1e-2 });
    expect(both.sizeBytes).to.be.below(1.45 * alone.sizeBytes);
    alone.dispose();
    both.dispose();
  });

  it('spends what it is given on the bytes and on the squared error', async () => {
    const field = noise([48, 40, 3], 6);
    const sized = await codec.encode(field, { bytes: 3000 });
    expect(sized.sizeBytes).to.be.within(2700, 3000);
    const judged = await codec.encode(field, { psnr: 45 });
    expect(judged.achieved.psnr).to.be.within(45, 45.5);
    sized.dispose();
    judged.dispose();
  });

  it('leaves what is lossless to others, and refuses too few bytes', async () => {
    for (const quality of [1, { lossless: true } as const, { bytes: 20 }]) {
      let error: unknown;
      await codec.encode(smooth([8, 8, 1]), quality).catch((e: unknown) => {
        error = e;
      });
      expect(error).to.be.instanceOf(QualityNotReachedError);
    }
  });
});

eachBackend('predictive codec', () => {
  it('decodes to exactly what it verified, and to any resolution', () =>
    withoutLeaks(async () => {
      const field = smooth([12, 9, 3]);
      const made = await codec.encode(field, { maxAbs: 0.01 });
      const read = await CompressedWavetable.fromBytes(made.bytes);
      const full = codec.decode(read);
      expect(Array.from(await full.data())).to.deep.equal(
        Array.from(made.parameters.constants.values.values),
      );
      const half = codec.decode(read, { resolution: [6, 5], periodic: { w: true } });
      expect(half.shape).to.deep.equal([6, 5, 3]);
      tf.dispose([full, half]);
      made.dispose();
      read.dispose();
    }));

  it('gradients of scale and offset equal finite differences', () =>
    withoutLeaks(async () => {
      const made = await codec.encode(smooth([6, 5, 2]), { maxAbs: 0.01 });
      const weights = tf.tensor(noise([9, 7, 2], 2).values, [9, 7, 2]);
      const loss = (scale: tf.Tensor, offset: tf.Tensor) =>
        tf.tidy(
          () =>
            codec
              .decode(made.with({ scale, offset }), { resolution: [9, 7] })
              .mul(weights)
              .sum() as tf.Scalar,
        );
      const base = [
        [1.1, 0.9],
        [0.2, -0.1],
      ];
      const gradients = tf.tidy(() => tf.grads(loss)(base.map((values) => tf.tensor1d(values))));
      const analytic = (await Promise.all(gradients.map((g) => g.data()))).flatMap((g) => [...g]);
      const numeric: number[] = [];
      // The loss is linear in each parameter: a wide difference has no error but rounding.
      for (let k = 0; k < 4; k++) {
        const at = async (by: number) => {
          const moved = base.map((values) => [...values]);
          moved[k >> 1][k & 1] += by;
          const value = tf.tidy(() => loss(tf.tensor1d(moved[0]), tf.tensor1d(moved[1])));
          const [result] = await value.data();
          value.dispose();
          return result;
        };
        numeric.push(((await at(1)) - (await at(-1))) / 2);
      }
      expectClose(analytic, numeric, 1e-4 * Math.max(1, magnitude(numeric)));
      tf.dispose([gradients, weights]);
      made.dispose();
    }));
});
