/**
 * The contract of monotone sampling: a stencil of four taps an axis, as of ops/tapscontract.ts, but with the place in the cell
 * instead of weights, since the interpolant is not linear in the nodes.
 *
 *   nodes   [R, F] float32, or [R, ⌈F/2⌉] int32 of halves (not for the splat); grid [X, Y, Z] int32: as ops/contract.ts, but that
 *           one page must hold all rows of the cube: of a part of the taps no part of the result can be told
 *   taps    [N, 3, 4] int32: the nodes of an axis's four taps, −1 for none
 *   place   [N, 3, 4] float32: (f, below, above, 0) of each axis: the place in the cell between taps 1 and 2, and the lengths of
 *           the cells below and above it as parts of its own, which must be positive (basis 'place' of interpolation/taps.ts)
 *   values  [N, F] float32
 *
 *   kernel                      inputs                             result      definition
 *   WavecubeMonotone            nodes, grid, taps, place           [N, F]      of each element: the interpolant of
 *                               interpolation/monotone.ts along z for each (x, y) line of the 4 × 4 × 4 taps, of the 4 × 4
 *                               results along y, and of these 4 along x
 *   WavecubeMonotoneSplat       nodes, values, grid, taps, place   [rows, F]   d⟨WavecubeMonotone, values⟩/d(nodes)
 *   WavecubeMonotonePlaceGrad   nodes, values, grid, taps, place   [N, 3, 4]   d⟨WavecubeMonotone, values⟩/d(place); slot 3 is zero
 *
 * Neither of the latter two has a gradient: a second derivative throws. They are exact but where two secants of a line stop
 * having one sign: there slopes have a kink, and the derivative is that of a slope which stays zero.
 *
 * A node that is not there (grid −1, or no row of the page) is a zero, and so is a tap −1, but on an axis whose boundary is
 * extrapolate. There a tap −1 in slot 0 or 3 is an open side of the cell: the slope is that of the line through the outermost two
 * nodes, and f outside [0, 1] lies on that line. On other axes f is in [0, 1].
 *
 * An axis of one node needs no rule of its own. Where it is clamped or reflected its taps are (−1, node, −1, −1) and f = 0, so
 * that the value is the node's, and zeros on both sides make its slope zero. Where it is extrapolated, a tap −1 in slot 2 stands
 * for the node in slot 1, so that the line is level. Where it is zero the same taps stand for zeros, and f ∈ [0, 1) walks down a
 * bump around the node; wrapped, all four taps are the node.
 *
 * Results lie within the range of the 4 × 4 × 4 taps, in float32 too (on a GPU that takes subnormals for zero, of the taps so
 * taken). A node that is not finite makes samples in the cells around it not finite; others may pass it over. On a node the result is that node exactly, however large its
 * neighbours, as long as they are finite. Two taps may be one node: their derivatives add up. A sample of whose place a number is
 * not finite has a row of NaN and no part in the gradients, and its values do not count even where they are NaN. Untouched rows
 * are exactly zero; repeated calls are bitwise equal; N, F and rows may be 0, and where rows is 0 the grid is not read.
 */
import type { NamedAttrMap, Tensor, TensorInfo } from '@tensorflow/tfjs';
import { boundaryCode } from '../interpolation/stencil.js';
import { replaceKernel } from './register.js';

export const MONOTONE = 'WavecubeMonotone';
export const MONOTONE_SPLAT = 'WavecubeMonotoneSplat';
export const MONOTONE_PLACE_GRAD = 'WavecubeMonotonePlaceGrad';

export interface MonotoneAttrs extends NamedAttrMap {
  /** boundaryCode of x, y, z: the taps have the boundary in them, but that −1 means another thing where it is extrapolate. */
  boundary: [number, number, number];
  /** F: elements of a node, whatever lanes hold them. */
  payload: number;
  /** nodes are halves in int32 lanes. */
  half: boolean;
  /** Must be 0: one page holds all rows. */
  firstRow: number;
  /** Rows of nodes, and of the splat's result. */
  rows: number;
  /** As of ops/contract.ts; the kernels may read the grid all the same. */
  ordered: boolean;
}

export type MonotoneInputs = { nodes: Tensor; values: Tensor; grid: Tensor; taps: Tensor; place: Tensor };

/** boundaryCode of the axes whose ends are open. */
export const OPEN = boundaryCode('extrapolate');

/** What a backend's functions are called with; value kernels have no inputs.values. */
export interface MonotoneCall {
  kernel: string;
  inputs: Record<keyof MonotoneInputs, TensorInfo>;
  attrs: MonotoneAttrs;
  backend: unknown;
}

export interface MonotoneOps {
  value(call: MonotoneCall): TensorInfo;
  splat(call: MonotoneCall): TensorInfo;
  placeGrad(call: MonotoneCall): TensorInfo;
}

/** Registers all three kernels of a backend. */
export function registerMonotone(backendName: string, ops: MonotoneOps): void {
  const table: [string, (call: MonotoneCall) => TensorInfo][] = [
    [MONOTONE, ops.value],
    [MONOTONE_SPLAT, ops.splat],
    [MONOTONE_PLACE_GRAD, ops.placeGrad],
  ];
  for (const [kernel, op] of table) {
    replaceKernel(backendName, kernel, ({ inputs, attrs, backend }) =>
      op({
        kernel,
        inputs: inputs as MonotoneCall['inputs'],
        attrs: attrs as unknown as MonotoneAttrs,
        backend,
      }),
    );
  }
}
