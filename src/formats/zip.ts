/**
 * Zip archives of .npy arrays: fflate, and the zip64 end record that it leaves out, which more than 65,535 entries
 * need (PKWARE APPNOTE 4.3.14–4.3.16). Python's zipfile, and so numpy.load, reads both.
 */
import { unzipSync, type Zippable, zipSync } from 'fflate';
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

/** @throws FormatError for what is not a whole archive. */
export function unzipArchive(bytes: Uint8Array, source: string): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes);
  } catch (cause) {
    throw new FormatError(
      source,
      `is no whole zip archive (${cause instanceof Error ? cause.message : cause})`,
      { cause },
    );
  }
}
