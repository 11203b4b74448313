/** The name of the kernel that ops/sumrows.ts defines, its attributes, and its composition of stock ops. */
import * as tf from '@tensorflow/tfjs';
import { replaceKernel } from './register.js';

export const SUM_ROWS = 'WavecubeSumRows';

export interface SumRowsAttrs {
  n: number;
  payload: number;
  /** [N] of each part. */
  sources: Int32Array[];
}

/** The parts in their order. */
export const partsOf = <T>(inputs: Record<string, T>): T[] =>
  Object.keys(inputs).map((_, b) => inputs[`p${b}`]);

export function registerSumRowsComposition(backendName: string): void {
  replaceKernel(backendName, SUM_ROWS, ({ inputs, attrs }) => {
    const { n, payload, sources } = attrs as unknown as SumRowsAttrs;
    const parts = partsOf(inputs as unknown as Record<string, tf.Tensor2D>);
    return tf.tidy(() => {
      if (n * payload === 0) return tf.zeros([n, payload]);
      return parts
        .map((part, b) => {
          // A row of zeros stands for none.
          const none = part.shape[0];
          const rows = tf.concat([part, tf.zeros([1, payload])], 0);
          return tf.gather(
            rows,
            tf.tensor1d(
              sources[b].map((k) => (k < 0 ? none : k)),
              'int32',
            ),
          );
        })
        .reduce((sum, part) => tf.add(sum, part));
    });
  });
}
