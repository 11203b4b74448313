import { expect } from 'chai';
import { binary } from '../src/checksum.generated.js';
import { byTables, crc32, crc32c } from '../src/checksum.js';
import fc from './support/properties.js';

/** One bit at a time, by the definition: reflected, register and result inverted. */
function bitByBit(polynomial: number, bytes: Uint8Array, seed = 0): number {
  let register = ~seed;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ (register & 1 ? polynomial : 0);
  }
  return ~register >>> 0;
}

const CRCS = [
  { name: 'CRC-32C', crc: crc32c, tables: byTables.crc32c, polynomial: 0x82f63b78, check: 0xe3069283 },
  { name: 'CRC-32', crc: crc32, tables: byTables.crc32, polynomial: 0xedb88320, check: 0xcbf43926 },
];

function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    bytes[i] = seed >>> 24;
  }
  return bytes;
}

/** What kernels/checksum folds at a time: borders between blocks are looked for around its multiples. */
const BLOCK = 16384;
const LEFT = [532, 600];

describe('checksums', () => {
  for (const { name, crc, tables, polynomial, check } of CRCS) {
    const reference = (bytes: Uint8Array, seed = 0) => bitByBit(polynomial, bytes, seed);

    describe(name, () => {
      it('of "123456789" is the published check value', () => {
        const digits = new TextEncoder().encode('123456789');
        expect(crc(digits)).to.equal(check);
        expect(tables(digits)).to.equal(check);
        expect(reference(digits)).to.equal(check);
      });

      it('equals the definition, bit by bit, for lengths 0 to 300, folded down from long inputs or not', () => {
        const long = noise(4096, 3);
        for (let length = 0; length <= 300; length++) {
          const bytes = noise(length + 3, length + 1).subarray(3);
          expect(crc(bytes), `${length} bytes`).to.equal(reference(bytes));
          const extended = long.subarray(0, 1800 + length);
          expect(crc(extended), `${extended.length} bytes`).to.equal(reference(extended));
        }
      });

      it('equals the definition where blocks meet, at odd offsets', () => {
        const lengths = [2047, 2048, 4095];
        for (const left of [0, ...LEFT]) {
          for (const blocks of [1, 2, 3]) {
            for (const d of [-17, -16, -15, -1, 0, 1, 15, 16, 17]) lengths.push(blocks * BLOCK + left + d);
          }
        }
        const all = noise(4 * BLOCK, 5);
        lengths.forEach((length, i) => {
          const bytes = all.subarray(1 + (i % 7), 1 + (i % 7) + length);
          expect(crc(bytes), `${length} bytes`).to.equal(reference(bytes));
        });
      });

      it('of a followed by b is that of b with the seed of a, wherever they part', () => {
        const all = noise(3 * BLOCK, 9);
        fc.assert(
          fc.property(fc.nat(all.length), fc.nat(all.length), fc.nat(all.length), (i, j, k) => {
            const [from, middle, to] = [i, j, k].sort((a, b) => a - b);
            const whole = crc(all.subarray(from, to));
            expect(crc(all.subarray(middle, to), crc(all.subarray(from, middle)))).to.equal(whole);
            expect(tables(all.subarray(from, to))).to.equal(whole);
          }),
        );
      });

      it('goes on from any seed', () => {
        const word = fc.integer({ min: 0, max: 0xffffffff });
        fc.assert(
          fc.property(word, fc.integer({ min: 0, max: 6000 }), (seed, length) => {
            const bytes = noise(length, seed);
            const expected = reference(bytes, seed);
            expect(crc(bytes, seed)).to.equal(expected);
            expect(tables(bytes, seed)).to.equal(expected);
          }),
        );
      });

      it('sees every flipped bit of a long input', () => {
        const bytes = noise(2 * BLOCK + 77, 11);
        const whole = crc(bytes);
        fc.assert(
          fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
            bytes[at] ^= 1 << bit;
            const flipped = crc(bytes);
            bytes[at] ^= 1 << bit;
            expect(flipped).not.to.equal(whole);
          }),
        );
      });

      it('of a view reads its bytes alone, and changes none', () => {
        const buffer = noise(2 * BLOCK, 13);
        const before = buffer.slice();
        const view = buffer.subarray(1001, 1001 + BLOCK + 5);
        const got = crc(view);
        expect(got).to.equal(crc(view.slice()));
        buffer.fill(0, 0, 1001).fill(255, 1001 + BLOCK + 5);
        expect(crc(view)).to.equal(got);
        expect(view).to.deep.equal(before.subarray(1001, 1001 + BLOCK + 5));
      });

      it('of one input leaves nothing behind for the next', () => {
        const [a, b] = [noise(5000, 17), noise(40_000, 19)];
        const alone = [reference(a), reference(b)];
        for (let i = 0; i < 3; i++) expect([crc(a), crc(b)]).to.deep.equal(alone);
      });
    });
  }

  it('CRC-32C of the examples of RFC 3720, B.4', () => {
    const upward = Uint8Array.from({ length: 32 }, (_, i) => i);
    const readCommand = new Uint8Array(48);
    readCommand.set([0x01, 0xc0]);
    readCommand[16] = 0x14;
    readCommand[22] = 0x04;
    readCommand[27] = 0x14;
    readCommand[31] = 0x18;
    readCommand[32] = 0x28;
    readCommand[40] = 0x02;
    expect(crc32c(new Uint8Array(32)), 'zeros').to.equal(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255)), 'ones').to.equal(0x62a8ab43);
    expect(crc32c(upward), 'upward').to.equal(0x46dd794e);
    expect(crc32c(upward.slice().reverse()), 'downward').to.equal(0x113fdb5c);
    expect(crc32c(readCommand), 'an iSCSI read command').to.equal(0xd9963a56);
  });

  it('the folding module compiles at once on any thread: small, nothing imported, nothing run or written at its start', () => {
    const bytes = Uint8Array.from(atob(binary), (letter) => letter.charCodeAt(0));
    expect(bytes.length).to.be.below(4096);
    const module = new WebAssembly.Module(bytes);
    expect(WebAssembly.Module.imports(module)).to.deep.equal([]);
    const { memory } = new WebAssembly.Instance(module).exports as { memory: WebAssembly.Memory };
    expect(memory.buffer.byteLength).to.equal(65536);
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).to.equal(true);
  });
});
