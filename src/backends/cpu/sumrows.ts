/** WavecubeSumRows on cpu. Contract: ops/sumrowscontract.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from '../../ops/register.js';
import { SUM_ROWS, type SumRowsAttrs } from '../../ops/sumrowscontract.js';
import { separable } from './separable.js';
import { type CpuBackend, valuesOf } from './tfjs.js';

export function registerSumRows(): void {
  replaceKernel('cpu', SUM_ROWS, (call) => {
    const backend = call.backend as CpuBackend;
    const given = call.inputs as Record<string, TensorInfo>;
    const { shape, sources, maps } = call.attrs as unknown as SumRowsAttrs;
    const [n, h, w, c] = shape;
    const payload = h * w * c;
    const out = new Float32Array(n * payload);
    sources.forEach((source, b) => {
      const used = payload > 0 ? Array.from(source.keys()).filter((i) => source[i] >= 0) : [];
      if (used.length === 0) return;
      const x = given[`p${b}`];
      const [, ...image] = x.shape;
      const size = image[0] * image[1] * image[2];
      const values = valuesOf(backend, x) as Float32Array;
      const map = maps[b];
      let rows = new Float32Array(used.length * size);
      used.forEach((i, k) => {
        rows.set(values.subarray(source[i] * size, (source[i] + 1) * size), k * size);
      });
      if (map) {
        const taken = backend.makeTensorInfo([used.length, ...image], 'float32', rows);
        const inputs = { x: taken, left: given[`l${b}`], right: given[`r${b}`] };
        const mapped = separable({ inputs, attrs: map, backend });
        rows = valuesOf(backend, mapped) as Float32Array<ArrayBuffer>;
        for (const { dataId } of [taken, mapped]) backend.disposeData(dataId);
      }
      used.forEach((i, k) => {
        for (let j = 0, from = k * payload, to = i * payload; j < payload; j++) out[to++] += rows[from++];
      });
    });
    return backend.makeTensorInfo(shape, 'float32', out);
  });
}
