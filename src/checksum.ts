/**
 * CRC-32C (RFC 3720, Castagnoli) and CRC-32 (zip, PNG), at several GB/s. Long inputs are folded down to some hundred bytes in
 * WebAssembly (kernels/checksum); those, and short inputs, go through tables, eight bytes a step (Kounavis and Berry, "Novel table
 * lookup-based algorithms for high-performance CRC generation", 2008), as does everything where WebAssembly is missing or refused.
 */
import { binary } from './checksum.generated.js';

/** What kernels/checksum exports, for one polynomial. */
interface Folding {
  /** All of the module's memory. */
  memory: Uint8Array;
  block: number;
  blockBytes: number;
  leftBytes: number;
  fold(register: number, bytes: number): void;
  end(): void;
}

type Exports = Record<'block' | 'blockBytes' | 'castagnoliLeft' | 'zipLeft', { value: number }> &
  Record<'castagnoliFold' | 'zipFold', Folding['fold']> &
  Record<'castagnoliEnd' | 'zipEnd', Folding['end']> & { memory: { buffer: ArrayBuffer } };

let exports: Exports | null | undefined;

/** The module, compiled at first use; null where it cannot be. It is small enough for a page's main thread. */
function compiled(): Exports | null {
  if (exports !== undefined) return exports;
  try {
    const bytes = Uint8Array.from(atob(binary), (letter) => letter.charCodeAt(0));
    exports = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Exports;
  } catch {
    exports = null; // No WebAssembly, none with SIMD, or a page whose policy forbids it.
  }
  return exports;
}

/** Where folding begins to pay. */
const LONG = 1024;

class Checksum {
  #tables: Int32Array | undefined;
  #folding: Folding | null | undefined;

  constructor(
    /** Reflected: x^31 is bit 0. */
    readonly polynomial: number,
    readonly name: 'castagnoli' | 'zip',
  ) {}

  /** The CRC of bytes whose beginning had `seed`, unsigned. */
  of(bytes: Uint8Array, seed: number): number {
    const folding = bytes.length < LONG ? null : (this.#folding ??= this.#foldingOf(compiled()));
    if (!folding) return this.sliced(bytes, seed);
    const { memory, block, blockBytes, leftBytes } = folding;
    memory.fill(0, 0, block);
    // Whole vectors are folded; the bytes left end at `end`, fewer than a vector before the input does.
    const foldedBytes = (bytes.length - leftBytes) & ~15;
    let register = ~seed;
    for (let at = 0; at < foldedBytes; at += blockBytes) {
      const end = Math.min(at + blockBytes, foldedBytes);
      memory.set(bytes.subarray(at, end), block);
      folding.fold(register, end - at);
      register = 0;
    }
    const end = foldedBytes + leftBytes;
    memory.set(bytes.subarray(foldedBytes, end), block);
    folding.end();
    register = this.#step(0, memory, block, block + leftBytes);
    return ~this.#step(register, bytes, end, bytes.length) >>> 0;
  }

  /** `of`, without WebAssembly. */
  sliced(bytes: Uint8Array, seed: number): number {
    return ~this.#step(~seed, bytes, 0, bytes.length) >>> 0;
  }

  #foldingOf(exports: Exports | null): Folding | null {
    return (
      exports && {
        memory: new Uint8Array(exports.memory.buffer),
        block: exports.block.value,
        blockBytes: exports.blockBytes.value,
        leftBytes: exports[`${this.name}Left`].value,
        fold: exports[`${this.name}Fold`],
        end: exports[`${this.name}End`],
      }
    );
  }

  /** The register after bytes[from…to). */
  #step(register: number, bytes: Uint8Array, from: number, to: number): number {
    const t = (this.#tables ??= tablesOf(this.polynomial));
    let at = from;
    for (const whole = to - ((to - from) & 7); at < whole; at += 8) {
      register =
        t[1792 + ((register ^ bytes[at]) & 255)] ^
        t[1536 + (((register >>> 8) ^ bytes[at + 1]) & 255)] ^
        t[1280 + (((register >>> 16) ^ bytes[at + 2]) & 255)] ^
        t[1024 + ((register >>> 24) ^ bytes[at + 3])] ^
        t[768 + bytes[at + 4]] ^
        t[512 + bytes[at + 5]] ^
        t[256 + bytes[at + 6]] ^
        t[bytes[at + 7]];
    }
    for (; at < to; at++) register = (register >>> 8) ^ t[(register ^ bytes[at]) & 255];
    return register;
  }
}

/** t[256 k + b]: the register after byte b and k zero bytes, k = 0…7. */
function tablesOf(polynomial: number): Int32Array {
  const t = new Int32Array(8 * 256);
  for (let b = 0; b < 256; b++) {
    let register = b;
    for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ (register & 1 ? polynomial : 0);
    t[b] = register;
  }
  for (let i = 256; i < t.length; i++) t[i] = (t[i - 256] >>> 8) ^ t[t[i - 256] & 255];
  return t;
}

const castagnoli = new Checksum(0x82f63b78, 'castagnoli');
const zip = new Checksum(0xedb88320, 'zip');

/**
 * CRC-32C of bytes, unsigned 32-bit. `crc32c(b, crc32c(a))` is that of a followed by b.
 * @param bytes any view, of any offset, also of shared memory; not changed.
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  return castagnoli.of(bytes, seed);
}

/** CRC-32, as zip and PNG have it; otherwise as crc32c. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return zip.of(bytes, seed);
}

/** The same numbers by tables alone: what is used where there is no WebAssembly. */
export const byTables = {
  crc32c: (bytes: Uint8Array, seed = 0): number => castagnoli.sliced(bytes, seed),
  crc32: (bytes: Uint8Array, seed = 0): number => zip.sliced(bytes, seed),
};
