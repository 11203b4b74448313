/** WavecubeAddBox on wasm. Contract: ops/addbox.ts; source: kernels/wasm/addbox.ts. */
import { ADD_BOX } from '../../ops/addboxcontract.js';
import { replaceKernel } from '../../ops/register.js';
import { heapOf, type WasmBackend } from './heap.js';

export function registerAddBox(): void {
  replaceKernel('wasm', ADD_BOX, ({ inputs: { x, y }, backend }) => {
    const heap = heapOf(backend as WasmBackend);
    const [n, h, w, c] = x!.shape;
    const [, kh, kw] = y!.shape;
    const out = heap.output(x!.shape, 'float32');
    heap.kernels.addBox(heap.offsetOf(out), heap.offsetOf(x!), heap.offsetOf(y!), n, h, w * c, kh, kw * c);
    return out;
  });
}
