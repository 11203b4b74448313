/**
 * The contract of WavecubeTridiagonal: systems of equations of three bands, one matrix for many lines.
 *
 *   x      [A, n, B] float32, n ≥ 1: A · B lines of n
 *   bands  [n, 3] float32: lower l, diagonal d, upper u of each row
 *   out    [A, n, B]: y with l_i y_{i−1} + d_i y_i + u_i y_{i+1} = x_i on every line
 *
 * Where `cyclic`, i ± 1 is taken mod n (n = 2: both neighbours are the one other, and their bands add up; n = 1: all three do); else
 * l_0 and u_{n−1} are not read. Where `adjoint`, the matrix is transposed. Elimination without pivots: the matrix has
 * to be diagonally dominant by rows or by columns, else the result may be anything. Float32 or better; a plan in float32 at least.
 * What is not finite spoils its own line alone. A and B may be 0.
 */
import type { NamedAttrMap, Tensor, TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from './register.js';

export const TRIDIAGONAL = 'WavecubeTridiagonal';

export interface TridiagonalAttrs extends NamedAttrMap {
  cyclic: boolean;
  adjoint: boolean;
}

export interface TridiagonalCall {
  inputs: { x: TensorInfo; bands: TensorInfo };
  attrs: TridiagonalAttrs;
  backend: unknown;
}

export type TridiagonalTensors = { x: Tensor; bands: Tensor };

/** Registers a backend's kernel. */
export function registerTridiagonal(
  backendName: string,
  kernel: (call: TridiagonalCall) => TensorInfo,
): void {
  replaceKernel(backendName, TRIDIAGONAL, (call) => kernel(call as unknown as TridiagonalCall));
}
