/**
 * Two-dimensional Fourier transforms of wavetables, fast on every backend and for every size.
 *
 * A spectrum is [N, H, ⌊W/2⌋ + 1, 2C]: rows are the frequencies 0, 1, … H − 1 along H (modulo H, as in NumPy), columns the
 * frequencies 0 … ⌊W/2⌋ along W, the other half being its conjugate; its channels are C real parts, then the C imaginary
 * parts. The forward transform is not normed, the inverse is by 1/(H·W): NumPy's rfft2 and irfft2 over axes 1 and 2.
 */
import type * as tf from '@tensorflow/tfjs';
import { check, ShapeError } from '../errors.js';
import { activeBackend } from './device.js';
import { checkFloatTensor } from './tensors.js';
import { axisTerms, type Term, waves, wavesAdjoint } from './waves.js';

const plain = (count: number, factor: (k: number) => number): Term[] =>
  Array.from({ length: count }, (_, k): Term => [k, k, factor(k), 0]);

/**
 * Y[n, k, l, c] = Σ_{i, j} x[n, i, j, c] e^{−2πi (ki/H + lj/W)}.
 * @param x [N, H, W, C] float32.
 * @returns [N, H, ⌊W/2⌋ + 1, 2C]: C real parts, C imaginary parts.
 * Gradients: x, of every order.
 * @throws ShapeError, ArgumentError or DisposedError unless x is [N, H, W, C] float32 with H, W ≥ 1.
 */
export function rfft2(x: tf.Tensor4D): tf.Tensor4D {
  checkFloatTensor('rfft2', 'x', x);
  check(
    x.rank === 4 && x.shape[1] >= 1 && x.shape[2] >= 1,
    () => new ShapeError('rfft2', 'x', '[N, H, W, C] with H, W ≥ 1', x.shape),
  );
  activeBackend();
  const [, height, width] = x.shape;
  const half = Math.floor(width / 2) + 1;
  return wavesAdjoint(x, {
    rows: axisTerms(
      height,
      height,
      plain(height, () => 1),
    ),
    columns: axisTerms(
      width,
      half,
      plain(half, () => 1),
    ),
  });
}

/**
 * The inverse of rfft2: x[n, i, j, c] = 1/(HW) Σ_{k, l} Y[n, k, l, c] e^{2πi (ki/H + lj/W)} over all l, the columns that are
 * not in y being the conjugates of those that are. Of the columns 0 and W/2 only the part counts that a real x can have.
 * @param y [N, H, ⌊W/2⌋ + 1, 2C] float32. @param width W: an even and an odd one have spectra of the same shape.
 * @returns [N, H, W, C].
 * Gradients: y, of every order.
 * @throws ShapeError, ArgumentError or DisposedError unless y is such a spectrum.
 */
export function irfft2(y: tf.Tensor4D, width: number): tf.Tensor4D {
  checkFloatTensor('irfft2', 'y', y);
  check(
    Number.isInteger(width) && width >= 1,
    () => new ShapeError('irfft2', 'width', 'a positive integer', String(width)),
  );
  const half = Math.floor(width / 2) + 1;
  check(
    y.rank === 4 && y.shape[1] >= 1 && y.shape[2] === half && y.shape[3] % 2 === 0,
    () => new ShapeError('irfft2', `y for width ${width}`, `[N, H, ${half}, 2C]`, y.shape),
  );
  activeBackend();
  const height = y.shape[1];
  // A column between the first and the Nyquist one stands for itself and for its conjugate.
  const once = (k: number) => k === 0 || 2 * k === width;
  return waves(y, {
    rows: axisTerms(
      height,
      height,
      plain(height, () => 1 / height),
    ),
    columns: axisTerms(
      width,
      half,
      plain(half, (k) => (once(k) ? 1 : 2) / width),
    ),
  });
}
