/** WavecubeWavelet on WebGPU: a launch a pass. Contract: ops/wavelet.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from '../../ops/register.js';
import { type Pass, passesOf, WAVELET, type WaveletAttrs } from '../../ops/waveletpasses.js';
import { laneShader } from './job.js';
import { i32, launch, withScratch } from './program.js';
import { type Gpu, gpuOf } from './tfjs.js';

function afterPass(gpu: Gpu, x: TensorInfo, { axis, height: h, width: w, matrix }: Pass): TensorInfo {
  const [n, height, width, c] = x.shape;
  const lane = c % 4 === 0 ? 4 : 1;
  const count = (n * height * width * c) / lane;
  const entries = [matrix.indices.length];
  return withScratch(gpu, (keep) =>
    launch(gpu, {
      kernel: WAVELET,
      parts: [laneShader(lane), 'wavelet'],
      constants: { ALONG_WIDTH: Number(axis === 'width') },
      inputs: [
        { name: 'x', tensor: x, lane },
        { name: 'indices', tensor: keep(gpu.makeTensorInfo(entries, 'int32', matrix.indices)) },
        {
          name: 'weights',
          tensor: keep(gpu.makeTensorInfo(entries, 'float32', Float32Array.from(matrix.weights))),
        },
      ],
      uniforms: {
        count: i32(count),
        lanes: i32(c / lane),
        height: i32(height),
        width: i32(width),
        cornerHeight: i32(h),
        cornerWidth: i32(w),
        taps: i32(matrix.taps),
      },
      shape: x.shape,
      lane,
      invocations: count,
    }),
  );
}

export function registerWavelet(): void {
  replaceKernel('webgpu', WAVELET, ({ inputs, attrs, backend }) => {
    const gpu = gpuOf(backend);
    const x = inputs.x as TensorInfo;
    const passes = passesOf(attrs as unknown as WaveletAttrs, x.shape[1], x.shape[2]);
    return withScratch(gpu, (keep) => {
      let out = x;
      passes.forEach((pass, i) => {
        const next = afterPass(gpu, out, pass);
        out = i < passes.length - 1 ? keep(next) : next;
      });
      return out;
    });
  });
}
