/** Small cubes and hierarchies that together use everything a file has to keep: what each format is tried on. */
import type * as tf from '@tensorflow/tfjs';
import { OWN_CODECS } from '../../src/codecs/own.js';
import {
  type MatrixOptions,
  MultiResolutionWavetableMatrix,
  OctaveHierarchy,
  WavetableMatrix,
} from '../../src/index.js';
import type { Saved } from './contents.js';
import { giveTangents, makeCube, place } from './cubes.js';
import { smooth } from './fields.js';
import { random, randomArray } from './numbers.js';
import { filled } from './octaves.js';

export { expectSameContents } from './contents.js';

export interface FormatCase {
  name: string;
  /** What a format must be able to keep, for those that keep only some. */
  has: readonly ('compressed' | 'mixed' | 'tangents' | 'octaves' | 'gaps')[];
  /** The caller's to dispose. */
  make(): Promise<Saved>;
}

const DTYPES = ['float32', 'float16'] as const;

/** Metadata as users have it, and as they should not. */
export const METADATA: Record<string, unknown> = {
  note: 'ünïcode 🎛️ \u2028 "quoted" \\ \0',
  键: ['', null, true, -1.5e-300, 2 ** 53],
  nested: { list: [[], [[1, [2, [3]]]], {}], deep: { deeper: { deepest: 'x' } } },
  constructor: 'a word like others',
  fromJson: JSON.parse('{"__proto__": {"polluted": true}, "toString": 1}'),
};

/** Words that arithmetic would change: NaN with payloads, −0, ±∞, numbers below the normal ones. */
const WORDS = {
  float32: [
    ...[0x7fc00000, 0x7fc12345, 0xffc54321, 0x80000000, 0, 0x7f800000, 0xff800000],
    ...[0x00000001, 0x807fffff, 0x7f7fffff, 0x3f800000, 0x42280000],
  ],
  float16: [0x7e00, 0x7e55, 0xfe01, 0x8000, 0, 0x7c00, 0xfc00, 0x0001, 0x83ff, 0x7bff, 0x3c00, 0x5140],
};

function special(dtype: 'float32' | 'float16'): WavetableMatrix {
  const cube = new WavetableMatrix(2, 1, 2, { resolution: [2, 3], channels: 2, dtype });
  const words = WORDS[dtype];
  const values =
    dtype === 'float32' ? new Float32Array(Uint32Array.from(words).buffer) : Uint16Array.from(words);
  cube.restoreNodes([
    { x: 1, y: 0, z: 0, shape: [2, 3, 2], values },
    { x: 0, y: 0, z: 1, shape: [2, 3, 2], values: values.slice().reverse() },
  ]);
  return cube;
}

/** A dense node and one of a codec, on each backend the same bytes. */
async function compressed(method: string, options: MatrixOptions, exact: boolean): Promise<WavetableMatrix> {
  const cube = new WavetableMatrix(2, 1, 2, { resolution: [7, 9], channels: 2, ...options });
  cube.setNode(0, 0, 0, smooth([7, 9, 2]).values);
  cube.setNode(1, 0, 1, smooth([7, 9, 2], 0.5).values);
  await cube.compressNode(1, 0, 1, { method, quality: exact ? 1 : 0.6 });
  return cube;
}

/** Parameters that training changed: they are no longer what the codec wrote. */
async function trained(method: string): Promise<WavetableMatrix> {
  const cube = await compressed(method, { trainable: true }, false);
  for (const variable of cube.trainableVariables()) {
    const moved = variable.mul(1.25) as tf.Tensor;
    variable.assign(moved);
    moved.dispose();
  }
  return cube;
}

function mixed(dtype: 'float32' | 'float16'): WavetableMatrix {
  const cube = new MultiResolutionWavetableMatrix(3, 2, 1, {
    resolution: [2, 3],
    channels: 2,
    dtype,
    autoCompress: false,
    metadata: METADATA,
  });
  const next = random(4);
  for (const [i, resolution] of [
    [2, 3],
    [1, 1],
    [5, 2],
    [1, 7],
    [5, 2],
  ].entries()) {
    const at = place([3, 2, 1], i);
    cube.setNode(...at, randomArray(resolution[0] * resolution[1] * 2, next), {
      resolution: resolution as [number, number],
    });
  }
  return cube;
}

async function mixedSettled(): Promise<WavetableMatrix> {
  const cube = new MultiResolutionWavetableMatrix(2, 2, 1, { resolution: [8, 8], channels: 1 });
  cube.setNode(0, 0, 0, smooth([16, 12, 1]).values, { resolution: [16, 12] });
  cube.setNode(1, 1, 0, smooth([8, 8, 1]).values);
  cube.setNode(0, 1, 0, randomArray(9, random(2)), { resolution: 3, autoCompress: false });
  await cube.settle();
  return cube;
}

function withTangents(dtype: 'float32' | 'float16'): WavetableMatrix {
  const made = makeCube({ dims: [2, 2, 2], dtype, missingPart: 0.3 });
  giveTangents(made);
  return made.cube;
}

function someTangents(): WavetableMatrix {
  const { cube } = makeCube({ dims: [3, 1, 1], metadata: METADATA });
  cube.setTangents(1, 0, 0, { x: randomArray(12, random(8)) });
  return cube;
}

