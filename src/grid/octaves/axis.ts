/**
 * Where an axis of a level lies in the hierarchy's index space, and the coordinate p there as the coordinate u of the level's own
 * m nodes: linear,
 *
 *   clamp, reflect, zero, extrapolate, error    u = p · (m − 1)/(n − 1)        the first and the last nodes meet
 *   wrap                                        u = p · m/n                    the periods meet
 *   shifted                                     u = ½ + p · (m − 2)/(n − 1)    the first node is half a cell before the axis, the
 *                                                                              last half a cell behind it; wrap: ½ + p · m/n
 *
 * 'clamp', 'reflect' and 'error' end at the hierarchy's ends, not at those of a shifted level, so p is brought into [0, n − 1] first;
 * 'zero' and 'extrapolate' go on by the level's own cells. A level's axis of one node is constant over one of more (u = 0); a level
 * may have more nodes than an axis of one, and shows the first of them there.
 */
import * as tf from '@tensorflow/tfjs';
import type { Boundary } from '../../interpolation/stencil.js';
import { constantOf } from '../../ops/constant.js';

export interface AxisPlace {
  /** Nodes of the hierarchy's axis. */
  n: number;
  /** Nodes of the level's. */
  nodes: number;
  shifted: boolean;
  boundary: Boundary;
}

/** Nodes of an axis that is shifted and has cells as large as one of `nodes` that is not. */
export const shiftedNodes = (nodes: number, boundary: Boundary) =>
  boundary === 'wrap' || nodes === 1 ? nodes : nodes + 1;

/** u = offset + p · scale. */
export function axisMap({ n, nodes, shifted, boundary }: AxisPlace): { scale: number; offset: number } {
  if (nodes === 1 || n === 1) return { scale: 0, offset: 0 };
  const offset = shifted ? 0.5 : 0;
  if (boundary === 'wrap') return { scale: nodes / n, offset };
  return { scale: (nodes - 1 - 2 * offset) / (n - 1), offset };
}

/** Whether u = p, beyond the ends too. */
export function isOwnSpace({ n, nodes, shifted }: AxisPlace): boolean {
  return n === nodes && !shifted;
}

/** Whether p must be brought into [0, n − 1] before the level's own boundary sees it. */
const folds = (place: AxisPlace) =>
  place.boundary === 'error' ||
  (place.shifted && (place.boundary === 'clamp' || place.boundary === 'reflect'));

/** How many borders of cells of two levels, inside the axis, lie at the same place. */
export function meetingBorders(a: AxisPlace, b: AxisPlace): number {
  const inside = (place: AxisPlace) => {
    const { scale, offset } = axisMap(place);
    const at: number[] = [];
    for (let u = 0; u < place.nodes && scale > 0; u++) {
      const p = (u - offset) / scale;
      if (p > 0 && p < place.n - 1) at.push(p);
    }
    return at;
  };
  const [one, two] = [inside(a), inside(b)];
  let count = 0;
  for (let i = 0, j = 0; i < one.length && j < two.length; ) {
    if (Math.abs(one[i] - two[j]) < 1e-6) count++;
    if (one[i] < two[j]) i++;
    else j++;
  }
  return count;
}

/** u of finite or not finite p, on the host. */
export function toLevel(place: AxisPlace, p: number): number {
  if (isOwnSpace(place) || !Number.isFinite(p)) return p;
  const end = place.n - 1;
  let at = p;
  if (folds(place)) {
    if (place.boundary === 'reflect') at = end === 0 ? 0 : end - Math.abs(modulo(p, 2 * end) - end);
    else at = Math.min(Math.max(p, 0), end);
  }
  const { scale, offset } = axisMap(place);
  const u = offset + at * scale;
  // What rounds beyond the last node would be outside of an axis that allows no outside.
  return place.boundary === 'error' ? Math.min(u, place.nodes - 1) : u;
}

/** p of u, the inverse inside the axis; 0 on an axis of one node. */
export function fromLevel(place: AxisPlace, u: number): number {
  if (isOwnSpace(place)) return u;
  const { scale, offset } = axisMap(place);
  return scale === 0 ? 0 : (u - offset) / scale;
}

const modulo = (a: number, b: number) => a - b * Math.floor(a / b);

/** toLevel of [N] coordinates on the device. Gradients: p; of what was brought into the axis by 'clamp' 0. */
export function toLevelTensor(place: AxisPlace, p: tf.Tensor1D): tf.Tensor1D {
  if (isOwnSpace(place)) return p;
  const { scale, offset } = axisMap(place);
  // Sign and start of the piece that p lies in: at = start + sign · p, with a constant's gradient for both.
  let at: tf.Tensor = p;
  if (folds(place)) {
    const end = place.n - 1;
    const folded = constantOf(p, (x) => foldTensor(place.boundary, x, end));
    const slope = constantOf(p, (x) => slopeTensor(place.boundary, x, end));
    const self = constantOf(p, (x) => x.clone());
    // Infinite less infinite is NaN, which is what such a row shall be.
    at = tf.add(folded, tf.mul(slope, tf.sub(p, self)));
  }
  const u = tf.add(tf.mul(at, scale), offset);
  if (place.boundary !== 'error') return u as tf.Tensor1D;
  const over = constantOf(u, (x) => tf.relu(tf.sub(x, place.nodes - 1)));
  return tf.sub(u, over) as tf.Tensor1D;
}

/** reflect: the place of p in the period, and whether that is its falling half. */
function foldTensor(boundary: Boundary, p: tf.Tensor, end: number): tf.Tensor {
  if (boundary !== 'reflect') return tf.minimum(tf.maximum(p, 0), end);
  return tf.sub(end, tf.abs(tf.sub(withinPeriod(p, end), end)));
}

function slopeTensor(boundary: Boundary, p: tf.Tensor, end: number): tf.Tensor {
  if (boundary !== 'reflect') {
    return tf.logicalAnd(tf.greaterEqual(p, 0), tf.lessEqual(p, end)).cast('float32');
  }
  const falls = tf.greaterEqual(withinPeriod(p, end), end).cast('float32');
  return tf.sub(1, tf.mul(2, falls));
}

const withinPeriod = (p: tf.Tensor, end: number) => tf.sub(p, tf.mul(2 * end, tf.floor(tf.div(p, 2 * end))));
