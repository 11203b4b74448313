/** The first 256 bytes of a .wvcb file: ../WVCB.md. */
import { crc32c } from '../../checksum.js';
import { check, FormatError } from '../../errors.js';

export const HEADER_BYTES = 256;
export const ENTRY_BYTES = 64;
/** What payloads begin at multiples of. */
export const ALIGNMENT = 64;
export const VERSION = 1;
const MAGIC = [...'WVCB'].map((letter) => letter.charCodeAt(0));
const ZEROS_AT = 112;
const CRC_AT = 252;
const IS_MANIFEST = 1;

/** Where something lies, in bytes from the file's start. */
export interface Region {
  offset: number;
  bytes: number;
}

export interface Header {
  kind: 'cube' | 'octaves';
  /** Nodes along x, y, z; of a hierarchy its index space. */
  dims: readonly [width: number, height: number, depth: number];
  resolution: readonly [height: number, width: number];
  channels: number;
  /** In short: compressionCode. */
  compression: number;
  sparse: boolean;
  /** Whether payloads lie in shards. */
  isManifest: boolean;
  index: Region;
  metadata: Region;
  /** Of the file when this header was written. */
  fileBytes: number;
  generation: number;
  indexCrc: number;
  metadataCrc: number;
  /** 16 bytes that a manifest and its shards share; zeros elsewhere. */
  id: Uint8Array;
}

const SEVERAL = 255;
const OTHER = 254;
/** By their codes, from 1 on. */
const CODED = ['gaussian', 'dct', 'fft', 'wavelet', 'quantized', 'predictive', 'lossless'];

/** The header's word for the codecs of all nodes, null for dense ones. */
export function compressionCode(codecs: ReadonlySet<string | null>): number {
  if (codecs.size > 1) return SEVERAL;
  const [only = null] = codecs;
  if (only === null) return 0;
  return CODED.includes(only) ? CODED.indexOf(only) + 1 : OTHER;
}

const isCompression = (code: number) => code <= CODED.length || code >= OTHER;

export function encodeHeader(header: Header): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  const words = [VERSION, ...header.dims, ...header.resolution, header.channels];
  words.forEach((word, i) => {
    view.setUint32(4 + 4 * i, word, true);
  });
  bytes[32] = header.compression;
  bytes[33] = Number(header.sparse);
  bytes[34] = Number(header.kind === 'octaves');
  bytes[35] = header.isManifest ? IS_MANIFEST : 0;
  view.setUint32(36, ENTRY_BYTES, true);
  const { index, metadata } = header;
  const wide = [index.offset, index.bytes, metadata.offset, metadata.bytes];
  [...wide, header.fileBytes, header.generation].forEach((value, i) => {
    view.setBigUint64(40 + 8 * i, BigInt(value), true);
  });
  view.setUint32(88, header.indexCrc, true);
  view.setUint32(92, header.metadataCrc, true);
  bytes.set(header.id, 96);
  view.setUint32(CRC_AT, crc32c(bytes.subarray(0, CRC_AT)), true);
  return bytes;
}

/** Whether bytes begin as a file of this format, of any version. */
export const hasMagic = (bytes: Uint8Array): boolean => MAGIC.every((letter, i) => bytes[i] === letter);

/** A u64 as a number; one beyond 2⁵³ is NaN. */
export function readU64(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high < 2 ** 21 ? high * 2 ** 32 + view.getUint32(at, true) : Number.NaN;
}

/** Whether a header's checksum holds: what decodeHeader takes it to be. */
export function isWhole(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES || !hasMagic(bytes)) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  return view.getUint32(CRC_AT, true) === crc32c(bytes.subarray(0, CRC_AT));
}

/**
 * What 256 whole bytes say, each by itself as it must be; what they say of the file is the reader's to check.
 * @param at where they lie in the file. @throws FormatError for what version 1 does not know.
 */
export function decodeHeader(bytes: Uint8Array, source: string, at = 0): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const must = (holds: boolean, offset: number, what: () => string) =>
    check(holds, () => new FormatError(source, what(), { offset: at + offset }));
  checkVersion(bytes, source);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const u64 = (offset: number) => {
    const value = readU64(view, offset);
    must(
      Number.isSafeInteger(value),
      offset,
      () => `says a size or place beyond 2⁵³ in its header, at byte ${at + offset}`,
    );
    return value;
  };
  const dims = [u32(8), u32(12), u32(16)] as const;
  const resolution = [u32(20), u32(24)] as const;
  const channels = u32(28);
  must(
    [...dims, ...resolution, channels].every((n) => n >= 1),
    8,
    () =>
      `must have at least one node, row, column and channel, got ${dims.join(' × ')} of [${[...resolution, channels].join(', ')}]`,
  );
  must(isCompression(bytes[32]), 32, () => `has unknown compression ${bytes[32]}`);
  must(bytes[33] <= 1, 33, () => `must be sparse, 1, or dense, 0; got ${bytes[33]}`);
  must(
    bytes[34] <= 1,
    34,
    () => `is of unknown kind ${bytes[34]}; this library reads 0, a cube, and 1, a hierarchy`,
  );
  must(bytes[35] <= IS_MANIFEST, 35, () => `has unknown flags ${bytes[35]}`);
  must(u32(36) === ENTRY_BYTES, 36, () => `must have index entries of ${ENTRY_BYTES} bytes, got ${u32(36)}`);
  must(
    bytes.subarray(ZEROS_AT, CRC_AT).every((byte) => byte === 0),
    ZEROS_AT,
    () => 'says something in its header that version 1 does not know',
  );
  const generation = u64(80);
  must(generation >= 1, 80, () => 'has generation 0');
  return {
    kind: bytes[34] === 1 ? 'octaves' : 'cube',
    dims,
    resolution,
    channels,
    compression: bytes[32],
    sparse: bytes[33] === 1,
    isManifest: bytes[35] === IS_MANIFEST,
    index: { offset: u64(40), bytes: u64(48) },
    metadata: { offset: u64(56), bytes: u64(64) },
    fileBytes: u64(72),
    generation,
    indexCrc: u32(88),
    metadataCrc: u32(92),
    id: bytes.slice(96, ZEROS_AT),
  };
}

/** @throws FormatError for another format, or a version that is not 1: said of bytes whose checksum may not hold. */
export function checkVersion(bytes: Uint8Array, source: string): void {
  check(bytes.length >= 8 && hasMagic(bytes), () => {
    const magic = [...bytes.subarray(0, 4)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
    return new FormatError(source, `is no .wvcb file (it begins with ${magic || 'nothing'})`, { offset: 0 });
  });
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  check(
    version === VERSION,
    () =>
      new FormatError(source, `has version ${version} of the .wvcb format; this library reads ${VERSION}`, {
        offset: 4,
      }),
  );
}
