/**
 * Rows of a batch taken out, resampled and put back: what lets a part of the samples, or of the nodes, be worked on alone. Kernels
 * resample where they add, so that no resampled part is ever a tensor of its own. Contract: ops/sumrowscontract.ts.
 *
 *   takeRows         x [N, F], places                                → [K, F]          out_k = x[places_k]
 *   takeResampled    x [R, h, w, C], places                          → [K, H, W, C]    out_k = A x[places_k]
 *   sumResampled     parts [K_b, h_b, w_b, C], places of each        → [N, H, W, C]    out_i = Σ_b Σ_{k: places_bk = i} A_b part_b[k]
 *
 * A, A_b: ops/resample.ts. All are one kernel, and so are their adjoints: gradients of any order.
 */
import * as tf from '@tensorflow/tfjs';
import { activeBackend } from './device.js';
import { resample, resampling } from './resample.js';
import { attrsOf, matrixTensor } from './separable.js';
import type { SeparableAttrs } from './separablecontract.js';
import { SUM_ROWS, type SumRowsAttrs } from './sumrowscontract.js';

/** Rows that a part of a batch has: distinct numbers, ascending where they are samples; null for all of them. */
export type Places = Int32Array | null;

/** Axes that wrap. */
export interface Wraps {
  h?: boolean;
  w?: boolean;
}

interface Part {
  x: tf.Tensor4D;
  /** [N]: the part's row of each row of the result, −1 for none; those that are not are distinct. */
  source: Int32Array;
}

/** Where each of `n` rows comes from. */
function sourceOf(places: Places, n: number): Int32Array {
  if (!places) return Int32Array.from({ length: n }, (_, i) => i);
  const source = new Int32Array(n).fill(-1);
  for (let k = 0; k < places.length; k++) source[places[k]] = k;
  return source;
}

/** [N, H, W, C]: the kernel and its gradient. `adjoint`: of the resampling to each part's size. */
function run(
  parts: readonly Part[],
  [height, width]: readonly [number, number],
  wraps: Wraps,
  adjoint: boolean,
): tf.Tensor4D {
  activeBackend();
  const n = parts[0].source.length;
  const channels = parts[0].x.shape[3];
  const sources = parts.map(({ source }) => source);
  return tf.customGrad((...args: unknown[]) => {
    const given = args.slice(0, parts.length) as tf.Tensor4D[];
    const inputs: Record<string, tf.Tensor> = {};
    const maps: (SeparableAttrs | null)[] = given.map((x, b) => {
      const [, h, w] = x.shape;
      const axis = (from: number, to: number, wrap = false) =>
        adjoint ? resampling(to, from, wrap) : resampling(from, to, wrap);
      const left = axis(h, height, wraps.h);
      const right = axis(w, width, wraps.w);
      inputs[`p${b}`] = x;
      if (!left && !right) return null;
      const matrix = matrixTensor(left);
      inputs[`l${b}`] = matrix;
      // Of large images the matrices are no less large.
      inputs[`r${b}`] = left === right ? matrix : matrixTensor(right);
      return attrsOf(left, right, adjoint);
    });
    const attrs: SumRowsAttrs = { shape: [n, height, width, channels], sources, maps };
    return {
      value: tf.tidy(
        () => tf.engine().runKernel(SUM_ROWS, inputs, attrs as unknown as tf.NamedAttrMap) as tf.Tensor,
      ),
      gradFunc: (dy: tf.Tensor) =>
        parts.map(({ x, source }) => {
          const rows = source.reduce<number[]>((found, k, i) => {
            if (k >= 0) found[k] = i;
            return found;
          }, []);
          const back = Int32Array.from({ length: x.shape[0] }, (_, k) => rows[k] ?? -1);
          return run([{ x: dy as tf.Tensor4D, source: back }], [x.shape[1], x.shape[2]], wraps, !adjoint);
        }),
    };
  })(...parts.map(({ x }) => x)) as tf.Tensor4D;
}

/** Gradients: x. */
export function takeRows(x: tf.Tensor2D, places: Places): tf.Tensor2D {
  if (!places) return x;
  const images = x.reshape([x.shape[0], 1, x.shape[1], 1]) as tf.Tensor4D;
  return run([{ x: images, source: places }], [1, x.shape[1]], {}, false).reshape([
    places.length,
    x.shape[1],
  ]);
}

/** Gradients: x, of which rows that were not taken get zeros. */
export function takeResampled(
  x: tf.Tensor4D,
  places: Int32Array,
  resolution: readonly [number, number],
  wraps: Wraps,
): tf.Tensor4D {
  return run([{ x, source: places }], resolution, wraps, false);
}

/** Gradients: the parts. There is at least one. */
export function sumResampled(
  parts: readonly { x: tf.Tensor4D; places: Places }[],
  n: number,
  resolution: readonly [number, number],
  wraps: Wraps,
): tf.Tensor4D {
  if (parts.length === 1 && !parts[0].places) return resample(parts[0].x, ...resolution, wraps);
  return run(
    parts.map(({ x, places }) => ({ x, source: sourceOf(places, n) })),
    resolution,
    wraps,
    false,
  );
}
