/** What a cube's sampling calls do: check what comes, and resolve how it is read. */
import * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../../codecs/parameters.js';
import {
  ArgumentError,
  check,
  checkOptionNames,
  DeviceError,
  MissingNodeError,
  ShapeError,
} from '../../errors.js';
import { findDevice } from '../../ops/device.js';
import { checkFloatTensor } from '../../ops/tensors.js';
import { type Coordinates, checkPolicies, coordinateTensor, nodeOf } from '../coordinates.js';
import { checkReading } from '../lazy/needs.js';
import { checkMethod, type InterpolationMethod, type MethodChoice } from '../methods.js';
import { resolutionPair } from '../options.js';
import { type Reading, readingOf } from './reading.js';
import {
  channelsOf,
  normalizeQuaternions,
  type SampleOptions,
  type SamplingState,
  sampleMethod,
} from './sampling.js';
import { splatMethod } from './splatting.js';

/** sampleBatch. */
export function sampleAll(
  where: string,
  state: SamplingState,
  coords: Coordinates,
  options: SampleOptions,
): tf.Tensor4D {
  const { settings } = state;
  const {
    resolution: [h, w],
    channels,
    choice,
  } = checkSampling(where, state, options);
  const { tensor, host, made } = coordinateTensor(where, coords);
  try {
    checkSize(where, [tensor.shape[0], h, w, settings.channels]);
    return tf.tidy(() => {
      const reading = checkedReading(where, state, { tensor, host }, choice, [h, w]);
      let out = sampleMethod(where, state, reading, choice.method, [h, w]);
      if (settings.blend === 'nlerp') out = normalizeQuaternions(out);
      return channels
        ? tf.concat(
            channels.map((c) => tf.slice(out, [0, 0, 0, c], [-1, -1, -1, 1])),
            3,
          )
        : out;
    }) as tf.Tensor4D;
  } finally {
    if (made) tensor.dispose();
  }
}

/** What sampling is asked for, checked as far as it can be without the coordinates. */
export function checkSampling(
  where: string,
  state: SamplingState,
  options: SampleOptions,
): { resolution: [number, number]; channels: readonly number[] | null; choice: MethodChoice } {
  const { settings } = state;
  checkOptionNames(where, options, ['method', 'a', 'resolution', 'channels']);
  const resolution: [number, number] =
    options.resolution === undefined ? settings.resolution : resolutionPair(where, options.resolution);
  const channels = channelsOf(where, options, settings.channels);
  const choice = checkMethod(where, options.method, options.a);
  checkNodes(where, state, choice.method);
  return { resolution, channels, choice };
}

/** sampleChunks. @param alive throws where the cube cannot be sampled any more: a caller does what it likes between two parts. */
export function* sampleInParts(
  where: string,
  state: SamplingState,
  coords: Coordinates,
  options: SampleOptions & { maxBytes?: number },
  alive: () => void,
): Generator<{ offset: number; values: tf.Tensor4D }> {
  const { maxBytes = 64 * 2 ** 20, ...rest } = options;
  const rowBytes = partBytes(where, state, rest);
  check(
    maxBytes >= rowBytes,
    () => new ArgumentError(`${where}: maxBytes must hold one sample of ${rowBytes} bytes, got ${maxBytes}`),
  );
  const step = Math.floor(maxBytes / rowBytes);
  const { tensor, host, made } = coordinateTensor(where, coords);
  const total = tensor.shape[0];
  try {
    if (state.file?.awayCount) {
      // Before the first part: what the others need must be at hand too.
      const { resolution, choice } = checkSampling(where, state, rest);
      tf.tidy(() => {
        checkedReading(where, state, { tensor, host }, choice, resolution);
      });
    }
    for (let offset = 0; offset < total; offset += step) {
      alive();
      const count = Math.min(step, total - offset);
      const values = tf.tidy(() => {
        // What came from the host stays there, for what must read it.
        const part =
          host?.subarray(3 * offset, 3 * (offset + count)) ?? tf.slice(tensor, [offset, 0], [count, 3]);
        return sampleAll(where, state, part, rest);
      });
      yield { offset, values };
    }
  } finally {
    if (made) tensor.dispose();
  }
}

