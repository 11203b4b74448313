/**
 * Axes that stand still during a call, read on the host in one pass: what ops/locate.ts and ops/axistaps.ts do with stock ops, where
 * coordinates are at hand and no gradient goes to positions. Definitions: interpolation/axis.ts and axistaps.ts.
 */
import * as tf from '@tensorflow/tfjs';
import { type AxisGeometry, FAR, placeOn } from '../interpolation/axis.js';
import { axisTapsAt } from '../interpolation/axistaps.js';
import { boundaryCode } from '../interpolation/stencil.js';
import { axisTaps, BASES } from '../interpolation/taps.js';
import type { Stencil, StencilSpec } from './taps.js';
import type { StencilAttrs } from './tapscontract.js';

const FREE = ['wrap', 'reflect', 'extrapolate'].map((name) => boundaryCode(name as 'wrap'));

/** An axis: index space (null), an affine map to it, or positions. */
export type HostAxis = null | { first: number; span: number; cells: number } | AxisGeometry;

const isAffine = (axis: HostAxis): axis is { first: number; span: number; cells: number } =>
  axis !== null && 'span' in axis;

/** u in index space, and its derivative there. */
function located(u: number, axis: HostAxis, code: number, out: { index: number; slope: number }): void {
  if (axis === null) {
    out.index = u;
    out.slope = 1;
  } else if (isAffine(axis)) {
    out.index = Math.fround(Math.fround(Math.fround(u - axis.first) / axis.span) * axis.cells);
    out.slope = axis.cells / axis.span;
  } else if (!Number.isFinite(u)) {
    out.index = Number.NaN;
    out.slope = 0;
  } else {
    const { cell, fraction, fold } = placeOn(u, axis, code);
    const index = cell + fraction;
    const far = FREE.includes(code) ? index : Math.min(Math.max(index, -FAR), axis.lengths.length + FAR);
    out.index = far;
    out.slope = far === index ? fold.sign / axis.lengths[cell] : 0;
  }
}

/** [3 N] coordinates in the user's units, in index space, and the derivatives there. */
export function locatedOnHost(
  user: Float32Array,
  axes: readonly HostAxis[],
  codes: readonly number[],
): { index: Float32Array; slopes: Float32Array } {
  const index = new Float32Array(user.length);
  const slopes = new Float32Array(user.length);
  const out = { index: 0, slope: 0 };
  for (let i = 0; i < user.length; i++) {
    located(user[i], axes[i % 3], codes[i % 3], out);
    index[i] = out.index;
    slopes[i] = out.slope;
  }
  return { index, slopes };
}

/**
 * [N, 3] coordinates in the user's units, in index space.
 * Gradients: coords, of any order; positions stand still.
 */
export function locateOnHost(
  coords: tf.Tensor2D,
  user: Float32Array,
  axes: readonly HostAxis[],
  codes: readonly number[],
): { tensor: tf.Tensor2D; host: Float32Array } {
  const { index, slopes } = locatedOnHost(user, axes, codes);
  const tensor = tf.customGrad(() => ({
    value: tf.tensor2d(index, coords.shape) as tf.Tensor,
    gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.tensor2d(slopes, coords.shape)),
  }))(coords);
  return { tensor: tensor as tf.Tensor2D, host: index };
}

/**
 * The stencils of coordinates on three axes, each uniform or with positions that stand still. Not differentiable.
 * @param user [3 N] in the user's units. @param index [3 N] in index space.
 * @param scale of each axis's weights: tangents are per unit of the user's coordinate.
 */
export function stencilOnHost(
  user: Float32Array,
  index: Float32Array,
  axes: readonly (AxisGeometry | null)[],
  spec: StencilSpec,
  scale: readonly number[],
): Stencil {
  const { dims, boundary, basis, a } = spec as StencilAttrs;
  const n = user.length / 3;
  const taps = new Int32Array(12 * n);
  const weights = new Float32Array(12 * n);
  const nodes = new Int32Array(4);
  const w = new Float64Array(4);
  for (let i = 0; i < n; i++) {
    const finite = Number.isFinite(index[3 * i] + index[3 * i + 1] + index[3 * i + 2]);
    for (let j = 0; j < 3; j++) {
      const at = 12 * i + 4 * j;
      if (!finite) {
        taps.fill(-1, at, at + 4);
        weights.fill(Number.NaN, at, at + 4);
        continue;
      }
      const axis = axes[j];
      if (axis) axisTapsAt(user[3 * i + j], axis, boundary[j], BASES[basis[j]], a, nodes, w);
      else axisTaps(index[3 * i + j], dims[j], boundary[j], basis[j], a, 0, nodes, w);
      taps.set(nodes, at);
      for (let k = 0; k < 4; k++) weights[at + k] = w[k] * scale[j];
    }
  }
  return {
    taps: tf.tensor3d(taps, [n, 3, 4], 'int32'),
    weights: tf.tensor3d(weights, [n, 3, 4]),
  };
}
