/** A float64 reference of blended octaves of 1×1 nodes, written from the documentation: nodes in their places, hats between octaves. */
import type { Boundary, OctaveHierarchy } from '../../src/index.js';
import { random, randomArray } from './numbers.js';
import { sampleOracle } from './oracle.js';

export interface ReferenceLevel {
  octave: number;
  dims: [number, number, number];
  /** Of each axis: where node 0 lies, and how far apart nodes are, in the hierarchy's index space. */
  origin: number[];
  cell: number[];
  /** By cell; changed by tests of gradients. */
  nodes: Float64Array[];
}

export interface Reference {
  hierarchy: OctaveHierarchy;
  boundary: [Boundary, Boundary, Boundary];
  channels: number;
  levels: ReferenceLevel[];
}

/** Fills a hierarchy of 1×1 nodes with seeded values. */
export function filled(hierarchy: OctaveHierarchy, boundary: Boundary = 'clamp', seed = 5): Reference {
  const next = random(seed);
  const levels = hierarchy.octaves.map((octave): ReferenceLevel => {
    const cube = hierarchy.getMatrix(octave);
    const dims: [number, number, number] = [cube.width, cube.height, cube.depth];
    const nodes: Float64Array[] = [];
    const list: [number, number, number, Float32Array][] = [];
    for (let x = 0; x < dims[0]; x++)
      for (let y = 0; y < dims[1]; y++)
        for (let z = 0; z < dims[2]; z++) {
          const node = randomArray(cube.channels, next);
          nodes.push(Float64Array.from(node));
          list.push([x, y, z, node]);
        }
    cube.setNodes(list);
    const origin = hierarchy.nodePosition(octave, 0, 0, 0);
    const second = hierarchy.nodePosition(
      octave,
      Math.min(1, dims[0] - 1),
      Math.min(1, dims[1] - 1),
      Math.min(1, dims[2] - 1),
    );
    return { octave, dims, origin, cell: second.map((p, j) => p - origin[j]), nodes };
  });
  return { hierarchy, boundary: [boundary, boundary, boundary], channels: hierarchy.channels, levels };
}

/** p as a boundary that ends at [0, n − 1] brings it there. */
function folded(p: number, n: number, boundary: Boundary): number {
  if (boundary === 'reflect') {
    const period = 2 * (n - 1);
    const m = n === 1 ? 0 : ((p % period) + period) % period;
    return Math.min(m, period - m);
  }
  return boundary === 'clamp' || boundary === 'error' ? Math.min(Math.max(p, 0), n - 1) : p;
}

/** [C] of one level, with no others. */
export function levelOracle(reference: Reference, level: ReferenceLevel, p: readonly number[]): Float64Array {
  const size = [reference.hierarchy.width, reference.hierarchy.height, reference.hierarchy.depth];
  const u = p.map((v, j) =>
    level.cell[j] === 0
      ? size[j] === 1
        ? v
        : 0
      : (folded(v, size[j], reference.boundary[j]) - level.origin[j]) / level.cell[j],
  );
  const payload = level.nodes[0].length;
  const out = sampleOracle(
    { dims: level.dims, payload, boundary: reference.boundary, node: (cell) => level.nodes[cell] },
    [u[0], u[1], u[2]],
  );
  return Float64Array.from({ length: reference.channels }, (_, c) => out[c] ?? 0);
}

export function blendOracle(reference: Reference, p: readonly number[], octave: number): Float64Array {
  const { levels, hierarchy, channels } = reference;
  const last = levels.length - 1;
  const o = Math.min(Math.max(octave, levels[0].octave), levels[last].octave);
  let below = 0;
  while (below < last - 1 && levels[below + 1].octave <= o) below++;
  const above = Math.min(below + 1, last);
  const span = levels[above].octave - levels[below].octave;
  const t = span === 0 ? 0 : (o - levels[below].octave) / span;
  const out = new Float64Array(channels);
  levels.forEach((level, j) => {
    let weight = j === below ? 1 - t : 0;
    if (j === above && span > 0) weight = t;
    if (hierarchy.basis === 'laplacian' && j <= below) weight = 1;
    if (weight === 0) return;
    levelOracle(reference, level, p).forEach((v, c) => {
      out[c] += weight * v;
    });
  });
  return out;
}
