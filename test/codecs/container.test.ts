/** The bytes of a container: all comes back, errors are rounded to the side that claims less, sizes are counted. */
import { expect } from 'chai';
import fc from 'fast-check';
import {
  type Contents,
  overheadOf,
  PayloadKind,
  readContainer,
  writeContainer,
} from '../../src/codecs/container.js';
import { FormatError } from '../../src/index.js';

const contents: fc.Arbitrary<Contents> = fc.record({
  codec: fc.stringMatching(/^[a-z0-9-]{1,64}$/),
  version: fc.integer({ min: 0, max: 1e6 }),
  kind: fc.constantFrom(PayloadKind.Codec, PayloadKind.Raw, PayloadKind.Trained),
  shape: fc.tuple(
    fc.integer({ min: 1, max: 400 }),
    fc.integer({ min: 1, max: 400 }),
    fc.integer({ min: 1, max: 300 }),
  ),
  achieved: fc.record({
    maxError: fc.double({ min: 1e-37, max: 1e37, noNaN: true }),
    psnr: fc.oneof(fc.constant(Infinity), fc.double({ min: -300, max: 300, noNaN: true })),
    relativeError: fc.double({ min: 0, max: 2, noNaN: true }),
  }),
  payload: fc.uint8Array({ maxLength: 300 }),
});

describe('the container', () => {
  it('gives back what was put in, and claims no smaller error', () => {
    fc.assert(
      fc.property(contents, (put) => {
        const bytes = writeContainer(put);
        const got = readContainer(bytes, 'test');
        const { achieved, ...rest } = got;
        const { achieved: meant, ...all } = put;
        expect({ ...rest, payload: [...rest.payload] }).to.deep.equal({ ...all, payload: [...all.payload] });
        expect(achieved.maxError).to.be.within(meant.maxError, meant.maxError * (1 + 1e-6) + 1e-44);
        expect(achieved.relativeError).to.be.within(
          meant.relativeError,
          meant.relativeError * (1 + 1e-6) + 1e-44,
        );
        if (meant.psnr === Infinity) expect(achieved.psnr).to.equal(Infinity);
        else expect(meant.psnr - achieved.psnr).to.be.within(-1e-40, 1e-4);
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it('overheadOf is what it adds to a payload', () => {
    fc.assert(
      fc.property(contents, (put) => {
        const { codec, version, shape, payload } = put;
        expect(writeContainer(put).length - payload.length).to.equal(
          overheadOf(codec, version, shape, payload.length),
        );
      }),
      { seed: 6, numRuns: 200 },
    );
  });

  it('one changed byte is found by the checksum, and a byte more or less', () => {
    fc.assert(
      fc.property(contents, fc.nat(), fc.integer({ min: 1, max: 255 }), (put, where, change) => {
        const bytes = writeContainer(put);
        const damaged = bytes.slice();
        damaged[where % bytes.length] ^= change;
        expect(() => readContainer(damaged, 'test')).to.throw(FormatError);
        expect(() => readContainer(Uint8Array.of(...bytes, 0), 'test')).to.throw(FormatError);
        expect(() => readContainer(bytes.slice(0, -1), 'test')).to.throw(FormatError);
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it('reads bytes that stand inside of a larger buffer', () => {
    const put = fc.sample(contents, { seed: 8, numRuns: 1 })[0];
    const bytes = writeContainer(put);
    const larger = new Uint8Array(bytes.length + 7);
    larger.set(bytes, 3);
    const got = readContainer(larger.subarray(3, 3 + bytes.length), 'test');
    expect([...got.payload]).to.deep.equal([...put.payload]);
  });
});
