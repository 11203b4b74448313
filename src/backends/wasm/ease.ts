/** WavecubeEase and its slopes on wasm. Contract: ops/easecontract.ts; source: kernels/wasm/ease.ts. */
import { registerEase } from '../../ops/easecontract.js';
import { heapOf, type WasmBackend } from './heap.js';

export function registerWasmEase(): void {
  registerEase('wasm', ({ inputs: { coords, by }, attrs, backend }) => {
    const heap = heapOf(backend as WasmBackend);
    const { nearest, order, ends } = attrs;
    const out = heap.output(coords.shape, 'float32');
    const from = heap.offsetOf(coords);
    const times = by ? heap.offsetOf(by) : 0;
    heap.kernels.ease(heap.offsetOf(out), from, times, coords.shape[0], Number(nearest), order, ...ends);
    return out;
  });
}
