/** WavecubeSeparable on the cpu backend, in float64 between the axes. Contract: ops/separablecontract.ts. */
import type { TensorInfo } from '@tensorflow/tfjs';
import { IDENTITY, type SeparableCall, sizesOf, widthFirst } from '../../ops/separablecontract.js';
import { type CpuBackend, valuesOf } from './tfjs.js';

type Numbers = Float32Array | Float64Array;

/** One axis of a product: x seen as [outer, from, inner]. */
interface Pass {
  matrix: Float32Array;
  /** Element (to, from) of the matrix lies at to · strideOut + from · strideIn. */
  strideOut: number;
  strideIn: number;
  from: number;
  to: number;
}

function multiply({ matrix, strideOut, strideIn, from, to }: Pass, x: Numbers, out: Numbers, inner: number) {
  const outer = x.length / (from * inner);
  const sums = new Float64Array(inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < to; i++) {
      sums.fill(0);
      for (let k = 0; k < from; k++) {
        const v = matrix[i * strideOut + k * strideIn];
        const at = (o * from + k) * inner;
        for (let j = 0; j < inner; j++) sums[j] += v * x[at + j];
      }
      out.set(sums, (o * to + i) * inner);
    }
  }
}

export function separable(call: SeparableCall): TensorInfo {
  const backend = call.backend as CpuBackend;
  const { adjoint, leftSymmetry, rightSymmetry } = call.attrs;
  const sizes = sizesOf(call);
  const { n, channels, fromH, fromW, toH, toW } = sizes;
  const out = new Float32Array(n * toH * toW * channels);
  const x = valuesOf(backend, call.inputs.x) as Float32Array;
  const pass = (matrix: TensorInfo, from: number, to: number): Pass => ({
    matrix: valuesOf(backend, matrix) as Float32Array,
    strideOut: adjoint ? 1 : from,
    strideIn: adjoint ? to : 1,
    from,
    to,
  });
  const height = leftSymmetry === IDENTITY ? null : pass(call.inputs.left, fromH, toH);
  const width = rightSymmetry === IDENTITY ? null : pass(call.inputs.right, fromW, toW);
  if (out.length === 0) {
    // Nothing to do.
  } else if (!height) {
    multiply(width as Pass, x, out, channels);
  } else if (!width) {
    multiply(height, x, out, toW * channels);
  } else if (widthFirst(sizes)) {
    const middle = new Float64Array(n * fromH * toW * channels);
    multiply(width, x, middle, channels);
    multiply(height, middle, out, toW * channels);
  } else {
    const middle = new Float64Array(n * toH * fromW * channels);
    multiply(height, x, middle, fromW * channels);
    multiply(width, middle, out, channels);
  }
  return backend.makeTensorInfo([n, toH, toW, channels], 'float32', out);
}
