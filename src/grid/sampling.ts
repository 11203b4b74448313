/** Sampling and splatting over the banks of a cube: each gives its part, at the resolution asked for. */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check } from '../errors.js';
import { withoutZeros } from '../ops/constant.js';
import { resample } from '../ops/resample.js';
import { sampleRows } from '../ops/sample.js';
import type { Bank } from './bank.js';
import { boundaryCodes, type Resolution, type Settings } from './options.js';

export interface SampleOptions {
  /** 'linear' (default), the only method of this version. */
  method?: 'linear';
  /** [H, W] of the result; the cube's by default. Resampled band-limited. */
  resolution?: Resolution;
  /** Which channels, in this order; all by default. */
  channels?: readonly number[];
}

export interface SamplingState {
  banks: readonly Bank[];
  settings: Settings;
  /** A bank to ask when there is none yet. */
  fallback(): Bank;
  /** [X, Y, Z] int32: 0 where a cell has a node, −1 where it has none. */
  presence(): tf.Tensor3D;
}

/** [N, H, W, C]: the sum of what the banks give, over the weight of the corners that are there if missing says so. */
export function sampleBanks(
  state: SamplingState,
  coords: tf.Tensor2D,
  resolution: readonly [number, number],
): tf.Tensor4D {
  const { settings } = state;
  const banks = state.banks.length ? state.banks : [state.fallback()];
  const parts = banks.map((bank) => {
    const [h, w, c] = bank.options.shape;
    const rows = bank.sample(coords).reshape([coords.shape[0], h, w, c]) as tf.Tensor4D;
    return resample(rows, resolution[0], resolution[1], settings.periodic);
  });
  const sum = parts.reduce((a, b) => tf.add(a, b));
  if (settings.missing !== 'renormalize' || !lacksNodes(state)) return sum;
  return tf.div(sum, presentWeight(state, coords).reshape([-1, 1, 1, 1]));
}

/** One tensor a page: the adjoint of the linear part of sampleBanks at the cube's own resolution. */
export function splatBanks(state: SamplingState, coords: tf.Tensor2D, values: tf.Tensor4D): tf.Tensor2D[] {
  const { settings, banks } = state;
  const weighted =
    settings.missing === 'renormalize' && lacksNodes(state)
      ? (tf.div(values, presentWeight(state, coords).reshape([-1, 1, 1, 1])) as tf.Tensor4D)
      : values;
  return banks.flatMap((bank) => {
    const [h, w] = bank.options.shape;
    const rows = resample(weighted, h, w, settings.periodic, true).reshape([coords.shape[0], bank.payload]);
    return bank.splat(coords, rows as tf.Tensor2D);
  });
}

const cellsOf = ({ dims }: Settings) => dims[0] * dims[1] * dims[2];

const lacksNodes = ({ banks, settings }: SamplingState) =>
  banks.reduce((n, bank) => n + bank.count, 0) < cellsOf(settings);

/**
 * [N] the weight of the corners that count: present nodes, and beyond a 'zero' boundary the zeros that stand there.
 * 1 where nothing counts, so that the sample is zero and not 0/0.
 */
function presentWeight({ settings, presence }: SamplingState, coords: tf.Tensor2D): tf.Tensor1D {
  const one = { payload: 1, half: false, firstRow: 0, rows: 1, ordered: false };
  const attrs = { ...one, boundary: boundaryCodes(settings) };
  const weightOf = (grid: tf.Tensor3D) => sampleRows(tf.ones([1, 1]), grid, coords, attrs).flatten();
  let weight: tf.Tensor = weightOf(presence());
  if (settings.boundary.includes('zero')) {
    const everywhere = tf.zeros(settings.dims, 'int32') as tf.Tensor3D;
    weight = tf.add(weight, tf.sub(1, weightOf(everywhere)));
  }
  return withoutZeros(weight) as tf.Tensor1D;
}

/** Unit quaternions along the last axis; a zero one stays zero. Gradients through the norm. */
export function normalizeQuaternions(x: tf.Tensor4D): tf.Tensor4D {
  // The root's slope at zero is infinite: take it of one there, where the quotient is zero anyway.
  return tf.div(x, tf.sqrt(withoutZeros(tf.sum(tf.square(x), 3, true))));
}

/** The channels asked for, or null for all. @throws ArgumentError for one that the cube has not. */
export function channelsOf(
  where: string,
  options: SampleOptions,
  channels: number,
): readonly number[] | null {
  const wanted = options.channels;
  if (wanted === undefined) return null;
  check(
    Array.isArray(wanted) &&
      wanted.length > 0 &&
      wanted.every((c) => Number.isInteger(c) && c >= 0 && c < channels),
    () =>
      new ArgumentError(
        `${where}: channels must be a list of numbers in [0, ${channels}), got ${JSON.stringify(wanted)}`,
      ),
  );
  return wanted;
}
