/**
 * The contract of sampling with given weights: a stencil of four taps an axis is resolved once per coordinate, as two small
 * tensors, and six kernels stream the payload. What the six sampling kernels of ops/contract.ts are to coordinates, these are
 * to weights: they know neither methods nor boundaries, so that every method that is linear in the nodes runs on them.
 *
 *   coords   [N, 3] float32, index space (x, y, z)
 *   taps     [N, 3, 4] int32: the nodes of an axis's four taps, −1 for none
 *   weights  [N, 3, 4] float32: u_x, u_y, u_z
 *
 *   WavecubeStencil       {coords} → [N, 3, 4] float32   the derivative of order attrs.order, 0 … 3, of the weights with respect to
 *                                                        each axis's own coordinate: interpolation/taps.ts
 *   WavecubeStencilTaps   {coords} → [N, 3, 4] int32
 *
 * A sample of which a coordinate is NaN or ±∞ has taps −1, and weights NaN at order 0, zeros above. The gradient of
 * WavecubeStencil is the same kernel one order up, times dy, summed over the taps; none beyond order 3.
 *
 *   nodes    [R, F] float32, or [R, ⌈F/2⌉] int32 of halves; grid [X, Y, Z] int32, firstRow, rows, ordered: as ops/contract.ts
 *   tangent  [N, 3, 4] float32, a direction h in the space of weights
 *   values   [N, F] float32
 *   w_abc    u_x[a] · u_y[b] · u_z[c], for the 64 taps (a, b, c) whose nodes are all there and in this page; D_h w_abc the sum
 *            of its three derivatives: h_x[a] · u_y[b] · u_z[c] + u_x[a] · h_y[b] · u_z[c] + u_x[a] · u_y[b] · h_z[c]
 *
 *   kernel                    result        definition
 *   WavecubeTaps              [N, F]        out_i = Σ w_abc · node_abc
 *   WavecubeTapsTangent       [N, F]        out_i = Σ D_h w_abc · node_abc
 *   WavecubeTapsSplat         [rows, F]     out_row = Σ_{i, abc → row} w_abc · values_i
 *   WavecubeTapsSplatTangent  [rows, F]     out_row = Σ_{i, abc → row} D_h w_abc · values_i
 *   WavecubeTapsGrad          [N, 3, 4]     out_i,j,k = Σ ∂w_abc/∂u_j[k] · ⟨node_abc, values_i⟩
 *   WavecubeTapsGradTangent   [N, 3, 4]     out_i,j,k = Σ ∂(D_h w_abc)/∂u_j[k] · ⟨node_abc, values_i⟩
 *
 * The gradients of all but the last are made of these kernels again; WavecubeTapsGradTangent has none. A tap whose weight u is 0
 * may be left out of a sum over nodes, but not out of WavecubeTapsGrad: its derivative counts. Two taps may be one node. A tap
 * without a node adds nothing and has no gradient. Where a weight of a sample is NaN its row of WavecubeTaps is NaN, everything
 * else of it is zero, and its values do not count even where they are NaN. On a node (weights 1 and zeros) WavecubeTaps is that
 * node exactly, however large its neighbours, as long as they are finite. Untouched rows are exactly zero; repeated calls are
 * bitwise equal; N, F and rows may be 0, and where rows is 0 the grid is not read. Sums of a sample are float32 or better.
 *
 *   WavecubeTapsFused   {nodes, grid, coords} → [N, F]   WavecubeTaps of the stencil at coords, which need not be made
 *
 * A backend may have that last one for narrow rows (FUSED_PAYLOAD) of float32 pages in order, where the stencil costs as much as the
 * payload. Its gradient is made of the stencil and the kernels above.
 */
import type { NamedAttrMap, Tensor, TensorInfo } from '@tensorflow/tfjs';
import { replaceKernel } from './register.js';

export const STENCIL = 'WavecubeStencil';
export const STENCIL_TAPS = 'WavecubeStencilTaps';
export const TAPS = 'WavecubeTaps';
export const TAPS_TANGENT = 'WavecubeTapsTangent';
export const TAPS_SPLAT = 'WavecubeTapsSplat';
export const TAPS_SPLAT_TANGENT = 'WavecubeTapsSplatTangent';
export const TAPS_GRAD = 'WavecubeTapsGrad';
export const TAPS_GRAD_TANGENT = 'WavecubeTapsGradTangent';
export const TAPS_FUSED = 'WavecubeTapsFused';

/** F up to which WavecubeTapsFused is made for. */
export const FUSED_PAYLOAD = 64;

/** Attributes of both stencil kernels. */
export interface StencilAttrs extends NamedAttrMap {
  dims: [number, number, number];
  /** boundaryCode of x, y, z. */
  boundary: [number, number, number];
  /** basisCode of x, y, z. */
  basis: [number, number, number];
  /** Of a cardinal basis. */
  a: number;
  /** Of the derivative; WavecubeStencilTaps does not read it. */
  order: number;
}

/** Attributes of the six kernels: those of SamplingAttrs but the boundary, which the taps have in them. */
export interface TapsAttrs extends NamedAttrMap {
  payload: number;
  half: boolean;
  firstRow: number;
  rows: number;
  ordered: boolean;
}

export type TapsInputs = {
  nodes: Tensor;
  values: Tensor;
  grid: Tensor;
  taps: Tensor;
  weights: Tensor;
  tangent: Tensor;
};

/** What a backend's functions are called with. A tangent kernel is its plain one with `inputs.tangent`. */
export interface TapsCall<Attrs = TapsAttrs> {
  kernel: string;
  inputs: Record<string, TensorInfo>;
  attrs: Attrs;
  backend: unknown;
}

/** Attributes of WavecubeTapsFused; the order is 0. */
export type FusedAttrs = StencilAttrs & TapsAttrs;

export interface TapsOps {
  stencil(call: TapsCall<StencilAttrs>): TensorInfo;
  stencilTaps(call: TapsCall<StencilAttrs>): TensorInfo;
  sample(call: TapsCall): TensorInfo;
  splat(call: TapsCall): TensorInfo;
  weightGrad(call: TapsCall): TensorInfo;
  fused?(call: TapsCall<FusedAttrs>): TensorInfo;
}

/** Registers all kernels of a backend. */
export function registerTaps(backendName: string, ops: TapsOps): void {
  const table: [string, (call: never) => TensorInfo][] = [
    [STENCIL, ops.stencil],
    [STENCIL_TAPS, ops.stencilTaps],
    [TAPS, ops.sample],
    [TAPS_TANGENT, ops.sample],
    [TAPS_SPLAT, ops.splat],
    [TAPS_SPLAT_TANGENT, ops.splat],
    [TAPS_GRAD, ops.weightGrad],
    [TAPS_GRAD_TANGENT, ops.weightGrad],
  ];
  if (ops.fused) table.push([TAPS_FUSED, ops.fused]);
  for (const [kernel, op] of table) {
    replaceKernel(backendName, kernel, ({ inputs, attrs, backend }) =>
      op({ kernel, inputs, attrs, backend } as never),
    );
  }
}
