/**
 * WavecubeAddBox: {x [N, H, W, C], y [N, h, w, C]} float32, h ≤ H, w ≤ W → [N, H, W, C]: x, and y added to its first corner.
 * Gradients: x, y, of any order. Stock ops would pad y first, which on wasm costs ten times the sum.
 */
import * as tf from '@tensorflow/tfjs';
import { check, ShapeError } from '../errors.js';
import { ADD_BOX } from './addboxcontract.js';
import { activeBackend } from './device.js';

let registered = false;

function registerGradient(): void {
  if (registered) return;
  registered = true;
  tf.registerGradient({
    kernelName: ADD_BOX,
    inputsToSave: ['y'],
    gradFunc: (dy, [y]) => ({
      x: () => tf.clone(dy as tf.Tensor),
      y: () => tf.slice(dy as tf.Tensor, [0, 0, 0, 0], y.shape),
    }),
  });
}

/** @throws ShapeError unless y fits into x. */
export function addBox(x: tf.Tensor4D, y: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w, c] = x.shape;
  const [, kh, kw] = y.shape;
  check(
    y.shape[0] === n && kh <= h && kw <= w && y.shape[3] === c,
    () => new ShapeError('addBox', 'y', `at most [${x.shape.join(', ')}]`, y.shape),
  );
  activeBackend();
  registerGradient();
  return tf.engine().runKernel(ADD_BOX, { x, y }) as tf.Tensor4D;
}
