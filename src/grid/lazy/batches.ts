/**
 * Batches that need nodes of files: what they need of each cube, in parts whose nodes are at hand at once. A batch that needs more than
 * is kept goes in several, samples of the same cells together, so that few nodes are read twice.
 */
import * as tf from '@tensorflow/tfjs';
import { NotResidentError } from '../../errors.js';
import { permuteRows } from '../../ops/permute.js';
import { cellOf, checkPolicies } from '../coordinates.js';
import type { InterpolationMethod, MethodChoice } from '../methods.js';
import { type BatchCoords, type Reading, readingOf } from '../sampling/reading.js';
import type { SamplingState } from '../sampling/sampling.js';
import { type Cells, countOf, type FileNodes, noCells, ROLES, type Role } from './filenodes.js';
import type { LoadOptions } from './loading.js';
import { needsAll, needsOf, only, readsWhole } from './needs.js';
import type { OpenedCube } from './opened.js';

type EachNeeded = (i: number, found: (role: Role, cell: number) => void) => void;

/** What a batch needs of one cube. */
export interface Target {
  opened: OpenedCube;
  /** Whatever the coordinates. */
  all: Cells;
  /** Of sample i; null: nothing more. */
  each: EachNeeded | null;
}

/** A part of a batch: which samples (null: all), and the cells of each cube that they read. */
interface BatchPart {
  samples: Int32Array | null;
  needs: { opened: OpenedCube; cells: Cells }[];
}

/** What prefetch asks for, gradients to coordinates included. @param counts whether a sample is one of this cube. */
export function targetAt(
  opened: OpenedCube,
  state: SamplingState,
  coords: Float32Array,
  choice: MethodChoice,
  counts?: (i: number) => boolean,
): Target {
  const { file } = opened;
  const { method } = choice;
  const reading = readsWhole(method) ? null : hostReading(state, coords, choice);
  if (!reading) return { opened, all: allCells(file, method), each: null };
  return { opened, all: noCells(), each: eachOf(state, reading, method, true, counts) };
}

/** What sampling asks for. @throws what sampling throws of policies. */
export function targetOf(
  where: string,
  opened: OpenedCube,
  state: SamplingState,
  coords: Float32Array,
  choice: MethodChoice,
  resolution: readonly [number, number],
  counts?: (i: number) => boolean,
): Target {
  const { file } = opened;
  const { method } = choice;
  if (readsWhole(method)) {
    return {
      opened,
      all: needsAll(state, method, resolution) ? allCells(file, method) : noCells(),
      each: null,
    };
  }
  const reading = hostReading(state, coords, choice, (one) =>
    counts ? undefined : checkPolicies(where, one, state.settings, (cell) => state.store.has(cell)),
  );
  if (!reading) return { opened, all: allCells(file, method), each: null };
  return { opened, all: noCells(), each: eachOf(state, reading, method, false, counts) };
}

function eachOf(
  state: SamplingState,
  reading: Reading,
  method: InterpolationMethod,
  slopes: boolean,
  counts: (i: number) => boolean = () => true,
): EachNeeded {
  const each = needsOf(state, reading, method);
  return (i, found) => {
    if (counts(i)) each(i, slopes, found);
  };
}

/** Where coordinates on the host lie, for the host alone; null where that cannot be told at once. @param checked called with it. */
function hostReading(
  state: SamplingState,
  coords: Float32Array,
  choice: MethodChoice,
  checked?: (reading: Reading) => void,
): Reading | null {
  let reading: Reading | null = null;
  tf.tidy(() => {
    const tensor = tf.tensor2d(coords, [coords.length / 3, 3]);
    const located: BatchCoords = state.axes.locate({ tensor, host: coords });
    if (located.host === undefined) return;
    reading = readingOf(located, choice, state.settings);
    checked?.(reading);
  });
  return reading;
}

/** All nodes, and of hermite their tangents: those that are in the file. */
function allCells(file: FileNodes, method: InterpolationMethod): Cells {
  const cells = file.inFile();
  return method === 'hermite' ? cells : only(0, cells[0]);
}

/** What samples need of a target. */
function cellsOf({ all, each }: Target, samples: Iterable<number>): Cells {
  const cells = noCells();
  for (const role of ROLES) for (const cell of all[role]) cells[role].add(cell);
  if (each) for (const i of samples) each(i, (role, cell) => cells[role].add(cell));
  return cells;
}

/** Has all of a batch at hand until the result is called. */
export async function loadTargets(
  where: string,
  targets: readonly Target[],
  n: number,
  options: LoadOptions,
): Promise<() => void> {
  const needs = targets.map((target) => ({ opened: target.opened, cells: cellsOf(target, Array(n).keys()) }));
  return loadNeeds(where, needs, options);
}

/** Of several cubes at once. */
async function loadNeeds(
  where: string,
  needs: BatchPart['needs'],
  { signal, onProgress }: LoadOptions,
): Promise<() => void> {
  const known = needs.map(() => ({ done: 0, total: 0 }));
  const loads = needs.map(({ opened, cells }, k) => {
    const report = (progress: { done: number; total: number }) => {
      known[k] = progress;
      const sum = (name: 'done' | 'total') => known.reduce((all, one) => all + one[name], 0);
      onProgress?.({ done: sum('done'), total: sum('total') });
    };
    return opened.loader.load(where, cells, { signal, ...(onProgress && { onProgress: report }) });
  });
  const ends = await Promise.allSettled(loads);
  const release = () => {
    for (const end of ends) if (end.status === 'fulfilled') end.value();
  };
  const failed = ends.find((end) => end.status === 'rejected');
  if (!failed) return release;
  release();
  throw failed.reason;
}

