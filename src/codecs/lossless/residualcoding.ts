/**
 * Coding of what a prediction missed, in contexts of what it missed nearby: at the neighbours of a value, and at the same
 * place of the channel before. A residual is its bucket (the number of its bits), its sign, and the bits below the
 * highest; the bucket is found from the expected one, up or down in unary, each step by a mixture of six
 * models, or of three where residuals are large.
 */
import type { Coder, ModelSizes } from '../entropy/entropy.js';
import type { NodeShape } from '../parameters.js';

/** Steps: first, up, down; each to one of 33 buckets; and the sign. */
const SLOTS = 100;
const SIGN = 99;
/** The same with buckets from 7 on in one, for contexts that mean little there. */
const FEW = 25;
const FEW_SIGN = 24;
const ACTIVITIES = 120;
const SIZES = 20;

const BY_ACTIVITY = 0;
const BY_NEIGHBOURS = BY_ACTIVITY + ACTIVITIES * SLOTS;
const BY_CHANNEL = BY_NEIGHBOURS + SIZES * SIZES * SLOTS;
const BY_FRACTION = BY_CHANNEL + SIZES * SIZES * SLOTS;
const BY_PATTERN = BY_FRACTION + 8 * 9 * 30 * FEW;
const BY_SIGNS = BY_PATTERN + 7 ** 4 * FEW;
const HIGHEST = BY_SIGNS + 7 * 5 * 5 * 3 * FEW;
const CONTEXTS = HIGHEST + 33 * 5 * 3;

export const RESIDUAL_MODELS: ModelSizes = { contexts: CONTEXTS, mixes: SLOTS * 6, inputs: 6 };

/** From this expected bucket on a sign is as good as random, and contexts of signs say nothing. */
const FINE = 6;
const FINE_INPUTS = 3;
/** A residual counts in its neighbours' activity up to this. */
const MOST = 2 ** 26;

const clipped = (x: number, most: number): number => (x > most ? most : x < -most ? -most : x) + most;
const bucketOf = (magnitude: number): number => 32 - Math.clz32(magnitude);
const sizeOf = (magnitude: number): number => {
  const bucket = 32 - Math.clz32(magnitude);
  return bucket < SIZES ? bucket : SIZES - 1;
};
/** Steps of 1 up to 4, then of a quarter of an octave. */
const activityOf = (sum: number): number => {
  if (sum < 4) return sum;
  const log = 31 - Math.clz32(sum);
  return (log << 2) + ((sum >>> (log - 2)) & 3) - 4;
};

export class Residuals {
  readonly #coder: Coder;
  readonly #width: number;
  readonly #stride: number;
  readonly #size: number;
  /** By channel in planes: two rows above, one below, two columns left, one right. Cut to ±MOST. */
  readonly #errors: Int32Array;
  readonly #contexts = new Int32Array(6);
  readonly #fine = new Int32Array(FINE_INPUTS);

  constructor(coder: Coder, [height, width, channels]: NodeShape) {
    this.#coder = coder;
    this.#width = width;
    this.#stride = width + 3;
    this.#size = (height + 3) * this.#stride;
    this.#errors = new Int32Array(channels * this.#size);
  }

  /** Where `code` has to start a row: its `at` counts on from there. */
  open(channel: number, y: number): number {
    const at = channel * this.#size + (y + 2) * this.#stride + 2;
    if (y > 0) this.#errors.fill(this.#errors[at - this.#stride], at - 2, at);
    return at;
  }

  close(at: number): void {
    this.#errors[at + this.#width] = this.#errors[at + this.#width - 1];
  }

