/**
 * Band-limited resampling of node images, as one matrix an axis: linear, differentiable, exact for what both sizes
 * can hold (up and down again is the identity), free of aliasing on the way down.
 *
 * Samples sit at half-pixel centres (i + ½)/N. On a periodic axis the basis is Fourier's, elsewhere the cosines of
 * DCT-II (the signal mirrored about its borders): with K = min(N, N′)
 *
 *   mirrored    M[i′, i] = 1/N · (1 + 2 Σ_{k=1}^{K−1} cos(πk u′) cos(πk u)),          u = (i + ½)/N
 *   periodic    M[i′, i] = 1/N · (1 + 2 Σ_{k<K/2} cos(2πk (u′ − u)) [+ m cos(πK(u′ − u)) for even K])
 *               with m = 1 upward (the Nyquist term of N is shared by ±k), 2 downward
 */
import type * as tf from '@tensorflow/tfjs';
import { check, ShapeError } from '../errors.js';
import { type AxisMatrix, keptMatrix } from './axismatrix.js';
import { separable } from './separable.js';
import { checkFloatTensor } from './tensors.js';

/** Σ_{k=1}^{m} cos(kθ). */
function cosineSum(m: number, theta: number): number {
  const half = Math.sin(theta / 2);
  if (Math.abs(half) < 1e-9) return m;
  return (Math.sin((m + 0.5) * theta) / half - 1) / 2;
}

/** [to, from] row-major: the resampling of one axis. */
export function resampleMatrix(from: number, to: number, periodic: boolean): Float32Array {
  const out = new Float32Array(to * from);
  const band = Math.min(from, to);
  for (let t = 0; t < to; t++) {
    const v = (t + 0.5) / to;
    for (let s = 0; s < from; s++) {
      const u = (s + 0.5) / from;
      let sum: number;
      if (periodic) {
        const theta = 2 * Math.PI * (v - u);
        sum = 2 * cosineSum(Math.ceil(band / 2) - 1, theta);
        if (band % 2 === 0) sum += (to > from ? 1 : 2) * Math.cos((band / 2) * theta);
      } else {
        sum = cosineSum(band - 1, Math.PI * (v - u)) + cosineSum(band - 1, Math.PI * (v + u));
      }
      out[t * from + s] = (1 + sum) / from;
    }
  }
  if (from === to) for (let i = 0; i < out.length; i++) out[i] = i % (from + 1) === 0 ? 1 : 0;
  return out;
}

/** The resampling of one axis, of the matrices last used; null where nothing changes. */
export function resampling(from: number, to: number, periodic: boolean): AxisMatrix | null {
  if (from === to) return null;
  return keptMatrix(`resample ${from} ${to} ${periodic}`, () => ({
    from,
    to,
    values: resampleMatrix(from, to, periodic),
    symmetry: 'centred',
    resampling: periodic ? 'periodic' : 'mirrored',
  }));
}

/**
 * Resamples [N, H, W, C] to [N, height, width, C]; the same tensor if nothing changes.
 * `adjoint: true` applies the transpose of the map from (height, width) to (H, W) instead: what a gradient needs.
 * Gradients: x.
 * @throws ShapeError, ArgumentError or DisposedError unless x is [N, H, W, C] float32 with H, W ≥ 1 and the sizes positive
 * integers.
 */
export function resample(
  x: tf.Tensor4D,
  height: number,
  width: number,
  periodic: { h?: boolean; w?: boolean } = {},
  adjoint = false,
): tf.Tensor4D {
  checkFloatTensor('resample', 'x', x);
  check(
    x.rank === 4 && x.shape[1] >= 1 && x.shape[2] >= 1,
    () => new ShapeError('resample', 'x', '[N, H, W, C] with H, W ≥ 1', x.shape),
  );
  check(
    [height, width].every((n) => Number.isInteger(n) && n >= 1),
    () => new ShapeError('resample', 'height and width', 'positive integers', [height, width]),
  );
  const [, h, w] = x.shape;
  const axis = (from: number, to: number, wraps: boolean) =>
    adjoint ? resampling(to, from, wraps) : resampling(from, to, wraps);
  return separable(x, axis(h, height, periodic.h ?? false), axis(w, width, periodic.w ?? false), adjoint);
}
