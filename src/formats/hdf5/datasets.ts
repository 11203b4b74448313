/** The nodes of a cube in a file, on their way out of it. */
import { readContainer } from '../../codecs/container.js';
import { check, FormatError } from '../../errors.js';
import type { NodeShape } from '../../grid/bank.js';
import type { CubeContents, LostNode } from '../../grid/files/contents.js';
import type { ReadOptions } from '../../grid/files/persistence.js';
import type { StoredNode } from '../../grid/files/storednodes.js';
import { isSame } from '../../grid/store.js';
import { checksumOf, datasetPath, type IndexEntry, type NodeType, type Place } from './layout.js';
import { type Level, lostNode, RECOVER } from './levels.js';
import type { ReadFile } from './readfile.js';
import type { Listed } from './walk.js';

/** Nodes that are handed over at once: enough of them that the way there costs little. */
const BATCH_BYTES = 8 * 2 ** 20;

export class Datasets {
  readonly lost: LostNode[];
  readonly #entries: readonly (IndexEntry | Listed)[];
  readonly #lostNodes = new Set<string>();

  constructor(
    readonly file: ReadFile,
    readonly level: Level,
    listed: { entries: readonly (IndexEntry | Listed)[]; lost: LostNode[] },
    readonly hasChecksums: boolean,
    readonly options: ReadOptions,
  ) {
    this.#entries = listed.entries;
    this.lost = listed.lost;
    for (const { x, y, z, tangent } of listed.lost) if (!tangent) this.#lostNodes.add(`${x} ${y} ${z}`);
  }

  get count(): number {
    return this.#entries.length;
  }

  expected(): CubeContents['expected'] {
    const expected: { shape: NodeShape; count: number; tangent?: 'x' | 'y' | 'z' }[] = [];
    for (const { type, shape, tangent } of this.#entries) {
      if (type === 'container') continue;
      const known = expected.findLast((one) => one.tangent === tangent && isSame(one.shape, shape));
      if (known) known.count++;
      else expected.push({ shape, count: 1, ...(tangent && { tangent }) });
    }
    return expected;
  }

  async *nodes(): AsyncGenerator<StoredNode[]> {
    try {
      let batch: StoredNode[] = [];
      let batchBytes = 0;
      for (const entry of this.#entries) {
        const node = this.#recovered(entry);
        if (!node) continue;
        batch.push(node);
        batchBytes += 'compressed' in node ? node.compressed.length : node.values.byteLength;
        if (batchBytes < BATCH_BYTES) continue;
        yield batch;
        this.options.signal?.throwIfAborted();
        [batch, batchBytes] = [[], 0];
      }
      if (batch.length > 0) yield batch;
    } finally {
      this.dispose();
    }
  }

  dispose(): void {
    this.file.close();
  }

  #recovered(entry: IndexEntry | Listed): StoredNode | null {
    const { x, y, z, tangent } = entry;
    const key = `${x} ${y} ${z}`;
    try {
      check(
        !tangent || !this.#lostNodes.has(key),
        () =>
          new FormatError(this.file.name, `node (${x}, ${y}, ${z}): its node is lost, so it is of no use`),
      );
      return this.#read(entry);
    } catch (error) {
      if (!this.options.recover || !(error instanceof FormatError)) throw error;
      this.lost.push(lostNode(this.file.name, this.level, entry, error));
      if (!tangent) this.#lostNodes.add(key);
      return null;
    }
  }

  #read(entry: IndexEntry | Listed): StoredNode {
    if ('offset' in entry) {
      const path = datasetPath(this.level.folder, entry, entry.type);
      const bytes = this.file.bytes.subarray(entry.offset, entry.offset + entry.sizeBytes);
      if (checksumOf(path, entry.type, shapeOf(entry.type, entry.shape, bytes), bytes) === entry.crc) {
        return stored(entry, entry.type, entry.shape, bytes);
      }
      // Other programs that write a file anew may have moved it; HDF5 knows where to.
      return this.#readDataset(entry, entry.type, entry.shape, path, entry.offset);
    }
    return this.#readDataset(entry, entry.type, entry.shape, entry.dataset.path);
  }

  #readDataset(place: Place, type: NodeType, shape: NodeShape, path: string, indexed?: number): StoredNode {
    const { x, y, z } = place;
    const { name } = this.file;
    let offset = indexed || undefined;
    const fail = (why: string, cause?: unknown) =>
      new FormatError(name, `node (${x}, ${y}, ${z}): ${why}${RECOVER}`, { cause, offset, node: [x, y, z] });
    try {
      const dataset = this.file.dataset(path);
      const isWhole = type === 'container' || isSame(dataset.shape as unknown as NodeShape, shape);
      check(isWhole && dataset.sizeBytes > 0, () => fail(`${path} is not what the index says`));
      const read = this.file.read(dataset);
      offset = read.offset ?? offset;
      if (this.options.verify !== false) {
        if (this.hasChecksums) {
          const crc = checksumOf(path, type, shapeOf(type, shape, read.bytes), read.bytes);
          check(this.file.checksum(path) === crc, () =>
            fail(`${path} is damaged: its CRC-32C does not match`),
          );
        } else if (type === 'container') {
          readContainer(read.bytes, `${name}:${path}`);
        }
      }
      return stored(place, type, shape, read.bytes);
    } catch (error) {
      if (!(error instanceof FormatError) || error.node) throw error;
      throw fail(error.message.replace(`${name}: `, ''), error);
    }
  }
}

/** The shape of the dataset that holds a node. */
const shapeOf = (type: NodeType, shape: NodeShape, bytes: Uint8Array): readonly number[] =>
  type === 'container' ? [bytes.length] : shape;

function stored(
  { x, y, z, tangent }: Place,
  type: NodeType,
  shape: NodeShape,
  bytes: Uint8Array,
): StoredNode {
  if (type === 'container') return { x, y, z, compressed: bytes };
  const Values = type === 'float16' ? Uint16Array : Float32Array;
  const { BYTES_PER_ELEMENT: size } = Values;
  // Floats lie at multiples of their size; where they do not in the file, in a copy.
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const values = new Values(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.length / size);
  return { x, y, z, shape, values, ...(tangent && { tangent }) };
}
