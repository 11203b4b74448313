/** The range coder and the models over it: what is coded comes back, in the same bytes everywhere. */
import { expect } from 'chai';
import {
  type Coder,
  codeUnsigned,
  EntropyDecoder,
  EntropyEncoder,
  LEAST_BITS,
  UNSIGNED_CONTEXTS,
} from '../../src/codecs/entropy/entropy.js';
import { RangeDecoder, RangeEncoder } from '../../src/codecs/entropy/rangecoder.js';
import { packIntegers, unpackIntegers } from '../../src/codecs/lossless/integers.js';
import golden from '../golden/entropy.json' with { type: 'json' };
import { fromBase64 } from '../support/base64.js';
import { random } from '../support/numbers.js';
import fc from '../support/properties.js';

const SIZES = { contexts: 64 + UNSIGNED_CONTEXTS, mixes: 4, inputs: 3 };

type Step =
  | { kind: 'bit'; value: number; context: number }
  | { kind: 'mixed'; value: number; contexts: number[]; mix: number }
  | { kind: 'plain'; value: number; count: number }
  | { kind: 'unsigned'; value: number };

const context = fc.integer({ min: 0, max: 63 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('bit' as const), value: fc.integer({ min: 0, max: 1 }), context }),
  fc.record({
    kind: fc.constant('mixed' as const),
    value: fc.integer({ min: 0, max: 1 }),
    contexts: fc.array(context, { minLength: 1, maxLength: 3 }),
    mix: fc.integer({ min: 0, max: 3 }),
  }),
  fc.integer({ min: 1, max: 31 }).chain((count) =>
    fc.record({
      kind: fc.constant('plain' as const),
      count: fc.constant(count),
      value: fc.integer({ min: 0, max: 2 ** count - 1 }),
    }),
  ),
  fc.record({ kind: fc.constant('unsigned' as const), value: fc.integer({ min: 0, max: 2 ** 31 - 1 }) }),
);

function code(coder: Coder, s: Step): number {
  const value = coder.decoding ? 0 : s.value;
  if (s.kind === 'bit') return coder.bit(value, s.context);
  if (s.kind === 'mixed') return coder.mixedBit(value, Int32Array.from(s.contexts), s.mix);
  if (s.kind === 'plain') return coder.plain(value, s.count);
  return codeUnsigned(coder, value, 64);
}

describe('entropy coding', () => {
  it('the range coder gives back every bit, at every probability, whatever bytes follow', () => {
    const bits = fc.array(
      fc.record({ value: fc.integer({ min: 0, max: 1 }), p: fc.integer({ min: 1, max: 65535 }) }),
      { maxLength: 400 },
    );
    fc.assert(
      fc.property(bits, fc.uint8Array({ maxLength: 6 }), (all, tail) => {
        for (const followed of [false, true]) {
          const encoder = new RangeEncoder();
          for (const { value, p } of all) encoder.bit(value, p);
          const bytes = encoder.finish(followed);
          const decoder = new RangeDecoder(followed ? Uint8Array.of(...bytes, ...tail) : bytes);
          for (const { value, p } of all) expect(decoder.bit(p)).to.equal(value);
          if (!followed) expect(decoder.overrun).to.be.at.most(4);
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('models, mixtures, plain bits and integers in any order come back, and the stream is not overrun', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const encoder = new EntropyEncoder(SIZES);
        for (const s of steps) expect(code(encoder, s)).to.equal(s.value);
        const decoder = new EntropyDecoder(encoder.finish(), SIZES);
        for (const s of steps) expect(code(decoder, s)).to.equal(s.value);
        expect(decoder.overrun).to.be.at.most(4);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it('plain bits cost one bit each, likely ones next to none, and never less than LEAST_BITS', () => {
    const plain = new EntropyEncoder(SIZES);
    for (let i = 0; i < 1000; i++) plain.plain(i & 31, 5);
    expect(plain.finish().length).to.be.within(625, 627);
    const likely = new EntropyEncoder(SIZES);
    const count = 200_000;
    for (let i = 0; i < count; i++) likely.mixedBit(0, Int32Array.of(1, 2, 3), 0);
    const bits = 8 * likely.finish().length;
    expect(bits).to.be.within(count * LEAST_BITS, count * LEAST_BITS * 2 + 64);
  });

  it('an uneven coin costs its entropy, within 1 %', () => {
    const next = random(3);
    const encoder = new EntropyEncoder(SIZES);
    const count = 100_000;
    for (let i = 0; i < count; i++) encoder.bit(+(next() < 0.11), 5);
    const entropy = -(0.11 * Math.log2(0.11) + 0.89 * Math.log2(0.89));
    expect((8 * encoder.finish().length) / count / entropy).to.be.within(0.98, 1.01);
  });

  it('a decoder that is asked for more than there is says so', () => {
    const decoder = new EntropyDecoder(Uint8Array.of(1, 2, 3), SIZES);
    for (let i = 0; i < 20; i++) decoder.plain(0, 31);
    expect(decoder.overrun).to.be.above(4);
  });
});

describe('integers', () => {
  const shape = fc.tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 5 }),
  );

  it('of any size come back: random, in pieces, constant', () => {
    fc.assert(
      fc.property(
        shape,
        fc.integer({ min: 0, max: 29 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer(),
        (s, bits, period, seed) => {
          const next = random(seed);
          const values = Int32Array.from({ length: s[0] * s[1] * s[2] }, () =>
            Math.floor((2 * next() - 1) * 2 ** bits),
          );
          for (let i = 0; i < values.length; i++) if (i % period) values[i] = values[i - (i % period)];
          expect(unpackIntegers(packIntegers(values, s), s, 'integers')).to.deep.equal(values);
        },
      ),
      { seed: 4, numRuns: 300 },
    );
  });

  for (const { name, shape, values, bytes } of golden as Golden[]) {
    it(`decode to the same values, and encode to the same bytes, on every platform: ${name}`, () => {
      const stream = fromBase64(bytes);
      const integers = Int32Array.from(values);
      expect(unpackIntegers(stream, shape, 'golden')).to.deep.equal(integers);
      expect(packIntegers(integers, shape)).to.deep.equal(stream);
    });
  }
});

interface Golden {
  name: string;
  shape: [number, number, number];
  values: number[];
  bytes: string;
}
