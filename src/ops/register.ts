/** How a backend's kernels get their names: five functions serve the eight kernels of ops/contract.ts. */
import * as tf from '@tensorflow/tfjs';
import {
  COORD_GRAD,
  COORD_GRAD_TANGENT,
  MEAN_SQUARE,
  MEAN_SQUARE_GRAD,
  SAMPLE,
  SAMPLE_TANGENT,
  type SamplingAttrs,
  SPLAT,
  SPLAT_TANGENT,
} from './contract.js';

/** What a kernel is called with. A tangent kernel is its plain one with `inputs.tangent`. */
export interface OpCall {
  kernel: string;
  inputs: Record<string, tf.TensorInfo>;
  attrs: SamplingAttrs;
  backend: unknown;
}

export type Op = (call: OpCall) => tf.TensorInfo;

export interface Ops {
  sample: Op;
  splat: Op;
  coordGrad: Op;
  meanSquare: Op;
  meanSquareGrad: Op;
}

/** Registers a kernel in the place of whatever stands there, which tfjs would warn of. Its set-up functions stay. */
export function replaceKernel(backendName: string, kernelName: string, kernelFunc: tf.KernelFunc): void {
  const before = tf.getKernel(kernelName, backendName);
  if (before) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({ ...before, kernelName, backendName, kernelFunc });
}

/** Registers all kernels of a backend. */
export function registerOps(backendName: string, ops: Ops): void {
  const table: [string, Op][] = [
    [SAMPLE, ops.sample],
    [SAMPLE_TANGENT, ops.sample],
    [SPLAT, ops.splat],
    [SPLAT_TANGENT, ops.splat],
    [COORD_GRAD, ops.coordGrad],
    [COORD_GRAD_TANGENT, ops.coordGrad],
    [MEAN_SQUARE, ops.meanSquare],
    [MEAN_SQUARE_GRAD, ops.meanSquareGrad],
  ];
  for (const [kernel, op] of table) {
    replaceKernel(backendName, kernel, ({ inputs, attrs, backend }) =>
      op({
        kernel,
        inputs: inputs as OpCall['inputs'],
        attrs: attrs as unknown as SamplingAttrs,
        backend,
      }),
    );
  }
}
