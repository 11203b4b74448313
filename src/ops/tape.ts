import * as tf from '@tensorflow/tfjs';

/** Whether tfjs is recording for gradients: what is taken now may be differentiated. */
export function onTape(): boolean {
  return (tf.engine() as unknown as { state: { gradientDepth: number } }).state.gradientDepth > 0;
}
