/**
 * Sampling compressed nodes. Nodes with a form are blended by their parameters and decoded once: coefficients of a linear
 * form are sampled as any row is, and the sum decoded; components of an additive form are taken from all corners,
 * scaled by the corners' weights, and decoded as one list. Nodes without a form, and hot ones, are decoded by
 * themselves into a cache of rows (cache.ts) and sampled there.
 */
import * as tf from '@tensorflow/tfjs';
import type { DecodeContext, Form } from '../../codecs/codec.js';
import { knownCodec } from '../../codecs/registry.js';
import { check, DeviceError } from '../../errors.js';
import { addBox } from '../../ops/addbox.js';
import { findDevice } from '../../ops/device.js';
import { onTape } from '../../ops/tape.js';
import { trainsAxes } from '../axes.js';
import type { Bank } from '../bank.js';
import { nodeOf } from '../coordinates.js';
import { decodeRows, formOf, namedParams } from '../forms.js';
import type { Settings } from '../options.js';
import type { NodeStore } from '../store.js';
import { type Corners, cornersOf } from './corners.js';
import { blemishOf } from './finite.js';
import { eachTouched, partOf, type Reading, readRows } from './reading.js';

/** [N, h, w, C] parts of different node shapes, each at `resolutionOf` its shape; their sum is the sample. */
export function sampleCompressed(
  store: NodeStore,
  settings: Settings,
  given: Reading,
  resolution: readonly [number, number],
): { blended: tf.Tensor4D[]; decoded: { rows: tf.Tensor2D; bank: Bank }[] } {
  const compressed = store.banks.filter((bank) => bank.options.codec);
  const { tensor, host = hostOf(tensor) } = given.coords;
  const reading = { ...given, coords: { tensor, host } };
  const hot = store.packed.hot && useHot(store, settings, reading, compressed, resolution);
  const groups = new Map<string, Bank[]>();
  const opaque: Bank[] = [];
  for (const bank of compressed) {
    const { codec, shape } = bank.options;
    if (codec!.parameter === null) opaque.push(bank);
    else if (!hot) {
      const key = [codec!.codec, codec!.parameter, ...shape].join(' ');
      groups.set(key, [...(groups.get(key) ?? []), bank]);
    }
  }
  let corners: Corners | null = null;
  const blended = [...groups.values()].map((banks) => {
    const [{ codec, shape }] = banks.map((bank) => bank.options);
    const form = formOf(codec!)!;
    const context: DecodeContext = { shape, resolution, periodic: settings.periodic };
    if (form.kind === 'linear') {
      return blemished(form.decode(sumOfCoefficients(banks, reading), context), reading);
    }
    corners ??= cornersOf(reading);
    return blemished(sumOfComponents(form, banks, corners, context), reading);
  });
  const decoded = hot
    ? [...store.packed.hot!.banks].map((bank) => ({ rows: bank.sample(reading), bank }))
    : [];
  if (opaque.length) decoded.push(...sampleOpaque(store, settings, reading, opaque));
  return { blended, decoded };
}

/** Samples with NaN where a coordinate is not finite: a form need not carry it through. */
function blemished(samples: tf.Tensor4D, { coords: { tensor, host } }: Reading): tf.Tensor4D {
  if (host?.every(Number.isFinite)) return samples;
  return tf.add(samples, blemishOf(tensor).reshape([-1, 1, 1, 1]));
}

/** The coordinates, if the backend can be read at once. */
function hostOf(coords: tf.Tensor2D): Float32Array | undefined {
  return findDevice(tf.getBackend())?.readsSync ? coords.dataSync<'float32'>() : undefined;
}

/** [N, kh, kw, c]: the samples of banks of one linear form, added up in the largest array. */
function sumOfCoefficients(banks: readonly Bank[], reading: Reading): tf.Tensor4D {
  const [n] = reading.coords.tensor.shape;
  const most = [0, 1].map((axis) => Math.max(...banks.map((bank) => bank.options.row[axis])));
  const sizes = banks.map(({ options: { row } }) => row as [number, number, number]);
  const parts = banks.map((bank, i) => bank.sample(reading).reshape([n, ...sizes[i]]) as tf.Tensor4D);
  const whole = sizes.findIndex(([kh, kw]) => kh === most[0] && kw === most[1]);
  const first = whole >= 0 ? parts[whole] : tf.zeros<tf.Rank.R4>([n, most[0], most[1], sizes[0][2]]);
  return parts.reduce((sum, part, i) => (i === whole ? sum : addBox(sum, part)), first);
}

/** Bytes of the components of a part of a batch: larger than most, smaller than what a device binds. */
const COMPONENTS_BYTES = 2 ** 26;

