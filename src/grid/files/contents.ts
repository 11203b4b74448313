/**
 * What a file holds of a cube or a hierarchy: the one currency between the grid, which takes it apart and puts it together, and the
 * formats, which turn it into bytes and back. Everything but the nodes is there at once; nodes come in batches, so that neither side
 * ever holds them all.
 *
 *     cube ── contents() ──▶ CubeContents ── format.write ──▶ Sink        (save, toBytes)
 *     cube ◀── cubeFrom ──── CubeContents ◀── format.read ─── Source      (load, fromBytes)
 */
import type { NodeShape } from '../bank.js';
import type { StoredHierarchy } from '../octaves/stored.js';
import type { MatrixOptions, MixedOptions } from '../options.js';
import type { StoredNode } from './storednodes.js';

/** What a cube is made with, but for the user's metadata, which stand beside it, and pageBytes, which are the device's. */
export type CubeOptions = Omit<MatrixOptions & MixedOptions, 'metadata' | 'pageBytes'>;

export interface CubeContents {
  kind: 'cube';
  width: number;
  height: number;
  depth: number;
  options: CubeOptions;
  /** The user's own JSON. */
  metadata: Record<string, unknown>;
  /** Nodes and tangents in all. */
  count: number;
  /**
   * Dense nodes by their shape, tangents apart, where the file says so before it is read: room is made for them at once. A hint, which
   * the nodes need not bear out.
   */
  expected?: readonly { shape: NodeShape; count: number; tangent?: 'x' | 'y' | 'z' }[];
  /**
   * Nodes and tangents, each as its bank stores it; to be read once. A batch's values are good until the next one is asked for.
   * Reading to the end, or leaving the loop, gives back what they hold.
   */
  nodes: AsyncIterable<readonly StoredNode[]>;
  /** What could not be read, where the reader was told to recover; complete when the nodes have been read. */
  lost?: readonly LostNode[];
  /** Gives back what the nodes hold, where they are not read to their end. */
  dispose(): void;
}

export interface OctavesContents extends Omit<StoredHierarchy, 'levels'> {
  kind: 'octaves';
  /** Of each octave its cube, in the order of the file. Their nodes are to be read in this order. */
  levels: readonly { octave: number; shifted: readonly boolean[]; cube: CubeContents }[];
}

export type Contents = CubeContents | OctavesContents;

/** A node that a damaged file holds no more; of a hierarchy with its octave. */
export interface LostNode {
  x: number;
  y: number;
  z: number;
  octave?: number;
  /** Where it is not the node but its tangent along an axis. */
  tangent?: 'x' | 'y' | 'z';
  /** The file it would be in; of a cube of several files one of them. */
  file: string;
  /** Of its bytes there; absent where that is not known. */
  offset?: number;
  reason: string;
}

/** Gives back what contents hold. */
export function disposeContents(contents: Contents): void {
  if (contents.kind === 'cube') contents.dispose();
  else for (const { cube } of contents.levels) cube.dispose();
}
