/**
 * What the codecs of linear transforms (wavelet, DCT, FFT) share: a transform that keeps energy turns a wavetable into
 * coefficients, those are quantised and entropy-coded (coefficients.ts), and the quantiser's step is the largest that keeps
 * a Target. A bound on the largest error is met in one of two ways: by the step alone, or by a coarser step and a
 * sparse residual where the error would be beyond (P. Li et al., "Lossy Scientific Data Compression With SPERR", 2023);
 * what is smaller is taken.
 *
 * Payload, little-endian:
 *
 *   u8                      flags: 1 a step a channel, 2 residual, 4 rotation, 8 nothing but zeros (then no more follows)
 *   f32 (× c)               quantiser's step; of each channel of the coefficients where flag 1
 *   i8, i8                  how far magnitudes 1, and above, are rebuilt below the integer, in 1/256 of a step
 *   f32 (× C)               where flag 2: half the step of the residual; of each channel where flag 1
 *   u8 n, n × (u8, u8, i16) where flag 4: plane rotations of channels p and q by the angle 2 atan(t / 32768)
 *   varint × 2              kh, kw: all other coefficients are 0
 *   the entropy-coded rest  coefficients [kh, kw, c], residual [H, W, C]
 *
 * A coefficient is fround(sign · (|q| − part) · step), rotated in float64 and rounded to float32: additions and products,
 * so the same everywhere.
 */
import * as tf from '@tensorflow/tfjs';
import { check, FormatError, QualityNotReachedError } from '../errors.js';
import { resample } from '../ops/resample.js';
import { ByteReader, ByteWriter } from './bytes.js';
import type { DecodeContext, HostWavetable } from './codec.js';
import {
  CutStream,
  clippedLayout,
  codeCoefficients,
  coefficientDecoder,
  coefficientEncoder,
  estimatedBits,
  type Layout,
  plainLayout,
} from './coefficients.js';
import { type NodeShape, nextBoxSize, type Parameters, sizeOf } from './parameters.js';
import type { Target } from './quality.js';
import { Rotations } from './rotation.js';

/** A linear transform on the host, of (nearly) orthonormal basis functions: errors of coefficients are errors of values. */
export interface Transform {
  /** [kh, kw, c] of all coefficients of a wavetable of `shape`: low frequencies in the first corner. */
  coefficientShape(shape: NodeShape): NodeShape;
  /** The bands of all coefficients. */
  layout(shape: NodeShape): Layout;
  /** [H, W, C] → coefficientShape. */
  forward(values: Float32Array, shape: NodeShape): Float64Array;
  /** The box [kh, kw, c] of first coefficients, all others 0 → [H, W, C]. */
  inverse(coefficients: Float32Array, box: NodeShape, shape: NodeShape): Float64Array;
}

export interface TransformOptions {
  /** Whether a residual may be stored. Without, coefficients are a node's only parameter, and a cube can blend it. */
  residual: boolean;
}

enum Flag {
  PerChannel = 1,
  Residual = 2,
  Rotated = 4,
  Zero = 8,
}

/** Largest magnitude of a quantised coefficient. */
const MOST = 2 ** 30;
/** Rounding of float32 decoding, as a part of the largest magnitude: bounds are met with it to spare. */
const ROUNDING = 2e-6;
/** Steps that a search tries at most. */
const TRIES = 6;

interface Header {
  /** [c] */
  steps: Float32Array;
  /** Parts of a step by which magnitudes 1, and above, are rebuilt below the integer, in 1/256. */
  below: readonly [one: number, more: number];
  /** [C], or null without a residual. */
  halves: Float32Array | null;
  rotations: Rotations;
}

/** The coefficients [kh, kw, c] of quantised ones. */
function dequantised(q: Int32Array, box: NodeShape, channels: number, header: Header): Float32Array {
  const { steps, below, rotations } = header;
  const c = box[2];
  const one = 1 - below[0] / 256;
  const less = below[1] / 256;
  const out = new Float32Array(q.length);
  for (let i = 0, k = 0; i < q.length; i++, k = k + 1 === c ? 0 : k + 1) {
    const v = q[i];
    if (v !== 0) out[i] = (v > 1 ? v - less : v < -1 ? v + less : v * one) * steps[k];
  }
  if (rotations.isNone) return out;
  const wide = Float64Array.from(out);
  rotations.apply(wide, channels, c / channels, true);
  out.set(wide);
  return out;
}

