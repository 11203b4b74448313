/** WavecubeMonotone and its gradients on wasm. Contract: ops/monotonecontract.ts; sources: kernels/wasm/monotone*.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { type MonotoneCall, OPEN, registerMonotone } from '../../ops/monotonecontract.js';
import { type Heap, heapOf, type WasmBackend } from './heap.js';

/** Exports of kernels/wasm/index.ts; pointers are byte offsets. */
export interface WasmMonotone {
  setMonotoneGrid(
    grid: number,
    dimY: number,
    dimZ: number,
    open: number,
    rows: number,
    ordered: number,
  ): void;
  monotoneBytes(payload: number): number;
  monotone(
    out: number,
    nodes: number,
    taps: number,
    place: number,
    n: number,
    payload: number,
    half: number,
    scratch: number,
  ): void;
  monotoneSplat(
    out: number,
    nodes: number,
    values: number,
    taps: number,
    place: number,
    n: number,
    payload: number,
    rows: number,
    scratch: number,
  ): void;
  monotonePlaceGrad(
    out: number,
    nodes: number,
    values: number,
    taps: number,
    place: number,
    n: number,
    payload: number,
    half: number,
    scratch: number,
  ): void;
}

/** A new tensor of this shape, filled by `kernel` with the grid of the call. */
function run(
  { inputs, attrs, backend }: MonotoneCall,
  shape: number[],
  kernel: (heap: Heap, at: Record<keyof MonotoneCall['inputs'] | 'out' | 'scratch', number>) => void,
): TensorInfo {
  const heap = heapOf(backend as WasmBackend);
  const [, ny, nz] = inputs.grid.shape;
  const open = attrs.boundary.reduce((bits, code, j) => bits | (code === OPEN ? 1 << j : 0), 0);
  return heap.withScratch(heap.kernels.monotoneBytes(attrs.payload), (scratch) => {
    const out = heap.output(shape, 'float32');
    const offset = (x: TensorInfo | undefined) => (x ? heap.offsetOf(x) : 0);
    const { nodes, values, grid, taps, place } = inputs;
    heap.kernels.setMonotoneGrid(offset(grid), ny, nz, open, attrs.rows, Number(attrs.ordered));
    kernel(heap, {
      out: offset(out),
      nodes: offset(nodes),
      values: offset(values),
      grid: offset(grid),
      taps: offset(taps),
      place: offset(place),
      scratch,
    });
    return out;
  });
}

export function registerWasmMonotone(): void {
  registerMonotone('wasm', {
    value(call) {
      const { payload, half } = call.attrs;
      const n = call.inputs.place.shape[0];
      return run(call, [n, payload], ({ kernels }, { out, nodes, taps, place, scratch }) =>
        kernels.monotone(out, nodes, taps, place, n, payload, Number(half), scratch),
      );
    },
    splat(call) {
      const { payload, rows } = call.attrs;
      const n = call.inputs.place.shape[0];
      return run(call, [rows, payload], ({ kernels }, { out, nodes, values, taps, place, scratch }) =>
        kernels.monotoneSplat(out, nodes, values, taps, place, n, payload, rows, scratch),
      );
    },
    placeGrad(call) {
      const { payload, half } = call.attrs;
      const n = call.inputs.place.shape[0];
      return run(call, [n, 3, 4], ({ kernels }, { out, nodes, values, taps, place, scratch }) =>
        kernels.monotonePlaceGrad(out, nodes, values, taps, place, n, payload, Number(half), scratch),
      );
    },
  });
}
