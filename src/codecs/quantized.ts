/**
 * Levels, scale, offset: a value is levels · scale + offset of its channel, or a half. Levels are coded losslessly
 * (integers.ts). Payload:
 *
 *   u8          0 uniform, one scale for all channels · 1 uniform, a scale each · 2 halves
 *   f32 each    scale or scales, then C offsets; nothing for halves
 *   the rest    integers: levels; of a half its bits, in the order of the values
 */
import * as tf from '@tensorflow/tfjs';
import {
  ArgumentError,
  check,
  checkOptionNames,
  FormatError,
  QualityNotReachedError,
  shown,
} from '../errors.js';
import { floatToHalf, halfToFloat } from '../ops/half.js';
import { resample } from '../ops/resample.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { type DecodeContext, type EncodeOptions, type HostWavetable, WavetableCodec } from './codec.js';
import { packIntegers, unpackIntegers } from './lossless/integers.js';
import { halfOfOrdered, orderedHalf } from './lossless/ordered.js';
import { finestSteps, MAX_LEVEL, quantized, rangeSteps, type Steps, stepsWithin } from './lossless/steps.js';
import { type HostTensor, type NodeShape, type Parameters, sizeOf } from './parameters.js';
import type { Target } from './quality.js';

export type QuantizedDtype = 'int8' | 'int16' | 'float16' | 'auto';
const DTYPES: readonly QuantizedDtype[] = ['int8', 'int16', 'float16', 'auto'];
const LEVELS = { int8: 256, int16: 65536 };

const ONE_SCALE = 0;
const SCALES = 1;
const HALVES = 2;

export interface QuantizedOptions {
  /**
   * int8, int16: 256 or 65,536 levels between the minimum and the maximum of each channel (fewer where the quality bounds
   * the bytes). float16: the nearest half. auto (default): the coarsest uniform step that meets the quality.
   */
  dtype?: QuantizedDtype;
}

/**
 * Quantised wavetables. Parameters: scale and offset [C], in the wavetable's units, trainable; constants: levels
 * int32 [H, W, C]. Of float16: no parameter, values float32 [H, W, C] that are halves.
 * Errors of encode besides the codec's: QualityNotReachedError where the dtype is too coarse, for lossless, for more than
 * 2²⁴ levels, and for float16 beyond ±65,504.
 */
export class QuantizedCodec extends WavetableCodec {
  readonly id = 'quantized';
  readonly version = 1;
  readonly dtype: QuantizedDtype;

  constructor(options: QuantizedOptions = {}) {
    super();
    checkOptionNames('QuantizedCodec', options, ['dtype']);
    const { dtype = 'auto' } = options;
    check(
      DTYPES.includes(dtype),
      () =>
        new ArgumentError(`QuantizedCodec: dtype must be one of ${DTYPES.join(', ')}, got ${shown(dtype)}`),
    );
    this.dtype = dtype;
  }

  protected async compress(
    wavetable: HostWavetable,
    target: Target,
    { signal }: EncodeOptions,
  ): Promise<Uint8Array> {
    const refuse = () =>
      new QualityNotReachedError(`${this.id}: encode as ${this.dtype}`, boundsOf(target), null);
    check(!target.lossless, refuse);
    if (this.dtype === 'float16') return halves(wavetable, refuse);
    const levels = this.dtype === 'auto' ? MAX_LEVEL : LEVELS[this.dtype];
    if (Number.isFinite(target.bytes)) return withinBytes(wavetable, target.bytes, levels, refuse, signal);
    const steps =
      this.dtype === 'auto' ? stepsWithin(wavetable, target) : finestSteps(wavetable, LEVELS[this.dtype]);
    check(steps !== null, refuse);
    return uniform(wavetable, steps);
  }

  unpack(payload: Uint8Array, shape: NodeShape, source: string): Parameters {
    const input = new ByteReader(payload, source);
    const kind = input.u8();
    check(kind <= HALVES, () => input.error(`has quantised values of an unknown kind ${kind}`));
    const channels = shape[2];
    const floats = kind === HALVES ? 0 : channels + (kind === SCALES ? channels : 1);
    check(floats * 4 <= input.left, () => input.error(`is too short for ${channels} channels`));
    const all = input.floats(floats);
    const scale = kind === ONE_SCALE ? new Float32Array(channels).fill(all[0]) : all.slice(0, channels);
    const offset = all.slice(floats - channels);
    check(all.every(Number.isFinite), () => input.error('has a scale or an offset that is not finite'));
    const integers = unpackIntegers(input.bytes(input.left), shape, source);
    const most = kind === HALVES ? 0x7c00 : MAX_LEVEL;
    check(within(integers, most), () => new FormatError(source, `has levels beyond ±${most}`));
    if (kind === HALVES) {
      const values = new Float32Array(integers.length);
      for (let i = 0; i < values.length; i++) values[i] = halfToFloat(halfOfOrdered(integers[i]));
      return { params: {}, constants: { values: { shape, values } } };
    }
    return {
      params: { scale: { shape: [channels], values: scale }, offset: { shape: [channels], values: offset } },
      constants: { levels: { shape, values: integers } },
    };
  }

