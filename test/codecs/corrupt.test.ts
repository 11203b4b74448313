/**
 * Damaged and hostile bytes, for each of Wavecube's codecs: a FormatError, or (where the checksum is not verified) values
 * of the shape that the header says. No other error, no hang, no allocation on a header's word.
 */
import { expect } from 'chai';
import { ByteWriter } from '../../src/codecs/bytes.js';
import type { WavetableCodec } from '../../src/codecs/codec.js';
import { MAX_ELEMENTS } from '../../src/codecs/container.js';
import { OWN_CODECS } from '../../src/codecs/own.js';
import { sizeOf } from '../../src/codecs/parameters.js';
import type { Quality } from '../../src/codecs/quality.js';
import { CompressedWavetable, FormatError, QualityNotReachedError, ready } from '../../src/index.js';
import { discs, eachCodec, fieldOf, smooth } from '../support/fields.js';
import { random } from '../support/numbers.js';

const FLIPS = 10_000;
/** Of these that many are tried without the checksum as well. */
const UNVERIFIED = 3000;

/** Streams of a codec that use what its payload can hold. */
async function streams(codec: WavetableCodec): Promise<Uint8Array[]> {
  const out: Uint8Array[] = [];
  const qualities: Quality[] = [0.9, 0.99];
  for (const field of [smooth([6, 5, 2]), discs([8, 8, 2]), fieldOf([4, 4, 1], () => 0.5)]) {
    for (const quality of codec.takesNonFinite ? [1 as const] : qualities) {
      try {
        const made = await codec.encode(field, quality);
        out.push(made.bytes.slice());
        made.dispose();
      } catch (error) {
        if (!(error instanceof QualityNotReachedError)) throw error;
      }
    }
  }
  expect(out.length).to.be.above(2);
  return out;
}

