/** Sampling and splatting over the banks of a cube: each gives its part, at the resolution asked for. */
import * as tf from '@tensorflow/tfjs';
import type { NodeShape } from '../codecs/parameters.js';
import { ArgumentError, check } from '../errors.js';
import { withoutZeros } from '../ops/constant.js';
import { resample } from '../ops/resample.js';
import type { Bank } from './bank.js';
import { decodeNode, sampleCompressed } from './blend.js';
import { decodeRows, formOf } from './forms.js';
import type { InterpolationMethod } from './methods.js';
import type { Resolution, Settings } from './options.js';
import type { Page } from './page.js';
import { type Reading, readRows } from './reading.js';
import type { NodeStore } from './store.js';

export interface SampleOptions {
  /** How to go from node to node; default 'linear'. See InterpolationMethod. */
  method?: InterpolationMethod;
  /** The parameter of method 'cardinal', in [−1, 0]; default −0.5. */
  a?: number;
  /** [H, W] of the result; the cube's by default. Resampled band-limited. */
  resolution?: Resolution;
  /** Which channels, in this order; all by default. */
  channels?: readonly number[];
}

/** A cube's nodes, and how it is sampled. */
export interface SamplingState {
  store: NodeStore;
  settings: Settings;
}

/** [N, H, W, C]: the sum of what the banks give, over the weight of the corners that are there if missing says so. */
export function sampleBanks(
  state: SamplingState,
  reading: Reading,
  resolution: readonly [number, number],
): tf.Tensor4D {
  const { settings, store } = state;
  const [n] = reading.coords.tensor.shape;
  if (store.banks.length === 0) return sampleNothing(reading, settings, resolution);
  const asked = (rows: tf.Tensor2D, [h, w, c]: NodeShape) =>
    resample(rows.reshape([n, h, w, c]) as tf.Tensor4D, resolution[0], resolution[1], settings.periodic);
  const dense = store.banks.filter((bank) => !bank.options.codec);
  const parts = dense.map((bank) => asked(bank.sample(reading), bank.options.shape));
  if (dense.length < store.banks.length) {
    const { blended, decoded } = sampleCompressed(store, settings, reading, resolution);
    parts.push(...blended, ...decoded.map(({ rows, bank }) => asked(rows, bank.options.shape)));
  }
  if (parts.length === 0) return sampleNothing(reading, settings, resolution);
  const sum = parts.reduce((a, b) => tf.add(a, b));
  if (settings.missing !== 'renormalize' || !lacksNodes(state)) return sum;
  return tf.div(sum, presentWeight(state, reading).reshape([-1, 1, 1, 1]));
}

/** Of a cube without nodes: zeros, and NaN where a coordinate is not finite. */
function sampleNothing(reading: Reading, settings: Settings, [h, w]: readonly [number, number]): tf.Tensor4D {
  const payload = h * w * settings.channels;
  const none = { payload, half: false, firstRow: 0, rows: 0, ordered: false };
  const grid = tf.tensor3d([-1], [1, 1, 1], 'int32');
  const rows = readRows(reading, tf.zeros([0, payload]), grid, none);
  return rows.reshape([reading.coords.tensor.shape[0], h, w, settings.channels]) as tf.Tensor4D;
}

/** [cells, h, w, C]: the node of every cell at a resolution, zeros where there is none. Gradients: the pages. */
export function allNodes(
  { store, settings }: SamplingState,
  [h, w]: readonly [number, number],
): tf.Tensor4D | null {
  const parts = store.banks.map((bank) => {
    const { codec, shape, row } = bank.options;
    if (!codec || codec.parameter !== null) {
      const rows = bank.allCells();
      const form = codec && formOf(codec);
      if (form) {
        return decodeRows(form, rows, row, { shape, resolution: [h, w], periodic: settings.periodic });
      }
      return resample(rows.reshape([store.cells, ...shape]) as tf.Tensor4D, h, w, settings.periodic);
    }
    const none = tf.zeros([h, w, shape[2]]);
    const nodes = Array.from({ length: store.cells }, (_, cell) => {
      if (!bank.has(cell)) return none;
      const node = decodeNode(store, bank, cell, settings).expandDims(0) as tf.Tensor4D;
      return resample(node, h, w, settings.periodic).squeeze([0]);
    });
    return tf.stack(nodes) as tf.Tensor4D;
  });
  return parts.length ? parts.reduce((a, b) => tf.add(a, b)) : null;
}

/** One tensor a page: the adjoint of the linear part of sampleBanks at the cube's own resolution. */
export function splatBanks(state: SamplingState, reading: Reading, values: tf.Tensor4D): tf.Tensor2D[] {
  const { settings, store } = state;
  const weighted =
    settings.missing === 'renormalize' && lacksNodes(state)
      ? (tf.div(values, presentWeight(state, reading).reshape([-1, 1, 1, 1])) as tf.Tensor4D)
      : values;
  const parts = new Map<Page, tf.Tensor2D>();
  for (const bank of store.banks) {
    const splats = bank.splat(reading, adjointRows(bank, weighted, settings));
    bank.pages.forEach((page, i) => {
      parts.set(page, splats[i]);
    });
  }
  return store.pages().map((page) => parts.get(page)!);
}

/** [N, payload]: the adjoint of what turns a bank's samples into wavetables. */
function adjointRows(bank: Bank, values: tf.Tensor4D, settings: Settings): tf.Tensor2D {
  const { codec, shape, row } = bank.options;
  const [h, w] = shape;
  const n = values.shape[0];
  const form = codec && formOf(codec);
  if (!codec)
    return resample(values, h, w, settings.periodic, true).reshape([n, bank.payload]) as tf.Tensor2D;
  check(
    form?.kind === 'linear',
    () =>
      new ArgumentError(
        `splat: nodes of '${codec.codec}' are not linear in their parameters, so that nothing is adjoint to sampling them; ` +
          'take gradients of sampleBatch, or decompressAll() first',
      ),
  );
  const resolution = [values.shape[1], values.shape[2]] as const;
  const context = { shape, resolution, periodic: settings.periodic };
  const decode = (rows: tf.Tensor) => decodeRows(form, rows as tf.Tensor2D, row, context);
  return tf.grad(decode)(tf.zeros([n, bank.payload]), values) as tf.Tensor2D;
}

const lacksNodes = ({ store }: SamplingState) => store.count < store.cells;

/**
 * [N] the weight of the corners that count: present nodes, and beyond a 'zero' boundary the zeros that stand there.
 * 1 where nothing counts, so that the sample is zero and not 0/0.
 */
function presentWeight({ settings, store }: SamplingState, reading: Reading): tf.Tensor1D {
  const one = { payload: 1, half: false, firstRow: 0, rows: 1, ordered: false };
  const weightOf = (grid: tf.Tensor3D) => readRows(reading, tf.ones([1, 1]), grid, one).flatten();
  let weight: tf.Tensor = weightOf(store.presence());
  if (settings.boundary.includes('zero')) {
    weight = tf.add(weight, tf.sub(1, weightOf(store.everywhere())));
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
