/** Sampling and splatting over the banks of a cube: each gives its part, at the resolution asked for. */
import * as tf from '@tensorflow/tfjs';
import type { NodeShape } from '../../codecs/parameters.js';
import { ArgumentError, check } from '../../errors.js';
import { withoutZeros } from '../../ops/constant.js';
import { monotoneRows } from '../../ops/monotone.js';
import { resample } from '../../ops/resample.js';
import { splineCoefficients } from '../../ops/spline.js';
import { type Places, sumResampled } from '../../ops/sumrows.js';
import { onTape } from '../../ops/tape.js';
import type { CubeAxes } from '../axes.js';
import type { Bank } from '../bank.js';
import { decodeRows, formOf } from '../forms.js';
import type { FileNodes } from '../lazy/filenodes.js';
import type { InterpolationMethod } from '../methods.js';
import { boundaryCodes, type Resolution, type Settings } from '../options.js';
import type { Page } from '../page.js';
import type { NodeStore } from '../store.js';
import type { Tangents } from '../tangents.js';
import { decodeNode, sampleCompressed } from './blend.js';
import { COEFFICIENTS, NODES } from './fullpages.js';
import { type PageAttrs, type Reading, readRows, tangentReading } from './reading.js';
import { overPresent } from './renormalize.js';
import { cellsFirst, touchedPart, withHost } from './touched.js';

export interface SampleOptions {
  /**
   * How to go from node to node; default 'linear'. 'nearest': as it is; 'smoothstep': linear, eased; 'cardinal' (a), 'catmull-rom':
   * cubic, with slopes of neighbours; 'bspline': the interpolating cubic B-spline, C2; 'hermite': cubic, with the tangents given;
   * 'monotone': cubic, without overshoot.
   */
  method?: InterpolationMethod;
  /** The parameter of method 'cardinal', in [−1, 0]; default −0.5. */
  a?: number;
  /** [H, W] of the result; the cube's by default. Resampled band-limited. */
  resolution?: Resolution;
  /** Which channels, in this order; all by default. */
  channels?: readonly number[];
}

/** A cube's nodes and their tangents, where they stand, and how it is sampled. */
export interface SamplingState {
  store: NodeStore;
  tangents: Tangents;
  axes: CubeAxes;
  settings: Settings;
  /** Of a cube that was opened: the file that nodes are still in. */
  file: FileNodes | null;
}

/** [N, H, W, C]: the samples of a reading by its method. Gradients: nodes and tangents of a trainable cube, coords. */
export function sampleMethod(
  where: string,
  state: SamplingState,
  reading: Reading,
  method: InterpolationMethod,
  resolution: readonly [number, number],
): tf.Tensor4D {
  const samples = samplesOf(where, state, reading, method, resolution);
  const alone = method !== 'hermite' && state.settings.trainable && onTape();
  return alone ? withTangentPages(state, samples) : samples;
}

function samplesOf(
  where: string,
  state: SamplingState,
  reading: Reading,
  method: InterpolationMethod,
  resolution: readonly [number, number],
): tf.Tensor4D {
  if (state.store.count > 0 && (method === 'bspline' || method === 'monotone')) {
    return sampleWhole(where, state, reading, method, resolution);
  }
  const sum =
    method === 'hermite'
      ? hermiteSum(state, reading, resolution)
      : sumOfBanks(state.store, state.settings, reading, resolution);
  return sum ? overPresent(state, reading, sum) : sampleNothing(reading, state.settings, resolution);
}

/** All pages of nodes and tangents, oldest first: an optimiser knows its variables by their place. */
export function allPages({ store, tangents }: SamplingState): Page[] {
  return [store, ...tangents.stores].flatMap((one) => one.pages()).sort((a, b) => a.serial - b.serial);
}

/** The sum of what the banks of a store give; null where there are none. */
function sumOfBanks(
  store: NodeStore,
  settings: Settings,
  reading: Reading,
  resolution: readonly [number, number],
): tf.Tensor4D | null {
  if (store.banks.length === 0) return null;
  const [n] = reading.coords.tensor.shape;
  const images = (rows: tf.Tensor2D, [h, w, c]: NodeShape) => rows.reshape([-1, h, w, c]) as tf.Tensor4D;
  // With one bank alone every sample is its.
  const known = store.banks.length > 1 ? withHost(reading) : reading;
  const partOf = (banks: readonly Bank[]) =>
    store.banks.length > 1 ? touchedPart(known, banks) : { reading, places: null };
  const dense = store.banks.filter((bank) => !bank.options.codec);
  const parts: { x: tf.Tensor4D; places: Places }[] = [];
  for (const bank of dense) {
    const { reading: own, places } = partOf([bank]);
    if (places?.length === 0) continue;
    const cells = bank.pages.length > 0 ? cellsFirst(own, bank, resolution) : null;
    const [, , c] = bank.options.shape;
    const x = cells
      ? images(bank.sampleResampled(own, cells, resolution, settings.periodic), [...resolution, c])
      : images(bank.sample(own), bank.options.shape);
    parts.push({ x, places });
  }
  if (dense.length < store.banks.length) {
    const { reading: own, places } = partOf(store.banks.filter((bank) => bank.options.codec));
    if (places?.length !== 0) {
      const { blended, decoded } = sampleCompressed(store, settings, own, resolution);
      const all = [...blended, ...decoded.map(({ rows, bank }) => images(rows, bank.options.shape))];
      parts.push(...all.map((x) => ({ x, places })));
    }
  }
  if (parts.length === 0) return tf.zeros([n, ...resolution, settings.channels]);
  return sumResampled(parts, n, resolution, settings.periodic);
}