/** One try: coefficients quantised by a step. */
interface Quantised {
  header: Header;
  /** [kh, kw, c]: what is not zero. */
  q: Int32Array;
  box: NodeShape;
}

/** A wavetable that is being encoded. */
class Search {
  readonly channels: number;
  readonly full: NodeShape;
  readonly layout: Layout;
  private readonly coefficients: Float64Array;
  private readonly scratch: Int32Array;
  private rotations = Rotations.none;
  private readonly largest: number;
  /** [kh, kw] of the coefficients that may be other than 0, and the energy of those that are not. */
  private limit: readonly [kh: number, kw: number];
  private energyBeyond = 0;

  constructor(
    private readonly transform: Transform,
    readonly wavetable: HostWavetable,
    /** [C] steps of the channels, as parts of the step. */
    readonly weights: Float64Array,
  ) {
    const { values, shape } = wavetable;
    this.channels = shape[2];
    this.full = transform.coefficientShape(shape);
    this.layout = transform.layout(shape);
    this.coefficients = transform.forward(values, shape);
    this.scratch = new Int32Array(this.coefficients.length);
    let largest = 0;
    for (const v of this.coefficients) if (Math.abs(v) > largest) largest = Math.abs(v);
    this.largest = largest;
    this.limit = [this.full[0], this.full[1]];
  }

  /** Leaves off what lies beyond the first kh × kw coefficients. @returns their energy. */
  crop(kh: number, kw: number): number {
    const [height, width, c] = this.full;
    this.limit = [kh, kw];
    this.energyBeyond = 0;
    for (let y = 0; y < height; y++) {
      const from = (y * width + (y < kh ? kw : 0)) * c;
      for (let i = from; i < (y + 1) * width * c; i++) this.energyBeyond += this.coefficients[i] ** 2;
    }
    return this.energyBeyond;
  }

  private get parts(): number {
    return this.full[2] / this.channels;
  }

  get uniform(): boolean {
    return this.weights.every((w) => w === this.weights[0]);
  }

  /** Rotates the channels if coefficients take fewer bits so, at a step. */
  rotate(step: number): void {
    if (!this.uniform || this.channels < 2) return;
    const rotations = Rotations.of(this.coefficients, this.channels, this.parts);
    if (rotations.isNone) return;
    const plain = this.bits(this.quantised(step));
    const kept = this.coefficients.slice();
    rotations.apply(this.coefficients, this.channels, this.parts, false);
    this.rotations = rotations;
    if (this.bits(this.quantised(step)) < 0.98 * plain - 256) return;
    this.coefficients.set(kept);
    this.rotations = Rotations.none;
  }

  bits({ q, box }: Quantised): number {
    return estimatedBits(q, box, clippedLayout(this.layout, box[0], box[1]));
  }

  /** Smallest step that quantised magnitudes allow. */
  get smallestStep(): number {
    return Math.max((2 * this.largest) / MOST, 1e-37);
  }

  quantised(step: number, deadZone = DEAD_ZONE): Quantised {
    const { coefficients, scratch, full, weights, parts, limit } = this;
    const [, width, c] = full;
    const steps = Float32Array.from({ length: c }, (_, k) => step * weights[Math.floor(k / parts)]);
    const inverse = Float64Array.from(steps, (s) => 1 / s);
    let kh = 1;
    let kw = 1;
    let ones = 0;
    let ofOnes = 0;
    let more = 0;
    let ofMore = 0;
    for (let y = 0; y < limit[0]; y++) {
      let i = y * width * c;
      for (let x = 0; x < limit[1]; x++) {
        for (let k = 0; k < c; k++, i++) {
          const v = coefficients[i] * inverse[k];
          const magnitude = v < 0 ? -v : v;
          const n = (magnitude + deadZone) | 0;
          scratch[i] = v < 0 ? -n : n;
          if (n === 0) continue;
          if (y >= kh) kh = y + 1;
          if (x >= kw) kw = x + 1;
          if (n === 1) {
            ones++;
            ofOnes += 1 - magnitude;
          } else {
            more++;
            ofMore += n - magnitude;
          }
        }
      }
    }
    const part = (sum: number, n: number) =>
      n ? Math.max(-127, Math.min(127, Math.round((256 * sum) / n))) : 0;
    const below: [number, number] = [part(ofOnes, ones), part(ofMore, more)];
    const q = new Int32Array(kh * kw * c);
    for (let y = 0; y < kh; y++) {
      q.set(scratch.subarray(y * width * c, (y * width + kw) * c), y * kw * c);
    }
    const header = { steps, below, halves: null, rotations: this.rotations };
    return { header, q, box: [kh, kw, c] };
  }

