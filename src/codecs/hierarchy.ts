/**
 * The walk over all points of a wavetable, coarse to fine, that an encoder and its decoder share. At each point the value
 * is predicted, the residual quantised, coded and added back, so that the encoder predicts from what the decoder has.
 */
import {
  CUBIC,
  centreFeatures,
  edgeFeatures,
  FEATURES,
  type Features,
  Normal,
  type Step,
  WEIGHT_ONE,
} from './interpolators.js';
import { type NodeShape, sizeOf } from './parameters.js';
import { continueCentres, continueCorners, newPlane, type Plane, refined } from './pyramid.js';
import { ESCAPE, LARGEST, ResidualCoder, STEPS, type Surroundings } from './residuals.js';

/** How a wavetable is quantised. */
export interface Quantisation {
  /** [C] float32: the quantisation step of the finest level; 0: the channel is constant. */
  steps: Float32Array;
  /** [C] float32: a value that the channel is near to. */
  offsets: Float32Array;
  /** Each coarser level's step is divided by ratio/8 once more, at most by limit/8 in all. */
  ratio: number;
  limit: number;
}

/** What an encoder adds. */
export interface Original {
  /** [H, W, C] */
  values: Float32Array;
  /** [C] largest error. */
  bounds: Float64Array;
}

export interface Walked {
  /** [H, W, C] decoded. */
  values: Float32Array;
}

const SAMPLES = 6000;
const float = new Float32Array(1);
const floatBits = new Int32Array(float.buffer);

class Walk {
  readonly #coder: ResidualCoder;
  readonly #shape: NodeShape;
  readonly #quantisation: Quantisation;
  readonly #original: Original | null;
  readonly #features = new Float64Array(FEATURES);
  readonly #near: Surroundings = { before: 0, around: 0, twin: 0, twinAround: 0, activity: 0, step: 0 };
  readonly #last: Record<Step, Int32Array> = { centres: CUBIC.centres, edges: CUBIC.edges };

  constructor(
    coder: ResidualCoder,
    shape: NodeShape,
    quantisation: Quantisation,
    original: Original | null,
  ) {
    this.#coder = coder;
    this.#shape = shape;
    this.#quantisation = quantisation;
    this.#original = original;
  }

