/**
 * The four taps of coordinates on an axis with positions, and their weights in the user's units: interpolation/axistaps.ts on
 * tensors. Weights (ops/axisweights.ts) are differentiable, to any order, to coordinates and positions; taps come from a small table.
 */
import * as tf from '@tensorflow/tfjs';
import { type AxisGeometry, lengthCell } from '../interpolation/axis.js';
import { boundaryCode } from '../interpolation/stencil.js';
import { BASES, type Basis, basisCode, isNarrow, nodesOfTaps } from '../interpolation/taps.js';
import { stencilOnHost } from './axishost.js';
import { basisOf, beyondOf, bspline, type Four, type Lengths, sum } from './axisweights.js';
import { type AxisForm, gatherRows, type Located, lengthsOf } from './locate.js';
import { type Stencil, type StencilSpec, stencilOf, untaped } from './taps.js';
import type { StencilAttrs } from './tapscontract.js';

const WRAP = boundaryCode('wrap');
const REFLECT = boundaryCode('reflect');
const ZERO = boundaryCode('zero');
const EXTRAPOLATE = boundaryCode('extrapolate');

/** One axis's part of a Stencil. */
export interface AxisTaps {
  /** [N, 4] int32, −1 for none. */
  taps: tf.Tensor2D;
  /** [N, 4] float32, NaN where the coordinate is not finite. Gradients: coordinates and positions. */
  weights: tf.Tensor2D;
}

/**
 * The taps and weights of located coordinates.
 * @param positions [n], as `located` was made with.
 */
export function axisTaps(
  located: Located,
  positions: tf.Tensor1D,
  form: AxisForm,
  basis: Basis,
  a: number,
): AxisTaps {
  const n = positions.shape[0];
  const { code } = form;
  if (n === 1 && code !== WRAP && code !== ZERO) return oneNode(located, basis);
  const { base, f } = baseAndFraction(located, n, code);
  // Rows of all places that a base may be: a zero axis also has some outside.
  const lowest = code === ZERO ? -FAR_BASE : 0;
  const count = code === ZERO ? n + 2 * FAR_BASE - 1 : cellCount(n, code);
  const row = untaped(() => tf.sub(base, lowest) as tf.Tensor1D);
  const lengths = neighbours(lengthsOf(positions, form), row, lowest, count, code);
  const nodes = untaped(() => {
    const table = new Int32Array(4 * count);
    for (let i = 0; i < count; i++) {
      nodesOfTaps(lowest + i, n, code, isNarrow(basisCode(basis)), table.subarray(4 * i, 4 * i + 4));
    }
    return gatherRows(tf.tensor2d(Float32Array.from(table), [count, 4]), row);
  });
  let weights: Four;
  if (code !== EXTRAPOLATE || basis === 'place') {
    weights = basisOf(f, lengths, basis, a);
  } else {
    const outside = untaped(() => tf.logicalOr(tf.less(f, 0), tf.greater(f, 1)));
    const inside = basisOf(tf.where(outside, constantLike(f, 0.5), f), lengths, basis, a);
    const lines = beyondOf(f, lengths, basis, a);
    weights = foldedEnds(inside.map((w, k) => tf.where(outside, lines[k], w)) as Four, nodes);
  }
  const { beyond } = located;
  return {
    taps: untaped(() => {
      const there = tf.logicalNot(tf.isNaN(beyond)).expandDims(1).broadcastTo(nodes.shape);
      return tf.where(there, nodes, tf.fill(nodes.shape, -1)).cast('int32') as tf.Tensor2D;
    }),
    weights: tf.add(tf.stack(weights, 1), blemishOf(beyond)) as tf.Tensor2D,
  };
}

/** A base on a zero axis is at most so far from it: no tap is a node there. */
const FAR_BASE = 4;

const cellCount = (n: number, code: number) => (code === WRAP ? n : Math.max(1, n - 1));
const constantLike = (x: tf.Tensor, value: number) => untaped(() => tf.fill(x.shape, value));
/** [N, 1] zeros, NaN where a coordinate is not finite. */
const blemishOf = (beyond: tf.Tensor) => untaped(() => tf.mul(beyond, 0).expandDims(1));

