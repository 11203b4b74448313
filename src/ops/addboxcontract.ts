/** The name of the kernel that ops/addbox.ts defines, and its composition of stock ops. */
import * as tf from '@tensorflow/tfjs';
import { replaceKernel } from './register.js';

export const ADD_BOX = 'WavecubeAddBox';

export function registerAddBoxComposition(backendName: string): void {
  replaceKernel(backendName, ADD_BOX, ({ inputs }) => {
    const { x, y } = inputs as unknown as { x: tf.Tensor4D; y: tf.Tensor4D };
    const [, h, w] = x.shape;
    const [, kh, kw] = y.shape;
    return tf.tidy(() =>
      tf.add(
        x,
        tf.pad(y, [
          [0, 0],
          [0, h - kh],
          [0, w - kw],
          [0, 0],
        ]),
      ),
    );
  });
}