/** What nodes and tangents give together. */
function hermiteSum(
  { store, tangents, settings }: SamplingState,
  reading: Reading,
  resolution: readonly [number, number],
): tf.Tensor4D | null {
  const values = sumOfBanks(store, settings, reading, resolution);
  if (!values) return null;
  return tangents.stores.reduce((sum, one, axis) => {
    if (one.banks.length === 0) return sum;
    const along = tangentReading(reading, axis, settings);
    return tf.add(sum, sumOfBanks(one, settings, along, resolution)!);
  }, values);
}

/** The same samples, with zeros of every page of tangents on the tape: an optimiser knows its variables by their place. */
function withTangentPages({ tangents }: SamplingState, samples: tf.Tensor4D): tf.Tensor4D {
  const banks = tangents.stores.flatMap((store) => store.banks);
  return banks.reduce((sum, bank) => tf.add(sum, tf.sum(bank.rowsAt(tf.tensor2d([[-1, -1, -1]])))), samples);
}

/** Samples from one page of all nodes: of their coefficients by bspline, of themselves by monotone. */
function sampleWhole(
  where: string,
  state: SamplingState,
  reading: Reading,
  method: 'bspline' | 'monotone',
  resolution: readonly [number, number],
): tf.Tensor4D {
  const { store, settings } = state;
  const { dims, channels } = settings;
  const payload = resolution[0] * resolution[1] * channels;
  const page = (name: string, make: (nodes: tf.Tensor2D) => tf.Tensor2D) => ({
    nodes: store.full.page(where, name, resolution, () =>
      // Where no bank holds any they are zeros of an opened cube.
      make(
        (allNodes(state, resolution) ?? tf.zeros([store.cells, ...resolution, channels])).reshape([
          store.cells,
          payload,
        ]),
      ),
    ),
    grid: store.full.grid(),
    attrs: wholeAttrs(state, payload),
  });
  let rows: tf.Tensor;
  if (method === 'bspline') {
    const { nodes, grid, attrs } = page(COEFFICIENTS, (all) =>
      splineCoefficients(all, dims, boundaryCodes(settings), state.axes.splineBands()),
    );
    rows = readRows(reading, nodes, grid, attrs);
  } else {
    const { taps, weights } = reading.stencil!;
    // Of an opened cube a page may lack what was read for the one that is kept.
    const own = state.file?.awayCount ? null : onlyPage(store, resolution);
    const { nodes, grid, attrs } = own ?? page(NODES, (all) => all);
    rows = monotoneRows(nodes, grid, taps, weights, { ...attrs, boundary: reading.boundary });
  }
  return rows.reshape([reading.coords.tensor.shape[0], ...resolution, channels]) as tf.Tensor4D;
}

/** The page of a cube that has but one, of dense nodes at the resolution asked for. */
export function onlyPage(store: NodeStore, [h, w]: readonly [number, number]) {
  if (store.banks.length !== 1) return null;
  const [bank] = store.banks;
  const { codec, shape } = bank.options;
  return !codec && shape[0] === h && shape[1] === w ? bank.onlyPage() : null;
}

/** A page of every cell in order. */
export const wholeAttrs = ({ store }: SamplingState, payload: number): PageAttrs => ({
  payload,
  half: false,
  firstRow: 0,
  rows: store.cells,
  ordered: true,
});

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
    // By the zero of a row that is none every page is on the tape.
    const touch = settings.trainable ? tf.sum(bank.rowsAt(tf.tensor2d([[-1, -1, -1]]))) : 0;
    const none = tf.add(tf.zeros([h, w, shape[2]]), touch);
    const nodes = Array.from({ length: store.cells }, (_, cell) => {
      if (!bank.has(cell)) return none;
      const node = decodeNode(store, bank, cell, settings).expandDims(0) as tf.Tensor4D;
      return resample(node, h, w, settings.periodic).squeeze([0]);
    });
    return tf.stack(nodes) as tf.Tensor4D;
  });
  return parts.length ? parts.reduce((a, b) => tf.add(a, b)) : null;
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
