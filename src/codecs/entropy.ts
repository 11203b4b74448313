/**
 * Adaptive models over the range coder. One code path serves both directions: a Coder takes the value that is to be coded
 * and gives back the value that was coded, so an encoder and its decoder cannot drift; a decoder passes over what it
 * is given. Everything is integer: bytes are the same on every platform.
 *
 * Bits are modelled in contexts: numbers below the `contexts` that the coder was made with.
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

/** A part of 1/65536 that a probability is never below, nor above its rest. */
const LEAST = 4;
/** The ends of the logistic domain, in 1/256: ln(p / (1 − p)) of ±12. */
const FAR = 3071;

/**
 * stretch(p) = ln(p / (1 − p)) in 1/256 of p in 1/4096, and its inverse in 1/65536. The exponential comes from its series,
 * in additions and multiplications only: IEEE arithmetic gives the same table on every platform, Math.exp need not.
 */
const STRETCH = new Int16Array(4096);
const SQUASH = new Int32Array(2 * FAR + 1);
for (let x = 0; x <= FAR; x++) {
  const y = x / 256 / 64;
  let power = 1;
  let exponential = 1;
  for (let k = 1; k < 16; k++) {
    power = (power * y) / k;
    exponential += power;
  }
  for (let k = 0; k < 6; k++) exponential *= exponential;
  const p = Math.round(65536 / (1 + exponential));
  SQUASH[FAR - x] = Math.max(LEAST, p);
  SQUASH[FAR + x] = Math.min(65536 - LEAST, 65536 - p);
}
for (let i = 0, x = -FAR; i < 4096; i++) {
  const p = 16 * i + 8;
  while (x < FAR && SQUASH[x + FAR] < p) x++;
  STRETCH[i] = x;
}

/** Occurrences after which a context no longer slows down. */
const LIMIT = 255;
/** 1/(n + 1.6) in 1/65536: how far the n-th occurrence moves a probability. */
const PACE = new Int32Array(LIMIT + 1);
for (let n = 0; n <= LIMIT; n++) PACE[n] = Math.floor(65536 / (n + 1.6));

/** Adaptive probabilities of a 1, and the mixers' weights. */
class Models {
  /** Probability in 1/2²² above ten bits that count its occurrences. */
  private readonly states: Int32Array;
  private readonly inputs: number;
  private readonly weights: Int32Array;
  private readonly age: Uint8Array;
  private readonly stretched: Int32Array;

  constructor(contexts: number, mixes: number, inputs: number) {
    this.states = new Int32Array(contexts).fill(1 << 31);
    this.inputs = inputs;
    this.weights = new Int32Array(mixes * inputs).fill(inputs ? Math.floor(98304 / inputs) : 0);
    this.age = new Uint8Array(mixes);
    this.stretched = new Int32Array(inputs);
  }

  /** In 1/65536. */
  probability(context: number): number {
    const p = this.states[context] >>> 16;
    return p < LEAST ? LEAST : p > 65536 - LEAST ? 65536 - LEAST : p;
  }

  /** A young context moves by large steps, an old one by 1/256. */
  update(context: number, value: number): void {
    const state = this.states[context];
    const n = state & 1023;
    const p = state >>> 10;
    const to = value ? 4194303 : 0;
    // 15 bits times 16: the product is an int32.
    const moved = p + ((((to - p) >> 7) * PACE[n]) >> 9);
    this.states[context] = (moved << 10) | (n < LIMIT ? n + 1 : n);
  }

  mixed(contexts: ArrayLike<number>, mix: number): number {
    const { inputs, states, stretched, weights } = this;
    const base = mix * inputs;
    let dot = 0;
    for (let i = 0; i < inputs; i++) {
      const x = STRETCH[states[contexts[i]] >>> 20];
      stretched[i] = x;
      dot += x * weights[base + i];
    }
    const x = Math.round(dot / 65536);
    return SQUASH[(x < -FAR ? -FAR : x > FAR ? FAR : x) + FAR];
  }

  learn(contexts: ArrayLike<number>, mix: number, p: number, value: number): void {
    const { inputs, stretched, weights } = this;
    const base = mix * inputs;
    const n = this.age[mix];
    if (n < 255) this.age[mix] = n + 1;
    const { states } = this;
    const error = (((value << 16) - p) >> 3) * (n < 255 ? 8 - (n >> 6) : 3);
    const to = value ? 4194303 : 0;
    for (let i = 0; i < inputs; i++) {
      weights[base + i] += (stretched[i] * error + 65536) >> 17;
      // As update does.
      const context = contexts[i];
      const state = states[context];
      const seen = state & 1023;
      const now = state >>> 10;
      states[context] =
        ((now + ((((to - now) >> 7) * PACE[seen]) >> 9)) << 10) | (seen < LIMIT ? seen + 1 : seen);
    }
  }
}

/** What the models of a stream need room for. `inputs` is the number of contexts that mixedBit is given. */
export interface ModelSizes {
  contexts: number;
  mixes?: number;
  inputs?: number;
}

export class EntropyEncoder implements Coder {
  readonly decoding = false;
  readonly #coder = new RangeEncoder();
  readonly #models: Models;

  constructor({ contexts, mixes = 0, inputs = 0 }: ModelSizes) {
    this.#models = new Models(contexts, mixes, inputs);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#coder.length;
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
    for (let i = count - 1; i >= 0; i--) this.#coder.bit((value >>> i) & 1, 32768);
    return value;
  }

  finish(): Uint8Array {
    return this.#coder.finish();
  }
}

export class EntropyDecoder implements Coder {
  readonly decoding = true;
  readonly #coder: RangeDecoder;
  readonly #models: Models;

  constructor(data: Uint8Array, { contexts, mixes = 0, inputs = 0 }: ModelSizes) {
    this.#coder = new RangeDecoder(data);
    this.#models = new Models(contexts, mixes, inputs);
  }

  /** Bytes asked for beyond the end: above four the stream was cut. */
  get overrun(): number {
    return this.#coder.overrun;
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
    let value = 0;
    for (let i = 0; i < count; i++) value = (value << 1) | this.#coder.bit(32768);
    return value;
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
