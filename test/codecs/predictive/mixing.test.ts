import { expect } from 'chai';
import { INPUTS, MixingCoder } from '../../../src/codecs/predictive/mixing.js';
import { ESCAPE, LARGEST, ResidualCoder } from '../../../src/codecs/predictive/residuals.js';
import { FormatError } from '../../../src/index.js';
import { random } from '../../support/numbers.js';
import fc from '../../support/properties.js';

const SIZES = { contexts: 64, mixes: 4 };

describe('mixed contexts', () => {
  it('give back every sequence of bits, mixed, plain and alone', () => {
    const bit = fc.record({
      kind: fc.integer({ min: 0, max: 2 }),
      value: fc.integer({ min: 0, max: 1 }),
      slot: fc.integer({ min: 0, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(bit, { maxLength: 400 }), (bits) => {
        const pass = (coder: MixingCoder, told: boolean) =>
          bits.map(({ kind, value, slot }) => {
            for (let i = 0; i < INPUTS; i++) coder.at[i] = 9 * i;
            const given = told ? value : 0;
            if (kind === 0) return coder.bit(given, slot);
            return kind === 1 ? coder.mixed(given, slot, slot % 4) : coder.plain(given, 1);
          });
        const encoder = new MixingCoder(SIZES, null);
        pass(encoder, true);
        const got = pass(new MixingCoder(SIZES, encoder.finish()), false);
        expect(got).to.deep.equal(bits.map(({ value }) => value));
      }),
    );
  });

  it('of a source that is nearly always 0 cost little more than its entropy', () => {
    const next = random(1);
    const count = 200_000;
    const p = 0.002;
    const coder = new MixingCoder(SIZES, null);
    for (let k = 0; k < count; k++) {
      for (let i = 0; i < INPUTS; i++) coder.at[i] = 9 * i;
      coder.mixed(Number(next() < p), 0, 0);
    }
    const entropy = -count * (p * Math.log2(p) + (1 - p) * Math.log2(1 - p));
    expect(8 * coder.finish().length).to.be.within(0.9 * entropy, 1.1 * entropy);
  });
});

describe('residuals', () => {
  const value = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.integer({ min: -LARGEST, max: LARGEST }),
    fc.constant(ESCAPE),
  );
  const near = fc.record({
    before: fc.integer({ min: 0, max: 6000 }),
    around: fc.integer({ min: 0, max: 4000 }),
    twin: fc.integer({ min: 0, max: 1000 }),
    twinAround: fc.integer({ min: 0, max: 4000 }),
    activity: fc.integer({ min: 0, max: 4095 }),
    step: fc.integer({ min: 0, max: 63 }),
  });

  it('of any size, in any surroundings, come back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(value, near), { maxLength: 60 }), (all) => {
        const encoder = new ResidualCoder(null);
        for (const [v, n] of all) encoder.code(v, n);
        const decoder = new ResidualCoder(encoder.finish());
        expect(all.map(([, n]) => decoder.code(0, n))).to.deep.equal(all.map(([v]) => v));
      }),
      { numRuns: 40 },
    );
  });

  it('numbers of either sign come back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -(2 ** 29), max: 2 ** 29 }), { maxLength: 50 }), (all) => {
        const encoder = new ResidualCoder(null);
        for (const [i, v] of all.entries()) encoder.number(v, i % 2);
        const decoder = new ResidualCoder(encoder.finish());
        expect(all.map((_, i) => decoder.number(0, i % 2))).to.deep.equal(all);
      }),
      { numRuns: 40 },
    );
  });

  it('read far beyond the end are refused', () => {
    const decoder = new ResidualCoder(new Uint8Array(2), 'cut');
    for (let k = 0; k < 100; k++) decoder.plain(0, 16);
    expect(() => decoder.checkpoint()).to.throw(FormatError, /cut short/);
  });
});
