/** WavecubeWavelet on wasm. Contract: ops/wavelet.ts; source: kernels/wasm/wavelet.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from '../../ops/register.js';
import { passesOf, tablesOf, WAVELET, type WaveletAttrs } from '../../ops/waveletpasses.js';
import { heapOf, type WasmBackend } from './heap.js';

export function registerWavelet(): void {
  replaceKernel('wasm', WAVELET, ({ inputs, attrs, backend }) => {
    const x = inputs.x as TensorInfo;
    const [n, height, width, c] = x.shape;
    const heap = heapOf(backend as WasmBackend);
    const passes = passesOf(attrs as unknown as WaveletAttrs, height, width);
    const { indices, weights, first } = tablesOf(passes);
    const imageBytes = 4 * height * width * c;
    const tableBytes = 4 * indices.length;
    return heap.withScratch(2 * tableBytes + imageBytes + 64, (scratch) => {
      const out = heap.output(x.shape, 'float32');
      const from = heap.offsetOf(x);
      const to = heap.offsetOf(out);
      heap.bytes(to, n * imageBytes).set(heap.bytes(from, n * imageBytes));
      heap.bytes(scratch, tableBytes).set(new Uint8Array(indices.buffer));
      heap.bytes(scratch + tableBytes, tableBytes).set(new Uint8Array(weights.buffer));
      const copy = scratch + Math.ceil((2 * tableBytes) / 16) * 16;
      for (let i = 0; i < n; i++) {
        const image = to + i * imageBytes;
        passes.forEach(({ axis, height: h, width: w, matrix: { taps } }, p) => {
          const at = scratch + 4 * first[p];
          const along = Number(axis === 'width');
          heap.kernels.waveletPass(image, width, c, h, w, along, at, at + tableBytes, taps, copy);
        });
      }
      return out;
    });
  });
}
