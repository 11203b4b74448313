/**
 * Bits under probabilities that are mixed from several contexts by logistic mixing (M. Mahoney, "Adaptive weighing of
 * context models for lossless data compression", 2005): each context holds an adaptive probability; the mixer adds
 * them in the logistic domain, with weights that descend the coding cost. One path serves both directions, as in
 * entropy.ts, but with finer probabilities (2⁻²¹ in a context, 2⁻¹⁶ at the coder) and slower ones in the long run,
 * as streams need whose bits are nearly all zero. State and arithmetic are integer.
 */
import { RangeDecoder, RangeEncoder } from './rangecoder.js';

/** ln(p / (1 − p)) is kept in 1/256; the mixer's sum goes to ±12, its inputs to ±8. */
const REACH = 3071;
const INPUT_REACH = 2047;
const SQUASH = new Int32Array(2 * REACH + 1);
/** Of a probability in 1/4096. */
const STRETCH = new Int32Array(4096);

// e^(1/256), multiplied up: only IEEE products and quotients, so that the tables are the same everywhere.
const STEP = 1.0039138893383475;
for (let x = 0, power = 1; x <= REACH; x++, power *= STEP) {
  const p = Math.min(65532, Math.floor(65536 * (power / (1 + power)) + 0.5));
  SQUASH[REACH + x] = p;
  SQUASH[REACH - x] = 65536 - p;
}
for (let i = 0, x = -INPUT_REACH; i < 4096; i++) {
  while (x < INPUT_REACH && SQUASH[REACH + x] < 16 * i + 8) x++;
  STRETCH[i] = x;
}

/** 1 / (n + 1½) in 1/32768: how far the (n+1)th bit of a context moves its probability. */
const SLOWEST = 400;
const RATES = Int32Array.from({ length: SLOWEST + 1 }, (_, n) => Math.floor(65536 / (2 * n + 3)));
/** A probability in 2⁻²¹ above, the number of bits seen in the ten low bits. */
const YOUNG = (1 << 20) << 10;
const LEARNING = 10;
const FULL_WEIGHT = 65536;

/** What a stream needs room for; `inputs` contexts a mixed bit. */
export interface MixingSizes {
  contexts: number;
  mixes: number;
  inputs: number;
}

export class MixingCoder {
  /** Contexts of the next mixed bit, to be set before it. */
  readonly at: Int32Array;
  private readonly inputs: number;
  private readonly slots: Int32Array;
  private readonly weights: Int32Array;
  private readonly stretched: Int32Array;
  private readonly encoder: RangeEncoder | null;
  private readonly decoder: RangeDecoder | null;

  /** Decodes `data`, or encodes where it is null. */
  constructor({ contexts, mixes, inputs }: MixingSizes, data: Uint8Array | null) {
    this.inputs = inputs;
    this.at = new Int32Array(inputs);
    this.stretched = new Int32Array(inputs);
    this.slots = new Int32Array(contexts).fill(YOUNG);
    this.weights = new Int32Array(mixes * inputs).fill(Math.floor((1.4 * FULL_WEIGHT) / inputs));
    this.encoder = data ? null : new RangeEncoder();
    this.decoder = data && new RangeDecoder(data);
  }

  /** Bytes so far, of an encoder. */
  get length(): number {
    return this.encoder?.length ?? 0;
  }

  /** Bytes that were asked for beyond the end, of a decoder: above four the stream was cut. */
  get overrun(): number {
    return this.decoder?.overrun ?? 0;
  }

  finish(): Uint8Array {
    return this.encoder?.finish() ?? new Uint8Array(0);
  }

  private raw(value: number, p: number): number {
    if (this.encoder === null) return this.decoder!.bit(p);
    this.encoder.bit(value, p);
    return value;
  }

  private learn(context: number, value: number): void {
    const slot = this.slots[context];
    const n = slot & 1023;
    const p = slot >> 10;
    const moved = p + (Math.imul(((value << 21) - value - p) >> 5, RATES[n]) >> 10);
    this.slots[context] = (moved << 10) | (n < SLOWEST ? n + 1 : n);
  }

  /** A bit with the probability of one context. */
  bit(value: number, context: number): number {
    const p = this.slots[context] >> 15;
    const got = this.raw(value, p < 16 ? 16 : p > 65520 ? 65520 : p);
    this.learn(context, got);
    return got;
  }

  /** A bit with the probability that the contexts in `at` mix to, by the weights `mix`. */
  mixed(value: number, mix: number): number {
    const { at, inputs, slots, stretched, weights } = this;
    const first = mix * inputs;
    let dot = 0;
    for (let i = 0; i < inputs; i++) {
      const s = STRETCH[slots[at[i]] >> 19];
      stretched[i] = s;
      dot += s * weights[first + i];
    }
    const x = Math.floor(dot / FULL_WEIGHT);
    const p = SQUASH[x < -REACH ? 0 : x > REACH ? 2 * REACH : x + REACH];
    const got = this.raw(value, p);
    const error = Math.imul((got << 16) - p, LEARNING);
    for (let i = 0; i < inputs; i++) {
      const w = weights[first + i] + ((Math.imul(stretched[i], error) + (1 << 19)) >> 20);
      weights[first + i] = w > 1 << 20 ? 1 << 20 : w < -(1 << 20) ? -(1 << 20) : w;
      this.learn(at[i], got);
    }
    return got;
  }

  /** `count` ≤ 31 bits as likely 0 as 1, high first. */
  plain(value: number, count: number): number {
    let got = 0;
    for (let i = count - 1; i >= 0; i--) got = (got << 1) | this.raw((value >>> i) & 1, 32768);
    return got;
  }
}