/**
 * Bytes that a sample takes: at the resolution asked for; of dense nodes at theirs; of blended nodes as the parameters of all
 * taps. What bspline and monotone make of the whole cube is made once, whatever the part.
 */
function partBytes(where: string, { store, settings }: SamplingState, options: SampleOptions): number {
  const [h, w] =
    options.resolution === undefined ? settings.resolution : resolutionPair(where, options.resolution);
  const { method } = checkMethod(where, options.method, options.a);
  const asked = h * w * settings.channels;
  if (method === 'bspline' || method === 'monotone') return 4 * asked;
  const taps = FUSED.includes(method) ? 8 : 64;
  const payloads = store.banks.map(({ options: { codec, shape, row } }) =>
    codec?.parameter ? taps * sizeOf(row) : sizeOf(shape),
  );
  return 4 * Math.max(asked, ...payloads);
}

const FUSED: readonly InterpolationMethod[] = ['linear', 'nearest', 'smoothstep'];

/** splat. */
export function splatAll(
  where: string,
  state: SamplingState,
  coords: Coordinates,
  values: tf.Tensor,
  options: Pick<SampleOptions, 'method' | 'a'>,
): tf.Tensor2D[] {
  checkOptionNames(where, options, ['method', 'a']);
  const choice = checkMethod(where, options.method, options.a);
  check(
    choice.method !== 'monotone',
    () =>
      new ArgumentError(
        `${where}: method 'monotone' is not linear in the nodes, so that nothing is adjoint to sampling by it; take gradients ` +
          'of sampleBatch',
      ),
  );
  checkNodes(where, state, choice.method);
  const { settings } = state;
  const { tensor, host, made } = coordinateTensor(where, coords);
  try {
    const want = [tensor.shape[0], ...settings.resolution, settings.channels];
    checkFloatTensor(where, 'values', values);
    check(
      values.rank === 4 && want.every((n, i) => values.shape[i] === n),
      () => new ShapeError(where, 'values', `[${want.join(', ')}]`, values.shape),
    );
    return tf.tidy(() => {
      const reading = checkedReading(where, state, { tensor, host }, choice, null);
      return splatMethod(where, state, reading, choice.method, values as tf.Tensor4D);
    });
  } finally {
    if (made) tensor.dispose();
  }
}

function checkedReading(
  where: string,
  state: SamplingState,
  coords: Reading['given'],
  choice: MethodChoice,
  resolution: readonly [number, number] | null,
): Reading {
  const { store, axes, settings } = state;
  const reading = readingOf(axes.locate(coords), choice, settings);
  checkPolicies(where, reading, settings, (cell) => store.has(cell));
  checkReading(where, state, reading, choice.method, resolution);
  return reading;
}

/** What a method asks of the cube, whatever the coordinates. */
function checkNodes(
  where: string,
  { store, tangents, settings }: SamplingState,
  method: InterpolationMethod,
): void {
  if (method === 'hermite') tangents.checkComplete(where, store);
  if (method !== 'bspline' && method !== 'monotone') return;
  check(
    settings.missing !== 'renormalize',
    () =>
      new ArgumentError(
        `${where}: method '${method}' takes nodes that are missing for zeros, and cannot renormalize; make the cube with missing: ` +
          "'zero' or 'error', or use 'cardinal' or 'hermite'",
      ),
  );
  if (method === 'monotone' || settings.missing !== 'error' || store.count === store.cells) return;
  for (let cell = 0; cell < store.cells; cell++) {
    check(store.has(cell), () => new MissingNodeError(where, nodeOf(settings.dims, cell)));
  }
}

/** The result must be one tensor that the device can bind; a batch is the caller's to split. */
export function checkSize(where: string, shape: readonly number[]): void {
  const bytes = 4 * sizeOf(shape);
  const backend = tf.getBackend();
  const limit = findDevice(backend)?.maxPageBytes() ?? Number.POSITIVE_INFINITY;
  check(
    bytes <= limit,
    () =>
      new DeviceError(
        `${where}: the result, [${shape.join(', ')}], has ${bytes} bytes and the backend '${backend}' can bind ${limit}; ` +
          'iterate over sampleChunks(coords, { maxBytes })',
      ),
  );
}
