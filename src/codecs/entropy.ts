/**
 * Adaptive models over the range coder. One code path serves both directions: a Coder takes the value that is to be coded
 * and gives back the value that was coded, so an encoder and its decoder cannot drift; a decoder passes over what it
 * is given. Everything is integer: bytes are the same on every platform.
 *
 * Bits are modelled in contexts: numbers below the `contexts` that the coder was made with. Logistic mixing is that of
 * M. Mahoney, "Adaptive Weighing of Context Models for Lossless Data Compression" (2005).
 *
 * A stream is what the range coder wrote, and from the end backwards the plain bits: those cost nothing to model, and
 * are written past the range coder at a tenth of its time.
 */
import { RangeDecoder, RangeEncoder } from './rangecoder.js';

/** Codes bits and integers by adaptive models. */
export interface Coder {
  /** Whether values are read. */
  readonly decoding: boolean;
  /** A bit with the adaptive probability of `context`. */
  bit(value: number, context: number): number;
  /** A bit whose probability is mixed from those of several contexts, with weights that adapt in the set `mix`. */
  mixedBit(value: number, contexts: readonly number[] | Int32Array, mix: number): number;
  /** `count` bits as likely 0 as 1, high first; count ≤ 31. */
  plain(value: number, count: number): number;
}

/** e^x by a Taylor series of x / 32: sums and products alone, which are the same everywhere (Math.exp is not). */
function exponential(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; k < 16; k++) {
    term *= x / 32 / k;
    sum += term;
  }
  for (let k = 0; k < 5; k++) sum *= sum;
  return sum;
}

/** No bit is held for surer than this, in 1/65536: so no stream says more than LEAST_BITS allows. */
const SURE = 8;
/** What a bit costs at least, −log₂(1 − SURE / 65536), rounded down: how many values a stream can hold follows. */
export const LEAST_BITS = 1.76e-4;

/** Logits are in 1/256: of a mixture within ±11, of a model within ±8. */
const LIMIT = 2816;
const INPUT_LIMIT = 2047;
/** 1 / (1 + e^−x) in 1/65536, of x + LIMIT. */
const SQUASH = new Uint16Array(2 * LIMIT + 1);
/** ln(p / (1 − p)) of p in 1/4096. */
const STRETCH = new Int16Array(4096);
for (let i = 0; i <= 2 * LIMIT; i++) {
  const p = Math.floor(65536 / (1 + exponential((LIMIT - i) / 256)) + 0.5);
  SQUASH[i] = Math.max(SURE, Math.min(65536 - SURE, p));
}
for (let i = 0, x = -INPUT_LIMIT; i < 4096; i++) {
  while (x < INPUT_LIMIT && SQUASH[x + LIMIT] < 16 * i + 8) x++;
  STRETCH[i] = x;
}

/** A model that has seen n bits moves by 1 / (n + 1.5), at last by 1/SLOWEST; in 1/65536. */
const SLOWEST = 127;
const STEP = Int32Array.from({ length: SLOWEST + 1 }, (_, n) => Math.floor(65536 / (n + 1.5)));
/** Weights are in 1/65536 and stay within ±8. */
const WEIGHT_LIMIT = 2 ** 19 - 1;

/** Probabilities of a 1 by context, and the mixers' weights. */
class Models {
  /** The probability in 1/2²², over eight bits for how many were seen. */
  private readonly states: Int32Array;
  private readonly inputs: number;
  private readonly weights: Int32Array;
  /** Bits that a set of weights has learnt from, up to 255: it learns less and less from one. */
  private readonly ages: Uint8Array;
  private readonly stretched: Int32Array;

  constructor(contexts: number, mixes: number, inputs: number) {
    this.states = new Int32Array(contexts).fill((2 ** 21) << 8);
    this.inputs = inputs;
    this.weights = new Int32Array(mixes * inputs).fill(inputs ? Math.floor(81920 / inputs) : 0);
    this.ages = new Uint8Array(mixes);
    this.stretched = new Int32Array(inputs);
  }

  probability(context: number): number {
    const p = this.states[context] >>> 14;
    return p < 12 ? 12 : p > 65524 ? 65524 : p;
  }

  update(context: number, value: number): void {
    const state = this.states[context];
    const n = state & 255;
    const p = state >>> 8;
    // The difference is cut to 15 bits and a sign first, so that the product stays within 32.
    const moved = p + (Math.imul(((value ? 4194303 : 0) - p) >> 7, STEP[n]) >> 9);
    this.states[context] = (moved << 8) | (n < SLOWEST ? n + 1 : n);
  }

  /** The mixed probability. */
  mixed(contexts: ArrayLike<number>, mix: number): number {
    const { states, stretched, weights } = this;
    const base = mix * this.inputs;
    const count = contexts.length;
    let dot = 0;
    for (let i = 0; i < count; i++) {
      const x = STRETCH[states[contexts[i]] >>> 18];
      stretched[i] = x;
      // Below 2³⁰, and 2²⁶ when shifted: up to 32 of them fit.
      dot += Math.imul(x, weights[base + i]) >> 4;
    }
    const logit = dot >> 12;
    return SQUASH[(logit < -LIMIT ? -LIMIT : logit > LIMIT ? LIMIT : logit) + LIMIT];
  }

  learn(contexts: ArrayLike<number>, mix: number, p: number, value: number): void {
    const { stretched, weights } = this;
    const base = mix * this.inputs;
    const count = contexts.length;
    const age = this.ages[mix];
    if (age < 255) this.ages[mix] = age + 1;
    // At most 2¹³ · 14, times 2¹¹: within 32 bits.
    const error = (((value << 16) - p) >> 3) * (age < 255 ? 14 - (age >> 5) : 6);
    for (let i = 0; i < count; i++) {
      const w = weights[base + i] + ((Math.imul(stretched[i], error) + 65536) >> 17);
      weights[base + i] = w > WEIGHT_LIMIT ? WEIGHT_LIMIT : w < -WEIGHT_LIMIT ? -WEIGHT_LIMIT : w;
      this.update(contexts[i], value);
    }
  }
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

  mixedBit(value: number, contexts: readonly number[] | Int32Array, mix: number): number {
    const p = this.#models.mixed(contexts, mix);
    this.#coder.bit(value, p);
    this.#models.learn(contexts, mix, p, value);
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

  mixedBit(_value: number, contexts: readonly number[] | Int32Array, mix: number): number {
    const p = this.#models.mixed(contexts, mix);
    const value = this.#coder.bit(p);
    this.#models.learn(contexts, mix, p, value);
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
