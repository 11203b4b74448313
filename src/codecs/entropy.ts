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

/** stretch(p) = ln(p / (1 − p)), in 1/256, of p in 1/4096; and its inverse. */
const STRETCH = new Int16Array(4096);
const SQUASH = new Uint16Array(4096);
// The logistic curve in integers, from a table of 33 points (in 1/4096) and straight lines between.
const LOGISTIC = [
  ...[1, 2, 3, 6, 10, 16, 27, 45, 73, 120, 194, 310, 488, 747, 1101, 1546, 2047],
  ...[2549, 2994, 3348, 3607, 3785, 3901, 3975, 4022, 4050, 4068, 4079, 4085, 4089, 4092, 4093, 4094],
];
for (let i = 0, next = 0; i < 4096; i++) {
  const x = i - 2048;
  const at = (x >> 7) + 16;
  const part = x & 127;
  SQUASH[i] = (LOGISTIC[at] * (128 - part) + LOGISTIC[Math.min(32, at + 1)] * part + 64) >> 7;
  for (; next <= SQUASH[i]; next++) STRETCH[next] = x;
  if (i === 4095) STRETCH.fill(2047, next);
}

const squash = (x: number): number => SQUASH[x < -2047 ? 1 : x > 2047 ? 4095 : x + 2048];

/** Probabilities of a 1 in 1/65536: a fast and a slow one a context, and the mixers' weights. */
class Models {
  private readonly fast: Uint16Array;
  private readonly slow: Uint16Array;
  private readonly seen: Uint8Array;
  private readonly inputs: number;
  private readonly weights: Int32Array;
  private readonly stretched: Int32Array;

  constructor(contexts: number, mixes: number, inputs: number) {
    this.fast = new Uint16Array(contexts).fill(32768);
    this.slow = new Uint16Array(contexts).fill(32768);
    this.seen = new Uint8Array(contexts);
    this.inputs = inputs;
    this.weights = new Int32Array(mixes * inputs).fill(inputs ? Math.floor(65536 / inputs) : 0);
    this.stretched = new Int32Array(inputs);
  }

  probability(context: number): number {
    const p = (this.fast[context] + this.slow[context]) >>> 1;
    return p < 24 ? 24 : p > 65512 ? 65512 : p;
  }

  /** A young context moves by 1/2, 1/3, …, later by 1/16 (fast) and 1/128 (slow). */
  update(context: number, value: number): void {
    const n = this.seen[context];
    if (n < 126) this.seen[context] = n + 1;
    const to = value ? 65535 : 0;
    const rate = n + 2;
    const slow = this.slow[context];
    const fast = this.fast[context];
    this.slow[context] = slow + (((to - slow) / rate) | 0);
    this.fast[context] = fast + (((to - fast) / (rate < 16 ? rate : 16)) | 0);
  }

  mixed(contexts: ArrayLike<number>, mix: number): number {
    let dot = 0;
    for (let i = 0; i < this.inputs; i++) {
      const x = STRETCH[this.probability(contexts[i]) >>> 4];
      this.stretched[i] = x;
      dot += x * this.weights[mix * this.inputs + i];
    }
    return squash(Math.round(dot / 65536));
  }

  learn(contexts: ArrayLike<number>, mix: number, p: number, value: number): void {
    const error = (value << 12) - p;
    for (let i = 0; i < this.inputs; i++) {
      this.weights[mix * this.inputs + i] += (this.stretched[i] * error * 6 + 8192) >> 14;
      this.update(contexts[i], value);
    }
  }
}

/** What the models of a stream need room for. `inputs` is the number of contexts that mixedBit is given. */
export interface ModelSizes {
  contexts: number;
  mixes?: number;
  inputs?: number;
}

/** Twelve bits of a mixed probability as sixteen, off the ends. */
const wide = (p: number): number => (p < 1 ? 8 : p > 4094 ? 65528 : p << 4);

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
    this.#coder.bit(value, wide(p));
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
    const value = this.#coder.bit(wide(p));
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