  /** Of the coefficients at a step, that is of the values: Parseval. */
  squaredError(step: number): number {
    const { header } = this.quantised(step);
    const { steps, below } = header;
    const { coefficients, scratch, limit } = this;
    const [, width, c] = this.full;
    let squaredError = this.energyBeyond;
    const one = 1 - below[0] / 256;
    const less = below[1] / 256;
    for (let y = 0; y < limit[0]; y++) {
      const end = (y * width + limit[1]) * c;
      for (let j = y * width * c, k = 0; j < end; j++, k = k + 1 === c ? 0 : k + 1) {
        const v = scratch[j];
        const rebuilt = v > 1 ? v - less : v < -1 ? v + less : v * one;
        const error = coefficients[j] - rebuilt * steps[k];
        squaredError += error * error;
      }
    }
    return squaredError;
  }

  /** [H, W, C] errors of the values. */
  errors({ q, box, header }: Quantised): Float64Array {
    const { values, shape } = this.wavetable;
    const out = this.transform.inverse(dequantised(q, box, this.channels, header), box, shape);
    for (let i = 0; i < out.length; i++) out[i] = values[i] - out[i];
    return out;
  }

  payload({ q, box, header }: Quantised, residual: Int32Array | null): Uint8Array {
    const { shape } = this.wavetable;
    const out = new ByteWriter();
    const { steps, halves, rotations, below } = header;
    const perChannel = !this.uniform;
    out.u8(
      (perChannel ? Flag.PerChannel : 0) |
        (residual ? Flag.Residual : 0) |
        (rotations.isNone ? 0 : Flag.Rotated),
    );
    for (const step of perChannel ? steps : steps.subarray(0, 1)) out.f32(step);
    for (const part of below) out.u8(part & 255);
    if (residual && halves) for (const half of perChannel ? halves : halves.subarray(0, 1)) out.f32(half);
    if (!rotations.isNone) rotations.write(out);
    out.varint(box[0]);
    out.varint(box[1]);
    const coder = coefficientEncoder();
    codeCoefficients(coder, q, box, clippedLayout(this.layout, box[0], box[1]));
    if (residual) codeCoefficients(coder, residual, shape, plainLayout(shape[0], shape[1]));
    out.bytes(coder.finish());
    return out.finish();
  }
}

/** What is added to a magnitude before it is cut to an integer: below ½, small coefficients become zeros. */
const DEAD_ZONE = 0.42;

/** The residual that corrects `errors` to within `halves` [C], each correction a multiple of twice that. */
function residualOf(errors: Float64Array, halves: Float32Array): { r: Int32Array; count: number } {
  const channels = halves.length;
  const r = new Int32Array(errors.length);
  let count = 0;
  for (let i = 0, c = 0; i < errors.length; i++, c = c + 1 === channels ? 0 : c + 1) {
    const half = halves[c];
    const e = errors[i];
    if (e <= half && e >= -half) continue;
    r[i] = Math.round(e / (2 * half));
    if (r[i] !== 0) count++;
  }
  return { r, count };
}

const notReached = (where: string, target: Target) =>
  new QualityNotReachedError(where, target.lossless ? { lossless: true } : 'below float32 rounding', null);

/**
 * The smallest payload found within `target`.
 * @throws QualityNotReachedError for lossless, for bounds below the rounding of float32, and for too few bytes.
 */
