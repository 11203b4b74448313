/**
 * Adaptive models over the range coder. One code path serves both directions: a Coder takes the value that is to be coded
 * and gives back the value that was coded, so an encoder and its decoder cannot drift; a decoder passes over what it
 * is given. Everything is integer: bytes are the same on every platform.
 *
 * Bits are modelled (models.ts) in contexts: numbers below the `contexts` that the coder was made with.
 *
 * A stream is what the range coder wrote, and from the end backwards the plain bits: those cost nothing to model, and
 * are written past the range coder at a tenth of its time.
 */
import { Models } from './models.js';
import { RangeDecoder, RangeEncoder } from './rangecoder.js';

export { LEAST_BITS } from './models.js';

/** Codes bits and integers by adaptive models. */
export interface Coder {
  /** Whether values are read. */
  readonly decoding: boolean;
  /** A bit with the adaptive probability of `context`. */
  bit(value: number, context: number): number;
  /**
   * A bit whose probability is mixed from those of several contexts, each `slot` further on than said, with weights that
   * adapt in the set `mix`.
   */
  mixedBit(value: number, contexts: Int32Array, mix: number, slot?: number): number;
  /** `count` bits as likely 0 as 1, high first; count ≤ 31. */
  plain(value: number, count: number): number;
}

/** What the models of a stream need room for. `inputs` is the number of contexts that mixedBit is given at most. */
export interface ModelSizes {
  contexts: number;
  mixes?: number;
  inputs?: number;
}

export class EntropyEncoder implements Coder {
  readonly decoding = false;
  readonly #coder = new RangeEncoder();
  readonly #models: Models;
  /** Plain bits, first byte first; the last byte is still in `#held`. */
  #plain = new Uint8Array(256);
  #plainLength = 0;
  #held = 0;
  #heldBits = 0;

  constructor({ contexts, mixes = 0, inputs = 0 }: ModelSizes) {
    this.#models = new Models(contexts, mixes, inputs);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#coder.length + this.#plainLength;
  }

  bit(value: number, context: number): number {
    this.#coder.bit(value, this.#models.probability(context));
    this.#models.update(context, value);
    return value;
  }

  mixedBit(value: number, contexts: Int32Array, mix: number, slot = 0): number {
    const p = this.#models.mixed(contexts, slot, mix);
    this.#coder.bit(value, p);
    this.#models.learn(contexts, slot, mix, p, value);
    return value;
  }

  plain(value: number, count: number): number {
    if (count > 16) {
      this.#bits((value >>> 16) & ((1 << (count - 16)) - 1), count - 16);
      this.#bits(value & 0xffff, 16);
    } else this.#bits(value & ((1 << count) - 1), count);
    return value;
  }

  finish(): Uint8Array {
    if (this.#heldBits > 0) this.#bits(0, 8 - this.#heldBits);
    const front = this.#coder.finish(this.#plainLength > 0);
    const out = new Uint8Array(front.length + this.#plainLength);
    out.set(front);
    out.set(this.#plain.subarray(0, this.#plainLength).reverse(), front.length);
    return out;
  }

  #bits(value: number, count: number): void {
    this.#held = (this.#held << count) | value;
    this.#heldBits += count;
    while (this.#heldBits >= 8) {
      this.#heldBits -= 8;
      if (this.#plainLength === this.#plain.length) {
        const more = new Uint8Array(2 * this.#plainLength);
        more.set(this.#plain);
        this.#plain = more;
      }
      this.#plain[this.#plainLength++] = this.#held >>> this.#heldBits;
    }
    this.#held &= 255;
  }
}

export class EntropyDecoder implements Coder {
  readonly decoding = true;
  readonly #coder: RangeDecoder;
  readonly #models: Models;
  readonly #data: Uint8Array;
  /** Plain bytes read, from the end. */
  #plainLength = 0;
  #held = 0;
  #heldBits = 0;

  constructor(data: Uint8Array, { contexts, mixes = 0, inputs = 0 }: ModelSizes) {
    this.#data = data;
    this.#coder = new RangeDecoder(data);
    this.#models = new Models(contexts, mixes, inputs);
  }

  /** Bytes asked for beyond what there are: above four the stream was cut. */
  get overrun(): number {
    return Math.max(0, this.#coder.position + this.#plainLength - this.#data.length);
  }

  bit(_value: number, context: number): number {
    const value = this.#coder.bit(this.#models.probability(context));
    this.#models.update(context, value);
    return value;
  }

  mixedBit(_value: number, contexts: Int32Array, mix: number, slot = 0): number {
    const p = this.#models.mixed(contexts, slot, mix);
    const value = this.#coder.bit(p);
    this.#models.learn(contexts, slot, mix, p, value);
    return value;
  }

  plain(_value: number, count: number): number {
    if (count <= 16) return this.#bits(count);
    const high = this.#bits(count - 16);
    return (high << 16) | this.#bits(16);
  }

  #bits(count: number): number {
    while (this.#heldBits < count) {
      this.#plainLength++;
      const at = this.#data.length - this.#plainLength;
      this.#held = ((this.#held & 0xffff) << 8) | (at >= 0 ? this.#data[at] : 0);
      this.#heldBits += 8;
    }
    this.#heldBits -= count;
    return (this.#held >>> this.#heldBits) & ((1 << count) - 1);
  }
}

/** Contexts that `codeUnsigned` takes from its base on. */
export const UNSIGNED_CONTEXTS = 96;

/**
 * An integer in [0, 2³¹): the number of its bits in unary, then the bits below the highest, the first two of them
 * modelled. Small values cost few bits.
 */
export function codeUnsigned(coder: Coder, value: number, base: number): number {
  const want = 32 - Math.clz32(value);
  let bits = 0;
  while (bits < 31 && coder.bit(Number(want > bits), base + bits)) bits++;
  if (bits < 2) return bits;
  const below = bits - 1;
  const first = coder.bit((value >>> (below - 1)) & 1, base + 32 + bits);
  if (below === 1) return 2 | first;
  const second = coder.bit(
    (value >>> (below - 2)) & 1,
    base + 64 + (first ? 0 : 32) / 2 + Math.min(15, bits >> 1),
  );
  const rest = below - 2;
  const low = rest > 0 ? coder.plain(value & ((1 << rest) - 1), rest) : 0;
  return ((4 | (first << 1) | second) << rest) | low;
}