function octaves(basis: 'levels' | 'laplacian', dtype: 'float32' | 'float16'): OctaveHierarchy {
  const made = new OctaveHierarchy(4, 3, 2, {
    octaveLevels: [-1, 0, 2],
    gridScale: 2,
    resolution: 1,
    channels: 3,
    basis,
    dtype,
    metadata: METADATA,
    boundary: { x: 'wrap', y: 'reflect', z: 'clamp' },
    octaves: { 2: { channels: 1, grid: [4, 3, 2] }, [-1]: { offset: 'none' } },
    ...(basis === 'laplacian' && { offset: 'half-cell' as const, trainable: dtype === 'float32' }),
  });
  filled(made);
  return made;
}

/** Levels of growing nodes, one of them compressed, one empty, on axes of the user's. */
async function octavesOfNodes(): Promise<OctaveHierarchy> {
  const made = new OctaveHierarchy(2, 1, 1, {
    octaveLevels: [-3, 0, 1],
    baseResolution: [1, 16],
    channels: 1,
    axes: { x: [0, 0.1] },
    octaves: { 0: { compression: 'dct' } },
  });
  const row = made.getMatrix(-3).resolution[1];
  made.getMatrix(-3).setNode(0, 0, 0, randomArray(row, random(5)));
  made.getMatrix(0).setNode(1, 0, 0, smooth([1, 16, 1]).values);
  for (const octave of made.octaves) await made.getMatrix(octave).settle();
  return made;
}

const AXES: MatrixOptions = {
  boundary: { x: 'wrap', y: 'reflect', z: 'extrapolate' },
  axes: {
    x: { positions: [-3, -0.1, 1 / 3], trainable: true, period: 5 },
    y: { min: 1e-3, max: 20_000 },
    z: [0, 0.5],
  },
};

const cube = (options: Parameters<typeof makeCube>[0]) => async () => makeCube(options).cube;

/** In each of them the nodes are few and small: all files together have some hundred kilobytes. */
export const FORMAT_CASES: readonly FormatCase[] = [
  ...DTYPES.flatMap((dtype): FormatCase[] => [
    { name: `${dtype}, sparse`, has: ['gaps'], make: cube({ dtype, missingPart: 0.5, metadata: METADATA }) },
    { name: `${dtype}, dense`, has: [], make: cube({ dtype, sparse: false, dims: [2, 3, 2] }) },
    {
      name: `${dtype}, odd sizes`,
      has: [],
      make: cube({ dtype, dims: [2, 2, 1], resolution: [1, 3], channels: 1 }),
    },
    {
      name: `${dtype}, NaN payloads, −0, ±∞, subnormal numbers`,
      has: ['gaps'],
      make: async () => special(dtype),
    },
    { name: `${dtype}, resolutions of nodes’ own`, has: ['mixed', 'gaps'], make: async () => mixed(dtype) },
    { name: `${dtype}, tangents`, has: ['tangents', 'gaps'], make: async () => withTangents(dtype) },
    { name: `${dtype}, octaves in levels`, has: ['octaves'], make: async () => octaves('levels', dtype) },
    { name: `${dtype}, octaves, laplacian`, has: ['octaves'], make: async () => octaves('laplacian', dtype) },
    ...OWN_CODECS.map(
      (codec): FormatCase => ({
        name: `${dtype}, '${codec.id}'`,
        has: ['compressed', 'gaps'],
        make: () => compressed(codec.id, { dtype }, codec.takesNonFinite),
      }),
    ),
  ]),
  ...['gaussian', 'dct'].map(
    (method): FormatCase => ({
      name: `trained parameters of '${method}'`,
      has: ['compressed', 'gaps'],
      make: () => trained(method),
    }),
  ),
  {
    name: 'zeros for what was not set',
    has: [],
    make: async () => new WavetableMatrix(2, 2, 1, { resolution: 2, sparse: false }),
  },
  { name: 'no node', has: ['gaps'], make: async () => new WavetableMatrix(3, 2, 1, { metadata: METADATA }) },
  { name: 'one node', has: [], make: cube({ dims: [1, 1, 1] }) },
  { name: 'axes of one node', has: [], make: cube({ dims: [1, 5, 1] }) },
  { name: 'axes with positions', has: [], make: cube({ dims: [3, 2, 2], ...AXES }) },
  { name: 'trainable, in several pages', has: [], make: cube({ trainable: true, pageBytes: 100 }) },
  { name: 'tangents of some nodes', has: ['tangents'], make: async () => someTangents() },
  {
    name: 'resolutions and codecs that settling chose',
    has: ['mixed', 'compressed', 'gaps'],
    make: mixedSettled,
  },
  { name: 'octaves of growing nodes', has: ['octaves', 'compressed', 'gaps'], make: octavesOfNodes },
  {
    name: 'every option',
    has: ['gaps'],
    make: cube({
      ...{ dims: [2, 2, 2], channels: 4, missingPart: 0.2, seed: 3, cacheBytes: 12_345 },
      ...{ missing: 'renormalize', blend: 'nlerp', periodic: { h: false, w: true } },
      boundary: { x: 'zero', y: 'error', z: 'wrap' },
    }),
  },
  {
    name: 'a compression for nodes to come',
    has: [],
    make: async () =>
      new WavetableMatrix(2, 1, 1, {
        resolution: 4,
        channels: 1,
        compression: { method: 'dct', quality: { maxAbs: 0.125 } },
      }),
  },
];
