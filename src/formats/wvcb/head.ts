/** The head of a .wvcb file: header, metadata and index, read and verified in one or two round trips. */
import { crc32c } from '../../checksum.js';
import { check, FormatError } from '../../errors.js';
import type { Source } from '../../grid/files/bytestream.js';
import type { ReadOptions } from '../../grid/files/persistence.js';
import { indexBytes, NodeIndex, repaired } from './entries.js';
import {
  ALIGNMENT,
  checkVersion,
  decodeHeader,
  HEADER_BYTES,
  type Header,
  isWhole,
  type Region,
} from './header.js';
import { decodeMetadata, type Metadata } from './metadata.js';

export interface Head {
  /** What errors call the file. */
  name: string;
  header: Header;
  metadata: Metadata;
  index: NodeIndex;
  /** Whether the index is as it was written; else each entry must be looked at by its own checksum. */
  isIndexWhole: boolean;
  /** Bytes that there are of the file: fewer than the header says where it was cut short. */
  sizeBytes: number;
}

/** The first read: the whole head of a file of some hundred nodes. */
const FIRST_BYTES = 32 * 1024;
/** Index and metadata are read together across so many bytes. */
const GAP_BYTES = 64 * 1024;

/**
 * What checkIndex then goes through.
 * @throws FormatError for a damaged header without a whole copy, for damaged metadata, and unless `recover` for a damaged index and
 * for a file that is cut short.
 */
export async function readHead(source: Source, { recover = false, signal }: ReadOptions): Promise<Head> {
  const { name } = source;
  const first = await source.read(0, Math.min(FIRST_BYTES, source.sizeBytes), signal);
  const header = isWhole(first) ? decodeHeader(first, name) : await copyOf(source, first, signal);
  checkRegions(header, source, recover);
  const [indexPart, metadataPart] = await regions(source, [header.index, header.metadata], first, signal);
  check(
    crc32c(metadataPart) === header.metadataCrc,
    () =>
      new FormatError(
        name,
        `has damaged metadata at byte ${header.metadata.offset}: their CRC-32C does not match`,
        {
          offset: header.metadata.offset,
        },
      ),
  );
  const isIndexWhole = crc32c(indexPart) === header.indexCrc;
  check(
    isIndexWhole || recover,
    () =>
      new FormatError(
        name,
        `has a damaged index at byte ${header.index.offset}: its CRC-32C does not match; { recover: true } reads the nodes whose entries are whole`,
        { offset: header.index.offset },
      ),
  );
  const index = isIndexWhole ? new NodeIndex(indexPart) : repaired(new NodeIndex(indexPart));
  check(
    !isIndexWhole || index.said === index.count,
    () =>
      new FormatError(name, `has an index of ${index.count} entries that says ${index.said}`, {
        offset: header.index.offset,
      }),
  );
  const metadata = decodeMetadata(metadataPart, header, name);
  return { name, header, metadata, index, isIndexWhole, sizeBytes: source.sizeBytes };
}

/** The header's copy, which ends a file that was updated in place. @throws FormatError where there is none. */
async function copyOf(source: Source, first: Uint8Array, signal?: AbortSignal): Promise<Header> {
  const { name, sizeBytes } = source;
  const at = sizeBytes - HEADER_BYTES;
  if (at >= HEADER_BYTES && at % ALIGNMENT === 0) {
    const last = await source.read(at, HEADER_BYTES, signal);
    if (isWhole(last)) {
      const header = decodeHeader(last, name, at);
      if (header.fileBytes === sizeBytes) return header;
    }
  }
  // A header that ends too soon, or of a version to come, may have another checksum.
  checkVersion(first, name);
  check(
    first.length >= HEADER_BYTES,
    () =>
      new FormatError(name, `ends after ${first.length} bytes, within its header`, { offset: first.length }),
  );
  throw new FormatError(
    name,
    'has a damaged header: its CRC-32C does not match, and there is no copy of it at the end',
    {
      offset: 0,
    },
  );
}

const endOf = ({ offset, bytes }: Region) => offset + bytes;

/** Nothing is read or allocated on the word of a header that this has not looked at. */
function checkRegions(
  { index, metadata, fileBytes }: Header,
  { name, sizeBytes }: Source,
  recover: boolean,
): void {
  check(
    fileBytes <= sizeBytes || recover,
    () =>
      new FormatError(
        name,
        `is cut short: ${sizeBytes} of its ${fileBytes} bytes are there; { recover: true } reads the nodes in them`,
        { offset: sizeBytes },
      ),
  );
  for (const [what, region] of Object.entries({ index, metadata })) {
    const end = endOf(region);
    check(
      region.offset >= HEADER_BYTES && Number.isSafeInteger(end) && end <= Math.min(fileBytes, sizeBytes),
      () =>
        new FormatError(
          name,
          `must have its ${what} within its ${Math.min(fileBytes, sizeBytes)} bytes, got ${region.bytes} bytes at byte ${region.offset}`,
          { offset: what === 'index' ? 40 : 56 },
        ),
    );
  }
  check(
    endOf(index) <= metadata.offset || endOf(metadata) <= index.offset,
    () =>
      new FormatError(name, `has an index and metadata that overlap, at byte ${metadata.offset}`, {
        offset: metadata.offset,
      }),
  );
  const count = (index.bytes - indexBytes(0)) / (indexBytes(1) - indexBytes(0));
  check(
    Number.isInteger(count) && count >= 0,
    () =>
      new FormatError(name, `must have an index of ${indexBytes(0)} + 64 · n bytes, got ${index.bytes}`, {
        offset: 48,
      }),
  );
}

/** Of each region its bytes: those at hand, or in one read where they are near each other. */
async function regions(
  source: Source,
  wanted: readonly Region[],
  first: Uint8Array,
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const missing = wanted.filter((region) => endOf(region) > first.length);
  // What begins in the first read is completed, not read again.
  const start = Math.min(...missing.map(({ offset }) => offset));
  const end = Math.max(...missing.map(endOf));
  const bytes = missing.reduce((sum, region) => sum + region.bytes, 0);
  if (missing.length > 1 && end - start - bytes > GAP_BYTES) {
    return Promise.all(wanted.map(async (region) => (await regions(source, [region], first, signal))[0]));
  }
  if (missing.length === 0) return wanted.map((region) => first.subarray(region.offset, endOf(region)));
  const from = start < first.length ? first.length : start;
  const rest = await source.read(from, end - from, signal);
  return wanted.map((region) => {
    if (endOf(region) <= first.length) return first.subarray(region.offset, endOf(region));
    if (region.offset >= from) return rest.subarray(region.offset - from, endOf(region) - from);
    const whole = new Uint8Array(region.bytes);
    whole.set(first.subarray(region.offset));
    whole.set(rest.subarray(0, endOf(region) - from), first.length - region.offset);
    return whole;
  });
}