export function encodeTransform(
  where: string,
  transform: Transform,
  wavetable: HostWavetable,
  target: Target,
  { residual }: TransformOptions,
): Uint8Array {
  check(!target.lossless, () => notReached(where, target));
  const { values } = wavetable;
  const magnitudes = new Float64Array(wavetable.shape[2]);
  for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === magnitudes.length ? 0 : c + 1) {
    if (Math.abs(values[i]) > magnitudes[c]) magnitudes[c] = Math.abs(values[i]);
  }
  const largest = Math.max(...magnitudes);
  if (largest === 0) return Uint8Array.of(Flag.Zero);
  if (Number.isFinite(target.maxAbs[0])) {
    // Where channels share a bound they may be rotated, and each has the rounding of the largest.
    const shared = target.maxAbs.every((e) => e === target.maxAbs[0]);
    const roundings = magnitudes.map((m) => ROUNDING * (shared ? largest : m));
    const bounds = target.maxAbs.map((e, c) => Math.min(e, largest) - Math.min(e / 2, roundings[c]));
    check(
      bounds.every((e, c) => e > roundings[c] / 4),
      () => notReached(where, target),
    );
    return withinMaximum(where, new Search(transform, wavetable, bounds), target, residual);
  }
  const search = new Search(transform, wavetable, new Float64Array(wavetable.shape[2]).fill(1));
  if (Number.isFinite(target.bytes)) return withinBytes(where, search, target, largest);
  return withinSquaredError(where, search, target, !residual);
}

/** Steps are in units of the bounds: search.weights. */
function withinMaximum(where: string, search: Search, target: Target, residual: boolean): Uint8Array {
  const bounds = Float32Array.from(search.weights);
  search.rotate(1.5);
  const smallest = search.smallestStep / Math.min(...bounds);
  if (residual) {
    const { shape } = search.wavetable;
    const tried: { at: number; cost: number; quantised: Quantised; r: Int32Array | null }[] = [];
    const attempt = (at: number): number => {
      const quantised = search.quantised(Math.max(smallest, 3.2 * 1.5 ** at));
      const { r, count } = residualOf(search.errors(quantised), bounds);
      const extra = count ? estimatedBits(r, shape, plainLayout(shape[0], shape[1])) + 32 : 0;
      const cost = search.bits(quantised) + extra;
      tried.push({ at, cost, quantised, r: count ? r : null });
      tried.sort((a, b) => a.cost - b.cost);
      return cost;
    };
    // Downhill by whole strides, then to the bottom of the parabola through the best and its neighbours.
    const direction = attempt(1) < attempt(0) ? 1 : -1;
    while (tried.length < TRIES) {
      const next = tried[0].at + direction;
      if (tried.some(({ at }) => at === next)) break;
      attempt(next);
    }
    const middle = tried[0];
    const [below, above] = [-1, 1].map((k) => tried.find(({ at }) => at === middle.at + k)?.cost);
    if (below !== undefined && above !== undefined) {
      const shift = (below - above) / (2 * (below + above - 2 * middle.cost));
      if (Math.abs(shift) > 0.15 && Math.abs(shift) < 0.6) attempt(middle.at + shift);
    }
    const { quantised, r } = tried[0];
    if (r) quantised.header.halves = bounds;
    return search.payload(quantised, r);
  }
  const holds = (quantised: Quantised) => residualOf(search.errors(quantised), bounds).count === 0;
  const step = largestStep(where, target, smallest, 2, 24, (s) => holds(search.quantised(s)));
  return search.payload(search.quantised(step), null);
}

/** The largest step, to 2 %, of which `holds` is true; it is expected near `guess`. */
function largestStep(
  where: string,
  target: Target,
  smallest: number,
  guess: number,
  tries: number,
  holds: (step: number) => boolean,
): number {
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let step = Math.max(smallest, guess);
  for (let i = 0; i < tries && high > 1.02 * low; i++) {
    if (holds(step)) low = step;
    else high = step;
    if (high <= smallest) break;
    step =
      low === 0
        ? Math.max(smallest, high / 1.6)
        : high === Number.POSITIVE_INFINITY
          ? low * 1.6
          : Math.sqrt(low * high);
  }
  check(low > 0, () => notReached(where, target));
  return low;
}

/** What a smaller box may cost: a part of the bits of the best. */
const BOX_COST = 1.3;
/** The part of the error that what a box leaves off may take. */
const LEFT_OFF = 0.9;

