/**
 * 'dct': the coefficients of one orthonormal DCT-II over the whole wavetable, of each channel:
 *
 *   x[h, w, c] = Σ_kh Σ_kw D_H[h, kh] D_W[w, kw] X[kh, kw, c],   D_n[i, k] = s_k cos(πk(i + ½)/n), s_0 = √(1/n), s_k = √(2/n)
 *
 * At another resolution the same cosines are evaluated at its own half-pixel centres, without those that it cannot hold: what
 * resample makes of the wavetable, and two matrix products all the same. Along a periodic axis the product of D with the matrix
 * of the resampling stands for D.
 *
 * What is smooth, or made of few waves, needs few coefficients. Source: N. Ahmed, T. Natarajan, K. Rao, "Discrete cosine
 * transform" (1974); payload, quantiser and its search: transform/.
 */
import type * as tf from '@tensorflow/tfjs';
import { check, FormatError, QualityNotReachedError } from '../errors.js';
import { type AxisMatrix, cosineMatrix, keptMatrix, productMatrix } from '../ops/axismatrix.js';
import { resample, resampling } from '../ops/resample.js';
import { separable } from '../ops/separable.js';
import { type DecodeContext, type Form, type HostWavetable, WavetableCodec } from './codec.js';
import type { NodeShape, Parameters } from './parameters.js';
import type { Target } from './quality.js';
import { checkTransformOptions, type ResidualOptions, type Transform } from './transform/contract.js';
import { cosineForward, cosineInverse } from './transform/dcthost.js';
import { encodeTransform } from './transform/encode.js';
import { checkTransformParameters, unpackTransform } from './transform/payload.js';
import { withResidual } from './transform/residual.js';

/** Frequencies that tell coefficients apart in coding: of an axis half as long they count double. Their squares stay whole. */
const frequency = (size: number, longest: number) => {
  const step = Math.max(1, Math.round(longest / size));
  return (k: number): number => Math.min(k * step, 32767);
};

const cosines: Transform = {
  coefficientShape: (shape) => shape,
  layout([height, width]) {
    const longest = Math.max(height, width);
    return [
      {
        ...{ y: 0, x: 0, height, width, kind: 0 },
        rowFrequency: frequency(height, longest),
        columnFrequency: frequency(width, longest),
      },
    ];
  },
  forward: cosineForward,
  inverse: cosineInverse,
};

/** Elements of the largest matrix of an axis: 64 MiB. */
const MOST_ELEMENTS = 2 ** 24;
/** Multiplications up to which the matrices of an axis are multiplied ahead: some tenths of a second, once. */
const MOST_PRODUCTS = 2 ** 28;

const takes = ([height, width]: NodeShape, [kh, kw]: readonly number[]): boolean =>
  height * kh <= MOST_ELEMENTS && width * kw <= MOST_ELEMENTS;

/** Evaluates `count` coefficients of `size` points at `to` points. */
function synthesis(size: number, count: number, to: number, periodic: boolean): AxisMatrix {
  return keptMatrix(`cosines ${size} ${count} ${to} ${periodic}`, () => {
    const turned = periodic ? resampling(size, to, true) : null;
    return turned ? productMatrix(turned, cosineMatrix(size, count, size)) : cosineMatrix(size, count, to);
  });
}

function decode(coefficients: tf.Tensor4D, { shape, resolution, periodic }: DecodeContext): tf.Tensor4D {
  const wraps = [periodic.h, periodic.w];
  const axes = [0, 1].map((axis) => {
    const [size, count, to] = [shape[axis], coefficients.shape[axis + 1], resolution[axis]];
    const ahead = !wraps[axis] || to * size * count <= MOST_PRODUCTS;
    // What a lower resolution cannot hold is not read.
    const read = wraps[axis] ? count : Math.min(count, to);
    return { read, matrix: synthesis(size, read, ahead ? to : size, wraps[axis]) };
  });
  const [h, w] = axes;
  const whole = h.read === coefficients.shape[1] && w.read === coefficients.shape[2];
  const box = whole ? coefficients : coefficients.slice([0, 0, 0, 0], [-1, h.read, w.read, -1]);
  return resample(separable(box, h.matrix, w.matrix), resolution[0], resolution[1], periodic);
}

const form: Form = { kind: 'linear', size: ([height, width]) => [height, width], decode };

export type DCTOptions = ResidualOptions;

/**
 * The DCT codec. Parameter `coefficients` [kh, kw, C]: the first of them along each axis, linear.
 * Takes finite wavetables, all bounds but lossless ones.
 */
export class DCTCodec extends WavetableCodec {
  readonly id = 'dct';
  readonly version = 1;
  override readonly forms = { coefficients: form };
  readonly #residual: boolean;

  /** @throws ArgumentError for options that it has not. */
  constructor(options: DCTOptions = {}) {
    super();
    const { residual = true } = checkTransformOptions('DCTCodec', options, ['residual']);
    this.#residual = residual;
  }

  override get blending(): DCTCodec {
    return this.#residual ? new DCTCodec({ residual: false }) : this;
  }

  protected override async compress(wavetable: HostWavetable, target: Target): Promise<Uint8Array> {
    const where = `${this.id}: encode`;
    const { shape } = wavetable;
    const payload = encodeTransform(where, cosines, wavetable, target, { residual: this.#residual });
    if (!takes(shape, shape)) {
      const { coefficients } = unpackTransform(cosines, payload, shape, where).params;
      // Longer than some thousands along an axis, with coefficients of all frequencies: matrices are not the way.
      check(
        takes(shape, coefficients.shape),
        () => new QualityNotReachedError(where, { shape, coefficients: coefficients.shape }, null),
      );
    }
    return payload;
  }

  override unpack(payload: Uint8Array, shape: NodeShape, source: string): Parameters {
    const parameters = unpackTransform(cosines, payload, shape, source);
    return this.#checked(parameters, shape, source);
  }

  override checkParameters(parameters: Parameters, shape: NodeShape, source: string): void {
    checkTransformParameters(cosines, parameters, shape, source);
    this.#checked(parameters, shape, source);
  }

  #checked(parameters: Parameters, shape: NodeShape, source: string): Parameters {
    const box = parameters.params.coefficients.shape;
    check(
      takes(shape, box),
      () =>
        new FormatError(
          source,
          `must not need matrices of more than ${MOST_ELEMENTS} elements, got [${shape.join(', ')}] of [${box.join(', ')}] coefficients`,
        ),
    );
    return parameters;
  }

  protected override reconstruct(
    params: Readonly<Record<string, tf.Tensor>>,
    constants: Readonly<Record<string, tf.Tensor>>,
    context: DecodeContext,
  ): tf.Tensor3D {
    const decoded = decode(params.coefficients.expandDims(0) as tf.Tensor4D, context);
    return withResidual(decoded.squeeze([0]), constants, context);
  }
}
