/**
 * The predictive codec: error-bounded compression by hierarchical interpolation. A coarse lattice is coded first, then the
 * points between, level by level, each predicted from what is decoded (interpolators.ts, pyramid.ts); residuals are
 * quantised in a closed loop (hierarchy.ts) and coded under mixed contexts (residuals.ts, mixing.ts). Payload:
 *
 *   u8                  taper: a level's step is the next finer one's, divided by taper/8, 8 … 32
 *   u8                  limit: but not below the finest one's divided by limit/8, 8 … 255
 *   u8                  1: all channels have one step; 0: each its own
 *   f32                 the step, if shared; then a channel:
 *     f32               its step, if not shared; 0: the channel is constant
 *     f32 | varint      its value, if constant; else its offset in steps, zigzag
 *   bytes               residuals
 *
 * Sources: K. Zhao et al., "Optimizing error-bounded lossy compression for scientific data by dynamic spline
 * interpolation" (SZ3, 2021); J. Liu et al., "Dynamic quality metric oriented error bounded lossy compression" (QoZ, 2022)
 * for steps by level; M. Mahoney (2005) for mixing.
 */
import * as tf from '@tensorflow/tfjs';
import { check, FormatError, QualityNotReachedError, shown } from '../errors.js';
import { resample } from '../ops/resample.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { type DecodeContext, type EncodeOptions, type HostWavetable, WavetableCodec } from './codec.js';
import type { NodeShape, Parameters } from './parameters.js';
import { type Quantisation, walk } from './predictive/hierarchy.js';
import { ResidualCoder } from './predictive/residuals.js';
import { bestPayload } from './predictive/search.js';
import type { Target } from './quality.js';

const zigzag = (k: number): number => (k < 0 ? -2 * k - 1 : 2 * k);
const unzigzag = (n: number): number => (n % 2 === 1 ? -(n + 1) / 2 : n / 2);

/** The payload of residuals that were coded with a quantisation. */
export function writePredictive(
  { steps, offsets, taper, limit }: Quantisation,
  residuals: Uint8Array,
): Uint8Array {
  const out = new ByteWriter();
  const shared = steps.every((step) => step === steps[0]);
  out.u8(taper);
  out.u8(limit);
  out.u8(Number(shared));
  if (shared) out.f32(steps[0]);
  steps.forEach((step, c) => {
    if (!shared) out.f32(step);
    if (step === 0) out.f32(offsets[c]);
    else out.varint(zigzag(Math.round(offsets[c] / step)));
  });
  out.bytes(residuals);
  return out.finish();
}

function readQuantisation(input: ByteReader, channels: number): Quantisation {
  const taper = input.u8();
  check(taper >= 8 && taper <= 32, () => input.error(`has taper ${taper}; it must be 8 to 32`));
  const limit = input.u8();
  check(limit >= 8, () => input.error(`has limit ${limit}; it must be at least 8`));
  const flag = input.u8();
  check(flag <= 1, () => input.error(`has unknown flags ${flag}`));
  const stepOf = () => {
    const step = input.f32();
    check(step >= 0 && Number.isFinite(step), () => input.error(`has a quantisation step of ${step}`));
    return step;
  };
  // A channel takes a byte at least: no more of them than there are bytes are made room for.
  check(channels <= input.left, () => input.error(`is too short for ${channels} channels`));
  const shared = flag === 1 ? stepOf() : 0;
  const steps = new Float64Array(channels);
  const offsets = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    steps[c] = flag === 1 ? shared : stepOf();
    offsets[c] = steps[c] === 0 ? input.f32() : unzigzag(input.varint('an offset', 2 ** 42)) * steps[c];
    check(Number.isFinite(offsets[c]), () => input.error('has an offset that is not finite'));
  }
  return { steps, offsets, taper, limit };
}

export class PredictiveCodec extends WavetableCodec {
  readonly id = 'predictive';
  readonly version = 1;

  protected async compress(
    { values, shape }: HostWavetable,
    target: Target,
    { signal }: EncodeOptions,
  ): Promise<Uint8Array> {
    if (target.lossless) {
      throw new QualityNotReachedError(`${this.id}: encode`, { lossless: true }, null);
    }
    return bestPayload(values, shape, target, writePredictive, signal);
  }

  /**
   * Closed-loop decoding runs on the host, so that all platforms have the same bits. Constants: `values` [H, W, C]. Params:
   * `scale` and `offset` [C], 1 and 0 as encoded.
   */
  unpack(payload: Uint8Array, shape: NodeShape, source: string): Parameters {
    const input = new ByteReader(payload, source);
    const quantisation = readQuantisation(input, shape[2]);
    const residuals = new ResidualCoder(input.bytes(input.left), source);
    const values = walk(residuals, shape, quantisation, null);
    residuals.checkpoint();
    check(
      values.every((v) => Number.isFinite(v)),
      () => new FormatError(source, 'is damaged: it decodes to values that are not finite'),
    );
    const channels = [shape[2]];
    return {
      params: {
        scale: { shape: channels, values: new Float32Array(shape[2]).fill(1) },
        offset: { shape: channels, values: new Float32Array(shape[2]) },
      },
      constants: { values: { shape: [...shape], values } },
    };
  }

  checkParameters({ params, constants }: Parameters, shape: NodeShape, source: string): void {
    const fits = (array: Parameters['params'][string] | undefined, wanted: readonly number[]) =>
      array?.values instanceof Float32Array && shown(array.shape) === shown([...wanted]);
    check(
      Object.keys(params).length === 2 &&
        Object.keys(constants).length === 1 &&
        fits(params.scale, [shape[2]]) &&
        fits(params.offset, [shape[2]]) &&
        fits(constants.values, shape),
      () =>
        new FormatError(
          source,
          `must hold float32 params scale and offset [${shape[2]}] and constant values [${shape.join(', ')}]`,
        ),
    );
  }

  /** values · scale + offset, resampled. Gradients: scale, offset. */
  protected override reconstruct(
    { scale, offset }: Readonly<Record<string, tf.Tensor>>,
    { values }: Readonly<Record<string, tf.Tensor>>,
    { resolution: [height, width], periodic }: DecodeContext,
  ): tf.Tensor3D {
    const full = tf.add(tf.mul(values, scale), offset).expandDims(0) as tf.Tensor4D;
    return resample(full, height, width, periodic).squeeze([0]);
  }
}