/** The tap in slot 1 and the fraction from there: interpolation/axistaps.ts baseOf. */
function baseAndFraction(
  { cell, fraction, beyond }: Located,
  n: number,
  code: number,
): { base: tf.Tensor1D; f: tf.Tensor } {
  if (code === WRAP || code === REFLECT || code === EXTRAPOLATE) return { base: cell, f: fraction };
  // Cells from t_0 of what lies far outside, 0 of others.
  const far = untaped(() => tf.where(tf.isNaN(beyond), tf.zerosLike(beyond), beyond));
  if (code === ZERO) {
    const wanted = untaped(() => {
      const floor = tf.floor(fraction);
      const atLast = tf.logicalAnd(tf.equal(cell, n - 2), tf.equal(fraction, 1));
      return sum(cell, tf.where(atLast, tf.zerosLike(floor), floor), far);
    });
    const base = untaped(() => tf.clipByValue(wanted, -FAR_BASE, n + FAR_BASE - 2) as tf.Tensor1D);
    const near = untaped(() => tf.logicalAnd(tf.equal(far, 0), tf.equal(base, wanted)));
    const shift = untaped(() => tf.sub(base, cell));
    return { base, f: tf.where(near, tf.sub(fraction, shift), constantLike(cell, 0)) };
  }
  // Held at the ends, where it has no slope.
  const held = untaped(() => tf.clipByValue(tf.add(fraction, far), 0, 1));
  const inside = untaped(() => {
    const within = tf.logicalAnd(tf.greaterEqual(fraction, 0), tf.lessEqual(fraction, 1));
    return tf.logicalAnd(within, tf.equal(far, 0));
  });
  const base = untaped(() => tf.where(tf.greater(far, 0), tf.fill(cell.shape, n - 2), cell) as tf.Tensor1D);
  return { base, f: tf.where(inside, fraction, held) };
}

/** Weights of taps beyond the ends as those of the line through the outermost two nodes. */
function foldedEnds([w0, w1, w2, w3]: Four, nodes: tf.Tensor2D): Four {
  const absent = (k: number) =>
    untaped(() => tf.cast(tf.less(tf.slice(nodes, [0, k], [-1, 1]).flatten(), 0), 'float32'));
  const low = tf.mul(w0, absent(0));
  const high = tf.mul(w3, absent(3));
  return [
    tf.sub(w0, low),
    sum(w1, tf.mul(low, 2), tf.neg(high)),
    sum(w2, tf.mul(high, 2), tf.neg(low)),
    tf.sub(w3, high),
  ];
}

/** An axis that is one node everywhere; `fraction` is zeros, on the coordinates' tape. */
function oneNode({ fraction, beyond }: Located, basis: Basis): AxisTaps {
  const row = basis === 'place' ? [0, 1, 1, 0] : [0, basis === 'hermite-tangent' ? 0 : 1, 0, 0];
  const weights = tf.add(tf.add(tf.tensor2d(row, [1, 4]), fraction.expandDims(1)), blemishOf(beyond));
  const taps = untaped(() => {
    const there = tf.logicalNot(tf.isNaN(beyond)).cast('float32').expandDims(1);
    return tf.sub(tf.mul(there, tf.tensor2d([0, 1, 0, 0], [1, 4])), 1).cast('int32') as tf.Tensor2D;
  });
  return { taps, weights: weights as tf.Tensor2D };
}

/** The lengths about each row's base, from a table of all bases. Gradients: lengths. */
function neighbours(
  lengths: tf.Tensor1D,
  row: tf.Tensor1D,
  lowest: number,
  count: number,
  code: number,
): Lengths {
  const cells = lengths.shape[0];
  const order = untaped(() => {
    const each = Array.from({ length: count }, (_, i) =>
      [-2, -1, 0, 1, 2].map((d) => lengthCell(lowest + i + d, cells, code)),
    );
    return tf.tensor1d(each.flat());
  });
  const all = gatherRows(lengths.expandDims(1) as tf.Tensor2D, order).reshape([count, 5]);
  const own = tf.slice(all, [0, 2], [-1, 1]);
  const parts = tf.concat([tf.div(all, own), own], 1) as tf.Tensor2D;
  const [p2, p, , q, q2, length] = tf.unstack(gatherRows(parts, row), 1);
  return { p2, p, q, q2, length };
}

/**
 * [n, 3]: what coefficients i − 1, i, i + 1 weigh at node i of an axis of at least two nodes, as ops/spline.ts splineBands of
 * uniform ones. Totally positive but for the folded ends, so that elimination needs no pivots, however uneven the gaps are (C. de
 * Boor, A. Pinkus, "Backward error analysis for totally positive linear systems", 1977); where neighbours' ratio is large,
 * coefficients are far larger than the nodes.
 * Gradients: positions.
 */
