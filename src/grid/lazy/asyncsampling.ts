/**
 * Sampling a cube that was opened: what a batch reads is brought to hand, and kept there until it is sampled. A batch that needs
 * more than is kept at hand goes in parts, samples of the same cell together, so that few nodes are read twice.
 */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, checkOptionNames, shown } from '../../errors.js';
import { permuteRows } from '../../ops/permute.js';
import { type Coordinates, checkPolicies, coordinateTensor } from '../coordinates.js';
import { checkMethod, type InterpolationMethod, type MethodChoice } from '../methods.js';
import { checkSampling, checkSize, sampleAll } from '../sampling/batch.js';
import { type BatchCoords, type Reading, readingOf } from '../sampling/reading.js';
import type { SampleOptions, SamplingState } from '../sampling/sampling.js';
import { type Cells, type FileNodes, noCells, type Role } from './filenodes.js';
import type { LoadOptions, NodeLoader } from './loading.js';
import { neededBy, needsAll, needsOf, only, readsWhole } from './needs.js';

/** An opened cube: its file, and what reads it. */
export interface OpenedCube {
  file: FileNodes;
  loader: NodeLoader;
}

export interface PrefetchOptions extends Pick<SampleOptions, 'method' | 'a'>, LoadOptions {}

/** prefetch. @param alive throws where the cube cannot be read or written now. */
export async function prefetchNodes(
  where: string,
  state: SamplingState,
  opened: OpenedCube | null,
  coords: Coordinates | undefined,
  options: PrefetchOptions,
  alive: (where: string) => void,
): Promise<void> {
  checkOptionNames(where, options, ['method', 'a', 'signal', 'onProgress']);
  const { method, a, signal, onProgress } = options;
  const choice = checkMethod(where, method, a);
  checkSignal(where, signal);
  check(
    onProgress === undefined || typeof onProgress === 'function',
    () => new ArgumentError(`${where}: onProgress must be a function, got ${shown(onProgress)}`),
  );
  signal?.throwIfAborted();
  const host = coords === undefined ? undefined : await hostCoordinates(where, coords);
  alive(where);
  if (!opened) return;
  const { file, loader } = opened;
  let cells: Cells | null = null;
  if (!host) cells = file.inFile();
  else if (!readsWhole(choice.method)) cells = cellsAt(state, host, choice, true);
  const release = await loader.load(where, cells ?? allCells(file, choice.method), { signal, onProgress });
  release();
}

/** sampleBatchAsync. @param alive as prefetchNodes'. */
export async function sampleAsync(
  where: string,
  state: SamplingState,
  opened: OpenedCube | null,
  coords: Coordinates,
  { signal, ...options }: SampleOptions & { signal?: AbortSignal },
  alive: (where: string) => void,
): Promise<tf.Tensor4D> {
  checkSignal(where, signal);
  signal?.throwIfAborted();
  if (!opened) return sampleAll(where, state, coords, options);
  const { resolution, choice } = checkSampling(where, state, options);
  const host = await hostCoordinates(where, coords);
  alive(where);
  checkSize(where, [host.length / 3, ...resolution, state.settings.channels]);
  const parts = partsOfBatch(where, opened, state, host, choice, resolution);
  // The resolution as it was when the call was made.
  const sample = (part: Float32Array) => sampleAll(where, state, part, { ...options, resolution });
  return sampleLoaded(where, opened, host, parts, sample, { signal });
}

function checkSignal(where: string, signal: unknown): void {
  check(
    signal === undefined || signal instanceof AbortSignal,
    () => new ArgumentError(`${where}: signal must be an AbortSignal, got ${shown(signal)}`),
  );
}

/** Coordinates [N, 3] on the host, checked; a tensor is read without stalling, as it is at the time of the call. */
async function hostCoordinates(where: string, coords: Coordinates): Promise<Float32Array> {
  const { tensor, host, made } = coordinateTensor(where, coords);
  if (made) {
    tensor.dispose();
    return host!;
  }
  // The caller may dispose it meanwhile.
  const own = tensor.clone();
  try {
    return (await own.data<'float32'>()).slice();
  } finally {
    own.dispose();
  }
}

/** A part of a batch: which samples, and the cells that they read. */
interface BatchPart {
  /** Numbers of samples; null: all. */
  samples: Int32Array | null;
  cells: Cells;
}

/** What `body` returns, which is no tensor; the tensors that it makes go. */
function tidied<T>(body: () => T): T {
  let out: T | undefined;
  tf.tidy(() => {
    out = body();
  });
  return out as T;
}

/** Where coordinates on the host lie, for `needsOf`; null where that cannot be told at once. Its tensors are the tidy's. */
function hostReading(state: SamplingState, coords: Float32Array, choice: MethodChoice): Reading | null {
  const tensor = tf.tensor2d(coords, [coords.length / 3, 3]);
  const located: BatchCoords = state.axes.locate({ tensor, host: coords });
  return located.host === undefined ? null : readingOf(located, choice, state.settings);
}

