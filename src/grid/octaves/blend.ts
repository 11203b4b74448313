/**
 * Blending the levels of a hierarchy at fractional octaves. With octaves o_0 < o_1 < …, level j has arrived by
 *
 *   T_j(o) = (o − o_{j−1}) / (o_j − o_{j−1}) within [o_{j−1}, o_j], 0 below, 1 above;   T_0 = 1
 *
 *   levels       Σ_j (T_j − T_{j+1}) · L_j      between two octaves by the fraction, at a whole one that level alone
 *   laplacian    Σ_j T_j · L_j                  the sum of all levels up to o, the next one by the fraction
 *
 * Both are continuous in o, and constant beyond the outermost octaves. dT/do at an octave is the right-hand one, at the last the
 * left-hand one. Samples of a batch are put in the order of their octaves, so that each level sees only those that need it.
 */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, DisposedError, ShapeError, shown } from '../../errors.js';
import { constantOf } from '../../ops/constant.js';
import { findDevice } from '../../ops/device.js';
import { permuteRows } from '../../ops/permute.js';
import type { LevelCoords } from './coords.js';
import type { OctaveBasis } from './levels.js';

/** One octave a sample: a float32 tensor, which gradients reach, or numbers. */
export type Octaves = tf.Tensor1D | tf.Tensor | readonly number[] | Float32Array | Float64Array | Int32Array;

export interface Blending {
  basis: OctaveBasis;
  /** From coarse to fine. */
  octaves: readonly number[];
  /** [n, H, W, C] of level j alone. */
  level: (j: number, coords: LevelCoords) => tf.Tensor4D;
}

/** Weight of each level at octave o, on the host. */
export function levelWeights(basis: OctaveBasis, octaves: readonly number[], o: number): number[] {
  const arrived = octaves.map((octave, j) => {
    if (j === 0 || o >= octave) return 1;
    const below = octaves[j - 1];
    return o <= below ? 0 : (o - below) / (octave - below);
  });
  if (basis === 'laplacian') return o < octaves[0] ? [1, ...arrived.slice(1)] : arrived;
  return arrived.map((t, j) => t - (arrived[j + 1] ?? 0));
}

/** [N, H, W, C] at one octave for all. */
export function blendAt(
  { basis, octaves, level }: Blending,
  coords: LevelCoords,
  octave: number,
): tf.Tensor4D {
  const parts = levelWeights(basis, octaves, octave).flatMap((weight, j) => {
    if (weight === 0) return [];
    const part = level(j, coords);
    return [weight === 1 ? part : tf.mul(part, weight)];
  });
  return parts.reduce((a, b) => tf.add(a, b)) as tf.Tensor4D;
}

/** Samples `first` … `first + count − 1` of a batch in the order of octaves, and the levels that they need. */
interface Segment {
  first: number;
  count: number;
  /** From … to, with T_j = 1 of all its samples up to `certain`. */
  from: number;
  certain: number;
  to: number;
}

/** [N, H, W, C] at an octave a sample. Gradients: octaves if a tensor; of rows that are not finite 0. */
export function blendEach(blending: Blending, given: LevelCoords, octaves: Octaves): tf.Tensor4D {
  const isTensor = octaves instanceof tf.Tensor;
  const host = isTensor
    ? findDevice(tf.getBackend())?.readsSync
      ? octaves.dataSync<'float32'>()
      : null
    : Float32Array.from(octaves);
  const tensor = isTensor ? octaves : tf.tensor1d(host!);
  const coords = host
    ? given.spoiled((i) => !Number.isFinite(host[i]))
    : given.spoiledBy(constantOf(tensor, (x) => tf.sub(x, x)));
  const at = finiteOctaves(tensor, coords, blending.octaves[0]);
  if (!host) return segmentOf(blending, coords, at, wholeBatch(blending, given.count));

  const { order, segments } = segmentsOf(blending, host, isTensor);
  if (segments.length === 1) return segmentOf(blending, coords, at, segments[0]);
  if (segments.length === 0) return blendAt(blending, coords, blending.octaves[0]);
  const ordered = coords.permuted(order);
  const orderedAt = permuteRows(at, order);
  const parts = segments.map((segment) => {
    const { first, count } = segment;
    const part = tf.slice(orderedAt, [first], [count]) as tf.Tensor1D;
    return segmentOf(blending, ordered.slice(first, count), part, segment);
  });
  const back = new Int32Array(order.length);
  order.forEach((from, i) => {
    back[from] = i;
  });
  return permuteRows(tf.concat(parts, 0), back);
}

const wholeBatch = ({ octaves }: Blending, count: number): Segment => ({
  first: 0,
  count,
  from: 0,
  certain: 0,
  to: octaves.length - 1,
});

