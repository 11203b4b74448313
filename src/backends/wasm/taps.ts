/**
 * Stencils of four taps an axis, and sampling with them, on wasm. Contract: ops/tapscontract.ts; sources: kernels/wasm/stencils.ts
 * and taps.ts.
 */
import type { TensorInfo } from '@tensorflow/tfjs';
import { registerTaps, type StencilAttrs, type TapsCall } from '../../ops/tapscontract.js';
import { type Heap, heapOf, type WasmBackend } from './heap.js';

/** Exports of kernels/wasm/index.ts; pointers are byte offsets, a tangent of 0 is none. */
export interface WasmTaps {
  setStencil(
    dimX: number,
    dimY: number,
    dimZ: number,
    boundaryX: number,
    boundaryY: number,
    boundaryZ: number,
    basisX: number,
    basisY: number,
    basisZ: number,
    a: number,
  ): void;
  stencilWeights(out: number, coords: number, n: number, order: number, scratch: number): void;
  stencilTaps(out: number, coords: number, n: number): void;
  setPage(
    grid: number,
    dimX: number,
    dimY: number,
    dimZ: number,
    firstRow: number,
    rows: number,
    ordered: number,
  ): void;
  /** Bytes of scratch that the three kernels need at most. */
  tapsScratch(n: number, payload: number, rows: number): number;
  tapSample(
    out: number,
    nodes: number,
    taps: number,
    weights: number,
    tangent: number,
    n: number,
    payload: number,
    half: number,
    scratch: number,
  ): void;
  tapsFusedScratch(n: number, payload: number, rows: number): number;
  tapSampleFused(
    out: number,
    nodes: number,
    coords: number,
    n: number,
    payload: number,
    scratch: number,
  ): void;
  tapSplat(
    out: number,
    values: number,
    taps: number,
    weights: number,
    tangent: number,
    n: number,
    payload: number,
    scratch: number,
  ): void;
  tapGrad(
    out: number,
    nodes: number,
    taps: number,
    weights: number,
    values: number,
    tangent: number,
    n: number,
    payload: number,
    half: number,
    scratch: number,
  ): void;
}

/** Scratch of a stencil: the cubics of its slots (kernels/wasm/stencils.ts). */
const CUBICS_BYTES = 256 + 16;

function setStencil(heap: Heap, { dims, boundary, basis, a }: StencilAttrs): void {
  heap.kernels.setStencil(...dims, ...boundary, ...basis, a);
}

/** Sets the page of the call, makes its result, and runs `kernel` with scratch enough for it. */
function onPage(
  { inputs, attrs, backend }: TapsCall,
  shape: number[],
  kernel: (
    heap: Heap,
    at: { out: number; taps: number; weights: number; tangent: number; n: number; scratch: number },
  ) => void,
): TensorInfo {
  const heap = heapOf(backend as WasmBackend);
  const { grid, taps, weights, tangent } = inputs;
  const { firstRow, rows, ordered, payload } = attrs;
  const [x, y, z] = grid.shape;
  const n = weights.shape[0];
  return heap.withScratch(heap.kernels.tapsScratch(n, payload, rows), (scratch) => {
    const out = heap.output(shape, 'float32');
    heap.kernels.setPage(heap.offsetOf(grid), x, y, z, firstRow, rows, Number(ordered));
    kernel(heap, {
      out: heap.offsetOf(out),
      taps: heap.offsetOf(taps),
      weights: heap.offsetOf(weights),
      tangent: tangent ? heap.offsetOf(tangent) : 0,
      n,
      scratch,
    });
    return out;
  });
}

export function registerWasmTaps(): void {
  registerTaps('wasm', {
    stencil({ inputs: { coords }, attrs, backend }) {
      const heap = heapOf(backend as WasmBackend);
      const [n] = coords.shape;
      return heap.withScratch(CUBICS_BYTES, (scratch) => {
        const out = heap.output([n, 3, 4], 'float32');
        setStencil(heap, attrs);
        heap.kernels.stencilWeights(heap.offsetOf(out), heap.offsetOf(coords), n, attrs.order, scratch);
        return out;
      });
    },
    stencilTaps({ inputs: { coords }, attrs, backend }) {
      const heap = heapOf(backend as WasmBackend);
      const [n] = coords.shape;
      const out = heap.output([n, 3, 4], 'int32');
      setStencil(heap, attrs);
      heap.kernels.stencilTaps(heap.offsetOf(out), heap.offsetOf(coords), n);
      return out;
    },
    sample: (call) =>
      onPage(
        call,
        [call.inputs.weights.shape[0], call.attrs.payload],
        (heap, { out, taps, weights, tangent, n, scratch }) => {
          const nodes = heap.offsetOf(call.inputs.nodes);
          const { payload, half } = call.attrs;
          heap.kernels.tapSample(out, nodes, taps, weights, tangent, n, payload, Number(half), scratch);
        },
      ),
    splat: (call) =>
      onPage(
        call,
        [call.attrs.rows, call.attrs.payload],
        (heap, { out, taps, weights, tangent, n, scratch }) => {
          const values = heap.offsetOf(call.inputs.values);
          heap.kernels.tapSplat(out, values, taps, weights, tangent, n, call.attrs.payload, scratch);
        },
      ),
    fused({ inputs: { nodes, grid, coords }, attrs, backend }) {
      const heap = heapOf(backend as WasmBackend);
      const { payload, rows } = attrs;
      const [x, y, z] = grid.shape;
      const n = coords.shape[0];
      return heap.withScratch(heap.kernels.tapsFusedScratch(n, payload, rows), (scratch) => {
        const out = heap.output([n, payload], 'float32');
        setStencil(heap, attrs);
        heap.kernels.setPage(heap.offsetOf(grid), x, y, z, 0, rows, 1);
        heap.kernels.tapSampleFused(
          heap.offsetOf(out),
          heap.offsetOf(nodes),
          heap.offsetOf(coords),
          n,
          payload,
          scratch,
        );
        return out;
      });
    },
    weightGrad: (call) =>
      onPage(
        call,
        [call.inputs.weights.shape[0], 3, 4],
        (heap, { out, taps, weights, tangent, n, scratch }) => {
          const nodes = heap.offsetOf(call.inputs.nodes);
          const values = heap.offsetOf(call.inputs.values);
          const { payload, half } = call.attrs;
          heap.kernels.tapGrad(out, nodes, taps, weights, values, tangent, n, payload, Number(half), scratch);
        },
      ),
  });
}