/** The cells that samples at coordinates read; null: all that there are. @param slopes those of gradients too. */
function cellsAt(
  state: SamplingState,
  coords: Float32Array,
  choice: MethodChoice,
  slopes: boolean,
): Cells | null {
  return tidied(() => {
    const reading = hostReading(state, coords, choice);
    return reading && neededBy(state, reading, choice.method, slopes);
  });
}

/** All nodes, and of hermite their tangents: those that are in the file. */
function allCells(file: FileNodes, method: InterpolationMethod): Cells {
  const cells = file.inFile();
  return method === 'hermite' ? cells : only(0, cells[0]);
}

/** The parts of a batch whose nodes are at hand at once. @throws what sampling throws of policies. */
function partsOfBatch(
  where: string,
  { file }: OpenedCube,
  state: SamplingState,
  coords: Float32Array,
  choice: MethodChoice,
  resolution: readonly [number, number],
): BatchPart[] {
  const { method } = choice;
  if (readsWhole(method)) {
    return [
      { samples: null, cells: needsAll(state, method, resolution) ? allCells(file, method) : noCells() },
    ];
  }
  return tidied(() => {
    const reading = hostReading(state, coords, choice);
    if (!reading) return [{ samples: null, cells: allCells(file, method) }];
    checkPolicies(where, reading, state.settings, (cell) => state.store.has(cell));
    const whole = neededBy(state, reading, method, false);
    const { limitBytes } = file.residency;
    if (file.bytesOf(whole) <= limitBytes) return [{ samples: null, cells: whole }];
    const each = needsOf(state, reading, method);
    const parts: BatchPart[] = [];
    let samples: number[] = [];
    let cells = noCells();
    let bytes = 0;
    for (const i of byCell(coords.length / 3, each)) {
      const more: [role: Role, cell: number][] = [];
      let moreBytes = 0;
      each(i, false, (role, cell) => {
        if (cells[role].has(cell) || more.some(([r, c]) => r === role && c === cell)) return;
        more.push([role as Role, cell]);
        moreBytes += file.bytesOfCell(role as Role, cell);
      });
      if (samples.length > 0 && bytes + moreBytes > limitBytes) {
        parts.push({ samples: Int32Array.from(samples), cells });
        [samples, cells, bytes] = [[], noCells(), 0];
        each(i, false, (role, cell) => {
          if (cells[role].has(cell)) return;
          cells[role].add(cell);
          bytes += file.bytesOfCell(role as Role, cell);
        });
      } else {
        for (const [role, cell] of more) cells[role].add(cell);
        bytes += moreBytes;
      }
      samples.push(i);
    }
    parts.push({ samples: Int32Array.from(samples), cells });
    return parts;
  });
}

/** Numbers of samples in the order of the first cells that they read. */
function byCell(n: number, each: ReturnType<typeof needsOf>): Int32Array {
  const first = new Float64Array(n).fill(-1);
  for (let i = 0; i < n; i++) {
    each(i, false, (_, cell) => {
      if (first[i] < 0) first[i] = cell;
    });
  }
  return Int32Array.from(first.keys()).sort((a, b) => first[a] - first[b] || a - b);
}

/**
 * [N, …]: what `sample` makes of each part while its nodes are at hand.
 * @param sample of coordinates on the host; called as soon as they are, without a turn of the event loop between.
 * @throws what loading throws, and `sample`; nothing is left behind then.
 */
async function sampleLoaded(
  where: string,
  { file, loader }: OpenedCube,
  coords: Float32Array,
  parts: readonly BatchPart[],
  sample: (coords: Float32Array) => tf.Tensor4D,
  options: LoadOptions,
): Promise<tf.Tensor4D> {
  const made: tf.Tensor4D[] = [];
  try {
    for (const { samples, cells } of parts) {
      const release = await loader.load(where, cells, options);
      try {
        made.push(sample(samples ? rowsOf(coords, samples) : coords));
      } finally {
        release();
      }
      file.residency.trim();
    }
    if (parts.length === 1) return made.splice(0)[0];
    const back = new Int32Array(coords.length / 3);
    let at = 0;
    for (const { samples } of parts) for (const i of samples!) back[i] = at++;
    return tf.tidy(() => permuteRows(tf.concat(made, 0), back));
  } finally {
    tf.dispose(made);
  }
}

function rowsOf(coords: Float32Array, samples: Int32Array): Float32Array {
  const rows = new Float32Array(3 * samples.length);
  samples.forEach((i, k) => {
    rows.set(coords.subarray(3 * i, 3 * i + 3), 3 * k);
  });
  return rows;
}
