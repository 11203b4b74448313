/** What the golden files hold: cubes whose numbers every platform computes alike. */
import { MultiResolutionWavetableMatrix, OctaveHierarchy, WavetableMatrix } from '../../../src/index.js';

/** Multiples of 1/64 in [-2, 2), by a generator of its own, so that no other change moves them. */
function numbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 24) - 128) / 64;
  });
}

/** A parabola's hill on a slope, smooth enough for every codec. */
function hill(h: number, w: number, c: number, at: number): Float32Array {
  return Float32Array.from({ length: h * w * c }, (_, i) => {
    const [y, x, k] = [Math.floor(i / (w * c)), Math.floor(i / c) % w, i % c];
    return (Math.max(0, 16 - (x - at) ** 2 - (y - h / 2) ** 2) + k + x / 4) / 16;
  });
}

/** Dense, sparse in places, with axes and metadata. */
function dense(): WavetableMatrix {
  const cube = new WavetableMatrix(3, 2, 2, {
    resolution: [2, 3],
    channels: 2,
    axes: { x: { positions: [0, 1, 4], period: 6 }, y: { min: -1, max: 1 } },
    boundary: { x: 'wrap', y: 'reflect', z: 'clamp' },
    periodic: { w: true },
    missing: 'renormalize',
    metadata: { title: 'golden, ünïcode ∞', list: [1, 2.5, null] },
  });
  for (let i = 0; i < 12; i++) {
    if (i % 5 !== 4) cube.setNode(Math.floor(i / 4), Math.floor(i / 2) % 2, i % 2, numbers(12, i));
  }
  return cube;
}

/** Nodes of their own resolutions, dense and of every codec. */
async function mixed(): Promise<WavetableMatrix> {
  const cube = new MultiResolutionWavetableMatrix(3, 3, 1, { resolution: 8, channels: 1, autoCompress: false });
  const methods = [null, 'gaussian', 'dct', 'fft', 'wavelet', 'quantized', 'predictive', 'lossless', null];
  for (const [i, method] of methods.entries()) {
    const [h, w] = [6 + (i % 3), 8 + i];
    const place = [Math.floor(i / 3), i % 3, 0] as const;
    cube.setNode(...place, hill(h, w, 1, 2 + i / 2), { resolution: [h, w] });
    if (method) await cube.compressNode(...place, { method, quality: 0.6 });
  }
  return cube;
}

/** float16, dense in the other sense: places that were not set are zeros. */
function half(): WavetableMatrix {
  const cube = new WavetableMatrix(2, 2, 1, { resolution: [1, 5], channels: 1, dtype: 'float16', sparse: false });
  cube.setNode(0, 1, 0, Float32Array.of(0.5, -65504, 2 ** -24, 1 / 3, 7));
  cube.setNode(1, 0, 0, numbers(5, 77));
  return cube;
}

function tangents(): WavetableMatrix {
  const cube = new WavetableMatrix(2, 1, 2, { resolution: [1, 4], channels: 1 });
  for (let i = 0; i < 4; i++) {
    const place = [i >> 1, 0, i & 1] as const;
    cube.setNode(...place, numbers(4, 100 + i));
    cube.setTangents(...place, { x: numbers(4, 200 + i), ...(i > 0 && { z: numbers(4, 300 + i) }) });
  }
  return cube;
}

function octaves(): OctaveHierarchy {
  const made = new OctaveHierarchy(3, 2, 1, {
    octaveLevels: [-2, 0, 4],
    baseResolution: [1, 4],
    channels: 2,
    gridScale: 2,
    offset: 'half-cell',
    basis: 'laplacian',
    metadata: { of: 'all octaves' },
  });
  for (const octave of made.octaves) {
    const cube = made.getMatrix(octave);
    const [h, w] = cube.resolution;
    for (let x = 0; x < Math.min(3, cube.width); x++) cube.setNode(x, 0, 0, numbers(h * w * cube.channels, octave + 10 * x));
    cube.metadata = { of: octave };
  }
  return made;
}

export const CUBES: Record<string, () => WavetableMatrix | OctaveHierarchy | Promise<WavetableMatrix>> = {
  dense,
  mixed,
  half,
  tangents,
  octaves,
};

/** Files whose bytes every platform makes alike: those of no codec that fits. */
export const SAME_BYTES = ['dense', 'half', 'tangents', 'octaves'];

export interface Expected {
  size: number[];
  options: unknown;
  metadata: unknown;
  /** x, y, z → values, float32, as getNode gives them. */
  nodes: Record<string, { shape: number[]; values: number[] }>;
  tangents: Record<string, Record<string, number[]>>;
}

/** What a cube is, in numbers. */
export async function expectedOf(cube: WavetableMatrix): Promise<Expected> {
  const { width, height, depth, options, metadata } = cube;
  const nodes: Expected['nodes'] = {};
  const given: Expected['tangents'] = {};
  for (const [x, y, z] of cube.positions()) {
    const node = cube.getNode(x, y, z);
    nodes[`${x} ${y} ${z}`] = { shape: node.shape, values: [...(await node.data())] };
    node.dispose();
    const own = Object.entries(cube.getTangents(x, y, z));
    if (own.length > 0) given[`${x} ${y} ${z}`] = {};
    for (const [axis, tangent] of own) {
      given[`${x} ${y} ${z}`][axis] = [...(await tangent.data())];
      tangent.dispose();
    }
  }
  return { size: [width, height, depth], options, metadata, nodes, tangents: given };
}
