/**
 * The contract of the six sampling kernels. A backend implements these names; nothing else about it is known
 * to the ops.
 *
 *   nodes    [R, F] float32, a page of a bank: one node a row, F = H·W·C. Or, where `half`, [R, ⌈F/2⌉] int32:
 *            two IEEE halves a lane, the even element in the low 16 bits.
 *   grid     [X, Y, Z] int32: the row of each cell, −1 where there is no node. Rows count from the start of
 *            the bank: this page holds rows firstRow … firstRow + R − 1, others are passed over.
 *   coords   [N, 3] float32, index space (x, y, z). The stencil (interpolation/stencil.ts) gives eight taps k
 *            with weights w_k = Π over the axes of (1 − f or f).
 *   tangent  [N, 3] float32, a direction h in coordinate space; D_h w_k = Σ_j h_j ∂w_k/∂r_j.
 *   values   [N, F] float32.
 *
 *   kernel                     result             definition
 *   WavecubeSample             [N, F]             out_i = Σ_k w_k(r_i) · node_k
 *   WavecubeSampleTangent      [N, F]             out_i = Σ_k D_h w_k(r_i) · node_k
 *   WavecubeSplat              [rows, F]          out_row = Σ_{i,k → row} w_k(r_i) · values_i       (adjoint of Sample)
 *   WavecubeSplatTangent       [rows, F]          out_row = Σ_{i,k → row} D_h w_k(r_i) · values_i   (adjoint of SampleTangent)
 *   WavecubeCoordGrad          [N, 3]             out_ij = Σ_k ∂w_k/∂r_j · ⟨node_k, values_i⟩
 *   WavecubeCoordGradTangent   [N, 3]             out_ij = Σ_k ∂(D_h w_k)/∂r_j · ⟨node_k, values_i⟩
 *
 * The gradients of all but the last are made of these kernels again (ops/gradients.ts), so that first and second order run
 * on them. WavecubeCoordGradTangent has no gradient: differentiating a third time throws.
 *
 * On a node WavecubeSample is that node exactly: its weight is 1 and the seven others are 0, however large their nodes
 * as long as they are finite. Weights are products, or nested a · (1 − t) + b · t, never a + (b − a) · t.
 *
 * A tap without a node adds nothing. Where a coordinate is NaN or ±∞ the row of WavecubeSample is NaN and everything
 * else is zero: no index is formed from it, and values_i does not count even where it is NaN. Rows no sample touched
 * are exactly zero. Results of repeated calls are bitwise equal. N, F and rows may be 0.
 */
import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs';

export const SAMPLE = 'WavecubeSample';
export const SAMPLE_TANGENT = 'WavecubeSampleTangent';
export const SPLAT = 'WavecubeSplat';
export const SPLAT_TANGENT = 'WavecubeSplatTangent';
export const COORD_GRAD = 'WavecubeCoordGrad';
export const COORD_GRAD_TANGENT = 'WavecubeCoordGradTangent';
export const SAMPLING_KERNELS = [
  SAMPLE,
  SAMPLE_TANGENT,
  SPLAT,
  SPLAT_TANGENT,
  COORD_GRAD,
  COORD_GRAD_TANGENT,
] as const;

/** Mean of squares, fused: {x} → [], 0 of none. Its gradient kernel: {x, dy: []} → 2/n · dy · x. */
export const MEAN_SQUARE = 'WavecubeMeanSquare';
export const MEAN_SQUARE_GRAD = 'WavecubeMeanSquareGrad';

/** Attributes of all six sampling kernels. */
export interface SamplingAttrs extends NamedAttrMap {
  /** boundaryCode of x, y, z. */
  boundary: [number, number, number];
  /** F: elements of a node, whatever lanes hold them. */
  payload: number;
  /** nodes are halves in int32 lanes. Splats have none: gradients and their sums are float32. */
  half: boolean;
  /** The bank's row that is row 0 of this page. */
  firstRow: number;
  /** Rows of this page: of `nodes`, or of a splat's result. */
  rows: number;
  /** Row r of the bank is cell r, every cell has a node, and this page holds them all: the grid need not be read. */
  ordered: boolean;
}

export type SamplingInputs = { nodes: Tensor; values: Tensor; grid: Tensor; coords: Tensor; tangent: Tensor };
