/** Lossless: every bit of float32, never larger than the values and 64 bytes, and small where there is little to say. */
import { expect } from 'chai';
import { LosslessCodec } from '../../src/codecs/lossless.js';
import type { NodeShape } from '../../src/codecs/parameters.js';
import { CompressedWavetable } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { discs, fieldOf, noise, smooth } from '../support/fields.js';
import { random } from '../support/numbers.js';
import fc from '../support/properties.js';

const codec = new LosslessCodec();
const bits = (values: Float32Array) => [...new Int32Array(values.slice().buffer)];

eachBackend('lossless', () => {
  it('any bits come back, NaN payloads and −0 too, in no more than 64 bytes above them', async () => {
    const shapes = fc.tuple(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 4 }),
    );
    await fc.assert(
      fc.asyncProperty(shapes, fc.integer(), fc.integer({ min: 1, max: 32 }), async (shape, seed, kept) => {
        const next = random(seed);
        const words = Int32Array.from(
          { length: shape[0] * shape[1] * shape[2] },
          () => Math.floor(next() * 2 ** 32) >> (32 - kept),
        );
        const values = new Float32Array(words.buffer);
        await withoutLeaks(async () => {
          const made = await codec.encode({ values, shape }, { lossless: true });
          expect(made.sizeBytes).to.be.at.most(4 * values.length + 64);
          const read = await CompressedWavetable.fromBytes(made.bytes);
          expect(bits(read.parameters.constants.values.values as Float32Array)).to.deep.equal(bits(values));
          const decoded = codec.decode(read);
          const got = (await decoded.data()) as Float32Array;
          // A GPU may change the bits of a NaN; that it is one stays.
          values.forEach((v, i) => {
            if (!Object.is(got[i], v)) throw new Error(`value ${i}: ${got[i]}, expected ${v}`);
          });
          for (const one of [made, read, decoded]) one.dispose();
        });
      }),
      { seed: 10, numRuns: 40 },
    );
  });
});

describe('lossless sizes', () => {
  const ratioOf = async (field: ReturnType<typeof smooth>): Promise<number> => {
    const made = await codec.encode(field, 1);
    made.dispose();
    return made.ratio;
  };
  const shape: NodeShape = [64, 64, 2];

  it('what was quantised before costs its entropy, not that of floats', async () => {
    const next = random(11);
    // Three and a half bits of entropy in a random 8-bit image: levels of a sum of two dice, over 255.
    const dice = fieldOf(shape, () => (Math.floor(8 * next()) + Math.floor(8 * next())) / 255);
    expect(await ratioOf(dice)).to.be.above(7.5);
    const halves = fieldOf(shape, () => (Math.floor(256 * next()) - 128) / 1024);
    expect(await ratioOf(halves)).to.be.above(3.8);
  });

  it('pieces cost their edges', async () => expect(await ratioOf(discs(shape))).to.be.above(80));
  it('a constant costs its container', async () => {
    const made = await codec.encode(
      fieldOf([512, 512, 4], () => 0.3),
      1,
    );
    made.dispose();
    expect(made.sizeBytes).to.be.below(100);
  });
  it('smooth floats cost less than stored, noise no more', async () => {
    expect(await ratioOf(smooth(shape))).to.be.above(1.4);
    expect(await ratioOf(noise(shape, 12))).to.be.above(1);
  });
});
