/**
 * A binary arithmetic coder with a carry-less 32-bit range. All state is integer, so that the bytes are the same on every
 * platform. A probability is that of a 1, in 1/65536: an integer in [1, 65535]. Source: M. Mahoney, "Data Compression
 * Explained" (2012), section 3.2.
 */

const LOW = 0;
const HIGH = 1;
const CODE = 2;

/** Where [low, high] is split. Products are below 2³², their sum too: low + range. */
const split = (low: number, high: number, p: number): number => {
  const range = (high - low) >>> 0;
  return (low + Math.imul(range >>> 16, p) + (Math.imul(range & 0xffff, p) >>> 16)) >>> 0;
};

export class RangeEncoder {
  #out = new Uint8Array(1024);
  #length = 0;
  /** In a typed array: numbers above 2³⁰ would be boxed in a field. */
  readonly #state = Uint32Array.of(0, 0xffffffff);

  /** Codes one bit of probability `p` / 65536 to be 1. */
  bit(value: number, p: number): void {
    const state = this.#state;
    const middle = split(state[LOW], state[HIGH], p);
    if (value) state[HIGH] = middle;
    else state[LOW] = middle + 1;
    while (((state[LOW] ^ state[HIGH]) & 0xff000000) === 0) {
      this.#put(state[HIGH] >>> 24);
      state[LOW] <<= 8;
      state[HIGH] = (state[HIGH] << 8) | 255;
    }
  }

  /** Bytes so far, without those still held back. */
  get length(): number {
    return this.#length;
  }

  /**
   * @param followed whether bytes of another use follow: the last bytes then name an interval that holds whatever they
   * are; otherwise a point, as zeros are read beyond the end.
   */
  finish(followed = false): Uint8Array {
    const low = this.#state[LOW];
    const high = this.#state[HIGH];
    for (let bytes = 1; bytes <= 4; bytes++) {
      const unit = 2 ** (32 - 8 * bytes);
      const value = Math.ceil(low / unit) * unit;
      if (value + (followed ? unit - 1 : 0) > high) continue;
      for (let i = 0; i < bytes; i++) this.#put((value >>> (24 - 8 * i)) & 255);
      break;
    }
    return this.#out.slice(0, this.#length);
  }

  #put(byte: number): void {
    if (this.#length === this.#out.length) {
      const more = new Uint8Array(2 * this.#length);
      more.set(this.#out);
      this.#out = more;
    }
    this.#out[this.#length++] = byte;
  }
}

/** Past its end the data reads as zeros: a damaged stream gives other bits, never an endless loop. */
export class RangeDecoder {
  readonly #state = Uint32Array.of(0, 0xffffffff, 0);
  #at = 0;

  constructor(private readonly data: Uint8Array) {
    for (let i = 0; i < 4; i++) this.#state[CODE] = (this.#state[CODE] << 8) | this.#next();
  }

  bit(p: number): 0 | 1 {
    const state = this.#state;
    const middle = split(state[LOW], state[HIGH], p);
    const value = state[CODE] <= middle ? 1 : 0;
    if (value) state[HIGH] = middle;
    else state[LOW] = middle + 1;
    while (((state[LOW] ^ state[HIGH]) & 0xff000000) === 0) {
      state[LOW] <<= 8;
      state[HIGH] = (state[HIGH] << 8) | 255;
      state[CODE] = (state[CODE] << 8) | this.#next();
    }
    return value;
  }

  /** Bytes read so far, zeros beyond the end among them: four before the first bit. */
  get position(): number {
    return this.#at;
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
