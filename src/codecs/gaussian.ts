/** Wavetables as sums of few Gaussians. */
import * as tf from '@tensorflow/tfjs';
import {
  ArgumentError,
  check,
  checkOptionNames,
  FormatError,
  QualityNotReachedError,
  shown,
} from '../errors.js';
import { gaussians } from '../ops/gaussians.js';
import { type EncodeOptions, type Form, type HostWavetable, WavetableCodec } from './codec.js';
import { CompressedWavetable } from './compressed.js';
import { overheadOf } from './container.js';
import { fitted, HOST_GAUSSIANS } from './mixture/fit.js';
import { countOf, SHAPE_SIZE } from './mixture/mixture.js';
import { componentsOf, type GaussianMixtureParams, mixtureParamsOf } from './mixture/parameters.js';
import { unpack } from './mixture/payload.js';
import { type NodeShape, type Parameters, sizeOf } from './parameters.js';
import type { Target } from './quality.js';

export type { GaussianMixtureParams } from './mixture/parameters.js';

export interface GaussianMixtureOptions {
  /**
   * Gaussians that a fit may use at most, up to 16384. Default 384, or 4096 where `optimizer` is 'adam'. Time grows with it where
   * a wavetable takes many.
   */
  maxGaussians?: number;
  /**
   * host   Levenberg–Marquardt in float64 on the host: exact, for up to some hundreds, for wavetables that are mixtures
   * adam   Adam on the active backend, coarse to fine: for thousands, for wavetables that are none. Minutes on one core
   *        for a photo of 512 × 512; the same bytes each time on one backend
   * auto   (default) host; then, where that gives up and maxGaussians is more than 384, adam
   */
  optimizer?: 'auto' | 'host' | 'adam';
  /**
   * How much work a fit may take before it is given up; 1 is the default: ten to twenty seconds on one core on the host,
   * a few hundred full renders with adam.
   */
  effort?: number;
}

/** cx, cy, p, q, r, amplitude, phase. */
const COMPACT_SIZE = SHAPE_SIZE + 2;
const MOST_GAUSSIANS = 16_384;
const ADAM_GAUSSIANS = 4096;
const OPTIMIZERS = ['auto', 'host', 'adam'] as const;
/** Of float32 evaluation, as a part of the largest value. */
const ROUNDING = 1e-6;

/** [N, M, 7] → [N, M, 5 + C]: channel c has the amplitude A · cos(φ − cπ/2). */
function expanded(components: tf.Tensor3D, channels: number): tf.Tensor3D {
  const [n, m] = components.shape;
  const amplitude = tf.slice(components, [0, 0, SHAPE_SIZE], [n, m, 1]);
  const phase = tf.slice(components, [0, 0, SHAPE_SIZE + 1], [n, m, 1]);
  const even = tf.mul(amplitude, tf.cos(phase));
  const odd = tf.mul(amplitude, tf.sin(phase));
  const planes = [even, odd, tf.neg(even), tf.neg(odd)];
  const columns = Array.from({ length: channels }, (_, c) => planes[c % 4]);
  return tf.concat<tf.Tensor3D>(
    [tf.slice(components, [0, 0, 0], [n, m, SHAPE_SIZE]), ...columns] as tf.Tensor3D[],
    2,
  );
}

function evaluated(components: tf.Tensor3D, [height, width]: readonly [number, number]): tf.Tensor4D {
  const [n, m, size] = components.shape;
  if (n * m === 0) return tf.fill([n, height, width, size - SHAPE_SIZE], 0);
  return gaussians(components, height, width);
}

/** The first `fixed` columns as they are, the `scaled` next times the weights, the rest as they are. */
function weighed(components: tf.Tensor3D, weights: tf.Tensor2D, scaled: number): tf.Tensor3D {
  const [n, m, size] = components.shape;
  const column = (from: number, count: number) => tf.slice(components, [0, 0, from], [n, m, count]);
  const parts: tf.Tensor3D[] = [
    column(0, SHAPE_SIZE),
    tf.mul(column(SHAPE_SIZE, scaled), weights.expandDims(2)),
  ];
  const rest = size - SHAPE_SIZE - scaled;
  if (rest > 0) parts.push(column(SHAPE_SIZE + scaled, rest));
  return tf.concat(parts, 2);
}

