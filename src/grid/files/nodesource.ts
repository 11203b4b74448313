/** Nodes that are in a file, and not in the cube that was opened from it: what there is of each, and how they are read. */

import type { NodeShape } from '../bank.js';
import type { StoredNode } from './storednodes.js';

/** A node, or a tangent of one, that a file holds. */
export interface StoredEntry {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly shape: NodeShape;
  /** The codec's id; null of a dense node. */
  readonly codec: string | null;
  /** Bytes that it takes in the file. */
  readonly sizeBytes: number;
  readonly tangent?: 'x' | 'y' | 'z';
}

/** Immutable: entries and what they read stay the same until it is closed. */
export interface NodeSource {
  /** What errors call it. */
  readonly name: string;
  readonly entries: readonly StoredEntry[];
  /**
   * Reads nodes, neighbouring ones in one go and several goes at once; in batches in any order.
   * @param which numbers into `entries`.
   * @throws FormatError for one that is damaged, which names file, offset and node; ChangedError where the file is another one now.
   */
  read(which: readonly number[], signal?: AbortSignal): AsyncIterable<readonly StoredNode[]>;
  /** A second holder of the same, to be closed by itself. */
  share(): NodeSource;
  close(): void;
}
