/**
 * Quantised residuals as bits. An integer is the number of its magnitude's bits, told upward or downward from what the
 * neighbourhood lets expect (mixed contexts), then the bits below the highest (two of them modelled), then its sign.
 */
import { check, FormatError } from '../../errors.js';
import { MixingCoder } from './mixing.js';

/** A residual that is not coded: a float32 follows. */
export const ESCAPE = 0x7fffffff;
/** Largest magnitude that is coded, and its bits; one more bit says ESCAPE. */
export const LARGEST = 2 ** 24 - 1;
const BITS = 24;
const SIZES = BITS + 2;

/** What is known at a point. Sizes are magnitudes of quantised residuals. */
export interface Surroundings {
  /** Sums of sizes: of points decoded before in this step (weights sum to 6), of the four nearest of the steps before. */
  before: number;
  around: number;
  /** Of the channel before: the size here, and a sum of sizes near (weights sum to 4). */
  twin: number;
  twinAround: number;
  /** Local activity of the values, in quarters of the step. */
  activity: number;
  /** Below STEPS: level and step. */
  step: number;
}

const CLASSES = 24;
const CLASS_OF = Uint8Array.from({ length: 4096 }, (_, s) => {
  if (s < 4) return s;
  const bits = 31 - Math.clz32(s);
  return Math.min(CLASSES - 1, 4 + 2 * (bits - 2) + ((s >> (bits - 1)) & 1));
});
const classOf = (s: number): number => CLASS_OF[s > 4095 ? 4095 : s];
export const STEPS = 64;
/** Contexts of one input: two directions of SIZES positions for each of its situations. */
const SITUATIONS = [CLASSES * 12, CLASSES * CLASSES, CLASSES * 8, CLASSES, CLASSES * 12, STEPS];
const SLOTS = 2 * SIZES;
const BASES = SITUATIONS.map((_, i) => SLOTS * SITUATIONS.slice(0, i).reduce((a, b) => a + b, 0));
const MANTISSA = SLOTS * SITUATIONS.reduce((a, b) => a + b, 0);
const NUMBERS = MANTISSA + 4 * SIZES;
const CONTEXTS = NUMBERS + 64;
const MIXES = SLOTS * 4;

/** What a walk gives its integers to; a decoder passes over those and gives back what was coded. */
export interface Residuals {
  /** A quantised residual, |value| ≤ LARGEST, or ESCAPE. */
  code(value: number, near: Surroundings): number;
  /** A small integer of either sign, |value| < 2³⁰; `kind` < 2 keeps statistics apart. */
  number(value: number, kind: number): number;
  /** `count` ≤ 16 bits. */
  plain(value: number, count: number): number;
  /** Called now and then. @throws FormatError where a stream has come to its end too early. */
  checkpoint(): void;
}

/** Codes nothing: for an encoder that wants to know errors only. */
export const SILENT: Residuals = {
  code: (value) => value,
  number: (value) => value,
  plain: (value) => value,
  checkpoint: () => {},
};

export class ResidualCoder implements Residuals {
  private readonly coder: MixingCoder;

  /** Decodes `data`, which errors call `source`; or encodes where it is null. */
  constructor(
    data: Uint8Array | null,
    private readonly source = '',
  ) {
    this.coder = new MixingCoder({ contexts: CONTEXTS, mixes: MIXES }, data);
  }

  /** Bytes so far, of an encoder. */
  get length(): number {
    return this.coder.length;
  }

  finish(): Uint8Array {
    return this.coder.finish();
  }

  checkpoint(): void {
    check(this.coder.overrun <= 4, () => new FormatError(this.source, 'has a payload that is cut short'));
  }

  plain(value: number, count: number): number {
    return this.coder.plain(value, count);
  }

  code(value: number, near: Surroundings): number {
    const { coder } = this;
    const { at } = coder;
    const before = classOf(near.before);
    const around = classOf(near.around);
    const activity = classOf(near.activity);
    const twins = 2 * near.twin + near.twinAround;
    const expected = (2 * near.before + 2 * near.around + near.twinAround) / 24;
    const all = classOf(2 * near.before + 2 * near.around + near.twin + near.twinAround);
    at[0] = BASES[0] + SLOTS * (before * 12 + (around >> 1));
    at[1] = BASES[1] + SLOTS * (around * CLASSES + activity);
    at[2] = BASES[2] + SLOTS * (classOf(twins) * 8 + (activity >> 2));
    at[3] = BASES[3] + SLOTS * all;
    at[4] = BASES[4] + SLOTS * (activity * 12 + (before >> 1));
    at[5] = BASES[5] + SLOTS * near.step;
    const start = expected < 2 ? 0 : 31 - Math.clz32(expected);
    const mix = (near.before === 0 ? 0 : near.before < 6 ? 1 : 2) * SLOTS;

    const size = Math.abs(value);
    const wanted = value === ESCAPE ? BITS + 1 : 32 - Math.clz32(size);
    let bits = start;
    if (coder.mixed(Number(wanted > bits), bits, mix + bits)) {
      bits++;
      while (bits <= BITS && coder.mixed(Number(wanted > bits), bits, mix + bits)) bits++;
    } else {
      while (bits > 0 && !coder.mixed(Number(wanted > bits - 1), SIZES + bits - 1, mix + SIZES + bits - 1))
        bits--;
    }
    if (bits === 0) return 0;
    if (bits > BITS) return ESCAPE;
    let got = 1;
    for (let below = bits - 2; below >= 0; below--) {
      const bit = (size >>> below) & 1;
      const depth = bits - 2 - below;
      got =
        (got << 1) |
        (depth < 2 ? coder.bit(bit, MANTISSA + 4 * bits + (depth === 0 ? 0 : got - 1)) : coder.plain(bit, 1));
    }
    return coder.plain(Number(value < 0), 1) ? -got : got;
  }

  number(value: number, kind: number): number {
    const { coder } = this;
    const base = NUMBERS + 32 * kind;
    const folded = value < 0 ? -2 * value - 1 : 2 * value;
    const wanted = 32 - Math.clz32(folded);
    let bits = 0;
    while (bits < 31 && coder.bit(Number(wanted > bits), base + bits)) bits++;
    const got = bits < 2 ? bits : 2 ** (bits - 1) + coder.plain(folded & (2 ** (bits - 1) - 1), bits - 1);
    return got % 2 === 1 ? -(got + 1) / 2 : got / 2;
  }
}
