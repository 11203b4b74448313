/**
 * The walk over all points of a wavetable, coarse to fine, that an encoder and its decoder share. At each point the value
 * is predicted, the residual quantised, coded and added back, so that the encoder predicts from what the decoder has.
 * What the decoder computes is integer, or float64 by +, −, ×, / in a fixed order: the same on every engine.
 */

import { type NodeShape, sizeOf } from '../parameters.js';
import { CUBIC, centreFeatures, edgeFeatures, FEATURES, type Step, WEIGHT_ONE } from './interpolators.js';
import { continueCentres, continueCorners, MARGIN, newPlane, type Plane, refined } from './pyramid.js';
import { ESCAPE, LARGEST, type Residuals, STEPS, type Surroundings } from './residuals.js';
import { fittedWeights } from './weightfit.js';

/** How a wavetable is quantised. */
export interface Quantisation {
  /** [C] step of the finest level; 0: the channel is constant. */
  steps: Float64Array;
  /** [C] a value that the channel is near to; its value where it is constant. */
  offsets: Float64Array;
  /** A level's step is that of the next finer one divided by taper/8, and at least the finest one divided by limit/8. */
  taper: number;
  limit: number;
}

/** What an encoder adds. */
export interface Original {
  /** [H, W, C] */
  values: Float32Array;
  /** [C] largest error. */
  bounds: Float64Array;
  /** What is rounded towards 0 besides, as a part of the step. */
  deadZone: number;
}

/** Channels that are walked together, each predicted from those before. */
const GROUP = 16;
/** Sizes of residuals as neighbours see them, and of an escaped one. */
const LARGEST_SIZE = 1000;
const float = new Float32Array(1);
const floatBits = new Int32Array(float.buffer);

/** Codes `original`, or decodes where it is null. @returns [H, W, C] as it is decoded. */
export function walk(
  residuals: Residuals,
  shape: NodeShape,
  quantisation: Quantisation,
  original: Original | null,
): Float32Array {
  const out = new Float32Array(sizeOf(shape));
  for (let first = 0; first < shape[2]; first += GROUP) {
    const channels = [];
    for (let c = first; c < Math.min(shape[2], first + GROUP); c++) {
      if (quantisation.steps[c] > 0) channels.push(c);
      else for (let i = c; i < out.length; i += shape[2]) out[i] = quantisation.offsets[c];
    }
    if (channels.length > 0) new Walk(residuals, shape, quantisation, original, channels).run(out);
  }
  return out;
}

/** Places of a step's points in a plane, and of neighbours relative to them. */
export interface Places {
  kind: Step;
  firstRow: number;
  rowsBy: number;
  /** [2] first column in even and odd rows. */
  firstColumns: readonly [number, number];
  /** Decoded before in the same step: the nearer pair, the other pair. */
  before: readonly [number, number, number, number];
  /** The nearest of the steps before: ± each. */
  nearest: readonly [number, number];
}

function placesOf(kind: Step, stride: number): Places {
  return kind === 'centres'
    ? {
        kind,
        firstRow: 1,
        rowsBy: 2,
        firstColumns: [1, 1],
        before: [-2, -2 * stride, -2 * stride - 2, -2 * stride + 2],
        nearest: [stride + 1, stride - 1],
      }
    : {
        kind,
        firstRow: 0,
        rowsBy: 1,
        firstColumns: [1, 0],
        before: [-stride - 1, -stride + 1, -2, -2 * stride],
        nearest: [stride, 1],
      };
}

class Walk {
  readonly #features = new Float64Array(FEATURES);
  readonly #near: Surroundings = { before: 0, around: 0, twin: 0, twinAround: 0, activity: 0, step: 0 };
  readonly #last: Record<Step, Int32Array> = { centres: CUBIC.centres, edges: CUBIC.edges };
  readonly #planes: Plane[] = [];

