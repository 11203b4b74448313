/** What a cube is made with, checked once. */
import { checkQuality, type Quality } from '../codecs/quality.js';
import { methodOf } from '../codecs/registry.js';
import { ArgumentError, check, checkOptionNames, shown } from '../errors.js';
import { type AxisOption, type AxisSpec, checkAxis } from '../interpolation/axis.js';
import { BOUNDARIES, type Boundary, boundaryCode } from '../interpolation/stencil.js';
import type { NodeDtype } from './bank.js';

/** Rows and columns of a node, or one number for both. */
export type Resolution = number | readonly [height: number, width: number];
export type Missing = 'zero' | 'renormalize' | 'error';
export type Blend = 'linear' | 'nlerp';

export interface MatrixOptions {
  /** [H, W] of the nodes, or one number for both. Default 512. */
  resolution?: Resolution;
  /** C. Default 4. */
  channels?: number;
  /** How nodes are stored; computation is float32. float16 halves the bytes and cannot be trained. */
  dtype?: NodeDtype;
  /** true (default): only nodes that were set exist. false: all exist, as zeros. */
  sparse?: boolean;
  /** Outside the grid, for all axes or each of them. Default 'clamp'. */
  boundary?: Boundary | { x?: Boundary; y?: Boundary; z?: Boundary };
  /**
   * The nodes' places in the coordinates of all calls, for each axis: positions, strictly increasing; { min, max } for nodes spread
   * evenly between two values; or { positions, trainable, period }. trainable: the inner positions are variables (axisVariables),
   * which cannot cross. period: after which an axis of boundary 'wrap' repeats, above its span; n times the spacing by default of
   * { min, max }, required of positions. An axis without an entry is index space: integers are nodes.
   */
  axes?: { x?: AxisOption; y?: AxisOption; z?: AxisOption };
  /** What a corner without a node counts as: zero (default), not at all (the others' weights grow), or an error. */
  missing?: Missing;
  /** Hold the nodes in tf.Variables, for optimizer.minimize. */
  trainable?: boolean;
  /** 'nlerp': normalise the [X, Y, Z, W] quaternions of a 4-channel cube after blending. Default 'linear'. */
  blend?: Blend;
  /** Which axes of a node wrap when it is resampled: a wavetable's phase runs along w. */
  periodic?: { h?: boolean; w?: boolean };
  /**
   * How nodes are compressed by settle() after they were set: a method ('auto', 'gaussian', 'dct', …) at quality 0.95, or
   * both. null (default): not at all, until compressNode or compressAll.
   */
  compression?: string | { method: string; quality?: Quality } | null;
  /**
   * Bytes that a cube keeps at hand of its compressed nodes: so many of decoded rows for nodes that are needed again and
   * again; for nodes of codecs that cannot be blended so many of decoded rows, and so many of what they were unpacked to.
   * Default 16 MiB; 0: only what a call itself needs.
   */
  cacheBytes?: number;
  /** Bytes above which a bank goes on in another page; by default what the device can bind. */
  pageBytes?: number;
  /** The user's own JSON, saved with the cube. */
  metadata?: Record<string, unknown>;
}

export interface Settings {
  dims: [number, number, number];
  resolution: [number, number];
  channels: number;
  dtype: NodeDtype;
  sparse: boolean;
  boundary: [Boundary, Boundary, Boundary];
  /** null: index space. */
  axes: [AxisSpec | null, AxisSpec | null, AxisSpec | null];
  missing: Missing;
  trainable: boolean;
  blend: Blend;
  periodic: { h: boolean; w: boolean };
  pageBytes: number | undefined;
  compression: { method: string; quality: Quality } | null;
  cacheBytes: number;
  /** Whether nodes may be of any resolution. */
  mixed: boolean;
  /** Whether settle() compresses what is set. */
  autoCompress: boolean;
}

/** What only a cube of mixed resolutions takes. */
export interface MixedOptions {
  /** true; as files say it. */
  mixed?: true;
  /**
   * settle() (and save) compresses the nodes that are set from now on, with the codec and at the resolution that take the fewest
   * bytes within `compression`, or where there is none within method 'auto' at quality 0.95. Default true.
   */
  autoCompress?: boolean;
}

const isCount = (n: unknown): n is number => Number.isInteger(n) && (n as number) >= 1;

function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  check(
    allowed.includes(value as T),
    () =>
      new ArgumentError(`WavetableMatrix: ${name} must be one of ${allowed.join(', ')}, got ${shown(value)}`),
  );
  return value as T;
}

/** [H, W] of a resolution. @throws ArgumentError unless they are positive integers. */
export function resolutionPair(where: string, resolution: Resolution): [number, number] {
  const pair = typeof resolution === 'number' ? [resolution, resolution] : resolution;
  check(
    Array.isArray(pair) && pair.length === 2 && pair.every(isCount),
    () =>
      new ArgumentError(
        `${where}: resolution must be a positive integer or [H, W] of them, got ${shown(resolution)}`,
      ),
  );
  return [...pair] as [number, number];
}

/** What fromTensor takes: all but what the tensor's shape says. */
export const OPTION_NAMES_BUT_SHAPE: readonly string[] = [
  ...['dtype', 'sparse', 'boundary', 'missing', 'trainable', 'blend', 'periodic', 'pageBytes', 'metadata'],
  ...['compression', 'cacheBytes', 'axes'],
];
const OPTION_NAMES = ['resolution', 'channels', ...OPTION_NAMES_BUT_SHAPE];

