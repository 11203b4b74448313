/**
 * Sampling a cube that was opened: what a batch reads is brought to hand, and kept there until it is sampled (batches.ts).
 */
import type * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, checkOptionNames, shown } from '../../errors.js';
import { type Coordinates, coordinateTensor } from '../coordinates.js';
import { checkMethod } from '../methods.js';
import { checkSampling, checkSize, sampleAll } from '../sampling/batch.js';
import type { SampleOptions, SamplingState } from '../sampling/sampling.js';
import { loadTargets, partsOfBatch, rowsOf, sampleParts, targetAt, targetOf } from './batches.js';
import type { LoadOptions } from './loading.js';
import type { OpenedCube } from './opened.js';

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
  const { method, a, ...how } = options;
  const choice = checkMethod(where, method, a);
  checkLoading(where, how);
  how.signal?.throwIfAborted();
  const host = coords === undefined ? undefined : await hostOf(where, coords);
  alive(where);
  if (!opened) return;
  const { file } = opened;
  const target = host ? targetAt(opened, state, host, choice) : { opened, all: file.inFile(), each: null };
  const release = await loadTargets(where, [target], host ? host.length / 3 : 0, how);
  // What this call asked for stays; an earlier one's goes, where it was more than is kept.
  file.residency.trim();
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
  checkLoading(where, { signal });
  signal?.throwIfAborted();
  if (!opened) return sampleAll(where, state, coords, options);
  const { resolution, choice } = checkSampling(where, state, options);
  const host = await hostOf(where, coords);
  alive(where);
  checkSize(where, [host.length / 3, ...resolution, state.settings.channels]);
  const target = targetOf(where, opened, state, host, choice, resolution);
  // The resolution as it was when the call was made.
  const sample = (samples: Int32Array | null) => {
    alive(where);
    return sampleAll(where, state, rowsOf(host, samples, 3), { ...options, resolution });
  };
  return sampleParts(where, partsOfBatch([target], host.length / 3), sample, signal);
}

/** @throws ArgumentError for a signal or a callback that is none. */
export function checkLoading(where: string, { signal, onProgress }: LoadOptions): void {
  check(
    signal === undefined || signal instanceof AbortSignal,
    () => new ArgumentError(`${where}: signal must be an AbortSignal, got ${shown(signal)}`),
  );
  check(
    onProgress === undefined || typeof onProgress === 'function',
    () => new ArgumentError(`${where}: onProgress must be a function, got ${shown(onProgress)}`),
  );
}

/** Coordinates [N, 3] on the host, checked; a tensor is read without stalling, as it is at the time of the call. */
export async function hostOf(where: string, coords: Coordinates): Promise<Float32Array> {
  const { tensor, host, made } = coordinateTensor(where, coords);
  if (!made) return readNow(tensor);
  tensor.dispose();
  return host!;
}

/** The values of a tensor, which its owner may dispose meanwhile. */
export async function readNow(tensor: tf.Tensor): Promise<Float32Array> {
  const own = tensor.clone();
  try {
    return (await own.data<'float32'>()).slice();
  } finally {
    own.dispose();
  }
}
