import * as tf from '@tensorflow/tfjs';

/** Registers a kernel in the place of whatever stands there, which tfjs would warn of. Its set-up functions stay. */
export function replaceKernel(backendName: string, kernelName: string, kernelFunc: tf.KernelFunc): void {
  const before = tf.getKernel(kernelName, backendName);
  if (before) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({ ...before, kernelName, backendName, kernelFunc });
}
