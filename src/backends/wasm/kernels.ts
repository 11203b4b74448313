/** Wavecube's kernels for tfjs's wasm backend. Contract: ops/contract.ts; sources: kernels/wasm. */
import * as tf from '@tensorflow/tfjs';
import {
  COORD_GRAD,
  COORD_GRAD_TANGENT,
  MEAN_SQUARE,
  MEAN_SQUARE_GRAD,
  SAMPLE,
  SAMPLE_TANGENT,
  type SamplingAttrs,
  SPLAT,
  SPLAT_TANGENT,
} from '../../ops/contract.js';
import { replaceKernel } from '../../ops/kernels.js';
import { type Heap, heapOf, type WasmBackend } from './heap.js';

type Inputs = Record<string, tf.TensorInfo>;
type Run = (heap: Heap, inputs: Inputs, attrs: SamplingAttrs) => tf.TensorInfo;

/** Sets the grid of the call. @returns scratch enough for it. */
function prepare(heap: Heap, { grid, coords }: Inputs, attrs: SamplingAttrs): number {
  const [x, y, z] = grid.shape;
  const { boundary, firstRow, rows, ordered, payload } = attrs;
  heap.kernels.setGrid(heap.offsetOf(grid), x, y, z, ...boundary, firstRow, rows, Number(ordered));
  return heap.scratch(heap.kernels.scratchBytes(coords.shape[0], payload, rows));
}

const tangentOf = (heap: Heap, { tangent }: Inputs): number => (tangent ? heap.offsetOf(tangent) : 0);

const sample: Run = (heap, inputs, attrs) => {
  const { nodes, coords } = inputs;
  const n = coords.shape[0];
  const scratch = prepare(heap, inputs, attrs);
  const out = heap.output([n, attrs.payload], 'float32');
  heap.kernels.sample(
    heap.offsetOf(out),
    heap.offsetOf(nodes),
    heap.offsetOf(coords),
    tangentOf(heap, inputs),
    n,
    attrs.payload,
    Number(attrs.half),
    scratch,
  );
  return out;
};

const splat: Run = (heap, inputs, attrs) => {
  const { values, coords } = inputs;
  const scratch = prepare(heap, inputs, attrs);
  const out = heap.output([attrs.rows, attrs.payload], 'float32');
  heap.kernels.splat(
    heap.offsetOf(out),
    heap.offsetOf(values),
    heap.offsetOf(coords),
    tangentOf(heap, inputs),
    coords.shape[0],
    attrs.payload,
    scratch,
  );
  return out;
};

const coordGrad: Run = (heap, inputs, attrs) => {
  const { nodes, values, coords } = inputs;
  const n = coords.shape[0];
  const scratch = prepare(heap, inputs, attrs);
  const out = heap.output([n, 3], 'float32');
  heap.kernels.coordGrad(
    heap.offsetOf(out),
    heap.offsetOf(nodes),
    heap.offsetOf(coords),
    heap.offsetOf(values),
    tangentOf(heap, inputs),
    n,
    attrs.payload,
    Number(attrs.half),
    scratch,
  );
  return out;
};

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

const kernels: [string, Run][] = [
  [SAMPLE, sample],
  [SAMPLE_TANGENT, sample],
  [SPLAT, splat],
  [SPLAT_TANGENT, splat],
  [COORD_GRAD, coordGrad],
  [COORD_GRAD_TANGENT, coordGrad],
  [MEAN_SQUARE, meanSquare],
  [MEAN_SQUARE_GRAD, meanSquareGrad],
];

export function registerKernels(): void {
  for (const [name, run] of kernels) {
    replaceKernel('wasm', name, ({ inputs, attrs, backend }) =>
      run(heapOf(backend as WasmBackend), inputs as Inputs, attrs as unknown as SamplingAttrs),
    );
  }
}
