/** The laws of quality, for each of Wavecube's codecs on small fields: a bound is kept, or encode says that it is not. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import type { HostWavetable, WavetableCodec } from '../../src/codecs/codec.js';
import type { Quality } from '../../src/codecs/quality.js';
import {
  ArgumentError,
  CompressedWavetable,
  QualityNotReachedError,
  ready,
  WavecubeError,
} from '../../src/index.js';
import { withoutLeaks } from '../support/backends.js';
import { eachCodec, FIELDS, smooth } from '../support/fields.js';

/** float32 of another order of sums, as a part of the largest value: a bound is kept to this. */
const ROUNDING = 2e-6;

/** Judged apart from the library: in float64, from the definition of each quality. */
function errorsOf({ values, shape }: HostWavetable, decoded: Float32Array) {
  const channels = shape[2];
  const low = new Array<number>(channels).fill(Infinity);
  const high = new Array<number>(channels).fill(-Infinity);
  const largest = new Array<number>(channels).fill(0);
  let squared = 0;
  let energy = 0;
  values.forEach((v, i) => {
    const c = i % channels;
    low[c] = Math.min(low[c], v);
    high[c] = Math.max(high[c], v);
    largest[c] = Math.max(largest[c], Math.abs(v - decoded[i]));
    squared += (v - decoded[i]) ** 2;
    energy += v * v;
  });
  const magnitude = Math.max(...high.map(Math.abs), ...low.map(Math.abs));
  const range = Math.max(...high) - Math.min(...low);
  const rms = Math.sqrt(squared / values.length);
  return { low, high, largest, magnitude, squared, energy, range, rms };
}

function expectKept(quality: Quality, field: HostWavetable, decoded: Float32Array, sizeBytes: number): void {
  expect(decoded.every(Number.isFinite), 'finite').to.equal(true);
  const { low, high, largest, magnitude, squared, energy, range, rms } = errorsOf(field, decoded);
  const slack = ROUNDING * magnitude;
  if (typeof quality === 'number') {
    if (quality === 1) expect(decoded).to.deep.equal(field.values);
    else expect(Math.sqrt(squared)).to.be.at.most((1 - quality) * Math.sqrt(energy) * (1 + 1e-6));
    if (energy === 0) expect(decoded.every((v) => v === 0)).to.equal(true);
  } else if ('maxAbs' in quality) expect(Math.max(...largest)).to.be.at.most(quality.maxAbs + slack);
  else if ('maxRel' in quality) {
    largest.forEach((error, c) => {
      expect(error, `channel ${c}`).to.be.at.most(quality.maxRel * (high[c] - low[c]) * (1 + 1e-6) + slack);
    });
  } else if ('psnr' in quality) expect(rms).to.be.at.most((range / 10 ** (quality.psnr / 20)) * (1 + 1e-6));
  else if ('bytes' in quality) expect(sizeBytes).to.be.at.most(quality.bytes);
  else expect(decoded).to.deep.equal(field.values);
}

/** Encodes; where that is refused, by the right error. Null then. */
async function encoded(
  codec: WavetableCodec,
  field: HostWavetable,
  quality: Quality,
): Promise<CompressedWavetable | null> {
  try {
    return await codec.encode(field, quality);
  } catch (error) {
    if (!(error instanceof QualityNotReachedError)) throw error;
    return null;
  }
}

const rangeOf = ({ values }: HostWavetable) => Math.max(...values) - Math.min(...values);

const QUALITIES: readonly [string, (field: HostWavetable) => Quality][] = [
  ['q = 0.5', () => 0.5],
  ['q = 0.95', () => 0.95],
  ['q = 0.9999', () => 0.9999],
  ['q = 1', () => 1],
  ['maxAbs of a tenth of the range', (field) => ({ maxAbs: rangeOf(field) / 10 || 0.1 })],
  ['maxAbs of 1e-4 of the range', (field) => ({ maxAbs: rangeOf(field) / 10_000 || 1e-4 })],
  ['maxRel 1e-2', () => ({ maxRel: 1e-2 })],
  ['30 dB', () => ({ psnr: 30 })],
  ['70 dB', () => ({ psnr: 70 })],
  ['120 bytes', () => ({ bytes: 120 })],
  ['1,000 bytes', () => ({ bytes: 1000 })],
  ['lossless', () => ({ lossless: true })],
];