/** What became of bytes: null for a FormatError. Anything else but good parameters is a failure. */
function readOf(bytes: Uint8Array, verify: boolean): CompressedWavetable | null {
  try {
    return CompressedWavetable.read(bytes, { verify });
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

eachCodec('damaged bytes', (codec) => {
  let all: Uint8Array[];
  before(async function () {
    this.timeout(60_000);
    await ready({ backend: 'cpu' });
    all = await streams(codec);
  });

  it('cut at every byte they are refused, also without the checksum', () => {
    for (const bytes of all) {
      for (let length = 0; length < bytes.length; length++) {
        expect(readOf(bytes.slice(0, length), true), `${length} bytes`).to.equal(null);
        expect(readOf(bytes.slice(0, length), false), `${length} bytes, unverified`).to.equal(null);
      }
      expect(readOf(bytes, true)).not.to.equal(null);
    }
  });

  it('a payload that is cut, in a container that is whole, is refused or gives the shape', () => {
    for (const bytes of all) {
      const read = CompressedWavetable.read(bytes);
      const payload = payloadOf(bytes, codec.id);
      for (let length = 0; length < payload.length; length++) {
        expectShaped(() => codec.unpack(payload.slice(0, length), read.shape, 'cut'), read.shape);
      }
    }
  });

  it(`of ${FLIPS} flipped bits the checksum finds each; without it ${UNVERIFIED} of them are refused or give the shape`, function () {
    this.timeout(60_000);
    const next = random(7);
    for (let k = 0; k < FLIPS; k++) {
      const bytes = all[k % all.length].slice();
      const at = Math.floor(next() * bytes.length);
      bytes[at] ^= 1 << Math.floor(next() * 8);
      expect(readOf(bytes, true), `byte ${at}`).to.equal(null);
      if (k >= UNVERIFIED) continue;
      const read = readOf(bytes, false);
      if (read && sizeOf(read.shape) < 4096 && read.codec === codec.id) {
        const decoded = codec.decode(read);
        expect(decoded.shape).to.deep.equal([...read.shape]);
        decoded.dispose();
        read.dispose();
      }
    }
  });

  it('random bytes as a payload are refused or give the shape', () => {
    const next = random(8);
    for (let k = 0; k < 1000; k++) {
      const payload = Uint8Array.from({ length: Math.floor(next() ** 3 * 400) }, () =>
        Math.floor(256 * next()),
      );
      if (payload.length && k % 2) payload[0] = Math.floor(6 * next());
      if (payload.length > 1 && k % 3) payload[1] = Math.floor(4 * next());
      expectShaped(() => codec.unpack(payload, [5, 4, 2], 'random'), [5, 4, 2]);
    }
  });

  it('a small payload for a huge wavetable costs neither memory nor time', function () {
    this.timeout(20_000);
    for (const bytes of all) {
      const payload = payloadOf(bytes, codec.id);
      for (const shape of [
        [1, 1, MAX_ELEMENTS],
        [2 ** 12, 2 ** 13, 2],
      ] as const) {
        const start = performance.now();
        expectShaped(() => codec.unpack(payload, shape, 'huge'), shape);
        expect(performance.now() - start).to.be.below(5000);
      }
    }
  });
});

/** The payload of a small container: behind the header, before the checksum. */
function payloadOf(bytes: Uint8Array, id: string): Uint8Array {
  // Magic, layout, flags, id, version, three sizes below 128, three floats; then the payload's length.
  let at = 4 + 2 + 1 + id.length + 1 + 3 + 12;
  while (bytes[at++] >= 128);
  return bytes.slice(at, bytes.length - 4);
}

/** `unpack` gives what the codec itself takes for the parameters of that shape, or a FormatError. */
function expectShaped(unpack: () => ReturnType<WavetableCodec['unpack']>, shape: readonly number[]): void {
  let parameters: ReturnType<WavetableCodec['unpack']>;
  try {
    parameters = unpack();
  } catch (error) {
    if (error instanceof FormatError) return;
    throw error;
  }
  for (const [name, array] of Object.entries({ ...parameters.params, ...parameters.constants })) {
    expect(array.values.length, `${name} for [${shape}]`).to.equal(sizeOf(array.shape));
  }
}

describe('hostile headers', () => {
  before(() => ready({ backend: 'cpu' }));

  interface Header {
    magic?: string;
    layout?: number;
    flags?: number;
    id?: string;
    version?: number;
    shape?: readonly number[];
    length?: number;
    payload?: readonly number[];
  }
  const id = OWN_CODECS[0].id;

  function container(header: Header): Uint8Array {
    const {
      magic = 'WVCN',
      layout = 1,
      flags = 0,
      version = 1,
      shape = [2, 2, 1],
      payload = [0, 0],
    } = header;
    const out = new ByteWriter();
    for (const letter of magic) out.u8(letter.charCodeAt(0));
    out.u8(layout);
    out.u8(flags);
    out.ascii(header.id ?? id);
    out.varint(version);
    for (const n of shape) out.varint(n);
    for (let i = 0; i < 3; i++) out.f32(0);
    out.varint(header.length ?? payload.length);
    out.bytes(Uint8Array.from(payload));
    out.u32(0);
    return out.finish();
  }

  const refused = (bytes: Uint8Array, message: RegExp) =>
    expect(() => CompressedWavetable.read(bytes, { verify: false })).to.throw(FormatError, message);

  it('are refused by what is wrong with them', () => {
    refused(new Uint8Array(0), /magic/);
    refused(container({ magic: 'WVCX' }), /magic/);
    refused(container({ layout: 2 }), /layout/);
    refused(container({ flags: 3 }), /unknown kind/);
    refused(container({ id: 'nobody' }), /nobody/);
    refused(container({ id: 'x'.repeat(65) }), /codec id/);
    refused(container({ version: 99 }), /version/);
    refused(container({ shape: [0, 1, 1] }), /elements/);
    refused(container({ shape: [2 ** 20, 2 ** 20, 4] }), /elements/);
    refused(container({ shape: [2 ** 32, 2 ** 32, 2 ** 32] }), /elements/);
    refused(container({ shape: [2 ** 33, 1, 1] }), /H must be/);
    refused(container({ length: 3 }), /checksum/);
    refused(container({ length: 2 ** 31 }), /length of the payload/);
  });

  it('a number that never ends is refused', () => {
    const start = container({}).slice(0, 4 + 2 + 1 + id.length + 1);
    const bytes = new Uint8Array(start.length + 4000).fill(255);
    bytes.set(start);
    refused(bytes, /no number|at most/);
  });

  it('raw parameters of any damage are refused, or fit', () => {
    const next = random(9);
    for (let k = 0; k < 2000; k++) {
      const payload = Array.from({ length: Math.floor(next() * 60) }, () => Math.floor(next() ** 2 * 256));
      const read = readOf(container({ flags: 1, payload, id: OWN_CODECS[k % OWN_CODECS.length].id }), false);
      read?.dispose();
    }
    const huge = new ByteWriter();
    huge.varint(1);
    huge.ascii('values');
    huge.u8(1);
    huge.varint(3);
    for (let i = 0; i < 3; i++) huge.varint(2 ** 20);
    refused(container({ flags: 1, payload: [...huge.finish()] }), /cut short/);
  });
});
