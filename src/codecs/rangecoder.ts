/**
 * A binary arithmetic coder with a carry-less 32-bit range. All state is integer, so that the bytes are the same on every
 * platform. A probability is that of a 1, in 1/65536: an integer in [1, 65535]. Source: M. Mahoney, "Data Compression
 * Explained" (2012), section 3.2.
 */
import { ByteWriter } from './bytes.js';

export class RangeEncoder {
  readonly #out = new ByteWriter();
  #low = 0;
  #high = 0xffffffff;

  /** Codes one bit of probability `p` / 65536 to be 1. */
  bit(value: number, p: number): void {
    const range = (this.#high - this.#low) >>> 0;
    const middle = (this.#low + (range >>> 16) * p + (((range & 0xffff) * p) >>> 16)) >>> 0;
    if (value) this.#high = middle;
    else this.#low = (middle + 1) >>> 0;
    while (((this.#low ^ this.#high) & 0xff000000) === 0) {
      this.#out.u8(this.#high >>> 24);
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 255) >>> 0;
    }
  }

  /** Bytes so far, without those still held back. */
  get length(): number {
    return this.#out.length;
  }

  finish(): Uint8Array {
    // One byte that lies inside the range, whatever (zeros) follows it, or four where there is none.
    const first = ((this.#low >>> 24) + 1) << 24;
    if (first >>> 0 > this.#low && first >>> 0 <= this.#high) this.#out.u8(first >>> 24);
    else
      this.#out.u32(
        ((this.#low & 255) << 24) |
          ((this.#low & 0xff00) << 8) |
          ((this.#low >>> 8) & 0xff00) |
          (this.#low >>> 24),
      );
    return this.#out.finish();
  }
}

/** Past its end the data reads as zeros: a damaged stream gives other bits, never an endless loop. */
export class RangeDecoder {
  #low = 0;
  #high = 0xffffffff;
  #code = 0;
  #at = 0;

  constructor(private readonly data: Uint8Array) {
    for (let i = 0; i < 4; i++) this.#code = ((this.#code << 8) | this.#next()) >>> 0;
  }

  bit(p: number): 0 | 1 {
    const range = (this.#high - this.#low) >>> 0;
    const middle = (this.#low + (range >>> 16) * p + (((range & 0xffff) * p) >>> 16)) >>> 0;
    const value = this.#code <= middle ? 1 : 0;
    if (value) this.#high = middle;
    else this.#low = (middle + 1) >>> 0;
    while (((this.#low ^ this.#high) & 0xff000000) === 0) {
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 255) >>> 0;
      this.#code = ((this.#code << 8) | this.#next()) >>> 0;
    }
    return value;
  }

  /** Bytes read beyond the end: more than the four that a stream may leave off means that it was cut. */
  get overrun(): number {
    return Math.max(0, this.#at - this.data.length);
  }

  #next(): number {
    const at = this.#at++;
    return at < this.data.length ? this.data[at] : 0;
  }
}