  /**
   * One residual, an int32, in or out.
   * @param at its place, from `open`. @param channel its channel. @param eighth the part of the prediction that was
   * rounded off, in 1/8: 0 … 7.
   */
  code(residual: number, at: number, channel: number, eighth: number): number {
    const errors = this.#errors;
    const coder = this.#coder;
    const up = at - this.#stride;
    const w = errors[at - 1];
    const n = errors[up];
    const nw = errors[up - 1];
    const ne = errors[up + 1];
    const ww = errors[at - 2];
    const nn = errors[up - this.#stride];
    const aw = w < 0 ? -w : w;
    const an = n < 0 ? -n : n;
    const around = (nw < 0 ? -nw : nw) + (ne < 0 ? -ne : ne) + (ww < 0 ? -ww : ww) + (nn < 0 ? -nn : nn);
    let sum = 2 * (aw + an) + around;
    let p = 0;
    let p2 = 0;
    let size = 0;
    if (channel > 0) {
      const back = at - this.#size;
      p = errors[back];
      p2 = channel > 1 ? errors[back - this.#size] : 0;
      const pe = errors[back + 1];
      const ps = errors[back + this.#stride];
      const ap = p < 0 ? -p : p;
      const rest = (pe < 0 ? -pe : pe) + (ps < 0 ? -ps : ps) + (p2 < 0 ? -p2 : p2);
      size = sizeOf(ap) * SIZES + sizeOf(rest);
    } else {
      size = sizeOf(around) * SIZES + sizeOf(nw < 0 ? -nw : nw);
    }
    const activity = activityOf(sum);
    sum >>>= 3;
    const expected = sum < 1 ? 1 : bucketOf(sum);

    const byActivity = BY_ACTIVITY + activity * SLOTS;
    const byNeighbours = BY_NEIGHBOURS + (sizeOf(aw) * SIZES + sizeOf(an)) * SLOTS;
    const byChannel = BY_CHANNEL + size * SLOTS;
    const byFraction =
      BY_FRACTION + ((eighth * 9 + clipped(w, 1) * 3 + clipped(n, 1)) * 30 + (activity >> 2)) * FEW;
    const byPattern =
      BY_PATTERN + (((clipped(w, 3) * 7 + clipped(n, 3)) * 7 + clipped(nw, 3)) * 7 + clipped(ne, 3)) * FEW;
    const bySigns =
      BY_SIGNS + (((clipped(p, 3) * 5 + clipped(w, 2)) * 5 + clipped(n, 2)) * 3 + clipped(p2, 1)) * FEW;
    const isFine = expected >= FINE;
    const contexts = isFine ? this.#fine : this.#contexts;
    const mixes = ((channel === 0 ? 0 : channel === 1 ? 1 : 2) + (isFine ? 3 : 0)) * SLOTS;

    const magnitude = residual < 0 ? -residual : residual;
    const want = bucketOf(magnitude);
    // The first step asks whether the bucket is at least the expected one; then up, or down to 1.
    let bucket = expected;
    let kind = 0;
    let rising = true;
    for (;;) {
      const slot = kind * 33 + bucket;
      const few = kind * 8 + (bucket < 7 ? bucket : 7);
      contexts[0] = byActivity + slot;
      contexts[1] = byNeighbours + slot;
      contexts[2] = byChannel + slot;
      if (!isFine) {
        contexts[3] = byFraction + few;
        contexts[4] = byPattern + few;
        contexts[5] = bySigns + few;
      }
      const reached = coder.mixedBit(want >= bucket ? 1 : 0, contexts, mixes + slot);
      if (kind === 0) {
        rising = reached === 1;
        kind = rising ? 1 : 2;
      } else if (rising ? !reached : reached) break;
      if (rising) {
        if (++bucket > 32) break;
      } else if (--bucket < 1) break;
    }
    if (rising) bucket--;
    let error = 0;
    if (bucket > 0) {
      let negative: number;
      if (!isFine) {
        contexts[0] = byActivity + SIGN;
        contexts[1] = byNeighbours + SIGN;
        contexts[2] = byChannel + SIGN;
        contexts[3] = byFraction + FEW_SIGN;
        contexts[4] = byPattern + FEW_SIGN;
        contexts[5] = bySigns + FEW_SIGN;
        negative = coder.mixedBit(residual < 0 ? 1 : 0, contexts, mixes + SIGN);
      } else negative = coder.plain(residual < 0 ? 1 : 0, 1);
      const size = this.#below(magnitude, bucket, bucket - expected);
      error = negative ? -size | 0 : size | 0;
    }
    errors[at] = error > MOST ? MOST : error < -MOST ? -MOST : error;
    return error;
  }

  /** A magnitude of `bucket` bits: two bits below the highest are modelled. */
  #below(magnitude: number, bucket: number, over: number): number {
    if (bucket === 1) return 1;
    const coder = this.#coder;
    const context = HIGHEST + (bucket * 5 + (over < -2 ? 0 : over > 2 ? 4 : over + 2)) * 3;
    let value = 2 | coder.bit((magnitude >>> (bucket - 2)) & 1, context);
    if (bucket === 2) return value;
    value = (value << 1) | coder.bit((magnitude >>> (bucket - 3)) & 1, context + 1 + (value & 1));
    const rest = bucket - 3;
    if (rest === 0) return value;
    return ((value << rest) | coder.plain(magnitude & ((1 << rest) - 1), rest)) >>> 0;
  }
}
