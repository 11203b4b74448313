/**
 * The bytes of a mixture. A varint: K, the number of components; nothing follows where it is 0. Then one entropy-coded
 * stream of integers:
 *
 *   1 bit compact form · 10 bits exponent of each plane, + 512, or 1 bit that all are the first's
 *   8 bits each, + 128: step codes of amplitudes, centres, shapes; a step is 2^(code/4), from four constants
 *   8 bits each: range of p and r (−4 + n/16), of q (n/4), of cx and of cy (−2 + n/32); 5 bits each: range of the precision
 *   for each component, in the order of cx on a coarse grid:
 *     the coarse place of cx, as a difference from the one before
 *     its precision n: amplitudes are integers in [−2ⁿ, 2ⁿ), and the steps of everything else are divided by 2ⁿ, since it
 *     moves the wavetable by a part of the amplitude
 *     amplitudes · p · r · q · cx within its coarse place · cy
 *
 * A step of cx is divided by the power of two next to e^p, one of cy by that next to e^r or |q|, one of q is multiplied by that
 * next to e^r: all are then parts of a standard deviation. An interval of values is divided evenly, into as many parts as
 * its step asks for, and a value is the middle of a part.
 */
import { check } from '../../errors.js';
import { ByteReader, ByteWriter } from '../bytes.js';
import {
  type Coder,
  codeUnsigned,
  EntropyDecoder,
  EntropyEncoder,
  LEAST_BITS,
  UNSIGNED_CONTEXTS,
} from '../entropy/entropy.js';
import { exponentOf } from './field.js';
import { countOf, emptyMixture, type Mixture, SHAPE_SIZE } from './mixture.js';

/** Steps, in quarters of an octave. */
export interface Steps {
  amplitude: number;
  centre: number;
  shape: number;
}

export interface Packed {
  compact: boolean;
  /** Plane c is 2^−exponents[c] of the wavetable. */
  exponents: readonly number[];
  /** Amplitudes in the units of the planes. */
  mixture: Mixture;
}

const QUARTERS = [1, 1.189207115002721, Math.SQRT2, 1.6817928305074292];
export const stepSize = (code: number): number => QUARTERS[code & 3] * 2 ** (code >> 2);

const { LOG2E } = Math;
/** Parts of an interval at most. */
const MOST_PARTS = 2 ** 28;
export const MOST_PRECISION = 28;

const TREE = 8;
const KINDS = { precision: 0, amplitude: 1, p: 2, r: 3, q: 4, x: 5, y: 6 } as const;
const PLACE = Object.keys(KINDS).length * TREE;
const CONTEXTS = PLACE + UNSIGNED_CONTEXTS;

/** An integer in [0, count): its three highest bits modelled, the rest as likely 0 as 1. */
function codeWithin(coder: Coder, value: number, count: number, base: number): number {
  const bits = 32 - Math.clz32(count - 1);
  let out = 0;
  let node = 1;
  for (let i = 0; i < bits; i++) {
    const left = bits - 1 - i;
    if (i === 3) {
      out = (out << (left + 1)) | coder.plain(value & (2 ** (left + 1) - 1), left + 1);
      break;
    }
    const bit = coder.bit((value >>> left) & 1, base * TREE + node);
    out = (out << 1) | bit;
    node = 2 * node + bit;
  }
  return Math.min(out, count - 1);
}

/** A number in [low, high] to about `step`. NaN where the steps are too small to be counted. */
function codeReal(
  coder: Coder,
  value: number,
  low: number,
  high: number,
  step: number,
  kind: number,
): number {
  const parts = Math.max(1, Math.ceil((high - low) / step));
  if (!(parts <= MOST_PARTS)) return Number.NaN;
  const size = (high - low) / parts;
  const index = coder.decoding ? 0 : Math.min(parts - 1, Math.max(0, Math.floor((value - low) / size)));
  return low + (codeWithin(coder, index, parts, kind) + 0.5) * size;
}

interface Ranges {
  scale: [number, number];
  q: number;
  x: [number, number];
  y: [number, number];
  precision: [number, number];
}

const fit8 = (x: number): number => Math.min(255, Math.max(0, x));
const grid = (values: number[], low: number, unit: number): [number, number] => {
  const first = fit8(Math.floor((Math.min(...values) - low) / unit));
  return [first, fit8(Math.max(first + 1, Math.ceil((Math.max(...values) - low) / unit)))];
};

function rangesOf({ shapes }: Mixture, precisions: readonly number[]): Ranges {
  const column = (s: number) => precisions.map((_, k) => shapes[k * SHAPE_SIZE + s]);
  const skew = column(3).map((q, k) => Math.abs(q) / 2 ** Math.round(shapes[k * SHAPE_SIZE + 4] * LOG2E));
  return {
    scale: grid([...column(2), ...column(4)], -4, 1 / 16),
    q: fit8(Math.ceil(4 * Math.max(...skew))),
    x: grid(column(0), -2, 1 / 32),
    y: grid(column(1), -2, 1 / 32),
    precision: [Math.min(...precisions), Math.max(...precisions)],
  };
}

