/** Nodes of a file on their way into another one: read in parts, so that a cube larger than memory goes through. */

import type { NodeSource } from '../files/nodesource.js';
import type { StoredNode } from '../files/storednodes.js';

/** Of the file, what is asked for at once. */
const PART_BYTES = 8 * 2 ** 20;

/** Lists of entries, in the order given, that take about PART_BYTES in the file, one at least. */
export function* partsOf(
  { entries }: NodeSource,
  which: readonly number[],
  bytes = PART_BYTES,
): Generator<number[]> {
  let part: number[] = [];
  let size = 0;
  for (const number of which) {
    const { sizeBytes } = entries[number];
    if (part.length > 0 && size + sizeBytes > bytes) {
      yield part;
      part = [];
      size = 0;
    }
    part.push(number);
    size += sizeBytes;
  }
  if (part.length > 0) yield part;
}

/** @throws what reading them throws. */
export async function* streamed(source: NodeSource, which: readonly number[]): AsyncGenerator<StoredNode> {
  for (const part of partsOf(source, which)) {
    for await (const batch of source.read(part)) yield* batch;
  }
}
