/**
 * A codec turns a wavetable into bytes and back. Data flow:
 *
 *   wavetable ─ compress(target) → payload ─ unpack → parameters ─ reconstruct → wavetable
 *      (host)                      (bytes)           (named arrays)  (tensors, differentiable, at any resolution)
 *
 * `encode` runs the whole line and measures: what it returns keeps the bound on its own decoded bytes, or it rejects.
 *
 * Many parameters mean the same for a wavetable and for a blend of wavetables; a *form* says so, and lets a cube sample
 * compressed nodes without decoding them:
 *
 *   linear     decoding is linear in an array [kh, kw, c]. Arrays of one codec nest: padded with zeros at the far ends of
 *              the first two axes to any larger size, up to that of the full wavetable, it decodes to the same. So
 *              coefficients of several nodes are added, and decoded once.
 *   additive   an array [K, P] of components; the wavetable is their sum, and each is linear in its amplitude. A row
 *              of zeros adds nothing. So components of several nodes are scaled, and decoded as one long list.
 *
 * To write a codec, extend WavetableCodec: id, version, compress, unpack, and reconstruct or forms; provideCodec makes it
 * known by its id.
 */
import * as tf from '@tensorflow/tfjs';
import {
  ArgumentError,
  check,
  checkOptionNames,
  DisposedError,
  QualityNotReachedError,
  ShapeError,
  shown,
} from '../errors.js';
import { CompressedWavetable, type Decodable } from './compressed.js';
import { MAX_ELEMENTS, overheadOf } from './container.js';
import { type NodeShape, type Parameters, sizeOf, tensorsOf } from './parameters.js';
import { pause } from './pause.js';
import {
  type Measured,
  measure,
  meets,
  type Quality,
  scaledTarget,
  statisticsOf,
  type Target,
  targetOf,
} from './quality.js';

/** A wavetable on the host: [H, W, C] row-major. */
export interface HostWavetable {
  values: Float32Array;
  shape: NodeShape;
}

export interface EncodeOptions {
  /** Ends the work early: encode rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface DecodeOptions {
  /** [H, W] of the result, or one number for both; the wavetable's own by default. Band-limited. */
  resolution?: number | readonly [height: number, width: number];
  /** Which axes wrap when the result is resampled. */
  periodic?: { h?: boolean; w?: boolean };
}

/** What a decoded wavetable has to be. */
export interface DecodeContext {
  /** [H, W, C] that was encoded. */
  shape: NodeShape;
  /** [H, W] wanted. */
  resolution: readonly [height: number, width: number];
  periodic: { h: boolean; w: boolean };
}

export type Form =
  | {
      kind: 'linear';
      /** [kh, kw] of the array of a full wavetable: what arrays may be padded to. */
      size(shape: NodeShape): readonly [kh: number, kw: number];
      /** [N, kh, kw, c] → [N, H, W, C] at context.resolution. */
      decode(coefficients: tf.Tensor4D, context: DecodeContext): tf.Tensor4D;
    }
  | {
      kind: 'additive';
      /** [N, M, P] with the amplitudes multiplied by weights [N, M]. */
      weigh(components: tf.Tensor3D, weights: tf.Tensor2D, context: DecodeContext): tf.Tensor3D;
      /** [N, M, P] → [N, H, W, C]: each the sum of its M components. */
      decode(components: tf.Tensor3D, context: DecodeContext): tf.Tensor4D;
    };

/** Rounding of float32 decoding on another backend than the one that verified, as a part of the largest value. */
const ROUNDING = 1e-6;
const ATTEMPTS = 4;

export abstract class WavetableCodec {
  /** Names the codec in files: ASCII, at most 64 letters. */
  abstract readonly id: string;
  /** Of the payload's layout; unpack refuses others. */
  abstract readonly version: number;
  /** The form of each parameter that has one, by its name. A node is blended by it if it is its only array. */
  readonly forms: Readonly<Record<string, Form>> = {};
  /** This codec, or a variant of it whose every result can be blended by its form: what cubes compress with. */
  get blending(): WavetableCodec {
    return this;
  }