eachCodec('quality', (codec) => {
  before(() => ready({ backend: 'cpu' }));

  for (const [name, field] of Object.entries(FIELDS)) {
    it(`of what is encoded the bytes, read and decoded anew, keep the bound, and say the error that they have: ${name}`, async function () {
      this.timeout(60_000);
      for (const [asked, qualityOf] of QUALITIES) {
        const quality = qualityOf(field);
        await withoutLeaks(async () => {
          const made = await encoded(codec, field, quality);
          if (!made) return;
          const read = await CompressedWavetable.fromBytes(made.bytes);
          const tensor = codec.decode(read);
          const decoded = (await tensor.data()) as Float32Array;
          tf.dispose([tensor]);
          read.dispose();
          made.dispose();
          try {
            expect(tensor.shape).to.deep.equal([...field.shape]);
            expectKept(quality, field, decoded, made.sizeBytes);
            const { largest, rms, range, squared, energy } = errorsOf(field, decoded);
            const { maxError, psnr, relativeError } = read.achieved;
            const close = (got: number, want: number, what: string) => {
              // A range of 0 makes the PSNR infinite either way.
              if (got === want) return;
              expect(Math.abs(got - want), what).to.be.at.most(1e-6 * Math.abs(want) + 1e-44);
            };
            close(maxError, Math.max(...largest), 'maxError');
            if (rms === 0) expect(psnr).to.equal(Infinity);
            else close(psnr, 20 * Math.log10(range / rms), 'psnr');
            close(relativeError, squared === 0 ? 0 : Math.sqrt(squared / energy), 'relativeError');
            expect(made.sizeBytes).to.equal(made.bytes.length);
          } catch (error) {
            throw new Error(`${codec.id}, ${asked}: ${(error as Error).message}`, { cause: error });
          }
        });
      }
    });
  }

  it('is kept at the ordinary q on a smooth field', async () => {
    const made = await codec.encode(smooth([16, 16, 4]), 0.9);
    expect(made.achieved.relativeError).to.be.at.most(0.1 * (1 + 1e-6));
    made.dispose();
  });

  it('NaN and ±∞ are kept to the last bit, or refused as an argument', async () => {
    for (const strange of [Number.NaN, Infinity, -Infinity]) {
      const field = smooth([5, 4, 2]);
      field.values[7] = strange;
      if (codec.takesNonFinite) {
        const made = await codec.encode(field, { lossless: true });
        const tensor = codec.decode(made);
        expect(new Uint8Array((await tensor.data()).slice().buffer)).to.deep.equal(
          new Uint8Array(field.values.buffer),
        );
        tensor.dispose();
        made.dispose();
      } else {
        const error = await codec.encode(field, 0.9).then(
          () => null,
          (e: unknown) => e,
        );
        expect(error).to.be.instanceOf(ArgumentError);
      }
    }
  });

  it('the same wavetable gives the same bytes, and is not written to', async () => {
    const field = smooth([12, 11, 3]);
    const kept = field.values.slice();
    const [a, b] = [await codec.encode(field, 0.9), await codec.encode(field, 0.9)];
    expect(a.bytes).to.deep.equal(b.bytes);
    expect(field.values).to.deep.equal(kept);
    a.dispose();
    b.dispose();
  });

  it('an aborted signal ends encode with its reason', async () => {
    const reason = new WavecubeError('stop');
    const error = await codec.encode(smooth([8, 8, 1]), 0.9, { signal: AbortSignal.abort(reason) }).then(
      () => null,
      (e: unknown) => e,
    );
    expect(error).to.equal(reason);
  });
});
