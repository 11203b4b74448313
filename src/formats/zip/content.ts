/** The bytes of entries, read in ranges of neighbours: stored ones as views of what was read, deflated ones inflated one by one. */
import { inflateSync } from 'fflate';
import { crc32 } from '../../checksum.js';
import { check, FormatError } from '../../errors.js';
import type { Source } from '../../grid/files/bytestream.js';
import {
  checkEntry,
  DEFLATED,
  DESCRIPTOR,
  entryError,
  LOCAL_BYTES,
  localHeader,
  STORED,
  WIDE16,
  type ZipEntry,
} from './records.js';

export interface ContentOptions {
  verify: boolean;
  signal?: AbortSignal;
}

/** Bytes of a range, packed and unpacked, that is read at once. */
const RANGE_BYTES = 8 * 2 ** 20;
/** Bytes of no use that are read rather than begin a range anew. */
const GAP_BYTES = 64 * 1024;
/** Ranges begin at multiples, so that what is aligned in the file is where it was read to. */
const ALIGNMENT = 64;

/** Where the bytes of an entry are. How long its local header is, is not known before, so some bytes too many may be read. */
function extentOf({ offset, start, packedBytes, limit }: ZipEntry): { from: number; to: number } {
  if (start !== undefined) return { from: start, to: start + packedBytes };
  // The name and the extra fields of a local header have at most 65,535 bytes each.
  return { from: offset, to: Math.min(limit, offset + LOCAL_BYTES + 2 * WIDE16 + packedBytes) };
}

/** What came of an entry: its bytes, or why there are none. */
export type Content<Entry> = { entry: Entry; bytes: Uint8Array } | { entry: Entry; error: FormatError };

/** Reads ranges into one memory, where the source can: each is good until the next is read. */
function rangeReader(
  source: Source,
  signal?: AbortSignal,
): (from: number, length: number) => Promise<Uint8Array> {
  let memory: Uint8Array | undefined;
  return async (from, length) => {
    if (!source.readInto || length > RANGE_BYTES + ALIGNMENT || source.sizeBytes < 2 * RANGE_BYTES) {
      return source.read(from, length, signal);
    }
    memory ??= new Uint8Array(RANGE_BYTES + ALIGNMENT);
    const range = memory.subarray(0, length);
    await source.readInto(from, range, signal);
    return range;
  };
}

/**
 * The contents of entries, in batches, in their order, each good until the next; damage is an error beside the others.
 * @throws what reading the source throws.
 */
export async function* readContents<Entry extends ZipEntry>(
  source: Source,
  entries: readonly Entry[],
  { verify, signal }: ContentOptions,
): AsyncGenerator<Content<Entry>[]> {
  const rangeOf = rangeReader(source, signal);
  for (let i = 0; i < entries.length; ) {
    const first = extentOf(entries[i]).from;
    const batch: Entry[] = [];
    let last = first;
    let unpacked = 0;
    for (; i < entries.length; i++) {
      const { from, to } = extentOf(entries[i]);
      const bytes = entries[i].method === DEFLATED ? entries[i].bytes : 0;
      const apart = from < first || from > last + GAP_BYTES;
      const all = Math.max(last, to) - first + unpacked + bytes;
      if (batch.length > 0 && (apart || all > RANGE_BYTES)) break;
      batch.push(entries[i]);
      last = Math.max(last, to);
      unpacked += bytes;
    }
    const begin = first - (first % ALIGNMENT);
    const range = await rangeOf(begin, last - begin);
    yield batch.map((entry): Content<Entry> => {
      try {
        const { from, to } = extentOf(entry);
        const own = range.subarray(from - begin, to - begin);
        const data = entry.start === undefined ? dataOf(source.name, own, entry) : own;
        return { entry, bytes: unpack(source.name, data, entry, verify) };
      } catch (error) {
        if (error instanceof FormatError) return { entry, error };
        throw error;
      }
    });
  }
}

/** The packed data behind a local header, which must say what the directory does. */
function dataOf(source: string, bytes: Uint8Array, entry: ZipEntry): Uint8Array {
  const local = localHeader(bytes, entry.offset);
  check(local?.start !== undefined, () => entryError(source, entry, 'is not where the directory says'));
  const deferred = (local.flags & DESCRIPTOR) !== 0;
  const same = (['crc', 'packedBytes', 'bytes'] as const).every(
    (key) => local[key] === entry[key] || (deferred && local[key] === 0),
  );
  check(
    local.name === entry.name && local.method === entry.method && local.flags === entry.flags && same,
    () => entryError(source, entry, 'has a header that is not what the directory says'),
  );
  check(local.start + entry.packedBytes <= entry.limit, () =>
    entryError(source, entry, 'overlaps what follows it'),
  );
  const from = local.start - entry.offset;
  return bytes.subarray(from, from + entry.packedBytes);
}

/** The bytes of an entry. @throws FormatError where they are not what the entry claims. */
export function unpack(source: string, data: Uint8Array, entry: ZipEntry, verify: boolean): Uint8Array {
  checkEntry(source, entry);
  check(data.length >= entry.packedBytes, () => entryError(source, entry, 'runs over the end'));
  const packed = data.subarray(0, entry.packedBytes);
  const bytes = entry.method === STORED ? packed : inflated(source, packed, entry);
  check(bytes.length === entry.bytes && (!verify || crc32(bytes) === entry.crc), () =>
    entryError(source, entry, 'is damaged: its checksum does not match'),
  );
  return bytes;
}

function inflated(source: string, packed: Uint8Array, entry: ZipEntry): Uint8Array {
  try {
    return inflateSync(packed, { out: new Uint8Array(entry.bytes) });
  } catch (cause) {
    throw entryError(source, entry, 'is damaged: it cannot be inflated', cause);
  }
}
