/** What a linear transform is to the codecs that are built on it: wavelet, DCT, FFT. */
import { ArgumentError, check, checkOptionNames, shown } from '../../errors.js';
import type { NodeShape } from '../parameters.js';
import type { Layout } from './coefficients.js';

/** A linear transform on the host, of (nearly) orthonormal basis functions: errors of coefficients are errors of values. */
export interface Transform {
  /** [kh, kw, c] of all coefficients of a wavetable of `shape`: low frequencies in the first corner. */
  coefficientShape(shape: NodeShape): NodeShape;
  /** The bands of all coefficients. */
  layout(shape: NodeShape): Layout;
  /** [H, W, C] → coefficientShape. */
  forward(values: Float32Array, shape: NodeShape): Float64Array;
  /** The box [kh, kw, c] of first coefficients, all others 0 → [H, W, C]. */
  inverse(coefficients: Float32Array, box: NodeShape, shape: NodeShape): Float64Array;
}

/** What the codecs of transforms can be told. */
export interface ResidualOptions {
  /**
   * Whether a bound on the largest error may be kept by a sparse residual beside the coefficients (default true): smaller, but
   * a cube cannot blend such nodes as coefficients.
   */
  residual?: boolean;
}

/** A codec's options as they came. @throws ArgumentError for other names, and for a residual that is no boolean. */
export function checkTransformOptions<T extends ResidualOptions>(
  where: string,
  options: T,
  names: readonly string[],
): T {
  checkOptionNames(where, options, names);
  check(
    options.residual === undefined || typeof options.residual === 'boolean',
    () => new ArgumentError(`${where}: residual must be true or false, got ${shown(options.residual)}`),
  );
  return options;
}

export interface TransformOptions {
  /** Whether a residual may be stored. Without, coefficients are a node's only parameter, and a cube can blend it. */
  residual: boolean;
}