/** Whether a bound lies below what float32 sums of Gaussians can keep. */
function belowRounding({ values, shape }: HostWavetable, target: Target): boolean {
  const channels = shape[2];
  const largest = new Float64Array(channels);
  for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === channels ? 0 : c + 1) {
    largest[c] = Math.max(largest[c], Math.abs(values[i]));
  }
  return largest.some((most, c) => target.maxAbs[c] < ROUNDING * most);
}

/**
 * Sums of Gaussians, for wavetables that are such: a few hundred bytes whatever their size, and the same function at
 * any resolution. Two forms of its parameters, in the unit square with x along the width, y along the height:
 *
 *   general [K, 5 + C]   cx, cy, p, q, r and an amplitude a channel
 *   compact [K, 7]       cx, cy, p, q, r, A, φ: channel c has the amplitude A · cos(φ − cπ/2); taken where it keeps the bound
 *
 * with u = e^p (x − cx) + q (y − cy), v = e^r (y − cy) each adds amplitude · exp(−½(u² + v²)). `periodic` does not
 * matter to it: a Gaussian does not wrap.
 *
 * Fits are least squares: they pass by noise that the bound leaves room for. Reproducible: a wavetable gives the same bytes
 * each time. What is no mixture is given up early, with QualityNotReachedError.
 */
export class GaussianMixtureCodec extends WavetableCodec {
  readonly id = 'gaussian';
  readonly version = 1;
  readonly #maxGaussians: number;
  readonly #optimizer: (typeof OPTIMIZERS)[number];
  readonly #effort: number;

  override readonly forms: Readonly<Record<string, Form>> = {
    general: {
      kind: 'additive',
      weigh: (components, weights, { shape }) => weighed(components, weights, shape[2]),
      decode: (components, { resolution }) => evaluated(components, resolution),
    },
    compact: {
      kind: 'additive',
      weigh: (components, weights) => weighed(components, weights, 1),
      decode: (components, { resolution, shape }) => evaluated(expanded(components, shape[2]), resolution),
    },
  };

  /** @throws ArgumentError unless maxGaussians is an integer from 1 to 16384, optimizer one of the three and effort positive. */
  constructor(options: GaussianMixtureOptions = {}) {
    super();
    checkOptionNames('GaussianMixtureCodec', options, ['maxGaussians', 'optimizer', 'effort']);
    const { optimizer = 'auto', effort = 1 } = options;
    check(
      OPTIMIZERS.includes(optimizer),
      () =>
        new ArgumentError(
          `GaussianMixtureCodec: optimizer must be 'auto', 'host' or 'adam', got ${shown(optimizer)}`,
        ),
    );
    const { maxGaussians = optimizer === 'adam' ? ADAM_GAUSSIANS : HOST_GAUSSIANS } = options;
    check(
      Number.isInteger(maxGaussians) && maxGaussians >= 1 && maxGaussians <= MOST_GAUSSIANS,
      () =>
        new ArgumentError(
          `GaussianMixtureCodec: maxGaussians must be an integer from 1 to ${MOST_GAUSSIANS}, got ${shown(maxGaussians)}`,
        ),
    );
    check(
      typeof effort === 'number' && effort > 0 && Number.isFinite(effort),
      () => new ArgumentError(`GaussianMixtureCodec: effort must be a positive number, got ${shown(effort)}`),
    );
    this.#maxGaussians = maxGaussians;
    this.#optimizer = optimizer;
    this.#effort = effort;
  }

