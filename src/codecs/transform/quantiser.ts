/** The coefficients of a wavetable that is being encoded, quantised by any step: what a search tries. */
import type { HostWavetable } from '../codec.js';
import type { NodeShape } from '../parameters.js';
import { clippedLayout, estimatedBits, type Layout } from './coefficients.js';
import type { Transform } from './contract.js';
import { dequantised, type Header, type Quantised } from './payload.js';
import { Rotations } from './rotation.js';

/** Largest magnitude of a quantised coefficient. */
const MOST = 2 ** 30;
/** What is added to a magnitude before it is cut to an integer: below ½, small coefficients become zeros. */
const DEAD_ZONE = 0.42;
/** Rotated channels must take so much less. */
const ROTATION_GAIN = 0.98;
const ROTATION_BITS = 256;

/** What a step makes of the coefficients. */
interface Scan {
  header: Header;
  /** [kh, kw] of those that are not zero. */
  box: readonly [kh: number, kw: number];
  nonzero: number;
  /** Sum over all coefficients, each in units of its channel's weight: that of the values, by Parseval. */
  squaredError: number;
}

export class Quantiser {
  readonly channels: number;
  /** [kh, kw, c] of all coefficients. */
  readonly full: NodeShape;
  private readonly layout: Layout;
  private readonly coefficients: Float64Array;
  /** The coefficients as the last scan quantised them. */
  private readonly scratch: Int32Array;
  private rotations = Rotations.none;
  private readonly largest: number;
  /** [kh, kw] of the coefficients that may be other than 0, and the energy of those that are not. */
  private limit: readonly [kh: number, kw: number];
  private energyBeyond = 0;

  constructor(
    readonly transform: Transform,
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

  /** Rotates the channels if coefficients take fewer bits so, at a step. */
  rotate(step: number): void {
    const uniform = this.weights.every((w) => w === this.weights[0]);
    if (!uniform || this.channels < 2) return;
    const parts = this.full[2] / this.channels;
    const rotations = Rotations.of(this.coefficients, this.channels, parts);
    if (rotations.isNone) return;
    const { bits } = this.estimate(step);
    const kept = this.coefficients.slice();
    rotations.apply(this.coefficients, this.channels, parts, false);
    this.rotations = rotations;
    if (this.estimate(step).bits < ROTATION_GAIN * bits - ROTATION_BITS) return;
    this.coefficients.set(kept);
    this.rotations = Rotations.none;
  }

  /** Smallest step that quantised magnitudes allow. */
  get smallestStep(): number {
    return Math.max((2 * this.largest) / MOST, 1e-37);
  }

  /** About how many bits the coefficients take at a step, and their error. */
  estimate(step: number): Scan & { bits: number } {
    const scan = this.scan(step);
    const layout = clippedLayout(this.layout, ...scan.box);
    return { ...scan, bits: estimatedBits(this.scratch, this.full, layout) };
  }

  /** Of the coefficients at a step: see Scan. */
  squaredError(step: number): number {
    return this.scan(step).squaredError;
  }

  quantised(step: number): Quantised {
    const {
      header,
      box: [kh, kw],
    } = this.scan(step);
    const [, width, c] = this.full;
    const q = new Int32Array(kh * kw * c);
    for (let y = 0; y < kh; y++) {
      q.set(this.scratch.subarray(y * width * c, (y * width + kw) * c), y * kw * c);
    }
    return { header, q, box: [kh, kw, c] };
  }

  /** [H, W, C] errors of the values. */
  errors({ q, box, header }: Quantised): Float64Array {
    const { values, shape } = this.wavetable;
    const out = this.transform.inverse(dequantised(q, box, this.channels, header), box, shape);
    for (let i = 0; i < out.length; i++) out[i] = values[i] - out[i];
    return out;
  }

  private scan(step: number): Scan {
    const { coefficients, scratch, full, weights, limit } = this;
    const [, width, c] = full;
    const parts = c / this.channels;
    const steps = Float32Array.from({ length: c }, (_, k) => step * weights[Math.floor(k / parts)]);
    const inverse = Float64Array.from(steps, (s) => 1 / s);
    let kh = 1;
    let kw = 1;
    // Counts of magnitudes 1, and above; sums over them, and of squares over all, of how far values lie below the integer.
    let ones = 0;
    let ofOnes = 0;
    let more = 0;
    let ofMore = 0;
    let squares = 0;
    for (let y = 0; y < limit[0]; y++) {
      let i = y * width * c;
      let last = -1;
      for (let x = 0; x < limit[1]; x++) {
        for (let k = 0; k < c; k++, i++) {
          const v = coefficients[i] * inverse[k];
          const magnitude = v < 0 ? -v : v;
          const n = (magnitude + DEAD_ZONE) | 0;
          const short = n - magnitude;
          squares += short * short;
          if (n === 0) {
            scratch[i] = 0;
            continue;
          }
          scratch[i] = v < 0 ? -n : n;
          last = x;
          if (n === 1) {
            ones++;
            ofOnes += short;
          } else {
            more++;
            ofMore += short;
          }
        }
      }
      if (last < 0) continue;
      kh = y + 1;
      if (last >= kw) kw = last + 1;
    }
    const part = (sum: number, n: number) =>
      n ? Math.max(-127, Math.min(127, Math.round((256 * sum) / n))) : 0;
    const below: [number, number] = [part(ofOnes, ones), part(ofMore, more)];
    const gain = (sum: number, n: number, b: number) => (2 * sum - (n * b) / 256) * (b / 256);
    squares -= gain(ofOnes, ones, below[0]) + gain(ofMore, more, below[1]);
    return {
      header: { steps, below, halves: null, rotations: this.rotations },
      box: [kh, kw],
      nonzero: ones + more,
      squaredError: squares * step * step + this.energyBeyond,
    };
  }
}
