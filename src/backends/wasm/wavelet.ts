/** WavecubeWavelet on wasm. Contract: ops/wavelet.ts; source: kernels/wasm/wavelet.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from '../../ops/register.js';
import { type Pass, passesOf, WAVELET, type WaveletAttrs } from '../../ops/waveletpasses.js';
import { heapOf, type WasmBackend } from './heap.js';

/** Indices and float32 weights of all passes, one after the other, as the heap gets them. */
const tables = new WeakMap<readonly Pass[], Uint8Array>();

function tablesOf(passes: readonly Pass[]): Uint8Array {
  let bytes = tables.get(passes);
  if (!bytes) {
    const entries = passes.reduce((sum, { matrix }) => sum + matrix.indices.length, 0);
    const buffer = new ArrayBuffer(8 * entries);
    let at = 0;
    for (const { matrix } of passes) {
      new Int32Array(buffer, at, matrix.indices.length).set(matrix.indices);
      at += 4 * matrix.indices.length;
      new Float32Array(buffer, at, matrix.weights.length).set(matrix.weights);
      at += 4 * matrix.weights.length;
    }
    bytes = new Uint8Array(buffer);
    tables.set(passes, bytes);
  }
  return bytes;
}

export function registerWavelet(): void {
  replaceKernel('wasm', WAVELET, ({ inputs, attrs, backend }) => {
    const x = inputs.x as TensorInfo;
    const [n, height, width, c] = x.shape;
    const heap = heapOf(backend as WasmBackend);
    const passes = passesOf(attrs as unknown as WaveletAttrs, height, width);
    const table = tablesOf(passes);
    const imageBytes = 4 * height * width * c;
    return heap.withScratch(table.length + imageBytes + 64, (scratch) => {
      const out = heap.output(x.shape, 'float32');
      const from = heap.offsetOf(x);
      const to = heap.offsetOf(out);
      heap.bytes(to, n * imageBytes).set(heap.bytes(from, n * imageBytes));
      heap.bytes(scratch, table.length).set(table);
      const copy = scratch + Math.ceil(table.length / 16) * 16;
      for (let i = 0; i < n; i++) {
        let at = scratch;
        for (const { axis, height: h, width: w, matrix } of passes) {
          const weights = at + 4 * matrix.indices.length;
          const image = to + i * imageBytes;
          heap.kernels.waveletPass(
            image,
            width,
            c,
            h,
            w,
            Number(axis === 'width'),
            at,
            weights,
            matrix.taps,
            copy,
          );
          at = weights + 4 * matrix.weights.length;
        }
      }
      return out;
    });
  });
}
