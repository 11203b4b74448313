/** The entries of an archive whose directory is damaged or missing, found by their local headers. */
import type { Source } from '../../grid/files/bytestream.js';
import { unpack } from './content.js';
import { DEFLATED, LOCAL_BYTES, localHeader, type ZipEntry } from './records.js';

const WINDOW_BYTES = 2 ** 20;
/** What is checksummed at most, in sizes of the file: headers that lie must not make it endless. */
const WORK = 4;

export interface Found {
  /** Whole: their checksum holds. */
  whole: ZipEntry[];
  /** Headers without their data, as far as they can be read. */
  damaged: ZipEntry[];
}

/**
 * @param wanted whether a name may be an entry's. @param maxBytes what packed entries may unpack to, in all.
 */
export async function scanEntries(
  source: Source,
  wanted: (name: string) => boolean,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<Found> {
  const { sizeBytes } = source;
  const found: Found = { whole: [], damaged: [] };
  let work = WORK * sizeBytes;
  let unpacked = maxBytes;
  let at = 0;
  let window: { from: number; bytes: Uint8Array } = { from: 0, bytes: new Uint8Array() };
  /** Bytes from `at` on, so many or those to the end; most of them in the window that is there. */
  const ahead = async (length: number): Promise<Uint8Array> => {
    const wanted = Math.min(length, sizeBytes - at);
    if (at < window.from || at + wanted > window.from + window.bytes.length) {
      const bytes = await source.read(at, Math.min(Math.max(length, WINDOW_BYTES), sizeBytes - at), signal);
      window = { from: at, bytes };
    }
    return window.bytes.subarray(at - window.from);
  };
  while (at + LOCAL_BYTES <= sizeBytes) {
    const rest = await ahead(LOCAL_BYTES);
    const next = signature(rest);
    if (next < 0) {
      // One may begin in the last three bytes.
      at += rest.length - 3;
      continue;
    }
    at += next;
    const fixed = await ahead(LOCAL_BYTES);
    const lengths = fixed.length < LOCAL_BYTES ? 0 : fixed[26] + fixed[28] + 256 * (fixed[27] + fixed[29]);
    const entry = localHeader(await ahead(LOCAL_BYTES + lengths), at);
    if (!entry?.start || !wanted(entry.name)) {
      at += 4;
      continue;
    }
    const { start, packedBytes, bytes, method } = entry;
    const costs = method === DEFLATED ? bytes : 0;
    const fits = start + packedBytes <= sizeBytes && costs <= unpacked && packedBytes + bytes <= work;
    if (fits) {
      work -= packedBytes + costs;
      if (await isWhole(source, entry, signal)) {
        unpacked -= costs;
        found.whole.push(entry);
        at = start + packedBytes;
        continue;
      }
    }
    found.damaged.push(entry);
    at += 4;
  }
  return found;
}

/** Where a local header's signature begins; −1: nowhere. */
function signature(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(0x50); at >= 0; at = bytes.indexOf(0x50, at + 1)) {
    if (bytes[at + 1] === 0x4b && bytes[at + 2] === 3 && bytes[at + 3] === 4) return at;
  }
  return -1;
}

async function isWhole(source: Source, entry: ZipEntry, signal?: AbortSignal): Promise<boolean> {
  const data = await source.read(entry.start!, entry.packedBytes, signal);
  try {
    unpack(source.name, data, entry, true);
    return true;
  } catch {
    return false;
  }
}