  /** Whether NaN and ±∞ survive. */
  readonly takesNonFinite: boolean = false;

  /**
   * The payload of `values` within `target`. It is verified by the caller; where the codec knows that it cannot
   * reach the target, it throws QualityNotReachedError with the best that it knows of, its size that of the payload;
   * the caller of encode is told the quality that was asked for.
   */
  protected abstract compress(
    wavetable: HostWavetable,
    target: Target,
    options: EncodeOptions,
  ): Promise<Uint8Array>;

  /** The parameters that a payload holds. @throws FormatError for anything else than a payload of this codec. */
  abstract unpack(payload: Uint8Array, shape: NodeShape, source: string): Parameters;

  /** @throws FormatError unless parameters that were stored as they are fit the shape. */
  abstract checkParameters(parameters: Parameters, shape: NodeShape, source: string): void;

  /**
   * The wavetable [H, W, C] of named tensors, at context.resolution; differentiable to `params`. By default that of the one
   * parameter with a form.
   */
  protected reconstruct(
    params: Readonly<Record<string, tf.Tensor>>,
    _constants: Readonly<Record<string, tf.Tensor>>,
    context: DecodeContext,
  ): tf.Tensor3D {
    const [[name, values]] = Object.entries(params);
    const form = this.forms[name];
    const one = values.expandDims(0);
    const out =
      form.kind === 'linear'
        ? form.decode(one as tf.Tensor4D, context)
        : form.decode(one as tf.Tensor3D, context);
    return out.squeeze([0]);
  }

  /**
   * Compresses a wavetable.
   * @param wavetable [H, W, C] float32 tensor, or its values on the host; it is not kept.
   * @param quality see Quality; default 0.95.
   * @returns bytes that were decoded, in float32 on the active backend, and found within the bound. Dispose it.
   * @throws QualityNotReachedError with the best that was reached; ArgumentError for NaN or ±∞ (lossless takes them)
   * and for a quality that is none. Not differentiable: train its `params` instead.
   */
  async encode(
    wavetable: tf.Tensor3D | HostWavetable,
    quality: Quality = 0.95,
    options: EncodeOptions = {},
  ): Promise<CompressedWavetable> {
    const where = `${this.id}: encode`;
    checkOptionNames(where, options, ['signal']);
    const host = await hostWavetable(where, wavetable);
    const { values, shape } = host;
    const whole = targetOf(where, quality, values, shape);
    const stats = statisticsOf(values, shape);
    check(
      stats.finite || this.takesNonFinite,
      () =>
        new ArgumentError(`${where}: NaN and ±∞ are kept by 'lossless' only, and this wavetable has some`),
    );
    const overhead = overheadOf(
      this.id,
      this.version,
      shape,
      whole.bytes === Number.POSITIVE_INFINITY ? 0 : whole.bytes,
    );
    const target = { ...whole, bytes: whole.bytes - overhead };
    let best: CompressedWavetable | null = null;
    // A payload is made within the bound; what is left to chance is the rounding of float32.
    let wanted = withMargin(target, stats);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await pause(options.signal);
      let payload: Uint8Array;
      try {
        payload = await this.compress(host, wanted, options);
      } catch (error) {
        if (!(error instanceof QualityNotReachedError)) throw error;
        // The codec knows bounds and payloads; the caller asked for a quality, and gets files.
        const reached = error.best && { ...error.best, sizeBytes: error.best.sizeBytes + overhead };
        throw new QualityNotReachedError(where, quality, reached ?? achievedBy(best));
      }
      const parameters = this.unpack(payload, shape, where);
      const measured = await this.measured(host, parameters);
      const made = CompressedWavetable.of(this, shape, measured, payload, parameters);
      if (meets(target, measured, payload.length)) return made;
      // What is made for a smaller error is not smaller, and bits that were to be kept are lost again.
      const hopeless = target.lossless || payload.length > target.bytes;
      if (!best || measured.squaredError < best.achieved.relativeError ** 2 * stats.energy) best = made;
      if (hopeless) break;
      wanted = scaledTarget(wanted, 0.9);
    }
    throw new QualityNotReachedError(where, quality, achievedBy(best));
  }

  /**
   * The wavetable of compressed bytes.
   * @param compressed what encode or CompressedWavetable.fromBytes gave, or its `with` other params.
   * @returns [H, W, C] float32 at options.resolution. Gradients: compressed.params.
   * @throws ArgumentError for another codec's bytes; DisposedError.
   */
  decode(compressed: Decodable, options: DecodeOptions = {}): tf.Tensor3D {
    const where = `${this.id}: decode`;
    checkOptionNames(where, options, ['resolution', 'periodic']);
    checkOptionNames(`${where}: periodic`, options.periodic ?? {}, ['h', 'w']);
    check(
      compressed?.codec === this.id,
      () =>
        new ArgumentError(
          `${where}: must be given what '${this.id}' encoded, got '${shown(compressed?.codec)}'`,
        ),
    );
    const context = contextOf(where, compressed.shape, options);
    return tf.tidy(() => this.reconstruct(compressed.params, compressed.constants, context));
  }

  /** The error of what parameters decode to, on the active backend. */
  protected async measured({ values, shape }: HostWavetable, parameters: Parameters): Promise<Measured> {
    const decoded = tf.tidy(() =>
      this.reconstruct(
        tensorsOf(parameters.params),
        tensorsOf(parameters.constants),
        contextOf('', shape, {}),
      ),
    );
    try {
      return measure(values, await decoded.data<'float32'>(), shape);
    } finally {
      decoded.dispose();
    }
  }
}

