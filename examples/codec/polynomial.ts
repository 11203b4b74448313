/**
 * A codec of your own: each channel as a polynomial surface of degree 3. Good for shading, vignettes, slow gradients:
 * ten floats a channel, whatever the size; anything else it refuses.
 *
 *     import { provideCodec, WavetableMatrix } from 'wavecube';
 *     import { PolynomialCodec } from './polynomial.js';
 *     provideCodec(new PolynomialCodec());              // bytes with its id can be read from now on
 *     await cube.compressNode(0, 0, 0, { method: 'polynomial', quality: 0.99 });
 *
 * What WavetableCodec does for it: checks the input, decodes and measures what compress gave, refuses what misses the
 * quality, writes the container with its checksum.
 */
import * as tf from '@tensorflow/tfjs';
import {
  type DecodeContext,
  FormatError,
  type HostWavetable,
  type Parameters,
  WavetableCodec,
} from '../../src/index.js';

/** Powers [of y, of x] of the terms. */
const TERMS: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [0, 2],
  [1, 1],
  [2, 0],
  [0, 3],
  [1, 2],
  [2, 1],
  [3, 0],
];

/** [H · W, terms]: each term at each place, at half-pixel centres from −1 to 1. */
function basis(height: number, width: number): Float64Array {
  const out = new Float64Array(height * width * TERMS.length);
  for (let i = 0, y = 0; y < height; y++) {
    const v = (2 * y + 1) / height - 1;
    for (let x = 0; x < width; x++) {
      const u = (2 * x + 1) / width - 1;
      for (const [a, b] of TERMS) out[i++] = v ** a * u ** b;
    }
  }
  return out;
}

/** Solves a small system by elimination with pivots; a term that the others make up gets 0. */
function solve(matrix: number[][], right: number[]): number[] {
  const n = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]]);
  const pivots: number[] = [];
  for (let column = 0, rank = 0; column < n && rank < n; column++) {
    let best = rank;
    for (let r = rank; r < n; r++) if (Math.abs(rows[r][column]) > Math.abs(rows[best][column])) best = r;
    if (Math.abs(rows[best][column]) < 1e-9 * Math.abs(matrix[0][0])) continue;
    [rows[rank], rows[best]] = [rows[best], rows[rank]];
    for (let r = 0; r < n; r++) {
      if (r === rank) continue;
      const factor = rows[r][column] / rows[rank][column];
      for (let k = column; k <= n; k++) rows[r][k] -= factor * rows[rank][k];
    }
    pivots[rank++] = column;
  }
  const solution = new Array<number>(n).fill(0);
  pivots.forEach((column, r) => {
    solution[column] = rows[r][n] / rows[r][column];
  });
  return solution;
}

export class PolynomialCodec extends WavetableCodec {
  readonly id = 'polynomial';
  readonly version = 1;

  /** Least squares, channel by channel. The payload: float32 [terms, C]. */
  protected async compress({ values, shape }: HostWavetable): Promise<Uint8Array> {
    const [height, width, channels] = shape;
    const n = TERMS.length;
    const terms = basis(height, width);
    const matrix = TERMS.map(() => new Array<number>(n).fill(0));
    const rights = Array.from({ length: channels }, () => new Array<number>(n).fill(0));
    for (let i = 0; i < height * width; i++) {
      for (let a = 0; a < n; a++) {
        const term = terms[i * n + a];
        for (let b = 0; b < n; b++) matrix[a][b] += term * terms[i * n + b];
        for (let c = 0; c < channels; c++) rights[c][a] += term * values[i * channels + c];
      }
    }
    const out = new Float32Array(n * channels);
    rights.forEach((right, c) => {
      solve(matrix, right).forEach((coefficient, a) => {
        out[a * channels + c] = coefficient;
      });
    });
    return new Uint8Array(out.buffer);
  }

  unpack(payload: Uint8Array, shape: readonly [number, number, number], source: string): Parameters {
    const size = TERMS.length * shape[2];
    if (payload.length !== 4 * size)
      throw new FormatError(source, `must hold ${4 * size} bytes, got ${payload.length}`);
    // A copy: the payload may stand at any byte of its buffer.
    const values = new Float32Array(payload.slice().buffer);
    if (!values.every(Number.isFinite)) throw new FormatError(source, 'has a coefficient that is not finite');
    return { params: { coefficients: { shape: [TERMS.length, shape[2]], values } }, constants: {} };
  }

  checkParameters({ params }: Parameters, shape: readonly [number, number, number], source: string): void {
    const { coefficients } = params;
    if (coefficients?.shape.join() !== `${TERMS.length},${shape[2]}`)
      throw new FormatError(source, `must hold coefficients [${TERMS.length}, ${shape[2]}]`);
  }

  /** A polynomial has a value everywhere: at another resolution it is evaluated there. Gradients: coefficients. */
  protected override reconstruct(
    { coefficients }: Readonly<Record<string, tf.Tensor>>,
    _constants: Readonly<Record<string, tf.Tensor>>,
    { shape, resolution: [height, width] }: DecodeContext,
  ): tf.Tensor3D {
    const terms = tf.tensor2d(Float32Array.from(basis(height, width)), [height * width, TERMS.length]);
    return tf.matMul(terms, coefficients as tf.Tensor2D).reshape([height, width, shape[2]]);
  }
}