  run(): Float32Array {
    const [height, width, channels] = this.#shape;
    const { steps, offsets } = this.#quantisation;
    let level = 0;
    while (2 ** level < Math.max(height, width)) level++;
    const out = new Float32Array(sizeOf(this.#shape));
    const planes: Plane[] = [];
    for (let c = 0; c < channels; c++) planes.push(this.#root(c, level));
    while (level-- > 0) {
      const h = Math.ceil(height / 2 ** level);
      const w = Math.ceil(width / 2 ** level);
      for (let c = 0; c < channels; c++) {
        if (steps[c] === 0) continue;
        planes[c] = refined(planes[c], h, w);
        continueCorners(planes[c]);
      }
      const length = planes.reduce((n, p) => Math.max(n, p.values.length), 0);
      const offs = new Float64Array(length);
      const none = new Float64Array(length);
      for (const step of ['centres', 'edges'] as const) {
        for (let c = 0; c < channels; c++) {
          if (steps[c] === 0) continue;
          if (step === 'edges') continueCentres(planes[c]);
          const twin = c > 0 && steps[c - 1] > 0 ? planes[c - 1] : null;
          const twin2 = c > 1 && steps[c - 2] > 0 ? planes[c - 2] : null;
          this.#step(step, level, c, planes[c], twin, twin2, offs, none);
        }
      }
    }
    for (let c = 0; c < channels; c++) {
      if (steps[c] === 0) {
        for (let i = c; i < out.length; i += channels) out[i] = offsets[c];
        continue;
      }
      const { values, stride } = planes[c];
      for (let y = 0, to = c; y < height; y++) {
        for (let x = 0, i = (y + 4) * stride + 4; x < width; x++, i++, to += channels) out[to] = values[i];
      }
    }
    return out;
  }

  /** Quantisation step of a channel at a level. */
  #stepAt(c: number, level: number): number {
    const { steps, ratio, limit } = this.#quantisation;
    let divisor = 1;
    for (let l = 0; l < level; l++) divisor = Math.min((divisor * ratio) / 8, limit / 8);
    return steps[c] / Math.max(1, divisor);
  }

  #root(c: number, level: number): Plane {
    const plane = newPlane(1, 1);
    const at = 4 * plane.stride + 4;
    if (this.#quantisation.steps[c] === 0) return plane;
    Object.assign(this.#near, { before: 0, around: 0, twin: 0, twinAround: 0, activity: 0, step: 0 });
    const offset = this.#quantisation.offsets[c];
    const step = this.#stepAt(c, level);
    const bound = this.#original?.bounds[c] ?? 0;
    const x = this.#original?.values[c] ?? 0;
    const q = this.#original ? quantised(x, offset, step, bound) : 0;
    plane.values[at] = this.#decoded(this.#coder.code(q, this.#near), offset, step, x);
    return plane;
  }

  #decoded(q: number, predicted: number, step: number, original: number): number {
    if (q !== ESCAPE) return Math.fround(predicted + q * step);
    float[0] = original;
    floatBits[0] =
      (this.#coder.coder.plain(floatBits[0] >>> 16, 16) << 16) |
      this.#coder.coder.plain(floatBits[0] & 0xffff, 16);
    return float[0];
  }

  #step(
    kind: Step,
    level: number,
    c: number,
    plane: Plane,
    twin: Plane | null,
    twin2: Plane | null,
    offs: Float64Array,
    none: Float64Array,
  ): void {
    const { stride: s, values, sizes, residuals, height, width } = plane;
    const features = this.#features;
    const near = this.#near;
    const coder = this.#coder;
    const offset = this.#quantisation.offsets[c];
    const step = this.#stepAt(c, level);
    const perStep = 4 / step;
    const bound = this.#original?.bounds[c] ?? 0;
    const source = this.#original?.values;
    const featuresAt = kind === 'centres' ? centreFeatures : edgeFeatures;
    const twinResiduals = twin?.residuals ?? none;
    const twin2Residuals = twin2?.residuals ?? none;
    const twinSizes = twin?.sizes ?? null;
    const [, fullWidth, channels] = this.#shape;
    const rowStep = (fullWidth * channels) << level;
    const columnStep = channels << level;
    const firstRow = kind === 'centres' ? 1 : 0;
    const rowsBy = kind === 'centres' ? 2 : 1;
    const firstOf = (y: number) => 1 - (kind === 'centres' ? 0 : y & 1);
    offs.fill(0);
    const fit = source
      ? () => {
          for (let y = firstRow; y < height; y += rowsBy) {
            for (let x = firstOf(y), i = (y + 4) * s + 4 + x; x < width; x += 2, i += 2) {
              values[i] = source[y * rowStep + x * columnStep + c];
            }
          }
          return fitted(
            featuresAt, plane, offs, offset, twinResiduals, twin2Residuals, step, kind, firstRow, rowsBy, firstOf,
            this.#last[kind],
          );
        }
      : null;
    const weights = this.#weights(kind, fit?.() ?? null);
    offs.fill(0);
    const real = Float64Array.from(weights, (w) => w / WEIGHT_ONE);
    near.step = Math.min(STEPS / 2 - 1, level) * 2 + Number(kind === 'edges');
    // Steps to what was decoded before, nearer pair first; and to the nearest.
    const [p, q, r, t] =
      kind === 'centres'
        ? [-2, -2 * s, -2 * s - 2, -2 * s + 2]
        : [-s - 1, -s + 1, -2, -2 * s];
    const n1 = kind === 'centres' ? s + 1 : s;
    const n2 = kind === 'centres' ? s - 1 : 1;
    for (let y = firstRow; y < height; y += rowsBy) {
      for (let x = firstOf(y), i = (y + 4) * s + 4 + x; x < width; x += 2, i += 2) {
        const mean = featuresAt(features, i, plane, offs, offset, twinResiduals, twin2Residuals);
        let predicted = mean;
        for (let k = 0; k < FEATURES; k++) predicted += real[k] * features[k];
        near.before = 2 * (sizes[i + p] + sizes[i + q]) + sizes[i + r] + sizes[i + t];
        near.around = sizes[i - n1] + sizes[i + n1] + sizes[i - n2] + sizes[i + n2];
        if (twinSizes !== null) {
          near.twin = twinSizes[i];
          near.twinAround = twinSizes[i - p] + twinSizes[i - q] + twinSizes[i + p] + twinSizes[i + q];
        } else {
          near.twin = 0;
          near.twinAround = near.before >> 1;
        }
        const active =
          (Math.abs(features[0]) + Math.abs(features[1]) + Math.abs(features[2])) * perStep;
        near.activity = active < 4095 ? active | 0 : 4095;
        const original = source ? source[y * rowStep + x * columnStep + c] : 0;
        const got = coder.code(source ? quantised(original, predicted, step, bound) : 0, near);
        const value = this.#decoded(got, predicted, step, original);
        values[i] = value;
        sizes[i] = got === ESCAPE ? 1000 : got < 0 ? (got < -1000 ? 1000 : -got) : got > 1000 ? 1000 : got;
        residuals[i] = value - predicted;
        offs[i] = value - mean;
      }
    }
  }

  /** The step's weights: the last ones of their kind (0), the cubic ones (1), or new ones, told as differences (2). */
  #weights(kind: Step, wanted: Int32Array | null): Int32Array {
    const last = this.#last[kind];
    const cubic = CUBIC[kind];
    const same = (a: Int32Array, b: Int32Array) => a.every((w, i) => w === b[i]);
    const mode = this.#coder.number(wanted ? (same(wanted, last) ? 0 : same(wanted, cubic) ? 1 : 2) : 0, 0);
    const weights =
      mode === 0
        ? last
        : mode === 1
          ? cubic
          : last.map((w, i) => w + this.#coder.number(wanted ? wanted[i] - w : 0, 1));
    this.#last[kind] = weights;
    return weights;
  }
}

function quantised(x: number, predicted: number, step: number, bound: number): number {
  const q = Math.round((x - predicted) / step);
  if (!(Math.abs(q) <= LARGEST)) return ESCAPE;
  return Math.abs(x - Math.fround(predicted + q * step)) <= bound ? q : ESCAPE;
}

/** The weights that promise the fewest bytes: those of before, cubic ones, or fitted ones. */
function fitted(
  featuresAt: Features,
  plane: Plane,
  offs: Float64Array,
  offset: number,
  twin: Float64Array,
  twin2: Float64Array,
  step: number,
  kind: Step,
  firstRow: number,
  rowsBy: number,
  firstOf: (y: number) => number,
  last: Int32Array,
): Int32Array {
  const { height, width, stride: s, values } = plane;
  const features = new Float64Array(FEATURES);
  const normal = new Normal();
  const points = (height * width) / (kind === 'centres' ? 4 : 2);
  const n1 = kind === 'centres' ? s + 1 : s;
  const n2 = kind === 'centres' ? s - 1 : 1;
  const every = Math.max(1, Math.floor(points / SAMPLES));
  let left = 1;
  for (let y = firstRow; y < height; y += rowsBy) {
    for (let x = firstOf(y), i = (y + 4) * s + 4 + x; x < width; x += 2, i += 2) {
      const mean = (values[i - n1] + values[i + n1] + values[i - n2] + values[i + n2]) / 4;
      offs[i] = values[i] - mean;
      if (--left > 0) continue;
      left = every;
      featuresAt(features, i, plane, offs, offset, twin, twin2);
      const spread = features[0] ** 2 + features[1] ** 2 + features[2] ** 2;
      normal.add(features, offs[i], 1 / (step * step + spread));
    }
  }
  if (normal.count === 0) return last;
  // Weighted by local spread, residuals in units of the step: bits by the rate of a quantised Laplacian, roughly.
  const bits = (weights: Int32Array, told: number) =>
    told + (points / 2) * Math.log2(1 + 8 * normal.error(weights) / normal.count);
  const own = normal.fit(last, 1);
  let best = last;
  let least = bits(last, 1);
  for (const [weights, told] of [
    [CUBIC[kind], 3],
    [own, 9 + last.reduce((n, w, i) => n + 2 * (33 - Math.clz32(Math.abs(own[i] - w))), 0)],
  ] as const) {
    const cost = bits(weights, told);
    if (cost < least) {
      least = cost;
      best = weights;
    }
  }
  return best;
}

/** Codes `original`, or decodes. */
export function walk(
  coder: ResidualCoder,
  shape: NodeShape,
  quantisation: Quantisation,
  original: Original | null,
): Float32Array {
  return new Walk(coder, shape, quantisation, original).run();
}

export { ResidualCoder };
