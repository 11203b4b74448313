/**
 * 'fft': a wavetable as a sum of plane waves, each with a real and an imaginary part,
 *
 *   x[i, j, c] = Re Σ_{k, l} a[k, l, c] e^{2πi (f_k v + l u)},   v = (i + ½)/H, u = (j + ½)/W
 *
 * with the frequencies f = 0, 1, −1, 2, −2, … of the rows and l = 0, 1, 2, … of the columns; so |a| is a wave's amplitude and
 * arg a its phase (wavesOf). At the highest frequency of an even size the wave is sin(πHv) or sin(πWu) instead: samples
 * show no more of it. Of a wave and its conjugate, which is the same wave, only one is stored: column 0 (and W/2) has none of
 * negative f.
 *
 * At another resolution the same waves are evaluated at its half-pixel centres, without those that it cannot hold: what
 * resample makes of the wavetable with both axes periodic.
 *
 * What is made of few waves, or periodic and smooth, needs few coefficients. Payload, quantiser and its search:
 * transform/, on a √(HW/2), with the parts of a complex number side by side.
 */
import * as tf from '@tensorflow/tfjs';
import { boxTerms, frequencies, frequencyOf } from '../ops/boxterms.js';
import { constantOf, withoutZeros } from '../ops/constant.js';
import { activeBackend } from '../ops/device.js';
import { waves } from '../ops/waves.js';
import { type DecodeContext, type Form, type HostWavetable, WavetableCodec } from './codec.js';
import type { Decodable } from './compressed.js';
import type { NodeShape, Parameters } from './parameters.js';
import type { Target } from './quality.js';
import { checkTransformOptions, type ResidualOptions, type Transform } from './transform/contract.js';
import { encodeTransform } from './transform/encode.js';
import { waveScales, wavesForward, wavesInverse } from './transform/ffthost.js';
import { checkTransformParameters, unpackTransform } from './transform/payload.js';
import { withResidual } from './transform/residual.js';

/** Frequencies that tell coefficients apart in coding: of an axis half as long they count double. */
const importance = (size: number, longest: number, halved: boolean) => {
  const step = Math.max(1, Math.round(longest / size));
  return (entry: number): number => Math.min(Math.abs(frequencyOf(entry, halved)) * 2 * step, 32767);
};

const fourier: Transform = {
  coefficientShape: ([height, width, channels]) => [height, frequencies(width, true), 2 * channels],
  layout([height, width]) {
    const longest = Math.max(height, width);
    return [
      {
        ...{ y: 0, x: 0, height, width: frequencies(width, true), kind: 0 },
        rowFrequency: importance(height, longest, false),
        columnFrequency: importance(width, longest, true),
      },
    ];
  },
  forward: wavesForward,
  inverse: wavesInverse,
};

function decode(coefficients: tf.Tensor4D, { shape, resolution }: DecodeContext): tf.Tensor4D {
  activeBackend();
  const [, kh, kw] = coefficients.shape;
  return waves(coefficients, {
    rows: boxTerms(shape[0], resolution[0], kh, false),
    columns: boxTerms(shape[1], resolution[1], kw, true),
  });
}

const form: Form = { kind: 'linear', size: ([height, width]) => [height, frequencies(width, true)], decode };

export type FFTOptions = ResidualOptions;

/**
 * The FFT codec. Parameter `coefficients` [kh, kw, 2C]: C real parts, then C imaginary ones, of the lowest frequencies; linear.
 * Takes finite wavetables, all bounds but lossless ones. Both axes are taken to wrap, whatever `periodic` says.
 */
export class FFTCodec extends WavetableCodec {
  readonly id = 'fft';
  readonly version = 1;
  override readonly forms = { coefficients: form };
  readonly #residual: boolean;

  /** @throws ArgumentError for options that it has not. */
  constructor(options: FFTOptions = {}) {
    super();
    const { residual = true } = checkTransformOptions('FFTCodec', options, ['residual']);
    this.#residual = residual;
  }

  override get blending(): FFTCodec {
    return this.#residual ? new FFTCodec({ residual: false }) : this;
  }

  protected override async compress(wavetable: HostWavetable, target: Target): Promise<Uint8Array> {
    return encodeTransform(`${this.id}: encode`, fourier, wavetable, target, { residual: this.#residual });
  }

  override unpack(payload: Uint8Array, shape: NodeShape, source: string): Parameters {
    const { params, constants } = unpackTransform(fourier, payload, shape, source);
    const box = params.coefficients.shape as NodeShape;
    const values = amplitudes(params.coefficients.values as Float32Array, box, shape);
    return { params: { coefficients: { shape: box, values } }, constants };
  }

  override checkParameters(parameters: Parameters, shape: NodeShape, source: string): void {
    checkTransformParameters(fourier, parameters, shape, source);
  }

  protected override reconstruct(
    params: Readonly<Record<string, tf.Tensor>>,
    constants: Readonly<Record<string, tf.Tensor>>,
    context: DecodeContext,
  ): tf.Tensor3D {
    const decoded = decode(params.coefficients.expandDims(0) as tf.Tensor4D, context);
    return withResidual(decoded.squeeze([0]), constants, { ...context, periodic: { h: true, w: true } });
  }
}

/** Orthonormal coefficients, parts side by side, as amplitudes, real parts first. */
function amplitudes(values: Float32Array, [kh, kw, parts]: NodeShape, shape: NodeShape): Float32Array {
  const channels = parts / 2;
  const scale = waveScales(shape);
  const out = new Float32Array(values.length);
  for (let k = 0, at = 0; k < kh; k++) {
    for (let l = 0; l < kw; l++, at += parts) {
      const s = scale(k, l);
      for (let c = 0; c < channels; c++) {
        out[at + c] = values[at + 2 * c] * s;
        out[at + channels + c] = values[at + 2 * c + 1] * s;
      }
    }
  }
  return out;
}

/**
 * Magnitude and phase of the waves that a wavetable compressed by 'fft' is the sum of.
 * @param compressed what FFTCodec encoded, or its `with` other params. Its residual, where it has one, is left out.
 * @returns two tensors [kh, kw, C]: amplitudes in the wavetable's units; phases in radians, (−π, π], 0 where there is no wave.
 * Row k is frequency 0, 1, −1, 2, −2, … along H, column l frequency 0, 1, 2, … along W, cycles a wavetable.
 * Gradients: compressed.params; finite also where a magnitude is 0.
 */
export function wavesOf(compressed: Decodable): { magnitude: tf.Tensor3D; phase: tf.Tensor3D } {
  return tf.tidy(() => {
    const [re, im] = tf.split(compressed.params.coefficients, 2, 2);
    // Scaled, so that squares of the smallest and the largest numbers stay inside float32.
    const scale = constantOf(re, (x) => withoutZeros(tf.maximum(tf.abs(x), tf.abs(im))));
    const [x, y] = [tf.div(re, scale), tf.div(im, scale)];
    const square = tf.add(tf.square(x), tf.square(y));
    const none = constantOf(square, (s) => tf.cast(tf.equal(s, 0), 'float32'));
    const magnitude = tf.mul(scale, tf.sub(tf.sqrt(tf.add(square, none)), none));
    const phase = tf.atan2(y, tf.add(x, none));
    return { magnitude: magnitude as tf.Tensor3D, phase: phase as tf.Tensor3D };
  });
}
