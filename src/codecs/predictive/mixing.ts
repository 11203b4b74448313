/**
 * Bits under probabilities that are mixed from several contexts by logistic mixing (M. Mahoney, "Adaptive weighing of
 * context models for lossless data compression", 2005): each context holds an adaptive probability; the mixer adds
 * them in the logistic domain, with weights that descend the coding cost. One path serves both directions, as in
 * ../entropy.ts, but with finer probabilities (2⁻²¹ in a context, 2⁻¹⁶ at the coder) and slower ones in the long run,
 * as streams need whose bits are nearly all zero. State and arithmetic are integer.
 */
import { RangeDecoder, RangeEncoder } from '../entropy/rangecoder.js';

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
const CERTAIN = (1 << 21) - 1;
/** Weights are in 2⁻¹⁵, within ±4. */
const WEIGHT_BITS = 15;
const FIRST_WEIGHT = 7600;
const LARGEST_WEIGHT = 1 << 17;
/** A weight moves by input · error · LEARNING, in 2⁻²¹ of its own unit. */
const LEARNING = 10;
const LEARNING_BITS = 21;
const HALF = 1 << 20;

const bounded = (w: number): number =>
  w > LARGEST_WEIGHT ? LARGEST_WEIGHT : w < -LARGEST_WEIGHT ? -LARGEST_WEIGHT : w;

/** A context after a bit: `to` is 0 or CERTAIN. */
function learnt(slot: number, to: number): number {
  const n = slot & 1023;
  const p = slot >> 10;
  return ((p + (Math.imul((to - p) >> 5, RATES[n]) >> 10)) << 10) | (n < SLOWEST ? n + 1 : n);
}

/** How many contexts a mixed bit has. The loops over them are written out: they are where decoding spends its time. */
export const INPUTS = 6;

/** What a stream needs room for. */
export interface MixingSizes {
  contexts: number;
  mixes: number;
}

export class MixingCoder {
  /** [INPUTS] contexts of mixed bits, less the bit's own `slot`. */
  readonly at = new Int32Array(INPUTS);
  private readonly slots: Int32Array;
  private readonly weights: Int32Array;
  private readonly encoder: RangeEncoder | null;
  private readonly decoder: RangeDecoder | null;

  /** Decodes `data`, or encodes where it is null. */
  constructor({ contexts, mixes }: MixingSizes, data: Uint8Array | null) {
    this.slots = new Int32Array(contexts).fill(YOUNG);
    this.weights = new Int32Array(mixes * INPUTS).fill(FIRST_WEIGHT);
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
    if (this.decoder !== null) return this.decoder.bit(p);
    this.encoder!.bit(value, p);
    return value;
  }

  /** A bit with the probability of one context. */
  bit(value: number, context: number): number {
    const slot = this.slots[context];
    const p = slot >> 15;
    const got = this.raw(value, p < 16 ? 16 : p > 65520 ? 65520 : p);
    this.slots[context] = learnt(slot, got === 1 ? CERTAIN : 0);
    return got;
  }

  /** A bit with the probability that the contexts `at` + slot mix to, by the weights `mix`. */
  mixed(value: number, slot: number, mix: number): number {
    const { at, slots, weights } = this;
    const a0 = at[0] + slot;
    const a1 = at[1] + slot;
    const a2 = at[2] + slot;
    const a3 = at[3] + slot;
    const a4 = at[4] + slot;
    const a5 = at[5] + slot;
    const v0 = slots[a0];
    const v1 = slots[a1];
    const v2 = slots[a2];
    const v3 = slots[a3];
    const v4 = slots[a4];
    const v5 = slots[a5];
    const s0 = STRETCH[v0 >> 19];
    const s1 = STRETCH[v1 >> 19];
    const s2 = STRETCH[v2 >> 19];
    const s3 = STRETCH[v3 >> 19];
    const s4 = STRETCH[v4 >> 19];
    const s5 = STRETCH[v5 >> 19];
    const w = mix * INPUTS;
    // |s| < 2¹¹ and |weight| ≤ 2¹⁷: six products keep below 2³¹.
    const dot =
      Math.imul(s0, weights[w]) +
      Math.imul(s1, weights[w + 1]) +
      Math.imul(s2, weights[w + 2]) +
      Math.imul(s3, weights[w + 3]) +
      Math.imul(s4, weights[w + 4]) +
      Math.imul(s5, weights[w + 5]);
    const x = dot >> WEIGHT_BITS;
    const p = SQUASH[x < -REACH ? 0 : x > REACH ? 2 * REACH : x + REACH];
    const got = this.raw(value, p);
    const error = Math.imul((got << 16) - p, LEARNING);
    weights[w] = bounded(weights[w] + ((Math.imul(s0, error) + HALF) >> LEARNING_BITS));
    weights[w + 1] = bounded(weights[w + 1] + ((Math.imul(s1, error) + HALF) >> LEARNING_BITS));
    weights[w + 2] = bounded(weights[w + 2] + ((Math.imul(s2, error) + HALF) >> LEARNING_BITS));
    weights[w + 3] = bounded(weights[w + 3] + ((Math.imul(s3, error) + HALF) >> LEARNING_BITS));
    weights[w + 4] = bounded(weights[w + 4] + ((Math.imul(s4, error) + HALF) >> LEARNING_BITS));
    weights[w + 5] = bounded(weights[w + 5] + ((Math.imul(s5, error) + HALF) >> LEARNING_BITS));
    const to = got === 1 ? CERTAIN : 0;
    slots[a0] = learnt(v0, to);
    slots[a1] = learnt(v1, to);
    slots[a2] = learnt(v2, to);
    slots[a3] = learnt(v3, to);
    slots[a4] = learnt(v4, to);
    slots[a5] = learnt(v5, to);
    return got;
  }

  /** `count` ≤ 31 bits as likely 0 as 1, high first. */
  plain(value: number, count: number): number {
    let got = 0;
    for (let i = count - 1; i >= 0; i--) got = (got << 1) | this.raw((value >>> i) & 1, 32768);
    return got;
  }
}
