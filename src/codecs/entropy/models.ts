/**
 * Probabilities of bits that adapt, one a context, and their logistic mixing: M. Mahoney, "Adaptive Weighing of Context Models
 * for Lossless Data Compression" (2005). All state is integer, so that it is the same on every platform.
 */

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

const SURELY = 2 ** 22 - 1;

/** A model's state after a bit; `to` is SURELY or 0. The difference is cut to 15 bits and a sign: the product stays within 32. */
function moved(state: number, to: number): number {
  const n = state & 255;
  const p = state >>> 8;
  return ((p + (Math.imul((to - p) >> 7, STEP[n]) >> 9)) << 8) | (n < SLOWEST ? n + 1 : n);
}

function corrected(weight: number, input: number, error: number): number {
  const w = weight + ((Math.imul(input, error) + 65536) >> 17);
  return w > WEIGHT_LIMIT ? WEIGHT_LIMIT : w < -WEIGHT_LIMIT ? -WEIGHT_LIMIT : w;
}

/** Probabilities of a 1 by context, and the mixers' weights. */
export class Models {
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
    this.states[context] = moved(this.states[context], value ? SURELY : 0);
  }

  /** The mixed probability of `contexts`, each `slot` further on. The loop over six is written out: nearly all time is here. */
  mixed(contexts: Int32Array, slot: number, mix: number): number {
    const { states, stretched, weights } = this;
    const base = mix * this.inputs;
    const count = contexts.length;
    // Products are below 2³⁰, and 2²⁶ when shifted: up to 32 of them fit.
    let dot = 0;
    if (count === 6) {
      const s0 = STRETCH[states[contexts[0] + slot] >>> 18];
      const s1 = STRETCH[states[contexts[1] + slot] >>> 18];
      const s2 = STRETCH[states[contexts[2] + slot] >>> 18];
      const s3 = STRETCH[states[contexts[3] + slot] >>> 18];
      const s4 = STRETCH[states[contexts[4] + slot] >>> 18];
      const s5 = STRETCH[states[contexts[5] + slot] >>> 18];
      stretched[0] = s0;
      stretched[1] = s1;
      stretched[2] = s2;
      stretched[3] = s3;
      stretched[4] = s4;
      stretched[5] = s5;
      dot =
        (Math.imul(s0, weights[base]) >> 4) +
        (Math.imul(s1, weights[base + 1]) >> 4) +
        (Math.imul(s2, weights[base + 2]) >> 4) +
        (Math.imul(s3, weights[base + 3]) >> 4) +
        (Math.imul(s4, weights[base + 4]) >> 4) +
        (Math.imul(s5, weights[base + 5]) >> 4);
    } else {
      for (let i = 0; i < count; i++) {
        const x = STRETCH[states[contexts[i] + slot] >>> 18];
        stretched[i] = x;
        dot += Math.imul(x, weights[base + i]) >> 4;
      }
    }
    const logit = dot >> 12;
    return SQUASH[(logit < -LIMIT ? -LIMIT : logit > LIMIT ? LIMIT : logit) + LIMIT];
  }

  learn(contexts: Int32Array, slot: number, mix: number, p: number, value: number): void {
    const { states, stretched, weights } = this;
    const base = mix * this.inputs;
    const count = contexts.length;
    const age = this.ages[mix];
    if (age < 255) this.ages[mix] = age + 1;
    // At most 2¹³ · 14, times 2¹¹: within 32 bits.
    const error = (((value << 16) - p) >> 3) * (age < 255 ? 14 - (age >> 5) : 6);
    if (count === 6) {
      weights[base] = corrected(weights[base], stretched[0], error);
      weights[base + 1] = corrected(weights[base + 1], stretched[1], error);
      weights[base + 2] = corrected(weights[base + 2], stretched[2], error);
      weights[base + 3] = corrected(weights[base + 3], stretched[3], error);
      weights[base + 4] = corrected(weights[base + 4], stretched[4], error);
      weights[base + 5] = corrected(weights[base + 5], stretched[5], error);
      const to = value ? SURELY : 0;
      let at = contexts[0] + slot;
      states[at] = moved(states[at], to);
      at = contexts[1] + slot;
      states[at] = moved(states[at], to);
      at = contexts[2] + slot;
      states[at] = moved(states[at], to);
      at = contexts[3] + slot;
      states[at] = moved(states[at], to);
      at = contexts[4] + slot;
      states[at] = moved(states[at], to);
      at = contexts[5] + slot;
      states[at] = moved(states[at], to);
      return;
    }
    for (let i = 0; i < count; i++) {
      weights[base + i] = corrected(weights[base + i], stretched[i], error);
      this.update(contexts[i] + slot, value);
    }
  }
}