/**
 * Codes one component; writes what a decoder will read of it into `out`. `amplitudes` are integers. False where a
 * number is none.
 */
function codeComponent(
  coder: Coder,
  steps: Steps,
  ranges: Ranges,
  cell: readonly [low: number, high: number],
  precision: number,
  shape: Float64Array,
  amplitudes: Int32Array,
): [precision: number, fine: boolean] {
  const [least, most] = ranges.precision;
  const n = least + codeWithin(coder, precision - least, most - least + 1, KINDS.precision);
  const half = 2 ** n;
  for (let c = 0; c < amplitudes.length; c++) {
    amplitudes[c] = codeWithin(coder, amplitudes[c] + half, 2 * half, KINDS.amplitude) - half;
  }
  const step = stepSize(steps.shape) / half;
  const [low, high] = ranges.scale.map((v) => -4 + v / 16);
  shape[2] = codeReal(coder, shape[2], low, high, step, KINDS.p);
  shape[4] = codeReal(coder, shape[4], low, high, step, KINDS.r);
  if (!Number.isFinite(shape[2] + shape[4])) return [n, false];
  const tall = Math.round(shape[4] * LOG2E);
  const widest = (ranges.q / 4) * 2 ** tall;
  shape[3] = widest > 0 ? codeReal(coder, shape[3], -widest, widest, step * 2 ** tall, KINDS.q) : 0;
  const centre = stepSize(steps.centre) / half;
  shape[0] = codeReal(coder, shape[0], cell[0], cell[1], centre / 2 ** Math.round(shape[2] * LOG2E), KINDS.x);
  const steep = shape[3] === 0 ? tall : Math.max(tall, exponentOf(Math.abs(shape[3])));
  const [top, bottom] = ranges.y.map((v) => -2 + v / 32);
  shape[1] = codeReal(coder, shape[1], top, bottom, centre / 2 ** steep, KINDS.y);
  return [n, shape.every(Number.isFinite)];
}

function codeAll(
  coder: Coder,
  planes: number,
  count: number,
  head: { compact: boolean; exponents: number[]; steps: Steps; ranges: Ranges },
  mixture: { shapes: Float64Array; integers: Int32Array; precisions: Int32Array },
): boolean {
  head.compact = coder.plain(Number(head.compact), 1) === 1;
  const stored = head.compact ? 2 : planes;
  const same = coder.plain(Number(head.exponents.every((e) => e === head.exponents[0])), 1);
  for (let c = 0; c < stored; c++) {
    head.exponents[c] = c > 0 && same ? head.exponents[0] : coder.plain(head.exponents[c] + 512, 10) - 512;
  }
  const { steps, ranges } = head;
  for (const name of ['amplitude', 'centre', 'shape'] as const)
    steps[name] = coder.plain(steps[name] + 128, 8) - 128;
  for (const pair of [ranges.scale, ranges.x, ranges.y]) {
    for (const i of [0, 1]) pair[i] = coder.plain(pair[i], 8);
  }
  ranges.q = coder.plain(ranges.q, 8);
  for (const i of [0, 1]) ranges.precision[i] = coder.plain(ranges.precision[i], 5);
  if (ranges.precision[1] > MOST_PRECISION || ranges.precision[0] > ranges.precision[1]) return false;
  if ([ranges.scale, ranges.x, ranges.y].some(([low, high]) => low >= high)) return false;
  const cells = 2 ** Math.min(20, 34 - Math.clz32(count));
  const [left, right] = ranges.x.map((v) => -2 + v / 32);
  const place = (x: number) =>
    Math.min(cells - 1, Math.max(0, Math.floor(((x - left) / (right - left)) * cells)));
  const { shapes, integers, precisions } = mixture;
  for (let k = 0, before = 0; k < count; k++) {
    const shape = shapes.subarray(k * SHAPE_SIZE, (k + 1) * SHAPE_SIZE);
    const own = coder.decoding ? 0 : place(shape[0]);
    const at = before + codeUnsigned(coder, own - before, PLACE);
    if (at >= cells) return false;
    before = at;
    const cell = [at, at + 1].map((i) => left + (i / cells) * (right - left)) as [number, number];
    const amplitudes = integers.subarray(k * stored, (k + 1) * stored);
    const [precision, fine] = codeComponent(coder, steps, ranges, cell, precisions[k], shape, amplitudes);
    if (!fine) return false;
    precisions[k] = precision;
  }
  return true;
}