/** The parts of a batch of n samples whose nodes are at hand at once. */
export function partsOfBatch(targets: readonly Target[], n: number): BatchPart[] {
  const limits = targets.map(({ opened: { file } }) => file.residency.limitBytes);
  const limitBytes = Math.min(...limits);
  const bytesOf = (needs: BatchPart['needs']) =>
    needs.reduce((sum, { opened, cells }) => sum + opened.file.bytesOf(cells), 0);
  const needsOfAll = (samples: Iterable<number>) =>
    targets.map((target) => ({ opened: target.opened, cells: cellsOf(target, samples) }));
  const whole = needsOfAll(Array(n).keys());
  if (n < 2 || bytesOf(whole) <= limitBytes) return [{ samples: null, needs: whole }];

  const parts: BatchPart[] = [];
  let samples: number[] = [];
  let needs = needsOfAll([]);
  let bytes = bytesOf(needs);
  for (const i of byCell(targets, n)) {
    let more = bytesMissing(targets, needs, i);
    if (samples.length > 0 && bytes + more > limitBytes) {
      parts.push({ samples: Int32Array.from(samples), needs });
      samples = [];
      needs = needsOfAll([]);
      bytes = bytesOf(needs);
      more = bytesMissing(targets, needs, i);
    }
    targets.forEach(({ each }, k) => {
      each?.(i, (role, cell) => needs[k].cells[role].add(cell));
    });
    bytes += more;
    samples.push(i);
  }
  parts.push({ samples: Int32Array.from(samples), needs });
  return parts;
}

/** Bytes of what sample i needs beside `needs`. */
function bytesMissing(targets: readonly Target[], needs: BatchPart['needs'], i: number): number {
  let bytes = 0;
  targets.forEach(({ opened: { file }, each }, k) => {
    const found = noCells();
    each?.(i, (role, cell) => {
      if (needs[k].cells[role].has(cell) || found[role].has(cell)) return;
      found[role].add(cell);
      bytes += file.bytesOfCell(role, cell);
    });
  });
  return bytes;
}

/** Numbers of samples in the order of the first cells that they read. */
function byCell(targets: readonly Target[], n: number): Int32Array {
  const first = new Float64Array(n).fill(-1);
  for (let i = 0; i < n; i++) {
    for (const { each } of targets) {
      if (first[i] >= 0) break;
      each?.(i, (_, cell) => {
        if (first[i] < 0) first[i] = cell;
      });
    }
  }
  return Int32Array.from(first.keys()).sort((a, b) => first[a] - first[b] || a - b);
}

/**
 * [N, …]: what `sample` makes of each part while its nodes are at hand.
 * @param sample of the numbers of its samples (null: all); called without a turn of the event loop after they are.
 * @throws what loading throws, and `sample`; nothing is left behind then.
 */
export async function sampleParts(
  where: string,
  parts: readonly BatchPart[],
  sample: (samples: Int32Array | null) => tf.Tensor4D,
  signal: AbortSignal | undefined,
): Promise<tf.Tensor4D> {
  const made: tf.Tensor4D[] = [];
  try {
    for (const { samples, needs } of parts) {
      made.push(await sampleHeld(where, needs, () => sample(samples), signal));
      for (const { opened } of needs) opened.file.residency.trim();
    }
    if (parts.length === 1) return made.splice(0)[0];
    const order = parts.flatMap(({ samples }) => [...samples!]);
    const back = new Int32Array(order.length);
    order.forEach((i, at) => {
      back[i] = at;
    });
    return tf.tidy(() => permuteRows(tf.concat(made, 0), back));
  } finally {
    tf.dispose(made);
  }
}

async function sampleHeld(
  where: string,
  needs: BatchPart['needs'],
  sample: () => tf.Tensor4D,
  signal: AbortSignal | undefined,
): Promise<tf.Tensor4D> {
  const releases = [await loadNeeds(where, needs, { signal })];
  try {
    for (;;) {
      try {
        return sample();
      } catch (error) {
        if (!(error instanceof NotResidentError)) throw error;
        // What was changed meanwhile asks for more: trained axes have moved, or what was kept of all nodes has gone.
        const more = needs.map(namedBy(error));
        if (more.every(({ cells }) => countOf(cells) === 0)) throw error;
        releases.push(await loadNeeds(where, more, { signal }));
      }
    }
  } finally {
    for (const release of releases) release();
  }
}

/** The nodes that an error names, and their tangents, of each cube. */
const namedBy =
  ({ nodes }: NotResidentError) =>
  ({ opened }: BatchPart['needs'][number]) => {
    const { dims } = opened.loader.settings;
    const inside = nodes.filter((node) => node.every((v, j) => v < dims[j]));
    const named = inside.map(([x, y, z]) => cellOf('open', dims, x, y, z));
    const cells = noCells();
    for (const role of ROLES)
      for (const cell of named) if (opened.file.isAway(role, cell)) cells[role].add(cell);
    return { opened, cells };
  };

/** Rows of `width` values each; all of them where `rows` is null. */
export function rowsOf(values: Float32Array, rows: Int32Array | null, width: number): Float32Array {
  if (!rows) return values;
  const out = new Float32Array(width * rows.length);
  rows.forEach((row, k) => {
    out.set(values.subarray(width * row, width * (row + 1)), width * k);
  });
  return out;
}