const achievedBy = (best: CompressedWavetable | null): QualityNotReachedError['best'] =>
  best && { ...best.achieved, sizeBytes: best.sizeBytes };

function withMargin(target: Target, { min, max }: { min: Float64Array; max: Float64Array }): Target {
  const maxAbs = target.maxAbs.map((e, c) => e - Math.min(e / 16, ROUNDING * Math.max(-min[c], max[c])));
  return { ...target, maxAbs };
}

function contextOf(
  where: string,
  shape: NodeShape,
  { resolution, periodic = {} }: DecodeOptions,
): DecodeContext {
  const pair =
    typeof resolution === 'number' ? [resolution, resolution] : (resolution ?? [shape[0], shape[1]]);
  check(
    pair.length === 2 && pair.every((n) => Number.isInteger(n) && n >= 1),
    () =>
      new ArgumentError(
        `${where}: resolution must be a positive integer or [H, W] of them, got ${shown(resolution)}`,
      ),
  );
  return {
    shape,
    resolution: [pair[0], pair[1]],
    periodic: { h: periodic.h ?? false, w: periodic.w ?? false },
  };
}

/** A wavetable checked and on the host, copied. */
export async function hostWavetable(
  where: string,
  wavetable: tf.Tensor3D | HostWavetable,
): Promise<HostWavetable> {
  const tensor = wavetable instanceof tf.Tensor;
  const shape = wavetable?.shape;
  check(
    Array.isArray(shape) && shape.length === 3 && shape.every((n) => Number.isInteger(n) && n >= 1),
    () => new ShapeError(where, 'wavetable', '[H, W, C]', Array.isArray(shape) ? shape : shown(wavetable)),
  );
  check(
    sizeOf(shape) <= MAX_ELEMENTS,
    () => new ShapeError(where, 'wavetable', `at most ${MAX_ELEMENTS} elements`, shape),
  );
  if (tensor) {
    check(!wavetable.isDisposed, () => new DisposedError(`${where}: the wavetable tensor is disposed`));
    check(
      wavetable.dtype === 'float32',
      () => new ArgumentError(`${where}: wavetable must be float32, got ${wavetable.dtype}; cast it first`),
    );
    return {
      values: (await wavetable.data<'float32'>()).slice(),
      shape: [...shape] as [number, number, number],
    };
  }
  const { values } = wavetable;
  check(
    values instanceof Float32Array && values.length === sizeOf(shape),
    () => new ShapeError(where, 'wavetable', `[${shape.join(', ')}]`, `${values?.length} values`),
  );
  return { values: values.slice(), shape: [...shape] as [number, number, number] };
}
