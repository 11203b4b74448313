/** Coordinates moved by nearest and smoothstep, as functions on tensors. Contract: ops/easecontract.ts. */
import * as tf from '@tensorflow/tfjs';
import { constantOf } from './constant.js';
import { activeBackend } from './device.js';
import { EASE, EASE_SLOPE, type EaseAttrs } from './easecontract.js';

let registered = false;

function slope(coords: tf.Tensor, by: tf.Tensor, attrs: EaseAttrs): tf.Tensor {
  return tf.engine().runKernel(EASE_SLOPE, { coords, by }, attrs) as tf.Tensor;
}

function registerGradients(): void {
  if (registered) return;
  registered = true;
  tf.registerGradient({
    kernelName: EASE,
    inputsToSave: ['coords'],
    gradFunc: (dy, [coords], attrs) => ({
      coords: () => slope(coords, dy as tf.Tensor, { ...(attrs as EaseAttrs), order: 1 }),
    }),
  });
  tf.registerGradient({
    kernelName: EASE_SLOPE,
    inputsToSave: ['coords', 'by'],
    gradFunc: (dy, [coords, by], attrs) => {
      const from = attrs as EaseAttrs;
      return {
        by: () => slope(coords, dy as tf.Tensor, from),
        coords: () => slope(coords, tf.mul(by, dy as tf.Tensor), { ...from, order: from.order + 1 }),
      };
    },
  });
}

/**
 * The node nearest to each coordinate, upwards from the middle.
 * @param coords [N, 3] float32. @returns [N, 3]; rows that are not finite are NaN. No gradient.
 */
export function nearestOf(coords: tf.Tensor2D): tf.Tensor2D {
  activeBackend();
  const attrs: EaseAttrs = { nearest: true, order: 0, ends: [-1, -1, -1] };
  return constantOf(
    coords,
    (x) => tf.engine().runKernel(EASE, { coords: x }, attrs) as tf.Tensor,
  ) as tf.Tensor2D;
}

/**
 * g + f²(3 − 2f) of each coordinate g + f.
 * @param coords [N, 3] float32.
 * @param ends of each axis: the node where the fraction is 1, not 0; −1 for none.
 * @returns [N, 3]; rows that are not finite are NaN. Gradients: coords, of any order; zeros in such rows.
 */
export function smoothstepOf(coords: tf.Tensor2D, ends: readonly [number, number, number]): tf.Tensor2D {
  activeBackend();
  registerGradients();
  const attrs: EaseAttrs = { nearest: false, order: 0, ends: [...ends] };
  return tf.engine().runKernel(EASE, { coords }, attrs) as tf.Tensor2D;
}