  constructor(
    private readonly residuals: Residuals,
    private readonly shape: NodeShape,
    private readonly quantisation: Quantisation,
    private readonly original: Original | null,
    private readonly channels: readonly number[],
  ) {}

  run(out: Float32Array): void {
    const [height, width, all] = this.shape;
    const planes = this.#planes;
    let level = 0;
    while (2 ** level < Math.max(height, width)) level++;
    for (const c of this.channels) planes.push(this.#root(c, level));
    while (level-- > 0) {
      const h = Math.ceil(height / 2 ** level);
      const w = Math.ceil(width / 2 ** level);
      for (let k = 0; k < planes.length; k++) {
        planes[k] = refined(planes[k], h, w);
        continueCorners(planes[k]);
      }
      const offs = new Float32Array(planes[0].values.length);
      const none = new Float32Array(offs.length);
      for (const kind of ['centres', 'edges'] as const) {
        const places = placesOf(kind, planes[0].stride);
        for (let k = 0; k < planes.length; k++) {
          if (kind === 'edges') continueCentres(planes[k]);
          this.#step(places, level, k, offs, none);
        }
      }
    }
    planes.forEach(({ values, stride }, k) => {
      for (let y = 0, to = this.channels[k]; y < height; y++) {
        const row = (y + MARGIN) * stride + MARGIN;
        for (let i = row; i < row + width; i++, to += all) out[to] = values[i];
      }
    });
  }

  /** Quantisation step of a channel at a level. */
  #stepAt(c: number, level: number): number {
    const { steps, taper, limit } = this.quantisation;
    let divisor = 1;
    for (let l = 0; l < level; l++) divisor = Math.min((divisor * taper) / 8, limit / 8);
    return steps[c] / divisor;
  }

  #root(c: number, level: number): Plane {
    const plane = newPlane(1, 1);
    Object.assign(this.#near, { before: 0, around: 0, twin: 0, twinAround: 0, activity: 0, step: 0 });
    const offset = this.quantisation.offsets[c];
    const step = this.#stepAt(c, level);
    const { original } = this;
    const x = original ? original.values[c] : 0;
    const q = original ? quantised(x, offset, step, original.bounds[c], 0) : 0;
    const got = this.residuals.code(q, this.#near);
    plane.values[MARGIN * plane.stride + MARGIN] = this.#decoded(got, offset, step, x);
    return plane;
  }

  #decoded(q: number, predicted: number, step: number, original: number): number {
    if (q !== ESCAPE) return Math.fround(predicted + q * step);
    float[0] = original;
    const high = this.residuals.plain(floatBits[0] >>> 16, 16);
    floatBits[0] = (high << 16) | this.residuals.plain(floatBits[0] & 0xffff, 16);
    return float[0];
  }

  /** One step of one channel. `offs` is room for a plane, `none` zeros. */
  #step(places: Places, level: number, k: number, offs: Float32Array, none: Float32Array): void {
    const plane = this.#planes[k];
    const { stride, values, sizes, residuals, height, width } = plane;
    const { kind, firstRow, rowsBy, firstColumns } = places;
    const [p, q, r, t] = places.before;
    const [n1, n2] = places.nearest;
    const features = this.#features;
    const near = this.#near;
    const coder = this.residuals;
    const c = this.channels[k];
    const offset = this.quantisation.offsets[c];
    const step = this.#stepAt(c, level);
    const perStep = 4 / step;
    const bound = this.original?.bounds[c] ?? 0;
    const deadZone = this.original?.deadZone ?? 0;
    const source = this.original?.values ?? null;
    const featuresAt = kind === 'centres' ? centreFeatures : edgeFeatures;
    const twin = k > 0 ? this.#planes[k - 1].residuals : none;
    const twin2 = k > 1 ? this.#planes[k - 2].residuals : none;
    const twinSizes = k > 0 ? this.#planes[k - 1].sizes : null;
    const [, fullWidth, all] = this.shape;
    const rowStep = fullWidth * all * 2 ** level;
    const columnStep = all * 2 ** level;

