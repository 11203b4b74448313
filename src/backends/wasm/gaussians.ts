/** WavecubeGaussians and its gradient on wasm. Contract: ops/gaussianscontract.ts; source: kernels/wasm/gaussians.ts. */
import { registerGaussians } from '../../ops/gaussianscontract.js';
import { heapOf, type WasmBackend } from './heap.js';

/** Exports of kernels/wasm/index.ts; pointers are byte offsets. */
export interface WasmGaussians {
  gaussiansScratch(count: number, height: number, width: number): number;
  gaussians(
    out: number,
    components: number,
    images: number,
    count: number,
    channels: number,
    height: number,
    width: number,
    scratch: number,
  ): void;
  gaussiansGradScratch(count: number, channels: number, height: number, width: number): number;
  gaussiansGrad(
    out: number,
    components: number,
    dy: number,
    images: number,
    count: number,
    channels: number,
    height: number,
    width: number,
    scratch: number,
  ): void;
}

export function registerWasmGaussians(): void {
  registerGaussians('wasm', {
    value(backend, { images, count, channels, height, width }, components) {
      const heap = heapOf(backend as WasmBackend);
      const from = heap.offsetOf(components);
      return heap.withScratch(heap.kernels.gaussiansScratch(count, height, width), (scratch) => {
        const out = heap.output([images, height, width, channels], 'float32');
        const to = heap.offsetOf(out);
        heap.kernels.gaussians(to, from, images, count, channels, height, width, scratch);
        return out;
      });
    },
    grad(backend, { images, count, channels, height, width }, components, dy) {
      const heap = heapOf(backend as WasmBackend);
      const from = heap.offsetOf(components);
      const values = heap.offsetOf(dy);
      const bytes = heap.kernels.gaussiansGradScratch(count, channels, height, width);
      return heap.withScratch(bytes, (scratch) => {
        const out = heap.output(components.shape, 'float32');
        const to = heap.offsetOf(out);
        heap.kernels.gaussiansGrad(to, from, values, images, count, channels, height, width, scratch);
        return out;
      });
    },
  });
}
