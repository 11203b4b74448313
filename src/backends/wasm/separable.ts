/**
 * WavecubeSeparable on the wasm backend. Contract: ops/separablecontract.ts; source: kernels/wasm/separable.ts, and bandlimited.ts for
 * axes that are resampled.
 */
import type * as tf from '@tensorflow/tfjs';
import { RESAMPLINGS } from '../../ops/axismatrix.js';
import { type SeparableCall, sizesOf } from '../../ops/separablecontract.js';
import { paysTransforms, Resampling } from './bandlimited.js';
import { type Heap, heapOf, type WasmBackend } from './heap.js';

/** The resampling that stands for an axis's matrix; null where the matrix is less work, or none of these. */
function resamplingOf(kind: number, from: number, to: number, adjoint: boolean): Resampling | null {
  if (kind === RESAMPLINGS.indexOf('none')) return null;
  const axis = { from, to, periodic: kind === RESAMPLINGS.indexOf('periodic'), adjoint };
  return paysTransforms(axis) ? new Resampling(axis) : null;
}

/** A product, and where in scratch it is laid out. */
export class Product {
  readonly bytes: number;
  readonly sizes: ReturnType<typeof sizesOf>;
  readonly #before: number;
  readonly #axes: (Resampling | null)[];
  readonly #left: number;
  readonly #right: number;
  /** As the kernels take it; from open() on. */
  at = 0;

  /** Inputs that lie on another backend move here, which may grow the heap. */
  constructor(
    private readonly heap: Heap,
    private readonly call: SeparableCall,
  ) {
    this.sizes = sizesOf(call);
    const { n, channels, fromH, fromW, toH, toW } = this.sizes;
    const { adjoint, leftResampling, rightResampling } = call.attrs;
    this.#left = heap.offsetOf(call.inputs.left);
    this.#right = heap.offsetOf(call.inputs.right);
    this.#axes = [
      resamplingOf(leftResampling, fromH, toH, adjoint),
      resamplingOf(rightResampling, fromW, toW, adjoint),
    ];
    this.#before = heap.kernels.separableBytes(n, fromH, fromW, toH, toW, channels);
    this.bytes = this.#axes.reduce((sum, axis) => sum + (axis?.bytes ?? 0), this.#before + 32);
  }

  open(scratch: number): this {
    const { heap, call } = this;
    let at = 16 * Math.ceil((scratch + this.#before) / 16);
    const [left, right] = this.#axes.map((axis) => {
      const base = at;
      if (!axis) return 0;
      axis.write(base, (offset, data) => heap.bytes(offset, data.length).set(data));
      at += 16 * Math.floor(axis.bytes / 16);
      return base;
    });
    const { n, channels, fromH, fromW, toH, toW } = this.sizes;
    const { adjoint, leftSymmetry, rightSymmetry } = call.attrs;
    this.at = heap.kernels.separableOpen(
      this.#left,
      this.#right,
      n,
      fromH,
      fromW,
      toH,
      toW,
      channels,
      leftSymmetry,
      rightSymmetry,
      Number(adjoint),
      left,
      right,
      scratch,
    );
    return this;
  }
}

export function separable(call: SeparableCall): tf.TensorInfo {
  const heap = heapOf(call.backend as WasmBackend);
  const { n, channels, toH, toW } = sizesOf(call);
  const x = heap.offsetOf(call.inputs.x);
  const shape = [n, toH, toW, channels];
  if (n * channels === 0) return heap.output(shape, 'float32');
  const product = new Product(heap, call);
  return heap.withScratch(product.bytes, (scratch) => {
    const out = heap.output(shape, 'float32');
    heap.kernels.separableRun(product.open(scratch).at, heap.offsetOf(out), x, n, 0);
    return out;
  });
}
