/**
 * The records of a zip archive (PKWARE APPNOTE 6.3.10, 4.3): local headers, the directory and its ends, with zip64 where a count, a size
 * or an offset needs it. Little-endian.
 */
import { check, FormatError } from '../../errors.js';

export const LOCAL = 0x04034b50;
export const CENTRAL = 0x02014b50;
export const END = 0x06054b50;
export const END64 = 0x06064b50;
export const LOCATOR64 = 0x07064b50;

export const LOCAL_BYTES = 30;
export const CENTRAL_BYTES = 46;
export const END_BYTES = 22;
export const END64_BYTES = 56;
export const LOCATOR64_BYTES = 20;

/** What stands for a number that a zip64 record gives. */
export const WIDE16 = 0xffff;
export const WIDE32 = 0xffffffff;

export const STORED = 0;
export const DEFLATED = 8;

/** Names in UTF-8, beside the two bits that tell how hard deflate tried; a descriptor behind the data. */
export const UTF8 = 0x0800;
export const DESCRIPTOR = 0x0008;
const KNOWN_FLAGS = UTF8 | DESCRIPTOR | 0x0006;

/** What the directory, or a local header, says of an entry. */
export interface ZipEntry {
  name: string;
  flags: number;
  method: number;
  /** CRC-32 of the bytes, unsigned. */
  crc: number;
  packedBytes: number;
  bytes: number;
  /** Of its local header. */
  offset: number;
  /** Of its data, where that is known. */
  start?: number;
  /** Where it ends at the latest: what follows it begins. */
  limit: number;
  /** The place that it is about, for errors. */
  node?: readonly [number, number, number];
}

const HINT = '; { recover: true } reads what is not damaged';

/** What is wrong with an entry, and where. */
export function entryError(source: string, entry: ZipEntry, what: string, cause?: unknown): FormatError {
  const { name, offset, node } = entry;
  const message = `entry '${name}' at byte ${offset} ${what}${HINT}`;
  return new FormatError(source, message, { offset, node, cause });
}

/** An error's message, for the list of what is lost: without the way out, which was taken. */
export const reasonOf = ({ message }: Error): string => message.replace(HINT, '');

/**
 * Sizes and offset with those of the zip64 extra field in the place of all-ones.
 * @param extra the extra fields. @param wide the numbers as the record has them, in the field's order.
 * @throws FormatError for fields that do not fill `extra`, or a zip64 field without the numbers.
 */
export function widened(extra: Uint8Array, wide: readonly number[], fail: () => FormatError): number[] {
  if (wide.every((n) => n !== WIDE32)) return [...wide];
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  let at = 0;
  while (at + 4 <= extra.length) {
    const [id, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    check(at + 4 + length <= extra.length, fail);
    if (id === 1) {
      let next = at + 4;
      return wide.map((n) => {
        if (n !== WIDE32) return n;
        check(next + 8 <= at + 4 + length, fail);
        const value = Number(view.getBigUint64(next, true));
        next += 8;
        check(Number.isSafeInteger(value), fail);
        return value;
      });
    }
    at += 4 + length;
  }
  throw fail();
}

/** The name of an entry. @throws TypeError unless it is UTF-8. */
export const nameOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);

/** @throws FormatError for what this library does not read, or what cannot be. */
export function checkEntry(source: string, entry: ZipEntry): void {
  const { flags, method, bytes, packedBytes } = entry;
  const refuse = (holds: boolean, what: () => string) =>
    check(holds, () => entryError(source, entry, what()));
  refuse((flags & 0x2041) === 0, () => 'is encrypted, which this library does not read');
  refuse((flags & ~KNOWN_FLAGS) === 0, () => `has unknown flags 0x${flags.toString(16)}`);
  refuse(
    method === STORED || method === DEFLATED,
    () => `is packed by method ${method}; stored (0) and deflated (8) are known`,
  );
  refuse(
    method === DEFLATED || bytes === packedBytes,
    () => `is stored, and claims ${bytes} bytes in ${packedBytes}`,
  );
  // Deflate packs 1,032 to one at best: more is a lie, found before memory is asked for.
  refuse(
    bytes <= packedBytes * 1032 + 64,
    () => `cannot hold the ${bytes} bytes it claims in ${packedBytes}`,
  );
}

/**
 * A local header's own words, read from a view that begins at it.
 * @returns null where there is none, or it is cut short.
 */
export function localHeader(bytes: Uint8Array, offset: number): ZipEntry | null {
  if (bytes.length < LOCAL_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [nameBytes, extraBytes] = [view.getUint16(26, true), view.getUint16(28, true)];
  const headBytes = LOCAL_BYTES + nameBytes + extraBytes;
  if (view.getUint32(0, true) !== LOCAL || bytes.length < headBytes) return null;
  try {
    const name = nameOf(bytes.subarray(LOCAL_BYTES, LOCAL_BYTES + nameBytes));
    const extra = bytes.subarray(LOCAL_BYTES + nameBytes, headBytes);
    const sizes = [view.getUint32(22, true), view.getUint32(18, true)];
    const [size, packedBytes] = widened(extra, sizes, () => new FormatError(name, 'lacks its sizes'));
    return {
      name,
      flags: view.getUint16(6, true),
      method: view.getUint16(8, true),
      crc: view.getUint32(14, true),
      packedBytes,
      bytes: size,
      offset,
      start: offset + headBytes,
      limit: offset + headBytes + packedBytes,
    };
  } catch {
    return null;
  }
}