/** @param compact a small box is worth some bytes: a cube holds boxes in memory, and blends and decodes all of them. */
function withinSquaredError(where: string, search: Search, target: Target, compact: boolean): Uint8Array {
  const { values } = search.wavetable;
  const guess = Math.sqrt((12 * target.squaredError) / values.length);
  check(guess > 0, () => notReached(where, target));
  search.rotate(guess);
  const stepFor = (wanted: number) =>
    largestStep(where, target, search.smallestStep, guess, 40, (s) => search.squaredError(s) <= wanted);
  if (compact) cropToBox(search, target.squaredError, stepFor);
  let wanted = target.squaredError;
  for (let attempt = 0; attempt < 4; attempt++) {
    const quantised = search.quantised(stepFor(wanted));
    let squaredError = 0;
    for (const e of search.errors(quantised)) squaredError += e * e;
    if (squaredError <= target.squaredError * (1 - 1e-6)) return search.payload(quantised, null);
    wanted *= Math.min(0.999, (0.998 * target.squaredError) / squaredError);
  }
  throw notReached(where, target);
}

/** Crops to the smallest box of a ladder of sizes that costs at most BOX_COST of the fewest bits. */
function cropToBox(search: Search, squaredError: number, stepFor: (wanted: number) => number): void {
  const [height, width] = search.full;
  const longest = Math.max(height, width);
  const boxes: { kh: number; kw: number; bits: number }[] = [];
  for (let n = 1; ; n = nextBoxSize(n)) {
    const [kh, kw] = [height, width].map((size) => Math.min(size, Math.ceil((size * n) / longest)));
    if (search.crop(kh, kw) <= LEFT_OFF * squaredError) {
      boxes.push({ kh, kw, bits: search.bits(search.quantised(stepFor(squaredError))) });
      if (boxes.length > 4 && boxes[boxes.length - 1].bits >= boxes[boxes.length - 2].bits) break;
    }
    if (n >= longest) break;
  }
  const fewest = Math.min(...boxes.map(({ bits }) => bits));
  const { kh, kw } = boxes.find(({ bits }) => bits <= BOX_COST * fewest)!;
  search.crop(kh, kw);
}

function withinBytes(where: string, search: Search, target: Target, largest: number): Uint8Array {
  const fits = (step: number) => search.bits(search.quantised(step)) <= 8 * target.bytes;
  const smallest = search.smallestStep;
  const rough = fits(smallest)
    ? smallest
    : largestStep(where, target, smallest, largest / 16, 60, (s) => !fits(s));
  search.rotate(rough);
  let best: Uint8Array | null = null;
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let step = rough;
  for (let i = 0; i < 12 && high > 1.01 * low; i++) {
    const payload = search.payload(search.quantised(step), null);
    if (payload.length <= target.bytes) {
      best = payload;
      high = step;
    } else low = step;
    if (high <= smallest) break;
    if (low === 0) step = Math.max(smallest, high / 1.1);
    else step = high === Number.POSITIVE_INFINITY ? low * 1.5 : Math.sqrt(low * high);
  }
  check(best !== null, () => new QualityNotReachedError(where, { bytes: target.bytes }, null));
  return best;
}

/**
 * The parameters of a payload: `coefficients` [kh, kw, c] float32, the box of those that are not zero; and, where there is a
 * residual, the constants `positions` [n] int32 (flat indices of [H, W, C], rising) and `corrections` [n] float32.
 * @throws FormatError for anything but a payload of encodeTransform.
 */
