/** Payloads read, verified, and made nodes of. */
import { crc32c } from '../../checksum.js';
import { readContainer } from '../../codecs/container.js';
import { ChangedError, DisposedError, FormatError, WavecubeError } from '../../errors.js';
import type { Source } from '../../grid/files/bytestream.js';
import type { LostNode } from '../../grid/files/contents.js';
import type { StoredNode } from '../../grid/files/storednodes.js';
import { lostNode, nameOf, type PayloadFile, tangentOf } from './checkindex.js';
import { PayloadType } from './entries.js';
import type { Head } from './head.js';
import { inOrder, planRanges, type RangeLimits } from './ranges.js';

/** Where payloads are: the file itself is 0, shards are from 1 on. */
export interface PayloadFiles {
  /** All of them. */
  readonly files: readonly PayloadFile[];
  open(file: number, signal?: AbortSignal): Promise<Source>;
  /** Closes what it opened. */
  close?(): Promise<void>;
  /** Bytes that whole files are read by, where others than CHUNK_BYTES are good. */
  readonly chunkBytes?: number;
}

/** What is far away is read in few requests. */
export const CHUNK_BYTES = 4 * 2 ** 20;
/** What is read into the same memory again and again stays in the processor's cache. */
const NEAR_CHUNK_BYTES = 2 ** 20;

/** A file alone, without shards. @param sizeBytes of it that payloads lie in. */
export function oneFile(source: Source, sizeBytes: number): PayloadFiles {
  return {
    files: [{ name: source.name, sizeBytes }],
    open: async () => source,
    ...(source.readInto && { chunkBytes: NEAR_CHUNK_BYTES }),
  };
}

export interface PayloadReading extends RangeLimits {
  verify: boolean;
  /** Reads under way while nodes are used. */
  ahead: number;
  /** Whether nodes are used before the next ones are asked for: their memory is used again then. */
  reuse: boolean;
  signal?: AbortSignal;
  /** Takes what is damaged; without it that is an error. */
  lose?: (i: number, lost: LostNode) => void;
}

/** The nodes of these entries, a range at a time, in the order of files and offsets. */
export async function* readPayloads(
  head: Head,
  from: PayloadFiles,
  which: readonly number[],
  reading: PayloadReading,
): AsyncGenerator<StoredNode[]> {
  const { index } = head;
  const spans = which.map((i) => ({
    file: index.shard(i),
    offset: index.offset(i),
    bytes: index.sizeBytes(i),
  }));
  const ranges = planRanges(spans, reading);
  // One that is used, and those that are read meanwhile.
  const buffers: Uint8Array[] = [];
  const bufferFor = (k: number, bytes: number): Uint8Array => {
    const slot = k % (reading.ahead + 1);
    if ((buffers[slot]?.length ?? 0) < bytes) buffers[slot] = new Uint8Array(bytes);
    return buffers[slot].subarray(0, bytes);
  };
  const jobs = ranges.map(({ file, offset, bytes }, k) => async (signal: AbortSignal) => {
    try {
      const source = await from.open(file, signal);
      if (!reading.reuse || !source.readInto) return await source.read(offset, bytes, signal);
      const target = bufferFor(k, bytes);
      await source.readInto(offset, target, signal);
      return target;
    } catch (error) {
      // Damage costs what it hit; a file that is another one now, or a reader that was stopped, costs all.
      if (
        !reading.lose ||
        !(error instanceof WavecubeError) ||
        error instanceof ChangedError ||
        error instanceof DisposedError
      )
        throw error;
      return error;
    }
  });
  let next = 0;
  for await (const read of inOrder(jobs, reading.ahead, reading.signal)) {
    const { offset, parts } = ranges[next++];
    const nodes: StoredNode[] = [];
    for (const part of parts) {
      const i = which[part];
      const at = index.offset(i) - offset;
      const node =
        read instanceof Uint8Array
          ? nodeOf(
              head,
              from.files,
              i,
              read.subarray(at, at + index.sizeBytes(i)),
              reading.verify || !head.isIndexWhole,
            )
          : new FormatError(from.files[index.shard(i)].name, read.message, { cause: read });
      if (!(node instanceof WavecubeError)) nodes.push(node);
      else if (reading.lose) reading.lose(i, lostNode(head, from.files, i, node.message));
      else throw node;
    }
    if (nodes.length > 0) yield nodes;
  }
}

/** The node of an entry, or what is wrong with its payload. */
function nodeOf(
  head: Head,
  files: readonly PayloadFile[],
  i: number,
  bytes: Uint8Array,
  verify: boolean,
): StoredNode | FormatError {
  const { index } = head;
  const fail = (reason: string, cause?: unknown) => {
    const offset = index.offset(i);
    const what = `${nameOf(head, i)} at byte ${offset} ${reason}; { recover: true } reads the rest`;
    return new FormatError(files[index.shard(i)].name, what, { offset, node: index.place(i), cause });
  };
  if (verify && crc32c(bytes) !== index.crc(i)) return fail('is damaged: its CRC-32C does not match');
  const [x, y, z] = index.place(i);
  const shape = index.shape(i);
  if (index.type(i) === PayloadType.Container) {
    const said = head.metadata.codecs[index.codec(i) - 1];
    try {
      // The checksum that the index has is of the same bytes.
      const { codec, version, shape: own } = readContainer(bytes, 'its container', false);
      if (codec !== said.id || version !== said.version || own.some((n, k) => n !== shape[k])) {
        return fail(
          `holds [${own.join(', ')}] of '${codec}' ${version}, and the index says [${shape.join(', ')}] of '${said.id}' ${said.version}`,
        );
      }
    } catch (cause) {
      if (!(cause instanceof FormatError)) throw cause;
      return fail(`is damaged (${cause.message})`, cause);
    }
    return { x, y, z, compressed: bytes, verified: true };
  }
  const tangent = tangentOf(head, i);
  const isHalf = index.type(i) === PayloadType.Float16;
  // Payloads are aligned in files, and sources keep that; where one does not, a copy is.
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const values = isHalf
    ? new Uint16Array(buffer, byteOffset, length / 2)
    : new Float32Array(buffer, byteOffset, length / 4);
  return { x, y, z, shape, values, ...(tangent && { tangent }) };
}