/** [N, h, w, C] of banks of one additive form, in parts whose components are at hand at once. */
function sumOfComponents(
  form: Extract<Form, { kind: 'additive' }>,
  banks: readonly Bank[],
  corners: Corners,
  context: DecodeContext,
): tf.Tensor4D {
  const [n, taps] = corners.weights.shape;
  const bytes = banks.reduce((sum, bank) => sum + taps * 4 * bank.payload, 0);
  const step = Math.max(1, Math.floor(COMPONENTS_BYTES / bytes));
  if (n <= step) return form.decode(weighedComponents(form, banks, corners, context), context);
  const parts: tf.Tensor4D[] = [];
  for (let first = 0; first < n; first += step) {
    const count = Math.min(step, n - first);
    const weights = tf.slice(corners.weights, [first, 0], [count, taps]);
    const at = tf.slice(corners.at, [taps * first, 0], [taps * count, 3]);
    parts.push(form.decode(weighedComponents(form, banks, { at, weights }, context), context));
  }
  return tf.concat(parts, 0);
}

/** [N, M, P]: the components of all corners in banks of one additive form, scaled by the corners' weights. */
function weighedComponents(
  form: Extract<Form, { kind: 'additive' }>,
  banks: readonly Bank[],
  { at, weights }: Corners,
  context: DecodeContext,
): tf.Tensor3D {
  const [n, taps] = weights.shape;
  const parts = banks.map((bank) => {
    const [k, p] = bank.options.row;
    const components = bank.rowsAt(at).reshape([n, taps * k, p]) as tf.Tensor3D;
    const each = tf.tile(weights.expandDims(2), [1, 1, k]).reshape([n, taps * k]) as tf.Tensor2D;
    return form.weigh(components, each, context);
  });
  return parts.length === 1 ? parts[0] : (tf.concat(parts, 1) as tf.Tensor3D);
}

/**
 * Whether this batch is served from decoded rows: all its nodes were needed before, and fit into the cache. Decodes those
 * that are not there yet. Only at the nodes' own resolution: at another one a form may decode to something else than the
 * resampled rows (a Gaussian is the same function at any resolution), and costs less.
 */
function useHot(
  store: NodeStore,
  settings: Settings,
  reading: Reading,
  banks: readonly Bank[],
  resolution: readonly [number, number],
): boolean {
  const cache = store.packed.hot!;
  if (!reading.coords.host || settings.trainable) return false;
  const blended = banks.filter(({ options }) => options.codec!.parameter !== null);
  if (blended.some(({ options: { shape } }) => resolution.some((n, axis) => n !== shape[axis]))) return false;
  const touched = new Map<number, Bank>();
  let bytes = 0;
  const n = reading.coords.tensor.shape[0];
  for (let i = 0; i < n && bytes <= cache.limitBytes; i++) {
    eachTouched(reading, i, onTape(), (cell) => {
      if (touched.has(cell)) return;
      const bank = bankWith(blended, cell);
      if (!bank) return;
      touched.set(cell, bank);
      const [h, w, c] = bank.options.shape;
      bytes += 4 * h * w * c;
    });
  }
  if (touched.size === 0 || bytes > cache.limitBytes) return false;
  if (!store.packed.neededBefore(touched.keys())) return false;
  const kept = new Set(touched.keys());
  for (const [cell, bank] of touched) {
    if (cache.has(cell)) cache.touch(cell);
    else tf.tidy(() => cache.put(cell, decodeNode(store, bank, cell, settings), kept));
  }
  return true;
}

/** A compressed node, [H, W, C] float32 at its own resolution. Gradients: its parameters, in a trainable cube. */
export function decodeNode(store: NodeStore, bank: Bank, cell: number, settings: Settings): tf.Tensor3D {
  const { codec, shape, row } = bank.options;
  const form = formOf(codec!);
  const [h, w] = shape;
  if (form) {
    const context: DecodeContext = { shape, resolution: [h, w], periodic: settings.periodic };
    const rows = bank.read(cell).reshape([1, bank.payload]) as tf.Tensor2D;
    return decodeRows(form, rows, row, context).squeeze([0]);
  }
  return decodeParams(store, bank, cell, bank.read(cell));
}

