/** WavecubeSumRows on wasm. Contract: ops/sumrows.ts; source: kernels/wasm/sumrows.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from '../../ops/register.js';
import { partsOf, SUM_ROWS, type SumRowsAttrs } from '../../ops/sumrowscontract.js';
import { heapOf, type WasmBackend } from './heap.js';

export function registerSumRows(): void {
  replaceKernel('wasm', SUM_ROWS, ({ inputs, attrs, backend }) => {
    const heap = heapOf(backend as WasmBackend);
    const { n, payload, sources } = attrs as unknown as SumRowsAttrs;
    const parts = partsOf(inputs as Record<string, TensorInfo>).map((part) => heap.offsetOf(part));
    const out = heap.output([n, payload], 'float32');
    const to = heap.offsetOf(out);
    const bytes = 4 * payload;
    for (let i = 0; i < n; i++) {
      const row = to + i * bytes;
      // Two at a time: rows of up to two parts are written once.
      let written = false;
      let waiting = 0;
      for (let b = 0; b < parts.length; b++) {
        const k = sources[b][i];
        if (k < 0) continue;
        const from = parts[b] + k * bytes;
        if (written) heap.kernels.sumRow(row, row, from, payload);
        else if (waiting) {
          heap.kernels.sumRow(row, waiting, from, payload);
          written = true;
        } else waiting = from;
      }
      if (!written) heap.kernels.sumRow(row, waiting, 0, payload);
    }
    return out;
  });
}
