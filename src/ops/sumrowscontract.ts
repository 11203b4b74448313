/**
 * The contract of WavecubeSumRows, which ops/sumrows.ts calls, and its composition of other kernels.
 *
 *   p0, p1, …        [K_b, h_b, w_b, C] float32
 *   l0, r0, …        matrices of part b as WavecubeSeparable takes them; none where maps[b] is null
 *   shape            [N, H, W, C] of the result
 *   sources          of each part i32 [N]: its row for each row of the result, −1 for none; the others are distinct
 *   maps             attributes of WavecubeSeparable that brings part b to [H, W], or null where it has that size
 *   out              [N, H, W, C]    out_i = Σ_b map_b(part_b[sources_b[i]])
 */
import * as tf from '@tensorflow/tfjs';
import { replaceKernel } from './register.js';
import { SEPARABLE, type SeparableAttrs } from './separablecontract.js';

export const SUM_ROWS = 'WavecubeSumRows';

export interface SumRowsAttrs {
  shape: [number, number, number, number];
  sources: Int32Array[];
  maps: (SeparableAttrs | null)[];
}

export function registerSumRowsComposition(backendName: string): void {
  replaceKernel(backendName, SUM_ROWS, ({ inputs, attrs }) => {
    const { shape, sources, maps } = attrs as unknown as SumRowsAttrs;
    const [n, h, w, c] = shape;
    const given = inputs as unknown as Record<string, tf.Tensor4D>;
    return tf.tidy(() => {
      if (shape.includes(0)) return tf.zeros(shape);
      return sources
        .map((source, b) => {
          const x = given[`p${b}`];
          const none = x.shape[0];
          if (none === 0) return tf.zeros(shape);
          const map = maps[b];
          const { x: taken, source: left } = fewest(x, source);
          const whole = map
            ? (tf
                .engine()
                .runKernel(
                  SEPARABLE,
                  { x: taken, left: given[`l${b}`], right: given[`r${b}`] },
                  map,
                ) as tf.Tensor)
            : taken;
          // A row of zeros stands for none.
          const rows = tf.concat([whole.reshape([-1, h * w * c]), tf.zeros([1, h * w * c])], 0);
          const last = taken.shape[0];
          const at = left.map((k) => (k < 0 ? last : k));
          return tf.gather(rows, tf.tensor1d(at, 'int32')).reshape([n, h, w, c]);
        })
        .reduce((sum, part) => tf.add(sum, part));
    });
  });
}

/** The rows that are asked for alone, where there are others. */
function fewest(x: tf.Tensor4D, source: Int32Array): { x: tf.Tensor4D; source: Int32Array } {
  const used = source.filter((k) => k >= 0);
  if (used.length === 0 || used.length === x.shape[0]) return { x, source };
  let next = 0;
  return {
    x: tf.gather(x, tf.tensor1d(used, 'int32')),
    source: source.map((k) => (k < 0 ? -1 : next++)),
  };
}
