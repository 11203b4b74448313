/**
 * Positions of an axis as a function of free variables, so that no step of an optimiser can make them cross:
 *
 *   gaps        g_k = floor + (1 − (n − 1) · floor) · softmax(v)_k, k = 0 … n − 2, parts of the span that sum to one
 *   positions   t_i = first + span · (g_0 + … + g_{i−1}) / (g_0 + … + g_{n−2}); t_0 = first and t_{n−1} = last, fixed
 *
 * The floor is 1e-4 of the mean gap; at least sixteen steps of float32, so that positions stay different numbers. Of positions that
 * are nearer at first it is half of the smallest gap, or, so that what was trained and saved can be trained on, eight steps, and
 * always less than that gap by one.
 */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check } from '../errors.js';

/** Of the mean gap. */
const FLOOR = 1e-4;
/** Between 1 and the next float32 number. */
const EPSILON = 2 ** -23;

export interface KnotRange {
  first: number;
  last: number;
  /** The least gap, as a part of the span. */
  floor: number;
}

/** Steps of float32 that neighbours must be apart at first. */
const LEAST_STEPS = 2;

/** @throws ArgumentError for positions [n] that float32 can hardly tell apart. */
export function knotRange(where: string, positions: readonly number[]): KnotRange {
  const [first, last] = [positions[0], positions[positions.length - 1]];
  const span = last - first;
  const gaps = gapsOf(positions);
  const least = Math.min(...gaps);
  const step = (EPSILON * Math.max(Math.abs(first), Math.abs(last))) / span;
  check(
    least >= LEAST_STEPS * step,
    () =>
      new ArgumentError(
        `${where}: positions that are trained must be at least two float32 steps (${LEAST_STEPS * step * span}) apart, got ${least * span}`,
      ),
  );
  const floor = Math.max(FLOOR / gaps.length, 16 * Math.max(step, EPSILON));
  const near = Math.max(least / 2, Math.min(8 * step, least - step));
  return { first, last, floor: Math.min(floor, near) };
}

/** Parts of the span. */
function gapsOf(positions: readonly number[]): number[] {
  const span = positions[positions.length - 1] - positions[0];
  return positions.slice(1).map((t, i) => (t - positions[i]) / span);
}

/** The variables [n − 1] of positions. */
export function knotVariables(positions: readonly number[], { floor }: KnotRange): Float32Array {
  const free = 1 - (positions.length - 1) * floor;
  return Float32Array.from(gapsOf(positions), (gap) => Math.log((gap - floor) / free));
}

/**
 * tf.cumsum, of any order. The gradient of tf's own is a reverse cumsum, and tfjs' WebGPU shader of that one keeps the length of
 * the first tensor that it saw.
 */
const runningSums = tf.customGrad((x) => ({
  value: tf.cumsum(x as tf.Tensor),
  gradFunc: (dy: tf.Tensor) => tf.reverse(runningSums(tf.reverse(dy))),
})) as (x: tf.Tensor) => tf.Tensor;

/** [n] positions of variables [n − 1], strictly increasing. Gradients: variables, of any order. */
export function knotPositions(variables: tf.Tensor1D, { first, last, floor }: KnotRange): tf.Tensor1D {
  const [count] = variables.shape;
  const gaps = tf.add(tf.mul(tf.softmax(variables), 1 - count * floor), floor);
  const sums = runningSums(gaps);
  const inner = tf.div(tf.slice(sums, 0, count - 1), tf.slice(sums, count - 1, 1));
  const positions = tf.add(tf.mul(inner, last - first), first) as tf.Tensor1D;
  return tf.concat([tf.tensor1d([first]), positions, tf.tensor1d([last])]) as tf.Tensor1D;
}