export function splineBandsAt(positions: tf.Tensor1D, form: AxisForm): tf.Tensor2D {
  const n = positions.shape[0];
  const { code } = form;
  const place = (at: number) => tf.tensor1d(Array.from({ length: n }, (_, i) => (i === at ? 1 : 0)));
  const [rows, first, last] = [tf.range(0, n), place(0), place(n - 1)];
  const lengths = neighbours(lengthsOf(positions, form), rows, 0, n, code);
  const [low, own, high] = bspline(tf.zeros([n]), lengths);
  if (code === WRAP) return tf.stack([low, own, high], 1) as tf.Tensor2D;
  const before = tf.mul(low, first);
  const after = tf.mul(high, last);
  let bands = [tf.sub(low, before), own, tf.sub(high, after)];
  if (code === REFLECT) {
    bands = [tf.add(bands[0], after), own, tf.add(bands[2], before)];
  } else if (code === EXTRAPOLATE) {
    const ends = tf.mul(tf.add(before, after), 2);
    bands = [tf.sub(bands[0], after), tf.add(own, ends), tf.sub(bands[2], before)];
  } else if (code !== ZERO) {
    bands = [bands[0], sum(own, before, after), bands[2]];
  }
  return tf.stack(bands, 1) as tf.Tensor2D;
}

/** How one axis of a batch is read: in index space by an affine map from units of `spacing` a node, or as it was located. */
export type AxisReading =
  | { spacing: number }
  | {
      /** Made when first asked for: linear methods need none of it. */
      readonly located: Located;
      readonly positions: tf.Tensor1D;
      form: AxisForm;
      /** Where the axis stands still and is known on the host. */
      geometry: AxisGeometry | null;
    };

/** Coordinates [3 N] on the host: in the user's units, and in index space. */
export interface HostCoords {
  user: Float32Array;
  index: Float32Array;
}

/** What the weights of uniform axes are multiplied by: tangents are per unit of the user's coordinate. */
export function unitsOf(axes: readonly (AxisReading | null)[], spec: StencilSpec): number[] {
  const { basis } = spec as StencilAttrs;
  return axes.map((axis, j) =>
    axis && 'spacing' in axis && BASES[basis[j]] === 'hermite-tangent' ? axis.spacing : 1,
  );
}

/**
 * The stencils of coordinates on three axes, each uniform or with positions.
 * @param coords [N, 3] in index space. @param axes how they came there; null: an axis of index space.
 * @param host the coordinates, where nothing is asked for gradients and they are known.
 * Gradients: the weights', to coords, and to positions.
 */
export function stencilAlong(
  coords: tf.Tensor2D,
  axes: readonly (AxisReading | null)[] | undefined,
  spec: StencilSpec,
  host: HostCoords | null = null,
): Stencil {
  if (!axes) return stencilOf(coords, spec);
  const scale = unitsOf(axes, spec);
  const known = axes.map((axis) => (axis && 'form' in axis ? axis.geometry : null));
  const placed = axes.map((axis) => axis !== null && 'form' in axis);
  if (!placed.includes(true)) {
    const { taps, weights } = stencilOf(coords, spec);
    const even = scale.every((s) => s === 1);
    return { taps, weights: even ? weights : tf.mul(weights, tf.tensor3d(scale, [1, 3, 1])) };
  }
  if (host && placed.every((there, j) => !there || known[j])) {
    return stencilOnHost(host.user, host.index, known, spec, scale);
  }
  const kernel = stencilOf(coords, spec);
  const n = coords.shape[0];
  const { basis: codes, a } = spec as StencilAttrs;
  const each = axes.map((axis, j): AxisTaps => {
    const basis = BASES[codes[j]];
    if (axis && 'form' in axis) return axisTaps(axis.located, axis.positions, axis.form, basis, a);
    const row = <T extends tf.Tensor>(x: T) =>
      tf.slice(x, [0, j, 0], [-1, 1, 4]).reshape([n, 4]) as tf.Tensor2D;
    const weights = row(kernel.weights);
    return {
      taps: untaped(() => row(kernel.taps)),
      weights: scale[j] === 1 ? weights : tf.mul(weights, scale[j]),
    };
  });
  return {
    taps: untaped(() =>
      tf.stack(
        each.map(({ taps }) => taps),
        1,
      ),
    ) as tf.Tensor3D,
    weights: tf.stack(
      each.map(({ weights }) => weights),
      1,
    ) as tf.Tensor3D,
  };
}
