/** A plain cursor over bytes, little-endian: the writer grows, the reader refuses to read past its end. */
import { check, FormatError } from '../errors.js';

/** Integers of either sign as integers from 0 on, small ones small: 0, −1, 1, −2, … → 0, 1, 2, 3, …; and back. */
export const zigzag = (n: number): number => (n < 0 ? -2 * n - 1 : 2 * n);
export const unzigzag = (n: number): number => (n % 2 ? -(n + 1) / 2 : n / 2);

export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#room(1)[this.#length++] = value;
  }

  /** An integer in [0, 2⁵³) as LEB128: seven bits a byte, low first. */
  varint(value: number): void {
    while (value >= 128) {
      this.u8((value % 128) + 128);
      value = Math.floor(value / 128);
    }
    this.u8(value);
  }

  u32(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.u8((value >>> shift) & 255);
  }

  f32(value: number): void {
    this.bytes(new Uint8Array(Float32Array.of(value).buffer));
  }

  f64(value: number): void {
    this.bytes(new Uint8Array(Float64Array.of(value).buffer));
  }

  /** Characters of one byte each, their number first. */
  ascii(text: string): void {
    this.varint(text.length);
    for (let i = 0; i < text.length; i++) this.u8(text.charCodeAt(i));
  }

  bytes(values: Uint8Array): void {
    this.#room(values.length).set(values, this.#length);
    this.#length += values.length;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #room(count: number): Uint8Array {
    if (this.#length + count > this.#bytes.length) {
      const more = new Uint8Array(Math.max(this.#length + count, 2 * this.#bytes.length));
      more.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = more;
    }
    return this.#bytes;
  }
}

export class ByteReader {
  readonly #data: Uint8Array;
  #offset = 0;

  constructor(
    data: Uint8Array,
    private readonly source: string,
  ) {
    // A plain view: slice copies it, where that of Node's Buffer does not.
    this.#data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return this.#data.length - this.#offset;
  }

  u8(): number {
    return this.bytes(1)[0];
  }

  varint(what: string, most = 2 ** 32): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.u8();
      value += (byte & 127) * scale;
      if (byte < 128) {
        check(value <= most, () => this.error(`${what} must be at most ${most}, got ${value}`));
        return value;
      }
    }
    throw this.error(`${what} is no number`);
  }

  u32(): number {
    const [a, b, c, d] = this.bytes(4);
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  }

  f32(): number {
    return this.floats(1)[0];
  }

  f64(): number {
    return new Float64Array(this.bytes(8).slice().buffer)[0];
  }

  /** `count` floats, copied. */
  floats(count: number): Float32Array {
    return new Float32Array(this.bytes(4 * count).slice().buffer);
  }

  ascii(what: string, most = 64): string {
    return String.fromCharCode(...this.bytes(this.varint(what, most)));
  }

  /** A view of the next `count` bytes. */
  bytes(count: number): Uint8Array {
    check(count <= this.left, () =>
      this.error(`ends after ${this.#data.length} bytes, ${count - this.left} too soon`),
    );
    this.#offset += count;
    return this.#data.subarray(this.#offset - count, this.#offset);
  }

  error(message: string): FormatError {
    return new FormatError(this.source, `${message} (at byte ${this.#offset})`);
  }
}
