/** WavecubeSumRows on cpu. Contract: ops/sumrows.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from '../../ops/register.js';
import { partsOf, SUM_ROWS, type SumRowsAttrs } from '../../ops/sumrowscontract.js';
import { type CpuBackend, valuesOf } from './tfjs.js';

export function registerSumRows(): void {
  replaceKernel('cpu', SUM_ROWS, ({ inputs, attrs, backend }) => {
    const { n, payload, sources } = attrs as unknown as SumRowsAttrs;
    const out = new Float32Array(n * payload);
    partsOf(inputs as Record<string, TensorInfo>).forEach((part, b) => {
      const values = valuesOf(backend as CpuBackend, part) as Float32Array;
      for (let i = 0; i < n; i++) {
        const from = sources[b][i] * payload;
        if (from < 0) continue;
        for (let j = 0, to = i * payload; j < payload; j++, to++) out[to] += values[from + j];
      }
    });
    return (backend as CpuBackend).makeTensorInfo([n, payload], 'float32', out);
  });
}
