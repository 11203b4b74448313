/**
 * WavecubeSeparable on the wasm backend. Contract: ops/separablecontract.ts; source: kernels/wasm/separable.ts, and bandlimited.ts for
 * axes that are resampled.
 */
import type * as tf from '@tensorflow/tfjs';
import { RESAMPLINGS } from '../../ops/axismatrix.js';
import { type SeparableCall, sizesOf } from '../../ops/separablecontract.js';
import { paysTransforms, Resampling } from './bandlimited.js';
import { heapOf, type WasmBackend } from './heap.js';

/** The resampling that stands for an axis's matrix; null where the matrix is less work, or none of these. */
function resamplingOf(kind: number, from: number, to: number, adjoint: boolean): Resampling | null {
  if (kind === RESAMPLINGS.indexOf('none')) return null;
  const axis = { from, to, periodic: kind === RESAMPLINGS.indexOf('periodic'), adjoint };
  return paysTransforms(axis) ? new Resampling(axis) : null;
}

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
  const axes = [
    resamplingOf(call.attrs.leftResampling, fromH, toH, adjoint),
    resamplingOf(call.attrs.rightResampling, fromW, toW, adjoint),
  ];
  const before = heap.kernels.separableBytes(...sizes);
  const bytes = axes.reduce((sum, axis) => sum + (axis?.bytes ?? 0), before + 16);
  return heap.withScratch(bytes, (scratch) => {
    const out = heap.output(shape, 'float32');
    let at = 16 * Math.ceil((scratch + before) / 16);
    const [leftAt, rightAt] = axes.map((axis) => {
      const base = at;
      if (!axis) return 0;
      axis.write(base, (offset, data) => heap.bytes(offset, data.length).set(data));
      at += 16 * Math.floor(axis.bytes / 16);
      return base;
    });
    heap.kernels.separable(
      heap.offsetOf(out),
      ...places,
      ...sizes,
      leftSymmetry,
      rightSymmetry,
      Number(adjoint),
      leftAt,
      rightAt,
      scratch,
    );
    return out;
  });
}
