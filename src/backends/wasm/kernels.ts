/** Wavecube's kernels for tfjs's wasm backend. Contract: ops/contract.ts; sources: kernels/wasm. */
import * as tf from '@tensorflow/tfjs';
import type { SamplingAttrs } from '../../ops/contract.js';
import { type Op, registerOps } from '../../ops/register.js';
import { registerSeparable } from '../../ops/separablecontract.js';
import { registerAddBox } from './addbox.js';
import { registerWasmEase } from './ease.js';
import { registerFourier } from './fourier.js';
import { registerWasmGaussians } from './gaussians.js';
import { type Heap, heapOf, type WasmBackend } from './heap.js';
import { registerWasmMonotone } from './monotone.js';
import { separable } from './separable.js';
import { registerSumRows } from './sumrows.js';
import { registerWasmTaps } from './taps.js';
import { registerWasmTridiagonal } from './tridiagonal.js';
import { registerWavelet } from './wavelet.js';

type Inputs = Record<string, tf.TensorInfo>;
type Run = (heap: Heap, inputs: Inputs, attrs: SamplingAttrs) => tf.TensorInfo;

/** Sets the grid of the call and runs `kernel` with scratch enough for it, and the address of the tangent or 0. */
function withGrid(
  heap: Heap,
  { grid, coords, nodes, tangent }: Inputs,
  attrs: SamplingAttrs,
  kernel: (scratch: number, tangent: number) => tf.TensorInfo,
): tf.TensorInfo {
  const [x, y, z] = grid.shape;
  const { boundary, firstRow, rows, ordered, payload } = attrs;
  heap.kernels.setGrid(heap.offsetOf(grid), x, y, z, ...boundary, firstRow, rows, Number(ordered));
  const read = nodes ? heap.offsetOf(coords) : 0;
  const bytes = heap.kernels.scratchBytes(coords.shape[0], payload, rows, read);
  return heap.withScratch(bytes, (scratch) => kernel(scratch, tangent ? heap.offsetOf(tangent) : 0));
}

const sample: Run = (heap, inputs, attrs) =>
  withGrid(heap, inputs, attrs, (scratch, tangent) => {
    const n = inputs.coords.shape[0];
    const out = heap.output([n, attrs.payload], 'float32');
    heap.kernels.sample(
      heap.offsetOf(out),
      heap.offsetOf(inputs.nodes),
      heap.offsetOf(inputs.coords),
      tangent,
      n,
      attrs.payload,
      Number(attrs.half),
      scratch,
    );
    return out;
  });

const splat: Run = (heap, inputs, attrs) =>
  withGrid(heap, inputs, attrs, (scratch, tangent) => {
    const out = heap.output([attrs.rows, attrs.payload], 'float32');
    heap.kernels.splat(
      heap.offsetOf(out),
      heap.offsetOf(inputs.values),
      heap.offsetOf(inputs.coords),
      tangent,
      inputs.coords.shape[0],
      attrs.payload,
      scratch,
    );
    return out;
  });

const coordGrad: Run = (heap, inputs, attrs) =>
  withGrid(heap, inputs, attrs, (scratch, tangent) => {
    const n = inputs.coords.shape[0];
    const out = heap.output([n, 3], 'float32');
    heap.kernels.coordGrad(
      heap.offsetOf(out),
      heap.offsetOf(inputs.nodes),
      heap.offsetOf(inputs.coords),
      heap.offsetOf(inputs.values),
      tangent,
      n,
      attrs.payload,
      Number(attrs.half),
      scratch,
    );
    return out;
  });

const meanSquare: Run = (heap, { x }) => {
  const out = heap.output([], 'float32');
  heap.kernels.meanSquare(heap.offsetOf(out), heap.offsetOf(x), tf.util.sizeFromShape(x.shape));
  return out;
};

const meanSquareGrad: Run = (heap, { x, dy }) => {
  const out = heap.output(x.shape, 'float32');
  const size = tf.util.sizeFromShape(x.shape);
  heap.kernels.meanSquareGrad(heap.offsetOf(out), heap.offsetOf(x), heap.offsetOf(dy), size);
  return out;
};

const on =
  (run: Run): Op =>
  ({ inputs, attrs, backend }) =>
    run(heapOf(backend as WasmBackend), inputs, attrs);

export function registerKernels(): void {
  registerAddBox();
  registerSumRows();
  registerFourier();
  registerWasmGaussians();
  registerOps('wasm', {
    sample: on(sample),
    splat: on(splat),
    coordGrad: on(coordGrad),
    meanSquare: on(meanSquare),
    meanSquareGrad: on(meanSquareGrad),
  });
  registerSeparable('wasm', separable);
  registerWasmTaps();
  registerWasmTridiagonal();
  registerWasmEase();
  registerWavelet();
  registerWasmMonotone();
}
