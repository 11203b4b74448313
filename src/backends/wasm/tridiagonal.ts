/** WavecubeTridiagonal on wasm. Contract: ops/tridiagonalcontract.ts; source: kernels/wasm/tridiagonal.ts. */
import { registerTridiagonal } from '../../ops/tridiagonalcontract.js';
import { tridiagonalPlan } from '../../ops/tridiagonalplan.js';
import { heapOf, type WasmBackend } from './heap.js';

export function registerWasmTridiagonal(): void {
  registerTridiagonal('wasm', ({ inputs: { x, bands }, attrs, backend }) => {
    const heap = heapOf(backend as WasmBackend);
    const [outer, n, width] = x.shape;
    // What lies on another backend moves here when its place is asked for, and may grow the heap.
    const from = heap.offsetOf(x);
    const given = heap.bytes(heap.offsetOf(bands), 12 * n).slice();
    const plan = Float32Array.from(tridiagonalPlan(new Float32Array(given.buffer), n, attrs));
    return heap.withScratch(plan.byteLength, (scratch) => {
      const out = heap.output(x.shape, 'float32');
      heap.bytes(scratch, plan.byteLength).set(new Uint8Array(plan.buffer));
      heap.kernels.tridiagonal(heap.offsetOf(out), from, scratch, outer, n, width, Number(attrs.cyclic));
      return out;
    });
  });
}