    let wanted: Int32Array | null = null;
    if (source) {
      for (let y = firstRow; y < height; y += rowsBy) {
        const first = firstColumns[y & 1];
        let i = (y + MARGIN) * stride + MARGIN + first;
        for (let x = first; x < width; x += 2, i += 2) values[i] = source[y * rowStep + x * columnStep + c];
      }
      wanted = fittedWeights(
        plane,
        places,
        featuresAt,
        { offs, offset, twin, twin2, step },
        this.#last[kind],
      );
    }
    const weights = Float64Array.from(this.#weights(kind, wanted), (w) => w / WEIGHT_ONE);
    offs.fill(0);
    near.step = Math.min(STEPS / 2 - 1, level) * 2 + Number(kind === 'edges');
    for (let y = firstRow; y < height; y += rowsBy) {
      coder.checkpoint();
      const first = firstColumns[y & 1];
      let i = (y + MARGIN) * stride + MARGIN + first;
      for (let x = first; x < width; x += 2, i += 2) {
        const mean = featuresAt(features, i, plane, offs, offset, twin, twin2);
        let predicted = mean;
        for (let f = 0; f < FEATURES; f++) predicted += weights[f] * features[f];
        near.before = 2 * (sizes[i + p] + sizes[i + q]) + sizes[i + r] + sizes[i + t];
        near.around = sizes[i - n1] + sizes[i + n1] + sizes[i - n2] + sizes[i + n2];
        if (twinSizes !== null) {
          near.twin = twinSizes[i];
          near.twinAround = twinSizes[i - p] + twinSizes[i - q] + twinSizes[i + p] + twinSizes[i + q];
        } else {
          near.twin = 0;
          near.twinAround = near.before >> 1;
        }
        const active = (Math.abs(features[0]) + Math.abs(features[1]) + Math.abs(features[2])) * perStep;
        near.activity = active < 4095 ? active | 0 : 4095;
        const original = source ? source[y * rowStep + x * columnStep + c] : 0;
        const got = coder.code(source ? quantised(original, predicted, step, bound, deadZone) : 0, near);
        const value = this.#decoded(got, predicted, step, original);
        values[i] = value;
        const size = got < 0 ? -got : got;
        sizes[i] = size < LARGEST_SIZE ? size : LARGEST_SIZE;
        residuals[i] = value - predicted;
        offs[i] = value - mean;
      }
    }
  }

  /** A step's weights: the last ones of their kind (0), the cubic ones (1), or new ones, told as differences (2). */
  #weights(kind: Step, wanted: Int32Array | null): Int32Array {
    const last = this.#last[kind];
    const cubic = CUBIC[kind];
    const same = (a: Int32Array, b: Int32Array) => a.every((w, i) => w === b[i]);
    const mode = this.residuals.number(
      wanted ? (same(wanted, last) ? 0 : same(wanted, cubic) ? 1 : 2) : 0,
      0,
    );
    const weights =
      mode === 0
        ? last
        : mode === 1
          ? cubic
          : last.map((w, i) => w + this.residuals.number(wanted ? wanted[i] - w : 0, 1));
    this.#last[kind] = weights;
    return weights;
  }
}

/** The multiple of `step` that brings the prediction within `bound` of x; ESCAPE where none does. */
function quantised(x: number, predicted: number, step: number, bound: number, deadZone: number): number {
  const ratio = (x - predicted) / step;
  const q = Math.round(ratio);
  if (!(Math.abs(q) <= LARGEST)) return ESCAPE;
  if (q !== 0 && deadZone > 0) {
    const less = q - Math.sign(q);
    if (
      Math.abs(ratio - less) < 0.5 + deadZone &&
      Math.abs(x - Math.fround(predicted + less * step)) <= bound
    ) {
      return less;
    }
  }
  return Math.abs(x - Math.fround(predicted + q * step)) <= bound ? q : ESCAPE;
}
