/** Nodes on their way into a cube: as they are given, and once they are checked. */
import type { CompressedWavetable } from '../codecs/compressed.js';
import type { NodeShape } from './bank.js';
import type { Resolution } from './options.js';
import { grouped, isSame, type PackedNode } from './store.js';
import type { Wavetable } from './wavetable.js';

/** A node that is to be set. `resolution` and `autoCompress` are of cubes of mixed resolutions. */
export interface GivenNode {
  /** What errors call it. */
  where: string;
  x: number;
  y: number;
  z: number;
  wavetable: Wavetable | CompressedWavetable;
  resolution?: Resolution;
  autoCompress?: boolean;
}

/** A node that the cube takes: dense, or packed. */
export interface CheckedNode {
  cell: number;
  shape: NodeShape;
  /** Whether settle() is to compress it. */
  compress: boolean;
  wavetable?: Wavetable;
  packed?: PackedNode;
}

/** Of nodes of the same cell the last one, whichever kind it is. */
export function lastOfEachCell(nodes: readonly CheckedNode[]): readonly CheckedNode[] {
  if (nodes.length < 2) return nodes;
  return [...new Map(nodes.map((node) => [node.cell, node])).values()];
}

type DenseNode = CheckedNode & { wavetable: Wavetable };

/** The dense ones in lists of one shape each. */
export function denseByShape(nodes: readonly CheckedNode[]): DenseNode[][] {
  const dense = nodes.filter((node): node is DenseNode => node.wavetable !== undefined);
  // A loop that sets nodes one by one would make keys for most of its time.
  if (dense.length > 0 && dense.every(({ shape }) => isSame(shape, dense[0].shape))) return [dense];
  return grouped(dense, ({ shape }) => String(shape));
}
