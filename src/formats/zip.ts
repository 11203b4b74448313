/**
 * Zip archives of .npy arrays: written by fflate, with the zip64 end record that it leaves out and that more than 65,535
 * entries need (PKWARE APPNOTE 4.3); read by the directory, checksums verified, inflated by fflate.
 */
import { inflateSync, type Zippable, zipSync } from 'fflate';
import { crc32 } from '../checksum.js';
import { check, FormatError } from '../errors.js';

const END_BYTES = 22;
const MAX_ENTRIES = 0xffff;
/** fflate's offsets are 32-bit. */
const MAX_BYTES = 2 ** 32 - 1;

/** @param deflate false: entries stored as they are. @throws FormatError above 4 GiB. */
export function zipArchive(entries: Record<string, Uint8Array>, deflate: boolean): Uint8Array {
  let bytes = 0;
  for (const [name, entry] of Object.entries(entries)) bytes += entry.length + 2 * name.length + 128;
  check(
    bytes < MAX_BYTES,
    () =>
      new FormatError(
        'npz',
        `a zip archive of ${bytes} bytes is too large (4 GiB at most); use float16, or fewer nodes`,
      ),
  );
  // A date that never changes makes the bytes a function of the cube alone.
  const archive = zipSync(entries as Zippable, { level: deflate ? 6 : 0, mtime: '1980-01-01T00:00:00' });
  const count = Object.keys(entries).length;
  return count >= MAX_ENTRIES ? withZip64End(archive, count) : archive;
}

/** Puts a zip64 end record and its locator in front of the plain end record. */
function withZip64End(archive: Uint8Array, count: number): Uint8Array {
  const end = archive.length - END_BYTES;
  const plain = new DataView(archive.buffer, archive.byteOffset + end, END_BYTES);
  const directoryBytes = plain.getUint32(12, true);
  const directoryStart = plain.getUint32(16, true);
  const out = new Uint8Array(archive.length + 76);
  out.set(archive.subarray(0, end));
  out.set(archive.subarray(end), end + 76);
  const view = new DataView(out.buffer, end);
  view.setUint32(0, 0x06064b50, true);
  view.setBigUint64(4, 44n, true);
  view.setUint16(12, 45, true);
  view.setUint16(14, 45, true);
  view.setBigUint64(24, BigInt(count), true);
  view.setBigUint64(32, BigInt(count), true);
  view.setBigUint64(40, BigInt(directoryBytes), true);
  view.setBigUint64(48, BigInt(directoryStart), true);
  view.setUint32(56, 0x07064b50, true);
  view.setBigUint64(64, BigInt(end), true);
  view.setUint32(72, 1, true);
  view.setUint16(76 + 8, MAX_ENTRIES, true);
  view.setUint16(76 + 10, MAX_ENTRIES, true);
  return out;
}

interface Entry {
  name: string;
  method: number;
  crc: number;
  packedBytes: number;
  bytes: number;
  /** Of its local header. */
  offset: number;
}

/**
 * The entries by name, each checked against its CRC-32, which fflate passes over.
 * @throws FormatError for what is not a whole archive.
 */
export function unzipArchive(bytes: Uint8Array, source: string): Record<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: Record<string, Uint8Array> = Object.create(null);
  try {
    for (const entry of directory(view)) {
      check(!(entry.name in out), () => new FormatError(source, `has two entries '${entry.name}'`));
      out[entry.name] = content(bytes, view, entry, source);
    }
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(
      source,
      `is no whole zip archive (${cause instanceof Error ? cause.message : cause})`,
      { cause },
    );
  }
  return out;
}

/** The central directory, through the zip64 end record if the counts overflow. Out of bounds is a RangeError. */
function* directory(view: DataView): Generator<Entry> {
  let end = view.byteLength - END_BYTES;
  while (view.getUint32(end, true) !== 0x06054b50) end--;
  let count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === MAX_ENTRIES && end >= 20 && view.getUint32(end - 20, true) === 0x07064b50) {
    const wide = Number(view.getBigUint64(end - 12, true));
    count = Number(view.getBigUint64(wide + 32, true));
    at = Number(view.getBigUint64(wide + 48, true));
  }
  const text = new TextDecoder('utf-8', { fatal: true });
  for (; count > 0; count--) {
    if (view.getUint32(at, true) !== 0x02014b50)
      throw new RangeError('a directory entry is not where it should be');
    const nameBytes = view.getUint16(at + 28, true);
    const skip = nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    const start = view.byteOffset + at + 46;
    if (at + 46 + nameBytes > view.byteLength) throw new RangeError('a name runs over the end');
    yield {
      name: text.decode(new Uint8Array(view.buffer, start, nameBytes)),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedBytes: view.getUint32(at + 20, true),
      bytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    };
    at += 46 + skip;
  }
}

function content(bytes: Uint8Array, view: DataView, entry: Entry, source: string): Uint8Array {
  const { name, method, packedBytes, offset } = entry;
  const fail = (what: string) => new FormatError(source, `entry '${name}' ${what}`);
  check(view.getUint32(offset, true) === 0x04034b50, () => fail('is not where the directory says'));
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  check(start + packedBytes <= bytes.length, () => fail('runs over the end'));
  check(method === 0 || method === 8, () =>
    fail(`is packed by method ${method}; stored and deflated are known`),
  );
  const packed = bytes.subarray(start, start + packedBytes);
  // Deflate packs 1,032 to one at best: more is a lie, found before memory is asked for.
  check(entry.bytes <= packedBytes * 1032 + 64, () => fail(`cannot hold the ${entry.bytes} bytes it claims`));
  const raw = method === 0 ? packed : inflateSync(packed, { out: new Uint8Array(entry.bytes) });
  check(raw.length === entry.bytes && crc32(raw) === entry.crc, () =>
    fail('is damaged: its checksum does not match'),
  );
  return raw;
}
