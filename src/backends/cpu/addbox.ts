/** WavecubeAddBox on cpu. Contract: ops/addbox.ts. */
import { ADD_BOX } from '../../ops/addboxcontract.js';
import { replaceKernel } from '../../ops/register.js';
import { type CpuBackend, valuesOf } from './tfjs.js';

export function registerAddBox(): void {
  replaceKernel('cpu', ADD_BOX, ({ inputs: { x, y }, backend }) => {
    const [n, h, w, c] = x!.shape;
    const [, kh, kw] = y!.shape;
    const out = valuesOf(backend as CpuBackend, x!).slice() as Float32Array;
    const box = valuesOf(backend as CpuBackend, y!) as Float32Array;
    const line = kw * c;
    for (let row = 0; row < n * kh; row++) {
      const to = (Math.floor(row / kh) * h + (row % kh)) * w * c;
      for (let i = 0; i < line; i++) out[to + i] += box[row * line + i];
    }
    return (backend as CpuBackend).makeTensorInfo(x!.shape, 'float32', out);
  });
}
