import * as tf from '@tensorflow/tfjs';
import { MEAN_SQUARE } from './contract.js';
import { activeBackend } from './device.js';
import { registerGradients } from './gradients.js';
import { checkFloatTensor } from './tensors.js';

/**
 * mean(x²) in one pass, with a one-pass gradient 2/n · dy · x: the stock composition of square, sum and mean costs
 * more on wasm than the sampling it judges.
 * @param x any shape, float32.
 * @returns scalar; 0 for an empty x.
 * Gradients: x, second order too.
 * @throws ArgumentError unless x is a float32 tensor; DisposedError.
 */
export function meanSquare(x: tf.Tensor): tf.Scalar {
  checkFloatTensor('meanSquare', 'x', x);
  activeBackend();
  registerGradients();
  return tf.engine().runKernel(MEAN_SQUARE, { x }) as tf.Scalar;
}
