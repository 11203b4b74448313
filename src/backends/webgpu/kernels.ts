/** Registers Wavecube's kernels with tfjs's webgpu backend. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { type Op, registerOps } from '../../ops/register.js';
import { registerSeparable } from '../../ops/separablecontract.js';
import { registerSumRowsComposition } from '../../ops/sumrowscontract.js';
import { registerTaps, type TapsCall } from '../../ops/tapscontract.js';
import { registerAddBox } from './addbox.js';
import { registerWebgpuEase } from './ease.js';
import { registerFourier } from './fourier.js';
import { registerWebgpuGaussians } from './gaussians.js';
import { type SamplingJob, type SamplingTensors, samplingJob } from './job.js';
import { meanSquare, meanSquareGrad } from './meansquare.js';
import { registerWebgpuMonotone } from './monotone.js';
import { coordGrad, sample } from './sampling.js';
import { separable } from './separable.js';
import { splat } from './splat.js';
import { stencil, stencilTaps } from './stencils.js';
import { type TapJob, tapJob } from './tapjob.js';
import { sampleTaps, weightGrad } from './tapsampling.js';
import { splatTaps } from './tapsplat.js';
import { gpuOf } from './tfjs.js';
import { registerWebgpuTridiagonal } from './tridiagonal.js';
import { registerWavelet } from './wavelet.js';

const on =
  (run: (job: SamplingJob) => TensorInfo): Op =>
  ({ kernel, inputs, attrs, backend }) =>
    run(samplingJob(kernel, gpuOf(backend), inputs as SamplingTensors, attrs));

const onTaps =
  (run: (job: TapJob) => TensorInfo) =>
  (call: TapsCall): TensorInfo =>
    run(tapJob(call));

export function registerKernels(): void {
  registerAddBox();
  // A gather a part, which stock ops do as well.
  registerSumRowsComposition('webgpu');
  registerFourier();
  registerWebgpuGaussians();
  registerOps('webgpu', {
    sample: on(sample),
    splat: on(splat),
    coordGrad: on(coordGrad),
    meanSquare: ({ inputs, backend }) => meanSquare(gpuOf(backend), inputs.x),
    meanSquareGrad: ({ inputs, backend }) => meanSquareGrad(gpuOf(backend), inputs.x, inputs.dy),
  });
  registerTaps('webgpu', {
    stencil,
    stencilTaps,
    sample: onTaps(sampleTaps),
    splat: onTaps(splatTaps),
    weightGrad: onTaps(weightGrad),
  });
  registerSeparable('webgpu', separable);
  registerWebgpuTridiagonal();
  registerWebgpuEase();
  registerWavelet();
  registerWebgpuMonotone();
}
