/** WavecubeWavelet on cpu, in float64. Contract: ops/wavelet.ts. */

import type { TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from '../../ops/register.js';
import { passesOf, runPass, WAVELET, type WaveletAttrs } from '../../ops/waveletpasses.js';
import { type CpuBackend, valuesOf } from './tfjs.js';

export function registerWavelet(): void {
  replaceKernel('cpu', WAVELET, ({ inputs, attrs, backend }) => {
    const x = inputs.x as TensorInfo;
    const [n, height, width, c] = x.shape;
    const passes = passesOf(attrs as unknown as WaveletAttrs, height, width);
    const out = valuesOf(backend as CpuBackend, x).slice() as Float32Array;
    const size = height * width * c;
    const image = new Float64Array(size);
    for (let i = 0; i < n; i++) {
      const part = out.subarray(i * size, (i + 1) * size);
      image.set(part);
      for (const pass of passes) runPass(image, width, c, pass);
      part.set(image);
    }
    return (backend as CpuBackend).makeTensorInfo(x.shape, 'float32', out);
  });
}
