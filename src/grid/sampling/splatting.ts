/** The adjoint of sampling: what samples are to the pages of a cube. */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check } from '../../errors.js';
import { resample } from '../../ops/resample.js';
import { splineCoefficients } from '../../ops/spline.js';
import type { Bank } from '../bank.js';
import { nodeOf } from '../coordinates.js';
import { decodeRows, formOf } from '../forms.js';
import type { InterpolationMethod } from '../methods.js';
import { boundaryCodes, type Settings } from '../options.js';
import type { Page } from '../page.js';
import type { NodeStore } from '../store.js';
import { COEFFICIENTS, checkFits } from './fullpages.js';
import { type Reading, readingOf, splatRead, tangentReading } from './reading.js';
import { overPresent } from './renormalize.js';
import { allPages, type SamplingState, wholeAttrs } from './sampling.js';

/**
 * One tensor a page, as allPages: the adjoint of sampleMethod at the cube's own resolution.
 * @throws ArgumentError for a method that is not linear in the nodes, or a codec that is not in its parameters.
 */
export function splatMethod(
  where: string,
  state: SamplingState,
  reading: Reading,
  method: InterpolationMethod,
  values: tf.Tensor4D,
): tf.Tensor2D[] {
  const { settings, store, tangents } = state;
  const stores = [store, ...tangents.stores];
  const parts = new Map<Page, tf.Tensor2D>();
  const put = (one: NodeStore, how: Reading, given: tf.Tensor4D) => {
    for (const bank of one.banks) {
      const splats = bank.splat(how, adjointRows(bank, given, settings));
      bank.pages.forEach((page, i) => {
        parts.set(page, splats[i]);
      });
    }
  };
  if (method === 'bspline') {
    put(store, atNodes(settings), adjointCoefficients(where, state, reading, values));
  } else {
    const weighted = overPresent(state, reading, values);
    put(store, reading, weighted);
    if (method === 'hermite') {
      tangents.stores.forEach((one, axis) => {
        if (one.banks.length) put(one, tangentReading(reading, axis, settings), weighted);
      });
    }
  }
  const banks = stores.flatMap((one) => one.banks);
  const untouched = (page: Page) =>
    tf.zeros<tf.Rank.R2>([page.capacity, banks.find((bank) => bank.pages.includes(page))!.payload]);
  return allPages(state).map((page) => parts.get(page) ?? untouched(page));
}

/** [cells, H, W, C]: what values of samples by bspline are to the nodes. */
function adjointCoefficients(
  where: string,
  state: SamplingState,
  reading: Reading,
  values: tf.Tensor4D,
): tf.Tensor4D {
  const { settings, store, axes } = state;
  const [n, h, w, c] = values.shape;
  const payload = h * w * c;
  checkFits(where, COEFFICIENTS, settings, [h, w]);
  const rows = values.reshape([n, payload]) as tf.Tensor2D;
  const coefficients = splatRead(reading, rows, store.full.grid(), wholeAttrs(state, payload));
  const made = (nodes: tf.Tensor) =>
    splineCoefficients(nodes as tf.Tensor2D, settings.dims, boundaryCodes(settings), axes.splineBands());
  return tf
    .grad(made)(tf.zeros([store.cells, payload]), coefficients)
    .reshape([store.cells, h, w, c]);
}

/** The reading whose samples are the nodes of all cells, in order. */
function atNodes(settings: Settings): Reading {
  const [x, y, z] = settings.dims;
  const places = Array.from({ length: x * y * z }, (_, cell) => nodeOf(settings.dims, cell)).flat();
  const tensor = tf.tensor2d(places, [x * y * z, 3]);
  const clamped = { ...settings, boundary: ['clamp', 'clamp', 'clamp'] } as Settings;
  return readingOf({ tensor, host: undefined }, { method: 'linear', a: 0 }, clamped);
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