/**
 * Bytes of a mixture, and the mixture that they decode to.
 * @param amplitudesOf given the shapes as they will be decoded, and which of `mixture`'s components they are, the amplitudes.
 * @returns null where the steps are too small for the numbers.
 */
export function pack(
  { compact, exponents, mixture }: Packed,
  steps: Steps,
  amplitudesOf: (shapes: Float64Array, order: readonly number[]) => Float64Array,
): { payload: Uint8Array; mixture: Mixture } | null {
  const { channels } = mixture;
  const step = stepSize(steps.amplitude);
  const peaks = Array.from({ length: countOf(mixture) }, (_, k) =>
    Math.max(...mixture.amplitudes.subarray(k * channels, (k + 1) * channels).map(Math.abs)),
  );
  // A quarter more than the amplitude itself: it moves when it is fitted to the shapes once more.
  const precise = peaks.map((peak) => Math.max(0, exponentOf((1.25 * peak) / step) + 1));
  if (precise.some((n) => n > MOST_PRECISION)) return null;
  const order = peaks
    .map((_, k) => k)
    .filter((k) => peaks[k] > step / 4)
    .sort((a, b) => mixture.shapes[a * SHAPE_SIZE] - mixture.shapes[b * SHAPE_SIZE]);
  const count = order.length;
  const out = new ByteWriter();
  out.varint(count);
  if (count === 0) return { payload: out.finish(), mixture: emptyMixture(channels) };
  const shapes = new Float64Array(count * SHAPE_SIZE);
  order.forEach((k, i) => {
    shapes.set(mixture.shapes.subarray(k * SHAPE_SIZE, (k + 1) * SHAPE_SIZE), i * SHAPE_SIZE);
  });
  const precisions = order.map((k) => precise[k]);
  const ranges = rangesOf({ channels, shapes, amplitudes: new Float64Array(0) }, precisions);
  const integers = new Int32Array(count * channels);
  const run = (coder: Coder, decoded: Float64Array) =>
    codeAll(
      coder,
      channels,
      count,
      { compact, exponents: [...exponents], steps: { ...steps }, ranges: structuredClone(ranges) },
      { shapes: decoded, integers: integers.slice(), precisions: Int32Array.from(precisions) },
    );
  const decoded = shapes.slice();
  if (!run(new EntropyEncoder({ contexts: CONTEXTS }), decoded)) return null;
  const amplitudes = amplitudesOf(decoded, order);
  for (let i = 0; i < integers.length; i++) {
    const half = 2 ** precisions[Math.floor(i / channels)];
    integers[i] = Math.min(half - 1, Math.max(-half, Math.round(amplitudes[i] / step)));
  }
  const coder = new EntropyEncoder({ contexts: CONTEXTS });
  run(coder, shapes);
  out.bytes(coder.finish());
  return {
    payload: out.finish(),
    mixture: { channels, shapes: decoded, amplitudes: Float64Array.from(integers, (m) => m * step) },
  };
}

/** @throws FormatError for anything else than what pack gave for a wavetable of `channels`. */
export function unpack(payload: Uint8Array, channels: number, source: string): Packed {
  const input = new ByteReader(payload, source);
  // No component takes less than a bit.
  const count = input.varint('the number of Gaussians', 8 * payload.length);
  if (count === 0) {
    check(input.left === 0, () => input.error(`has ${input.left} bytes too many`));
    return { compact: false, exponents: [], mixture: emptyMixture(channels) };
  }
  // Nor an amplitude less than LEAST_BITS; before anything is made for them.
  check(count * channels * LEAST_BITS <= 8 * (input.left + 4), () =>
    input.error(`is too short for ${count} Gaussians of ${channels} channels`),
  );
  const coder = new EntropyDecoder(input.bytes(input.left), { contexts: CONTEXTS });
  const head = {
    compact: false,
    exponents: new Array<number>(channels).fill(0),
    steps: { amplitude: 0, centre: 0, shape: 0 },
    ranges: { scale: [0, 0], q: 0, x: [0, 0], y: [0, 0], precision: [0, 0] } as Ranges,
  };
  const shapes = new Float64Array(count * SHAPE_SIZE);
  const integers = new Int32Array(count * Math.max(2, channels));
  const precisions = new Int32Array(count);
  const fine = codeAll(coder, channels, count, head, { shapes, integers, precisions });
  check(fine && coder.overrun <= 4, () => input.error('is no mixture: it is damaged or cut short'));
  check(!head.compact || channels > 2, () => input.error('is compact, which takes more than two channels'));
  const planes = head.compact ? 2 : channels;
  const step = stepSize(head.steps.amplitude);
  const amplitudes = Float64Array.from(integers.subarray(0, count * planes), (m) => m * step);
  const { compact, exponents } = head;
  return {
    compact,
    exponents: exponents.slice(0, planes),
    mixture: { channels: planes, shapes, amplitudes },
  };
}