/** @param slopes whether the next level matters at a whole octave too, for its part in the derivative. */
function segmentsOf(
  { basis, octaves }: Blending,
  host: ArrayLike<number>,
  slopes: boolean,
): { order: Int32Array; segments: Segment[] } {
  const last = octaves.length - 1;
  const keyOf = (o: number) => {
    if (!(o >= octaves[0]) || last === 0) return 0;
    let i = last;
    while (octaves[i] > o) i--;
    if (i === last) return slopes && o === octaves[last] ? 2 * last - 1 : 2 * last;
    return 2 * i + (slopes || o > octaves[i] ? 1 : 0);
  };
  const groups = new Map<number, number[]>();
  for (let i = 0; i < host.length; i++) {
    const key = Number.isFinite(host[i]) || host[i] > 0 ? keyOf(host[i]) : 0;
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  }
  const order: number[] = [];
  const segments = [...groups.keys()]
    .sort((a, b) => a - b)
    .map((key) => {
      const members = groups.get(key)!;
      const certain = key >> 1;
      const segment = {
        first: order.length,
        count: members.length,
        from: basis === 'laplacian' ? 0 : certain,
        certain,
        to: certain + (key & 1),
      };
      for (const i of members) order.push(i);
      return segment;
    });
  return { order: Int32Array.from(order), segments };
}

function segmentOf(
  { basis, octaves, level }: Blending,
  coords: LevelCoords,
  at: tf.Tensor1D,
  { from, certain, to }: Segment,
): tf.Tensor4D {
  const arrived = (j: number): tf.Tensor | number => {
    if (j <= certain) return 1;
    return j > to ? 0 : arrivedTensor(at, octaves[j - 1], octaves[j], j === octaves.length - 1);
  };
  let own = arrived(from);
  let sum: tf.Tensor | null = null;
  for (let j = from; j <= to; j++) {
    const next = arrived(j + 1);
    const weight = basis === 'laplacian' || next === 0 ? own : tf.sub(own, next);
    let part: tf.Tensor = level(j, coords);
    if (typeof weight !== 'number') part = tf.mul(part, weight.reshape([-1, 1, 1, 1]));
    sum = sum ? tf.add(sum, part) : part;
    own = next;
  }
  return sum as tf.Tensor4D;
}

/** T_j of [n] octaves. Gradients: o. */
function arrivedTensor(o: tf.Tensor1D, low: number, high: number, isLast: boolean): tf.Tensor {
  const within = (x: tf.Tensor) =>
    tf.logicalAnd(tf.greaterEqual(x, low), isLast ? tf.lessEqual(x, high) : tf.less(x, high));
  const inside = constantOf(o, (x) => within(x).cast('float32'));
  const above = constantOf(o, (x) =>
    (isLast ? tf.greater(x, high) : tf.greaterEqual(x, high)).cast('float32'),
  );
  // Of what lies outside the product with 0 must be 0: octaves are finite here.
  return tf.add(tf.mul(inside, tf.div(tf.sub(o, low), high - low)), above);
}

/** Octaves with `first` in the place of those that are not finite; no gradient to those, nor to rows without coordinates. */
function finiteOctaves(octaves: tf.Tensor, coords: LevelCoords, first: number): tf.Tensor1D {
  const good = tf.tidy(() => coords.finite());
  return tf.customGrad((x: unknown, save: unknown) => {
    const given = x as tf.Tensor;
    (save as (tensors: tf.Tensor[]) => void)([good]);
    return {
      value: tf.where(tf.isFinite(given), given, tf.fill(given.shape, first)),
      gradFunc: (dy: tf.Tensor, saved: unknown) => {
        const [there] = saved as tf.Tensor[];
        return tf.where(there, dy, tf.zerosLike(dy));
      },
    };
  })(octaves) as tf.Tensor1D;
}

/** @throws ShapeError unless there are N octaves; ArgumentError for what is no number or float32. */
export function checkOctaves(where: string, octaves: Octaves, n: number): void {
  if (octaves instanceof tf.Tensor) {
    check(!octaves.isDisposed, () => new DisposedError(`${where}: the octaves tensor is disposed`));
    check(
      octaves.rank === 1 && octaves.shape[0] === n,
      () => new ShapeError(where, 'octaves', `a number or [${n}]`, octaves.shape),
    );
    check(
      octaves.dtype === 'float32',
      () => new ArgumentError(`${where}: octaves must be float32, got ${octaves.dtype}; cast them first`),
    );
    return;
  }
  const isList = Array.isArray(octaves) || (ArrayBuffer.isView(octaves) && !(octaves instanceof DataView));
  check(isList, () => new ShapeError(where, 'octaves', `a number or [${n}]`, shown(octaves)));
  check(octaves.length === n, () => new ShapeError(where, 'octaves', `a number or [${n}]`, [octaves.length]));
  if (!Array.isArray(octaves)) return;
  for (const [i, octave] of octaves.entries()) {
    check(
      typeof octave === 'number',
      () => new ArgumentError(`${where}: octaves[${i}] must be a number, got ${shown(octave)}`),
    );
  }
}