export function unpackTransform(
  transform: Transform,
  payload: Uint8Array,
  shape: NodeShape,
  source: string,
): Parameters {
  const input = new ByteReader(payload, source);
  const full = transform.coefficientShape(shape);
  const channels = shape[2];
  const c = full[2];
  const flags = input.u8();
  check(flags <= 8, () => input.error(`has unknown flags ${flags}`));
  if (flags === Flag.Zero) {
    check(input.left === 0, () => input.error('holds more than zeros'));
    return parametersOf(new Float32Array(c), [1, 1, c], null, null);
  }
  const perChannel = (flags & Flag.PerChannel) !== 0;
  const floats = (count: number, what: string): Float32Array => {
    const read = input.floats(perChannel ? count : 1);
    check(
      read.every((v) => v > 0 && Number.isFinite(v)),
      () => input.error(`${what} must be positive`),
    );
    return perChannel ? read : new Float32Array(count).fill(read[0]);
  };
  const steps = floats(c, 'steps');
  const below = [(input.u8() << 24) >> 24, (input.u8() << 24) >> 24] as const;
  const halves = flags & Flag.Residual ? floats(channels, "the residual's bounds") : null;
  const rotations = flags & Flag.Rotated ? Rotations.read(input, channels) : Rotations.none;
  const box: NodeShape = [input.varint('kh', full[0]), input.varint('kw', full[1]), c];
  check(box[0] >= 1 && box[1] >= 1, () => input.error(`has a box of [${box.join(', ')}]`));
  const q = new Int32Array(sizeOf(box));
  const residual = halves && new Int32Array(sizeOf(shape));
  const coder = coefficientDecoder(input.bytes(input.left));
  try {
    codeCoefficients(coder, q, box, clippedLayout(transform.layout(shape), box[0], box[1]));
    if (residual) codeCoefficients(coder, residual, shape, plainLayout(shape[0], shape[1]));
  } catch (error) {
    if (error instanceof CutStream)
      throw new FormatError(source, 'ends before its coefficients do', { cause: error });
    throw error;
  }
  const coefficients = dequantised(q, box, channels, { steps, below, halves, rotations });
  check(
    coefficients.every((v) => Number.isFinite(v)),
    () => input.error('has coefficients beyond float32'),
  );
  return parametersOf(coefficients, box, residual, halves);
}

function parametersOf(
  coefficients: Float32Array,
  box: NodeShape,
  residual: Int32Array | null,
  halves: Float32Array | null,
): Parameters {
  const params = { coefficients: { shape: box, values: coefficients } };
  if (!residual || !halves) return { params, constants: {} };
  const positions = Int32Array.from(indicesOf(residual));
  const corrections = Float32Array.from(positions, (i) => 2 * residual[i] * halves[i % halves.length]);
  const shape = [positions.length];
  return {
    params,
    constants: { positions: { shape, values: positions }, corrections: { shape, values: corrections } },
  };
}

function indicesOf(residual: Int32Array): number[] {
  const out: number[] = [];
  for (let i = 0; i < residual.length; i++) if (residual[i] !== 0) out.push(i);
  return out;
}

/** @throws FormatError unless `parameters` are what unpackTransform gives for a wavetable of `shape`. */
export function checkTransformParameters(
  transform: Transform,
  { params, constants }: Parameters,
  shape: NodeShape,
  source: string,
): void {
  const [height, width, c] = transform.coefficientShape(shape);
  const box = params.coefficients?.shape ?? [];
  check(
    Object.keys(params).length === 1 &&
      params.coefficients?.values instanceof Float32Array &&
      box.length === 3 &&
      box[0] >= 1 &&
      box[0] <= height &&
      box[1] >= 1 &&
      box[1] <= width &&
      box[2] === c,
    () =>
      new FormatError(
        source,
        `must have coefficients of at most [${height}, ${width}, ${c}], got [${box.join(', ')}]`,
      ),
  );
  const names = Object.keys(constants);
  if (names.length === 0) return;
  const { positions, corrections } = constants;
  const size = sizeOf(shape);
  check(
    names.length === 2 &&
      positions?.values instanceof Int32Array &&
      corrections?.values instanceof Float32Array &&
      positions.shape.length === 1 &&
      corrections.shape.length === 1 &&
      positions.shape[0] === corrections.shape[0] &&
      positions.values.every((at, i) => at < size && (i === 0 ? at >= 0 : at > positions.values[i - 1])),
    () =>
      new FormatError(source, 'must have positions and corrections of one length, and positions that rise'),
  );
}

/** `decoded` [H, W, C] with the residual of `constants`, where there is one, at context.resolution. */
export function withResidual(
  decoded: tf.Tensor3D,
  constants: Readonly<Record<string, tf.Tensor>>,
  { shape, resolution, periodic }: DecodeContext,
): tf.Tensor3D {
  const { positions, corrections } = constants;
  if (!positions || positions.size === 0) return decoded;
  const dense = tf.scatterND(positions.expandDims(1), corrections, [sizeOf(shape)]);
  const whole = dense.reshape([1, ...shape]) as tf.Tensor4D;
  return tf.add(decoded, resample(whole, resolution[0], resolution[1], periodic).squeeze([0]));
}
