/**
 * Wavelet codec: coefficients of a wavelet transform (ops/wavelet.ts), quantised and entropy-coded by transform/. A node's
 * parameter is the box of low-frequency coefficients beyond which all are zero; decoding is linear in it.
 */
import * as tf from '@tensorflow/tfjs';
import { type AxisMatrix, keptMatrix } from '../ops/axismatrix.js';
import { resample, resampleMatrix } from '../ops/resample.js';
import { separable } from '../ops/separable.js';
import { defaultMode, inverseWaveletTransform } from '../ops/wavelet.js';
import {
  checkWavelet,
  synthesisMatrix,
  type WaveletFamily,
  type WaveletMode,
} from '../ops/waveletfilters.js';
import { cornersOf } from '../ops/waveletpasses.js';
import {
  type DecodeContext,
  type EncodeOptions,
  type Form,
  type HostWavetable,
  WavetableCodec,
} from './codec.js';
import type { NodeShape, Parameters } from './parameters.js';
import type { Target } from './quality.js';
import { checkTransformOptions, type ResidualOptions, type Transform } from './transform/contract.js';
import { encodeTransform } from './transform/encode.js';
import { checkTransformParameters, unpackTransform } from './transform/payload.js';
import { withResidual } from './transform/residual.js';
import { levelsOf, waveletOnHost } from './transform/wavelethost.js';

export interface WaveletCodecOptions extends ResidualOptions {
  /** Default 'cdf97'. */
  family?: WaveletFamily;
}

/**
 * Compresses by wavelets: strong where a wavetable is smooth in places, with edges and detail in others.
 *
 * Its id is 'wavelet' for CDF 9/7 and 'wavelet-haar', … for the other families; provideCodec those to read their bytes.
 * Parameters: `coefficients` [kh, kw, C], Mallat's layout, linear; with a residual also the constants `positions` and
 * `corrections`. Gradients of decode: coefficients.
 * @throws ArgumentError for a family that is none; encode: see WavetableCodec.
 */
export class WaveletCodec extends WavetableCodec {
  readonly id: string;
  readonly version = 1;
  override readonly forms: Readonly<Record<string, Form>>;
  readonly #transform: Transform;
  readonly #residual: boolean;
  readonly #family: WaveletFamily;

  /** @throws ArgumentError for options that it has not. */
  constructor(options: WaveletCodecOptions = {}) {
    super();
    const { family = 'cdf97', residual = true } = checkTransformOptions('WaveletCodec', options, [
      'family',
      'residual',
    ]);
    const mode = defaultMode(family);
    checkWavelet('WaveletCodec', family, mode);
    this.id = family === 'cdf97' ? 'wavelet' : `wavelet-${family}`;
    this.#transform = waveletOnHost(family, mode);
    this.#residual = residual;
    this.#family = family;
    this.forms = {
      coefficients: {
        kind: 'linear',
        size: ([height, width]) => [height, width],
        decode: (coefficients, context) => tf.tidy(() => decoded(coefficients, context, family, mode)),
      },
    };
  }

  override get blending(): WaveletCodec {
    return this.#residual ? new WaveletCodec({ family: this.#family, residual: false }) : this;
  }

  protected async compress(
    wavetable: HostWavetable,
    target: Target,
    _options: EncodeOptions,
  ): Promise<Uint8Array> {
    return encodeTransform(`${this.id}: encode`, this.#transform, wavetable, target, {
      residual: this.#residual,
    });
  }

  unpack(payload: Uint8Array, shape: NodeShape, source: string): Parameters {
    return unpackTransform(this.#transform, payload, shape, source);
  }

  checkParameters(parameters: Parameters, shape: NodeShape, source: string): void {
    checkTransformParameters(this.#transform, parameters, shape, source);
  }

  protected override reconstruct(
    params: Readonly<Record<string, tf.Tensor>>,
    constants: Readonly<Record<string, tf.Tensor>>,
    context: DecodeContext,
  ): tf.Tensor3D {
    return withResidual(super.reconstruct(params, constants, context), constants, context);
  }
}

/** Zeros at the far ends up to [N, h, w, C]. */
function padded(x: tf.Tensor4D, h: number, w: number): tf.Tensor4D {
  const [, height, width] = x.shape;
  return height === h && width === w
    ? x
    : tf.pad(x, [
        [0, 0],
        [0, h - height],
        [0, w - width],
        [0, 0],
      ]);
}

/**
 * [N, kh, kw, C] → [N, h, w, C] at context.resolution. Levels whose details lie outside the box only interpolate: together
 * with the resampling they are one matrix an axis, which is cheap where the box and the result are small.
 */
function decoded(
  box: tf.Tensor4D,
  { shape: [height, width], resolution: [h, w], periodic }: DecodeContext,
  family: WaveletFamily,
  mode: WaveletMode,
): tf.Tensor4D {
  const levels = levelsOf(height, width);
  const corners = cornersOf(height, width, levels);
  const [, kh, kw] = box.shape;
  let above = 0;
  while (above < levels && kh <= corners[above + 1][0] && kw <= corners[above + 1][1]) above++;
  const [ch, cw] = corners[above];
  const low = inverseWaveletTransform(padded(box, ch, cw), { family, mode, levels: levels - above });
  const native = h === height && w === width;
  const byLevels = FILTER_COST * height * width + (native ? 0 : h * width * height + h * w * width);
  if (above === 0 || byLevels < h * ch * cw + h * w * cw) {
    const whole = inverseWaveletTransform(padded(low, height, width), { family, mode, levels: above });
    return resample(whole, h, w, periodic);
  }
  const matrix = (axis: 0 | 1, to: number, wraps: boolean): AxisMatrix => {
    const sizes = corners.slice(0, above + 1).map((corner) => corner[axis]);
    return keptMatrix(`wavelet ${family} ${mode} ${sizes} ${to} ${wraps}`, () => ({
      to,
      from: sizes[above],
      values: interpolation(sizes, to, wraps, family, mode),
      symmetry: 'general',
    }));
  };
  return separable(low, matrix(0, h, periodic.h), matrix(1, w, periodic.w));
}

/** Multiplications a sample of synthesis, and what moves it, as much as those of a matrix product. */
const FILTER_COST = 64;

/** [to, low]: synthesis from the low corner through `sizes` (the finest first), then resampling to `to`. */
function interpolation(
  sizes: readonly number[],
  to: number,
  wraps: boolean,
  family: WaveletFamily,
  mode: WaveletMode,
): Float32Array {
  const from = sizes[0];
  const low = sizes[sizes.length - 1];
  const resampling = resampleMatrix(from, to, wraps);
  const out = new Float32Array(to * low);
  for (let i = 0; i < low; i++) {
    let signal = new Float64Array(low);
    signal[i] = 1;
    for (let l = sizes.length - 2; l >= 0; l--) {
      const { rows, taps, indices, weights } = synthesisMatrix(family, mode, sizes[l]);
      const next = new Float64Array(rows);
      for (let t = 0; t < rows * taps; t++) {
        if (indices[t] < signal.length) next[Math.floor(t / taps)] += weights[t] * signal[indices[t]];
      }
      signal = next;
    }
    for (let r = 0; r < to; r++) {
      let sum = 0;
      for (let s = 0; s < from; s++) sum += resampling[r * from + s] * signal[s];
      out[r * low + i] = sum;
    }
  }
  return out;
}
