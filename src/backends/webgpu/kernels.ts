/** Registers Wavecube's kernels with tfjs's webgpu backend. */
import type * as tf from '@tensorflow/tfjs';
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
} from '../../ops/contract.js';
import { replaceKernel } from '../../ops/kernels.js';
import { type SamplingJob, type SamplingTensors, samplingJob } from './job.js';
import { meanSquare, meanSquareGrad } from './meansquare.js';
import { coordGrad, sample } from './sampling.js';
import { splat } from './splat.js';
import { type Gpu, gpuOf } from './tfjs.js';

const BACKEND = 'webgpu';

type Kernel = (gpu: Gpu, inputs: Record<string, tf.TensorInfo>, attrs: SamplingAttrs) => tf.TensorInfo;

function register(kernelName: string, kernel: Kernel): void {
  replaceKernel(BACKEND, kernelName, ({ inputs, attrs, backend }) =>
    kernel(gpuOf(backend), inputs as Record<string, tf.TensorInfo>, attrs as unknown as SamplingAttrs),
  );
}

function registerSampling(kernelName: string, run: (job: SamplingJob) => tf.TensorInfo): void {
  register(kernelName, (gpu, inputs, attrs) =>
    run(samplingJob(kernelName, gpu, inputs as SamplingTensors, attrs)),
  );
}

export function registerKernels(): void {
  registerSampling(SAMPLE, sample);
  registerSampling(SAMPLE_TANGENT, sample);
  registerSampling(SPLAT, splat);
  registerSampling(SPLAT_TANGENT, splat);
  registerSampling(COORD_GRAD, coordGrad);
  registerSampling(COORD_GRAD_TANGENT, coordGrad);
  register(MEAN_SQUARE, (gpu, { x }) => meanSquare(gpu, x));
  register(MEAN_SQUARE_GRAD, (gpu, { x, dy }) => meanSquareGrad(gpu, x, dy));
}
