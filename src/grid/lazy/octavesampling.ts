/** Hierarchies that were opened: which nodes of which octaves a batch needs, and sampling it while they are at hand. */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, checkOptionNames } from '../../errors.js';
import type { Coordinates } from '../coordinates.js';
import type { WavetableMatrix } from '../matrix.js';
import { checkMethod, type MethodChoice } from '../methods.js';
import { checkOctaves, levelWeights, type Octaves } from '../octaves/blend.js';
import { LevelCoords } from '../octaves/coords.js';
import type { OctaveBasis, OctaveLevel } from '../octaves/levels.js';
import { checkLoading, hostOf, type PrefetchOptions, readNow } from './asyncsampling.js';
import {
  loadTargets,
  partsOfBatch,
  rowsOf,
  sampleParts,
  type Target,
  targetAt,
  targetOf,
} from './batches.js';
import { noCells } from './filenodes.js';
import { openedOf } from './opened.js';
import { Residency } from './residency.js';

/** What a batch must know of a hierarchy. */
export interface SampledLevels {
  basis: OctaveBasis;
  /** From coarse to fine. */
  levels: readonly OctaveLevel[];
  cubeOf(octave: number): WavetableMatrix;
  alive(where: string): void;
}

export interface PrefetchOctavesOptions extends PrefetchOptions {
  /** Where between the octaves samples will be taken, as sampleBatchBlended's; by default at all octaves. */
  octaves?: number | Octaves;
}

/** OctaveHierarchy.prefetch. */
export async function prefetchOctaves(
  where: string,
  hierarchy: SampledLevels,
  coords: Coordinates | undefined,
  options: PrefetchOctavesOptions,
): Promise<void> {
  checkOptionNames(where, options, ['method', 'a', 'octaves', 'signal', 'onProgress']);
  const { method, a, octaves, ...how } = options;
  const choice = checkMethod(where, method, a);
  checkLoading(where, how);
  check(
    coords !== undefined || octaves === undefined || typeof octaves === 'number',
    () => new ArgumentError(`${where}: without coords octaves must be one number`),
  );
  how.signal?.throwIfAborted();
  const host = coords === undefined ? null : await hostOf(where, coords);
  const n = host ? host.length / 3 : 1;
  const at = octaves === undefined ? null : await hostOctaves(where, octaves, n);
  hierarchy.alive(where);
  const counts = (j: number, i: number) => !at || reads(hierarchy, j, octaveOf(at, i), true);
  const targets = targetsOf(hierarchy, (opened, level, j) => {
    if (host) {
      const own = new LevelCoords(host).at(level) as Float32Array;
      return targetAt(opened, opened.state, own, choice, (i) => counts(j, i));
    }
    return { opened, all: counts(j, 0) ? opened.file.inFile() : noCells(), each: null };
  });
  const release = await loadTargets(where, targets, host ? n : 0, how);
  for (const { opened } of targets) opened.file.residency.trim();
  release();
}

/**
 * What `sample` makes of a batch between octaves while its nodes are at hand.
 * @param sample of coordinates and octaves on the host. @returns [N, …].
 */
export async function sampleOctavesAsync(
  where: string,
  hierarchy: SampledLevels,
  coords: Coordinates,
  octaves: number | Octaves,
  {
    choice,
    resolution,
    signal,
  }: { choice: MethodChoice; resolution: readonly [number, number]; signal?: AbortSignal },
  sample: (coords: Float32Array, octaves: number | Float32Array) => tf.Tensor4D,
): Promise<tf.Tensor4D> {
  checkLoading(where, { signal });
  signal?.throwIfAborted();
  const host = await hostOf(where, coords);
  const n = host.length / 3;
  const at = await hostOctaves(where, octaves, n);
  hierarchy.alive(where);
  const targets = targetsOf(hierarchy, (opened, level, j) => {
    const own = new LevelCoords(host).at(level) as Float32Array;
    const counts = (i: number) => reads(hierarchy, j, octaveOf(at, i), false);
    return targetOf(where, opened, opened.state, own, choice, resolution, counts);
  });
  const each = (samples: Int32Array | null) => {
    hierarchy.alive(where);
    return sample(rowsOf(host, samples, 3), typeof at === 'number' ? at : rowsOf(at, samples, 1));
  };
  return sampleParts(where, partsOfBatch(targets, n), each, signal);
}

/** Keeps the nodes of several opened cubes at hand by one bound. */
export function shareResidency(cubes: readonly WavetableMatrix[]): void {
  const files = cubes.flatMap((cube) => openedOf(cube)?.file ?? []);
  if (files.length === 0) return;
  const residency = new Residency(files[0].residency.limitBytes);
  for (const file of files) file.moveTo(residency);
}

function targetsOf(
  { levels, cubeOf }: SampledLevels,
  of: (opened: NonNullable<ReturnType<typeof openedOf>>, level: OctaveLevel, j: number) => Target,
): Target[] {
  return levels.flatMap((level, j) => {
    const opened = openedOf(cubeOf(level.octave));
    return opened ? [of(opened, level, j)] : [];
  });
}

/**
 * Whether a sample at an octave reads level j. @param slopes or its derivative with respect to the octave does: at an octave that is the
 * right-hand one, at the last the left-hand one.
 */
function reads({ basis, levels }: SampledLevels, j: number, octave: number, slopes: boolean): boolean {
  const octaves = levels.map((level) => level.octave);
  if (levelWeights(basis, octaves, octave)[j] !== 0) return true;
  const last = octaves.length - 1;
  return slopes && ((j > 0 && octave === octaves[j - 1]) || (j === last - 1 && octave === octaves[last]));
}

const octaveOf = (octaves: number | Float32Array, i: number) =>
  typeof octaves === 'number' ? octaves : octaves[i];

async function hostOctaves(
  where: string,
  octaves: number | Octaves,
  n: number,
): Promise<number | Float32Array> {
  if (typeof octaves === 'number') return octaves;
  checkOctaves(where, octaves, n);
  return octaves instanceof tf.Tensor ? readNow(octaves) : Float32Array.from(octaves);
}
