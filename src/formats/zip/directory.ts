/** The directory of a zip archive, read strictly: every number is held against the file's size before it is used. */
import { check, FormatError } from '../../errors.js';
import type { Source } from '../../grid/files/bytestream.js';
import {
  CENTRAL,
  CENTRAL_BYTES,
  checkEntry,
  END,
  END_BYTES,
  END64,
  END64_BYTES,
  entryError,
  LOCAL_BYTES,
  LOCATOR64,
  LOCATOR64_BYTES,
  nameOf,
  WIDE16,
  WIDE32,
  widened,
  type ZipEntry,
} from './records.js';

export interface Directory {
  /** In the order of their offsets. */
  entries: ZipEntry[];
  /** Where it begins: all entries end before. */
  offset: number;
}

/** The longest comment there may be, and the records of the end. */
const TAIL_BYTES = 0xffff + END_BYTES + LOCATOR64_BYTES + END64_BYTES;

/**
 * @throws FormatError for an archive that is cut short, spread over several files, or whose records contradict each other; whose
 * entries overlap, or have one name.
 */
export async function readDirectory(source: Source, signal?: AbortSignal): Promise<Directory> {
  const { offset, sizeBytes, count } = await findDirectory(source, signal);
  const bytes = await source.read(offset, sizeBytes, signal);
  const entries = parseDirectory(source.name, bytes, offset, count);
  entries.sort((a, b) => a.offset - b.offset);
  const names = new Set<string>();
  for (const [i, entry] of entries.entries()) {
    checkEntry(source.name, entry);
    entry.limit = entries[i + 1]?.offset ?? offset;
    // What the local header adds is looked at when the entry is read.
    check(entry.offset + LOCAL_BYTES + entry.name.length + entry.packedBytes <= entry.limit, () =>
      entryError(source.name, entry, 'overlaps what follows it'),
    );
    check(!names.has(entry.name), () => entryError(source.name, entry, 'is there twice'));
    names.add(entry.name);
  }
  return { entries, offset };
}

interface Extent {
  offset: number;
  sizeBytes: number;
  count: number;
}

async function findDirectory(source: Source, signal?: AbortSignal): Promise<Extent> {
  const fail = (what: string, offset?: number) =>
    new FormatError(
      source.name,
      `is no whole zip archive: ${what}; { recover: true } reads what is not damaged`,
      { offset },
    );
  const length = Math.min(source.sizeBytes, TAIL_BYTES);
  const from = source.sizeBytes - length;
  const tail = await source.read(from, length, signal);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let at = length - END_BYTES;
  while (
    at >= 0 &&
    !(view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === length)
  )
    at--;
  check(at >= 0, () => fail('it does not end with the end of a directory, as if it were cut short'));
  const end = from + at;
  const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
  const counts = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  check(disks.every((n) => n === 0) && counts[0] === counts[1], () =>
    fail('it is one of several, which this library does not read', end),
  );
  const plain: Extent = {
    count: counts[0],
    sizeBytes: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
  const located = at >= LOCATOR64_BYTES && view.getUint32(at - LOCATOR64_BYTES, true) === LOCATOR64;
  check(located || (plain.sizeBytes !== WIDE32 && plain.offset !== WIDE32), () =>
    fail('it lacks the zip64 record that its size needs', end),
  );
  let stop = end;
  let extent = plain;
  if (located) {
    const wideAt = Number(view.getBigUint64(at - LOCATOR64_BYTES + 8, true)) - from;
    check(wideAt === at - LOCATOR64_BYTES - END64_BYTES && wideAt >= 0, () =>
      fail('its zip64 record is not where it should be', end),
    );
    extent = wideExtent(view, wideAt, plain, () =>
      fail('its zip64 record contradicts itself', from + wideAt),
    );
    stop = from + wideAt;
  }
  const { offset, sizeBytes, count } = extent;
  check(offset + sizeBytes === stop, () =>
    fail(`its directory of ${sizeBytes} bytes at byte ${offset} does not end at byte ${stop}`, end),
  );
  check(count * CENTRAL_BYTES <= sizeBytes, () =>
    fail(`its directory of ${sizeBytes} bytes cannot hold the ${count} entries it claims`, end),
  );
  return extent;
}

/** What the zip64 record says, which the plain one must not contradict. */
function wideExtent(view: DataView, at: number, plain: Extent, fail: () => FormatError): Extent {
  const wide = (offset: number) => Number(view.getBigUint64(at + offset, true));
  check(view.getUint32(at, true) === END64 && wide(4) === END64_BYTES - 12, fail);
  check(view.getUint32(at + 16, true) === 0 && view.getUint32(at + 20, true) === 0, fail);
  const [here, count, sizeBytes, offset] = [24, 32, 40, 48].map(wide);
  check([here, count, sizeBytes, offset].every(Number.isSafeInteger) && here === count, fail);
  const agrees = (narrow: number, full: number, ones: number) => narrow === ones || narrow === full;
  check(
    agrees(plain.count, count, WIDE16) &&
      agrees(plain.sizeBytes, sizeBytes, WIDE32) &&
      agrees(plain.offset, offset, WIDE32),
    fail,
  );
  return { offset, sizeBytes, count };
}

function parseDirectory(source: string, bytes: Uint8Array, offset: number, count: number): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: ZipEntry[] = [];
  let at = 0;
  const fail = () => {
    const place = `entry ${entries.length} of ${count}`;
    return new FormatError(
      source,
      `has a directory that is damaged at ${place}; { recover: true } reads what is not damaged`,
      { offset: offset + at },
    );
  };
  for (; entries.length < count; ) {
    check(at + CENTRAL_BYTES <= bytes.length && view.getUint32(at, true) === CENTRAL, fail);
    const nameAt = at + CENTRAL_BYTES;
    const extraAt = nameAt + view.getUint16(at + 28, true);
    const commentAt = extraAt + view.getUint16(at + 30, true);
    const next = commentAt + view.getUint16(at + 32, true);
    check(next <= bytes.length && view.getUint16(at + 34, true) === 0, fail);
    const wide = [
      view.getUint32(at + 24, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 42, true),
    ];
    const [size, packedBytes, start] = widened(bytes.subarray(extraAt, commentAt), wide, fail);
    let name: string;
    try {
      name = nameOf(bytes.subarray(nameAt, extraAt));
    } catch {
      throw fail();
    }
    entries.push({
      name,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedBytes,
      bytes: size,
      offset: start,
      limit: offset,
    });
    at = next;
  }
  check(at === bytes.length, fail);
  return entries;
}