  checkParameters({ params, constants }: Parameters, shape: NodeShape, source: string): void {
    const is = (array: HostTensor | undefined, expected: readonly number[], floats: boolean): boolean =>
      array !== undefined &&
      array.values instanceof (floats ? Float32Array : Int32Array) &&
      array.shape.length === expected.length &&
      array.shape.every((n, i) => n === expected[i]) &&
      array.values.length === sizeOf(expected);
    const names = [...Object.keys(params), ...Object.keys(constants)].sort().join(' ');
    const fits =
      names === 'values'
        ? is(constants.values, shape, true)
        : names === 'levels offset scale' &&
          is(params.scale, [shape[2]], true) &&
          is(params.offset, [shape[2]], true) &&
          is(constants.levels, shape, false);
    check(
      fits,
      () =>
        new FormatError(
          source,
          `must hold scale and offset [${shape[2]}] and levels int32 [${shape.join(', ')}], or values of that shape`,
        ),
    );
  }

  protected override reconstruct(
    { scale, offset }: Readonly<Record<string, tf.Tensor>>,
    { levels, values }: Readonly<Record<string, tf.Tensor>>,
    { shape, resolution: [height, width], periodic }: DecodeContext,
  ): tf.Tensor3D {
    const whole = values ?? tf.add(tf.mul(tf.cast(levels, 'float32'), scale), offset);
    if (height === shape[0] && width === shape[1]) return tf.clone(whole) as tf.Tensor3D;
    return resample(whole.expandDims(0) as tf.Tensor4D, height, width, periodic).squeeze([0]);
  }
}

/** −most ≤ level < most: halves that are finite, levels that float32 holds. */
function within(levels: Int32Array, most: number): boolean {
  for (let i = 0; i < levels.length; i++) if (levels[i] < -most || levels[i] >= most) return false;
  return true;
}

/** A target as a message shows it. */
function boundsOf({ maxAbs, squaredError, bytes, lossless }: Target): object {
  if (lossless) return { lossless };
  if (Number.isFinite(bytes)) return { bytes };
  if (Number.isFinite(squaredError)) return { squaredError };
  return { maxAbs: [...maxAbs] };
}

function uniform({ values, shape }: HostWavetable, steps: Steps): Uint8Array {
  const { scale, offset } = steps;
  const out = new ByteWriter();
  const one = scale.every((s) => s === scale[0]);
  out.u8(one ? ONE_SCALE : SCALES);
  for (const s of one ? scale.subarray(0, 1) : scale) out.f32(s);
  for (const o of offset) out.f32(o);
  out.bytes(packIntegers(quantized(values, steps), shape));
  return out.finish();
}

function halves({ values, shape }: HostWavetable, refuse: () => QualityNotReachedError): Uint8Array {
  const levels = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) levels[i] = orderedHalf(floatToHalf(values[i]));
  check(within(levels, 0x7c00), refuse);
  const out = new ByteWriter();
  out.u8(HALVES);
  out.bytes(packIntegers(levels, shape));
  return out.finish();
}

/** Trials of a search, and the part of the allowed bytes from which on a trial is good enough. */
const TRIALS = 9;
const ENOUGH = 0.97;

/** The finest steps whose payload stays within `bytes`: a search of their logarithm by the sizes found so far. */
async function withinBytes(
  wavetable: HostWavetable,
  bytes: number,
  levels: number,
  refuse: () => QualityNotReachedError,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  let best = uniform(wavetable, rangeSteps(wavetable, 2, levels));
  check(best.length <= bytes, refuse);
  const bits = (8 * bytes) / wavetable.values.length;
  // In bits a value, from one level on; a noise of all that a step resolves would take about these.
  let low = -1;
  let high = Math.log2(levels);
  let resolved = Math.min(high, bits + 1.5);
  for (let trial = 0; trial < TRIALS && high - low > 0.01; trial++) {
    signal?.throwIfAborted();
    const payload = uniform(wavetable, rangeSteps(wavetable, 2 ** -resolved, levels));
    if (payload.length <= bytes) {
      if (payload.length >= best.length) best = payload;
      if (payload.length >= ENOUGH * bytes) break;
      low = resolved;
    } else high = resolved;
    // Where levels are many, a value takes a bit more for each halving of the step.
    const left = bits - (8 * payload.length) / wavetable.values.length;
    const guess = resolved + (Math.abs(left) < 0.2 ? 1.3 * left : left) - 0.01;
    resolved = guess > low && guess < high && trial % 3 < 2 ? guess : (low + high) / 2;
  }
  return best;
}
