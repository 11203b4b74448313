/** The bytes of a container: all comes back, errors are rounded to the side that claims less, sizes are counted. */
import { expect } from 'chai';
import {
  type Contents,
  overheadOf,
  PayloadKind,
  readContainer,
  writeContainer,
} from '../../src/codecs/container.js';
import { OWN_CODECS } from '../../src/codecs/own.js';
import {
  CompressedWavetable,
  FormatError,
  type HostTensor,
  type HostWavetable,
  LosslessCodec,
  type Parameters,
  QualityNotReachedError,
  ready,
} from '../../src/index.js';
import fc from '../support/properties.js';

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

describe('parameters as they are', () => {
  const shape = [4, 4, 1] as const;
  const values = { shape, values: new Float32Array(16) };
  const good: Record<string, Parameters> = {
    quantized: {
      params: {
        scale: { shape: [1], values: Float32Array.of(1) },
        offset: { shape: [1], values: Float32Array.of(0) },
      },
      constants: { levels: { shape, values: new Int32Array(16) } },
    },
    predictive: {
      params: {
        scale: { shape: [1], values: Float32Array.of(1) },
        offset: { shape: [1], values: Float32Array.of(0) },
      },
      constants: { values },
    },
    lossless: { params: {}, constants: { values } },
    gaussian: { params: { general: { shape: [1, 6], values: new Float32Array(6) } }, constants: {} },
    dct: { params: { coefficients: { shape: [2, 2, 1], values: new Float32Array(4) } }, constants: {} },
    wavelet: { params: { coefficients: { shape: [2, 2, 1], values: new Float32Array(4) } }, constants: {} },
    fft: { params: { coefficients: { shape: [2, 2, 2], values: new Float32Array(8) } }, constants: {} },
  };
  const changed = ({ params, constants }: Parameters, change: (array: HostTensor) => HostTensor) => {
    const all = (arrays: Parameters['params']) =>
      Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, change(array)]));
    return { params: all(params), constants: all(constants) };
  };

  it('are copied, and come back as they went, of each codec', async () => {
    await ready({ backend: 'cpu' });
    for (const codec of OWN_CODECS) {
      const given = changed(good[codec.id], ({ shape, values }) => ({ shape, values: values.slice() }));
      const made = CompressedWavetable.ofParameters(codec, shape, given);
      changed(given, (array) => {
        array.values.fill(7);
        return array;
      });
      expect(made.parameters, codec.id).to.deep.equal(good[codec.id]);
      expect((await CompressedWavetable.fromBytes(made.bytes)).parameters).to.deep.equal(good[codec.id]);
    }
  });

  it('are refused where an array is not as long as its shape, has another, or is not finite', () => {
    for (const codec of OWN_CODECS) {
      const make = (change: (array: HostTensor) => HostTensor) => () =>
        CompressedWavetable.ofParameters(codec, shape, changed(good[codec.id], change));
      const wrong: [string, (array: HostTensor) => HostTensor][] = [
        ['long', ({ shape, values }) => ({ shape, values: values.slice(1) })],
        ['flat', ({ values }) => ({ shape: [values.length, 1, 1, 1], values })],
        [
          'NaN',
          ({ shape, values }) => ({
            shape,
            values: values instanceof Float32Array ? values.map(() => NaN) : values,
          }),
        ],
      ];
      for (const [name, change] of wrong) {
        if (name === 'NaN' && codec.takesNonFinite) expect(make(change)).not.to.throw();
        else expect(make(change), `${codec.id} ${name}`).to.throw(FormatError);
      }
    }
  });
});

describe('a codec', () => {
  it('tries once where a smaller error cannot help', async () => {
    await ready({ backend: 'cpu' });
    let tries = 0;
    class CountingCodec extends LosslessCodec {
      protected override compress(wavetable: HostWavetable): Promise<Uint8Array> {
        tries++;
        return super.compress(wavetable, null, {});
      }
    }
    const wavetable = { values: new Float32Array(64).map((_, i) => Math.sin(i)), shape: [8, 8, 1] as const };
    const error = await new CountingCodec().encode(wavetable, { bytes: 50 }).catch((e) => e);
    expect(error).to.be.instanceOf(QualityNotReachedError);
    expect(error.best.sizeBytes).to.be.above(50);
    expect(tries).to.equal(1);
  });

  it('knows its options: a misspelt one is refused', async () => {
    await ready({ backend: 'cpu' });
    const codec = new LosslessCodec();
    const wavetable = { values: new Float32Array(64), shape: [8, 8, 1] as const };
    const error = await codec.encode(wavetable, 1, { sgnal: 1 } as object).catch((e) => e);
    expect(error.message).to.match(/lossless: encode: no option is called 'sgnal'/);
    const made = await codec.encode(wavetable, 1);
    expect(() => codec.decode(made, { resolutoin: 4 } as object)).to.throw(/decode: no option is called/);
    const unread = await CompressedWavetable.fromBytes(made.bytes, { verfy: true } as object).catch((e) => e);
    expect(unread.message).to.match(/no option is called 'verfy'/);
  });
});
