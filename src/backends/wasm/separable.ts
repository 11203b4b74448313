/** WavecubeSeparable on the wasm backend. Contract: ops/separablecontract.ts; source: kernels/wasm/separable.ts. */
import type * as tf from '@tensorflow/tfjs';
import { type SeparableCall, sizesOf } from '../../ops/separablecontract.js';
import { heapOf, type WasmBackend } from './heap.js';

export function separable(call: SeparableCall): tf.TensorInfo {
  const heap = heapOf(call.backend as WasmBackend);
  const { adjoint, leftSymmetry, rightSymmetry } = call.attrs;
  const { n, channels, fromH, fromW, toH, toW } = sizesOf(call);
  const sizes = [n, fromH, fromW, toH, toW, channels] as const;
  const { x, left, right } = call.inputs;
  // An input that lies on another backend moves here when its place is asked for, and may grow the heap.
  const places = [heap.offsetOf(x), heap.offsetOf(left), heap.offsetOf(right)] as const;
  const shape = [n, toH, toW, channels];
  if (n * channels === 0) return heap.output(shape, 'float32');
  return heap.withScratch(heap.kernels.separableBytes(...sizes), (scratch) => {
    const out = heap.output(shape, 'float32');
    heap.kernels.separable(
      heap.offsetOf(out),
      ...places,
      ...sizes,
      leftSymmetry,
      rightSymmetry,
      Number(adjoint),
      scratch,
    );
    return out;
  });
}