/** Samples of nodes without a form, in parts whose nodes fit into the cache. */
function sampleOpaque(
  store: NodeStore,
  settings: Settings,
  reading: Reading,
  banks: readonly Bank[],
): { rows: tf.Tensor2D; bank: Bank }[] {
  check(
    reading.coords.host !== undefined,
    () =>
      new DeviceError(
        `sample: nodes of '${banks[0].options.codec!.codec}' are decoded one by one as coordinates need them, and the backend ` +
          `'${tf.getBackend()}' cannot read ${trainsAxes(settings) ? 'the positions of trained axes at once; ' : 'coordinates at once; give them as an array, or '}` +
          'compress with a codec that blends (dct, fft, wavelet, gaussian)',
      ),
  );
  const byShape = new Map<string, Bank[]>();
  for (const bank of banks) {
    const key = String(bank.options.shape);
    byShape.set(key, [...(byShape.get(key) ?? []), bank]);
  }
  return [...byShape.values()].map((same) => ({
    bank: same[0],
    rows: settings.trainable
      ? sampleDecoded(store, settings, reading, same)
      : sampleCached(store, settings, reading, same),
  }));
}

const bankWith = (banks: readonly Bank[], cell: number) => banks.find((bank) => bank.has(cell));

/** [N, H·W·C] through the cache. */
function sampleCached(
  store: NodeStore,
  settings: Settings,
  reading: Reading,
  banks: readonly Bank[],
): tf.Tensor2D {
  const cache = store.packed.decoded;
  const [h, w, c] = banks[0].options.shape;
  const room = Math.max(8, Math.floor(cache.limitBytes / (4 * h * w * c)));
  const n = reading.coords.tensor.shape[0];
  const parts: tf.Tensor2D[] = [];
  let first = 0;
  while (first < n || parts.length === 0) {
    const touched = new Set<number>();
    let i = first;
    for (; i < n; i++) {
      const more: number[] = [];
      eachTouched(reading, i, onTape(), (cell) => {
        if (!touched.has(cell) && !more.includes(cell) && bankWith(banks, cell)) more.push(cell);
      });
      if (i > first && touched.size + more.length > room) break;
      for (const cell of more) touched.add(cell);
    }
    for (const cell of touched) {
      if (cache.has(cell)) cache.touch(cell);
      else tf.tidy(() => cache.put(cell, decodeNode(store, bankWith(banks, cell)!, cell, settings), touched));
    }
    const part = partOf(reading, first, i - first);
    const rows = cache.bankOfShape(banks[0].options.shape);
    const none = () => readRows(part, tf.zeros([0, h * w * c]), noNode(), pageOf(h * w * c, 0));
    parts.push(rows ? rows.sample(part) : none());
    if (i >= n) break;
    first = i;
  }
  return parts.length === 1 ? parts[0] : (tf.concat(parts, 0) as tf.Tensor2D);
}

/** The grid of a page without rows, which is not read. */
const noNode = () => tf.tensor3d([-1], [1, 1, 1], 'int32');
const pageOf = (payload: number, rows: number) => ({
  payload,
  half: false,
  firstRow: 0,
  rows,
  ordered: false,
});

/** [N, H·W·C] of a trainable cube: every touched node is decoded on the tape. */
function sampleDecoded(
  store: NodeStore,
  settings: Settings,
  reading: Reading,
  banks: readonly Bank[],
): tf.Tensor2D {
  const [h, w, c] = banks[0].options.shape;
  const rowOf = new Int32Array(store.cells).fill(-1);
  const touched: number[] = [];
  for (let i = 0; i < reading.coords.tensor.shape[0]; i++) {
    eachTouched(reading, i, onTape(), (cell) => {
      if (rowOf[cell] < 0 && bankWith(banks, cell)) rowOf[cell] = touched.push(cell) - 1;
    });
  }
  const nodes: tf.Tensor[] = [];
  for (const bank of banks) {
    const mine = touched.filter((cell) => bank.has(cell));
    // The last one is no node: by it every page is on the tape and gets a gradient, of zeros where nothing was touched.
    const places = [...mine.map((cell) => nodeOf(settings.dims, cell)), [-1, -1, -1]];
    const rows = bank.rowsAt(tf.tensor2d(places.flat(), [places.length, 3]));
    mine.forEach((cell, i) => {
      nodes[rowOf[cell]] = decodeParams(store, bank, cell, tf.slice(rows, [i, 0], [1, -1]));
    });
    const none = tf.slice(rows, [mine.length, 0], [1, -1]);
    nodes[touched.length] = tf.add(nodes[touched.length] ?? tf.zeros([h, w, c]), tf.sum(none));
  }
  const grid = tf.tensor3d(rowOf, settings.dims, 'int32');
  const rows = tf.stack(nodes).reshape([nodes.length, h * w * c]);
  return readRows(reading, rows, grid, pageOf(h * w * c, nodes.length));
}

/** [H, W, C] of a row of all parameters. */
function decodeParams(store: NodeStore, bank: Bank, cell: number, row: tf.Tensor): tf.Tensor3D {
  const compressed = store.packed.unpacked(cell);
  const params = namedParams(row, compressed.parameters.params);
  return knownCodec(bank.options.codec!.codec).decode(compressed.with(params));
}
