/** WavecubeWavelet on WebGPU: a launch a pass. Contract: ops/wavelet.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from '../../ops/register.js';
import { type Pass, passesOf, tablesOf, WAVELET, type WaveletAttrs } from '../../ops/waveletpasses.js';
import { laneShader } from './job.js';
import { i32, launch, withScratch } from './program.js';
import { type Gpu, gpuOf } from './tfjs.js';

/** The matrices of all passes; a pass' own begins at `first`. */
interface Matrices {
  indices: TensorInfo;
  weights: TensorInfo;
  first: number;
}

function afterPass(gpu: Gpu, x: TensorInfo, pass: Pass, { indices, weights, first }: Matrices): TensorInfo {
  const [n, height, width, c] = x.shape;
  const lane = c % 4 === 0 ? 4 : 1;
  const count = (n * height * width * c) / lane;
  return launch(gpu, {
    kernel: WAVELET,
    parts: [laneShader(lane), 'wavelet'],
    constants: { ALONG_WIDTH: Number(pass.axis === 'width') },
    inputs: [
      { name: 'x', tensor: x, lane },
      { name: 'indices', tensor: indices },
      { name: 'weights', tensor: weights },
    ],
    uniforms: {
      count: i32(count),
      lanes: i32(c / lane),
      height: i32(height),
      width: i32(width),
      cornerHeight: i32(pass.height),
      cornerWidth: i32(pass.width),
      taps: i32(pass.matrix.taps),
      first: i32(first),
    },
    shape: x.shape,
    lane,
    invocations: count,
  });
}

export function registerWavelet(): void {
  replaceKernel('webgpu', WAVELET, ({ inputs, attrs, backend }) => {
    const gpu = gpuOf(backend);
    const x = inputs.x as TensorInfo;
    const passes = passesOf(attrs as unknown as WaveletAttrs, x.shape[1], x.shape[2]);
    const tables = tablesOf(passes);
    return withScratch(gpu, (keep) => {
      // One upload for all passes: each breaks the pass that is being recorded.
      const entries = [tables.indices.length];
      const indices = keep(gpu.makeTensorInfo(entries, 'int32', tables.indices));
      const weights = keep(gpu.makeTensorInfo(entries, 'float32', tables.weights));
      let out = x;
      passes.forEach((pass, i) => {
        const next = afterPass(gpu, out, pass, { indices, weights, first: tables.first[i] });
        out = i < passes.length - 1 ? keep(next) : next;
      });
      return out;
    });
  });
}