/** Nodes of the longest axis: float32 coordinates tell them apart. */
const MAX_AXIS = 2 ** 24;
/** Of decoded rows, by default: 256 nodes of 64×64×4. */
const CACHE_BYTES = 16 * 2 ** 20;
/** Cells of the largest grid: its int32 index must stay addressable by every backend. */
const MAX_CELLS = 2 ** 28;

export const MIXED_NAMES: readonly string[] = ['mixed', 'autoCompress'];

/** @param mixed whether the cube is one of mixed resolutions. */
export function checkOptions(
  width: number,
  height: number,
  depth: number,
  options: MatrixOptions & MixedOptions,
  mixed: boolean,
): Settings {
  checkOptionNames('WavetableMatrix', options, mixed ? [...OPTION_NAMES, ...MIXED_NAMES] : OPTION_NAMES);
  check(
    [options.mixed ?? true, options.autoCompress ?? true].every((value) => typeof value === 'boolean') &&
      options.mixed !== (false as boolean),
    () =>
      new ArgumentError(
        'WavetableMatrix: autoCompress must be a boolean, and mixed true, got ' +
          `${shown(options.autoCompress)}, ${shown(options.mixed)}`,
      ),
  );
  if (typeof options.boundary === 'object')
    checkOptionNames('WavetableMatrix: boundary', options.boundary, ['x', 'y', 'z']);
  checkOptionNames('WavetableMatrix: periodic', options.periodic ?? {}, ['h', 'w']);
  const dims: [number, number, number] = [width, height, depth];
  check(
    dims.every(isCount),
    () =>
      new ArgumentError(
        `WavetableMatrix: width, height, depth must be positive integers, got ${dims.map(shown).join(', ')}`,
      ),
  );
  check(
    dims.every((n) => n <= MAX_AXIS),
    () =>
      new ArgumentError(`WavetableMatrix: an axis has at most ${MAX_AXIS} nodes, got ${dims.join(' × ')}`),
  );
  const cells = width * height * depth;
  check(
    cells <= MAX_CELLS,
    () =>
      new ArgumentError(
        `WavetableMatrix: a grid has at most ${MAX_CELLS} cells, got ${dims.join(' × ')} = ${cells}`,
      ),
  );
  const channels = options.channels ?? 4;
  check(
    isCount(channels),
    () => new ArgumentError(`WavetableMatrix: channels must be a positive integer, got ${shown(channels)}`),
  );
  const b = options.boundary ?? 'clamp';
  const boundary = (typeof b === 'string' ? [b, b, b] : [b.x ?? 'clamp', b.y ?? 'clamp', b.z ?? 'clamp']).map(
    (name) => oneOf('boundary', name, BOUNDARIES),
  ) as Settings['boundary'];
  const stated = options.axes ?? {};
  checkOptionNames('WavetableMatrix: axes', stated, ['x', 'y', 'z']);
  const axes = (['x', 'y', 'z'] as const).map((name, j) =>
    stated[name] === undefined ? null : checkAxis(name, dims[j], stated[name], boundary[j]),
  ) as Settings['axes'];
  const settings: Settings = {
    dims,
    resolution: resolutionPair('WavetableMatrix', options.resolution ?? 512),
    channels,
    dtype: oneOf('dtype', options.dtype ?? 'float32', ['float32', 'float16'] as const),
    sparse: options.sparse ?? true,
    boundary,
    axes,
    missing: oneOf('missing', options.missing ?? 'zero', ['zero', 'renormalize', 'error'] as const),
    trainable: options.trainable ?? false,
    blend: oneOf('blend', options.blend ?? 'linear', ['linear', 'nlerp'] as const),
    periodic: { h: options.periodic?.h ?? false, w: options.periodic?.w ?? false },
    pageBytes: options.pageBytes,
    compression: compressionOf(options.compression),
    cacheBytes: options.cacheBytes ?? CACHE_BYTES,
    mixed,
    autoCompress: false,
  };
  settings.autoCompress = mixed ? (options.autoCompress ?? true) : settings.compression !== null;
  check(
    Number.isFinite(settings.cacheBytes) && settings.cacheBytes >= 0,
    () =>
      new ArgumentError(`WavetableMatrix: cacheBytes must not be negative, got ${shown(options.cacheBytes)}`),
  );
  check(
    !(settings.trainable && settings.dtype === 'float16'),
    () =>
      new ArgumentError(
        'WavetableMatrix: float16 nodes cannot be trained; use dtype float32, or trainable: false',
      ),
  );
  check(
    settings.blend === 'linear' || channels === 4,
    () => new ArgumentError(`WavetableMatrix: blend 'nlerp' needs 4 channels [X, Y, Z, W], got ${channels}`),
  );
  check(
    settings.pageBytes === undefined || (Number.isFinite(settings.pageBytes) && settings.pageBytes >= 4),
    () => new ArgumentError(`WavetableMatrix: pageBytes must be at least 4, got ${settings.pageBytes}`),
  );
  return settings;
}

function compressionOf(compression: MatrixOptions['compression']): Settings['compression'] {
  if (compression === undefined || compression === null) return null;
  const { method, quality = 0.95 } = typeof compression === 'string' ? { method: compression } : compression;
  if (typeof compression === 'object') {
    checkOptionNames('WavetableMatrix: compression', compression, ['method', 'quality']);
  }
  methodOf('WavetableMatrix: compression', method);
  checkQuality('WavetableMatrix: compression', quality);
  // A copy, which the caller cannot change.
  return { method, quality: structuredClone(quality) };
}

export const boundaryCodes = (settings: Settings): [number, number, number] =>
  settings.boundary.map(boundaryCode) as [number, number, number];