  protected async compress(
    wavetable: HostWavetable,
    target: Target,
    { signal }: EncodeOptions,
  ): Promise<Uint8Array> {
    const size = wavetable.values.length;
    // Twice as many parameters as values, at half their bits, are no compression.
    const most = Math.max(1, Math.floor((2 * size) / (SHAPE_SIZE + wavetable.shape[2])));
    const made = belowRounding(wavetable, target)
      ? null
      : await fitted(wavetable, target, {
          maxGaussians: Math.min(this.#maxGaussians, most),
          optimizer: this.#optimizer,
          effort: this.#effort,
          signal,
        });
    if (made?.holds) return made.payload;
    throw new QualityNotReachedError(
      `${this.id}: encode`,
      asked(target),
      made && (await this.#reached(wavetable, made.payload)),
    );
  }

  /** What a payload that misses its target is. */
  async #reached(wavetable: HostWavetable, payload: Uint8Array): Promise<QualityNotReachedError['best']> {
    const { shape } = wavetable;
    const parameters = this.unpack(payload, shape, this.id);
    const { maxError, psnr, relativeError } = await this.measured(wavetable, parameters);
    const sizeBytes = payload.length + overheadOf(this.id, this.version, shape, payload.length);
    return { maxError, psnr, relativeError, sizeBytes };
  }

  /**
   * A compressed wavetable of given Gaussians, without a fit: what a cube's node is set to as parameters.
   * @returns their bytes as float32; no error is known of it: `achieved` is NaN.
   * @throws ArgumentError unless the arrays fit each other, all is finite and covariances are symmetric and positive definite.
   */
  fromParams(params: GaussianMixtureParams): CompressedWavetable {
    const { shape, name, array } = componentsOf(`${this.id}: fromParams`, params);
    return CompressedWavetable.ofParameters(this, shape, { params: { [name]: array }, constants: {} });
  }

  /** The Gaussians that a compressed wavetable holds. @throws ArgumentError for another codec's. */
  toParams(compressed: CompressedWavetable): GaussianMixtureParams {
    return mixtureParamsOf(compressed);
  }

  unpack(payload: Uint8Array, shape: NodeShape, source: string): Parameters {
    const { compact, exponents, mixture } = unpack(payload, shape[2], source);
    const { channels: planes, shapes, amplitudes } = mixture;
    const count = countOf(mixture);
    const size = compact ? COMPACT_SIZE : SHAPE_SIZE + shape[2];
    const values = new Float32Array(count * size);
    for (let k = 0; k < count; k++) {
      values.set(shapes.subarray(k * SHAPE_SIZE, (k + 1) * SHAPE_SIZE), k * size);
      const a = Array.from({ length: planes }, (_, c) => amplitudes[k * planes + c] * 2 ** exponents[c]);
      values.set(compact ? [Math.hypot(a[0], a[1]), Math.atan2(a[1], a[0])] : a, k * size + SHAPE_SIZE);
    }
    const parameters = {
      params: { [compact ? 'compact' : 'general']: { shape: [count, size], values } },
      constants: {},
    };
    this.checkParameters(parameters, shape, source);
    return parameters;
  }

  checkParameters({ params, constants }: Parameters, [, , channels]: NodeShape, source: string): void {
    const [name] = Object.keys(params);
    const size = name === 'compact' ? COMPACT_SIZE : SHAPE_SIZE + channels;
    const array = params[name];
    check(
      Object.keys(params).length === 1 &&
        (name === 'compact' || name === 'general') &&
        Object.keys(constants).length === 0 &&
        array.shape.length === 2 &&
        array.shape[1] === size &&
        array.values.length === sizeOf(array.shape),
      () =>
        new FormatError(
          source,
          `must hold Gaussians as compact [K, ${COMPACT_SIZE}] or general [K, ${SHAPE_SIZE + channels}], and nothing else`,
        ),
    );
    check(
      array.values.every(Number.isFinite),
      () => new FormatError(source, 'has Gaussians with parameters that are not finite'),
    );
  }
}

/** The quality that a target was made of, as far as it can be told. */
function asked({ lossless, bytes, maxAbs, squaredError }: Target): unknown {
  if (lossless) return { lossless: true };
  if (bytes < Number.POSITIVE_INFINITY) return { bytes };
  if (squaredError < Number.POSITIVE_INFINITY) return { squaredError };
  return { maxAbs: Math.max(...maxAbs) };
}
