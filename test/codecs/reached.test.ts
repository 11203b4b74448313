import { expect } from 'chai';
import { ArgumentError, DCTCodec, FFTCodec, ready, WaveletCodec } from '../../src/index.js';
import { fieldOf } from '../support/fields.js';

/** What a transform can keep it keeps: no quality between 0.9 and 0.999 is refused on a smooth field, in or out of cubes. */
describe('transforms keep every ordinary quality on smooth fields', () => {
  before(() => ready({ backend: 'cpu' }));

  for (const codec of [new WaveletCodec(), new DCTCodec(), new FFTCodec()].flatMap((c) => [c, c.blending])) {
    it(`${codec.id}`, async () => {
      for (const n of [16, 20, 32]) {
        for (let a = 0; a < 4; a++) {
          const field = fieldOf(
            [n, n, 2],
            (y, x, c) => Math.sin(3 * a * x + 4 * y + c) + Math.exp(-20 * (x - 0.4) ** 2),
          );
          for (const quality of [0.9, 0.95, 0.983, 0.99, 0.999, { psnr: 60 }]) {
            (await codec.encode(field, quality)).dispose();
          }
        }
      }
    }).timeout(20_000);
  }

  it('and refuse options that they have not', () => {
    for (const make of [
      () => new DCTCodec({ residuals: false } as never),
      () => new FFTCodec({ residual: 'no' } as never),
      () => new WaveletCodec({ famly: 'haar' } as never),
    ]) {
      expect(make).to.throw(ArgumentError);
    }
  });

  it('and say what was reached and asked for where they cannot', async () => {
    const error = await new DCTCodec()
      .encode(
        fieldOf([8, 8, 1], (y) => y),
        { lossless: true },
      )
      .catch((e) => e);
    expect(error.quality).to.deep.equal({ lossless: true });
  });
});
