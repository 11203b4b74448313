import { expect } from 'chai';
import {
  CutStream,
  codeCoefficients,
  coefficientDecoder,
  coefficientEncoder,
  estimatedBits,
  type Layout,
  plainLayout,
} from '../../src/codecs/transform/coefficients.js';
import { levelsOf, waveletOnHost } from '../../src/codecs/transform/wavelethost.js';
import { random } from '../support/numbers.js';
import fc from '../support/properties.js';

type Shape = [number, number, number];

function coded(values: Int32Array, shape: Shape, layout: Layout): Uint8Array {
  const coder = coefficientEncoder();
  codeCoefficients(coder, values.slice(), shape, layout);
  return coder.finish();
}

function decoded(bytes: Uint8Array, shape: Shape, layout: Layout): Int32Array {
  const values = new Int32Array(shape[0] * shape[1] * shape[2]);
  codeCoefficients(coefficientDecoder(bytes), values, shape, layout);
  return values;
}

const wavelets = waveletOnHost('cdf97', 'symmetric');
const radial = ([height, width]: Shape): Layout => [
  { y: 0, x: 0, height, width, kind: 1, rowFrequency: (y) => y, columnFrequency: (x) => x },
];

describe('coefficients', () => {
  it('what is decoded is what was coded, for any block and every layout', () => {
    fc.assert(
      fc.property(
        fc.tuple(
          fc.integer({ min: 1, max: 21 }),
          fc.integer({ min: 1, max: 21 }),
          fc.integer({ min: 1, max: 5 }),
        ),
        fc.integer({ min: 0, max: 30 }),
        fc.integer(),
        (shape, bits, seed) => {
          const next = random(seed);
          const density = next();
          const values = Int32Array.from({ length: shape[0] * shape[1] * shape[2] }, () =>
            next() < density ? Math.trunc((2 * next() - 1) * 2 ** (bits * next())) : 0,
          );
          for (const layout of [wavelets.layout(shape), plainLayout(shape[0], shape[1]), radial(shape)]) {
            expect(decoded(coded(values, shape, layout), shape, layout)).to.deep.equal(values);
          }
        },
      ),
      { numRuns: 150, seed: 4 },
    );
  });

  it('bands of a layout cover every coefficient once', () => {
    for (const [height, width] of [
      [1, 1],
      [1, 17],
      [64, 64],
      [37, 5],
      [100, 3],
    ]) {
      const seen = new Int32Array(height * width);
      for (const band of wavelets.layout([height, width, 1])) {
        for (let y = band.y; y < band.y + band.height; y++) {
          for (let x = band.x; x < band.x + band.width; x++) seen[y * width + x]++;
        }
      }
      expect(
        seen.every((n) => n === 1),
        `${height} × ${width}, ${levelsOf(height, width)} levels`,
      ).to.equal(true);
    }
  });

  it('zeros cost next to nothing: a megabyte of them less than 16 bytes, and with one coefficient less than 60', () => {
    const shape: Shape = [256, 256, 4];
    const values = new Int32Array(256 * 256 * 4);
    expect(coded(values, shape, wavelets.layout(shape)).length).to.be.below(16);
    values[4 * (256 * 200 + 100) + 2] = -3;
    expect(coded(values, shape, wavelets.layout(shape)).length).to.be.below(60);
  });

  it('neighbours tell what is likely: large in one half, small in the other, within 6 % of the entropy of each', () => {
    const shape: Shape = [96, 128, 1];
    const next = random(9);
    // Uniform magnitudes and signs below 2⁵ on the left, signs of one on the right: 6 bits and 1.585.
    const values = Int32Array.from({ length: 96 * 128 }, (_, i) =>
      i % 128 < 64 ? Math.floor(64 * next()) - 32 : Math.floor(3 * next()) - 1,
    );
    const ideal = (96 * 64 * (6 + Math.log2(3))) / 8;
    const bytes = coded(values, shape, plainLayout(96, 128)).length;
    expect(bytes).to.be.within(ideal * 0.98, ideal * 1.06);
    expect(estimatedBits(values, shape, plainLayout(96, 128)) / 8).to.be.within(0.9 * bytes, 1.1 * bytes);
  });

  it('a stream that is cut ends in CutStream, or in other values: never in a hang', () => {
    const shape: Shape = [32, 32, 2];
    const next = random(3);
    const values = Int32Array.from({ length: 2048 }, () => Math.floor(200 * next()) - 100);
    const layout = wavelets.layout(shape);
    const bytes = coded(values, shape, layout);
    let found = 0;
    for (let length = 0; length < bytes.length - 8; length += 97) {
      try {
        expect(decoded(bytes.subarray(0, length), shape, layout)).not.to.deep.equal(values);
      } catch (error) {
        expect(error).to.be.instanceOf(CutStream);
        found++;
      }
    }
    expect(found).to.be.above(0);
  });
});
