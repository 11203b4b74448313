/**
 * Codecs as zarrita is to run them on bytes that are not trusted: its own, but for what it leaves open. Checksums are verified, what
 * a compressor would unpack is known before it does, and chunks have the length that their shape says. They stand in zarrita's registry
 * under names of their own, so that nobody else's reading changes.
 */
import type * as Zarrita from 'zarrita';
import { crc32c } from '../../checksum.js';
import { check, FormatError } from '../../errors.js';
import type { Codec } from './metadata.js';

interface BytesCodec {
  kind: 'bytes_to_bytes';
  encode(bytes: Uint8Array): never;
  decode(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  computeEncodedSize?(size: number): number;
}

/** A place of a shard's index that holds nothing, as this offset with no length: stores tell it from others. */
export const ABSENT_OFFSET = 2 ** 52;
const PREFIX = 'wavecube.';
/** What a chunk may unpack to: so much, and so much for each byte. */
const UNPACKED = { bytes: 64 * 2 ** 20, ratio: 1024 };

const damaged = (message: string) => new FormatError('chunk', message);

function decoder(
  decode: (bytes: Uint8Array, limit: number) => Uint8Array | Promise<Uint8Array>,
  added: number | null = null,
) {
  return {
    kind: 'bytes_to_bytes',
    fromConfig: (configuration: unknown): BytesCodec => ({
      kind: 'bytes_to_bytes',
      encode() {
        throw damaged('is only read here');
      },
      decode: (bytes) => decode(bytes, (configuration as { limit: number }).limit),
      ...(added !== null && { computeEncodedSize: (size: number) => size + added }),
    }),
  } as const;
}

/** A view is taken of what is checked: its last four bytes are the CRC-32C of those before. */
function checkedBytes(bytes: Uint8Array, verify: boolean): Uint8Array {
  check(bytes.length >= 4, () => damaged('ends before its checksum'));
  const end = bytes.length - 4;
  const content = bytes.subarray(0, end);
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0, true);
  check(!verify || crc32c(content) === stored, () =>
    damaged('does not have its checksum (CRC-32C): it is damaged'),
  );
  return content;
}

/** Empty places of an index, whose offset and length are all ones, as ABSENT_OFFSET. */
function markedAbsent(bytes: Uint8Array): Uint8Array {
  const index = new BigUint64Array(bytes.slice().buffer);
  for (let i = 0; i < index.length; i += 2) {
    if (index[i] === 0xffff_ffff_ffff_ffffn && index[i + 1] === index[i]) {
      index[i] = BigInt(ABSENT_OFFSET);
      index[i + 1] = 0n;
    }
  }
  return new Uint8Array(index.buffer);
}

/** gzip and zlib, unpacked as a stream that ends where it gets too long. */
async function inflated(bytes: Uint8Array, format: 'gzip' | 'deflate', limit: number): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream(format));
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > limit) await reader.cancel();
    check(length <= limit, () => damaged(`unpacks to more than the ${limit} bytes of a chunk`));
    parts.push(value);
  }
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * At most so many bytes come out of Zstandard frames (RFC 8878, 3.1.1): what a frame's header says, else what its blocks can hold.
 */
function zstdBound(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const BLOCK = 128 * 1024;
  let at = 0;
  let bound = 0;
  while (at < bytes.length) {
    check(at + 5 <= bytes.length, () => damaged('ends within a Zstandard frame'));
    const magic = view.getUint32(at, true);
    if (magic >>> 4 === 0x184d2a5) {
      check(at + 8 <= bytes.length, () => damaged('ends within a Zstandard frame'));
      at += 8 + view.getUint32(at + 4, true);
      continue;
    }
    check(magic === 0xfd2fb528, () => damaged('is no Zstandard frame'));
    const descriptor = bytes[at + 4];
    const single = (descriptor >> 5) & 1;
    const sizeBytes = [single, 2, 4, 8][descriptor >> 6];
    const sizeAt = at + 5 + (1 - single) + [0, 1, 2, 4][descriptor & 3];
    at = sizeAt + sizeBytes;
    check(at <= bytes.length, () => damaged('ends within a Zstandard frame'));
    let blocks = 0;
    for (let last = 0; !last; ) {
      check(at + 3 <= bytes.length, () => damaged('ends within a Zstandard frame'));
      const header = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
      const kind = (header >> 1) & 3;
      const size = header >> 3;
      last = header & 1;
      blocks += kind === 2 ? BLOCK : size;
      at += 3 + (kind === 1 ? 1 : size);
    }
    at += (descriptor >> 2) & 1 ? 4 : 0;
    if (sizeBytes === 0) bound += blocks;
    else if (sizeBytes === 1) bound += bytes[sizeAt];
    else if (sizeBytes === 2) bound += view.getUint16(sizeAt, true) + 256;
    else if (sizeBytes === 4) bound += view.getUint32(sizeAt, true);
    else bound += Number(view.getBigUint64(sizeAt, true));
  }
  return bound;
}

/** Of blosc's header, nbytes. */
function bloscBound(bytes: Uint8Array): number {
  check(bytes.length >= 16, () => damaged('ends within its header of blosc'));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  check(view.getUint32(12, true) === bytes.length, () =>
    damaged(`has ${bytes.length} bytes where blosc says ${view.getUint32(12, true)}`),
  );
  return view.getUint32(4, true);
}

/** Of the four bytes before blocks of lz4. */
function lz4Bound(bytes: Uint8Array): number {
  check(bytes.length >= 4, () => damaged('ends within its header of lz4'));
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
}

const BOUNDS = { zstd: zstdBound, blosc: bloscBound, lz4: lz4Bound };

let loaded: Promise<typeof Zarrita> | undefined;

/** zarrita, loaded at first use, with these codecs beside its own. */
export function zarrita(): Promise<typeof Zarrita> {
  loaded ??= import('zarrita').then((zarr) => {
    const provide = (name: string, codec: ReturnType<typeof decoder>) =>
      zarr.registry.set(PREFIX + name, (async () => codec) as never);
    provide(
      'crc32c',
      decoder((bytes) => checkedBytes(bytes, true), 4),
    );
    provide(
      'crc32c.unverified',
      decoder((bytes) => checkedBytes(bytes, false), 4),
    );
    provide('index', decoder(markedAbsent, 0));
    provide(
      'whole',
      decoder((bytes, limit) => {
        check(bytes.length === limit, () =>
          damaged(`has ${bytes.length} bytes where its shape needs ${limit}`),
        );
        return bytes;
      }, 0),
    );
    provide(
      'gzip',
      decoder((bytes, limit) => inflated(bytes, 'gzip', limit)),
    );
    provide(
      'zlib',
      decoder((bytes, limit) => inflated(bytes, 'deflate', limit)),
    );
    for (const [name, bound] of Object.entries(BOUNDS)) {
      provide(
        name,
        decoder(async (bytes, limit) => {
          const size = bound(bytes);
          check(size <= limit, () =>
            damaged(`would unpack to ${size} bytes, more than the ${limit} of a chunk`),
          );
          const entry = await zarr.registry.get(name)!();
          const codec = entry.fromConfig({}, { dataType: 'uint8', shape: [], codecs: [], fillValue: null });
          return codec.decode(bytes as never) as Promise<Uint8Array>;
        }),
      );
    }
    return zarr;
  });
  return loaded;
}

/** Codecs of chunks of so many bytes by these names. */
export function guarded(codecs: readonly Codec[], chunkBytes: number, verify: boolean): Codec[] {
  // Compressors in a row: what one gives may be a little longer than what the next one makes of it.
  const limit = chunkBytes + (chunkBytes >> 6) + 4096;
  return codecs.flatMap((codec) => {
    if (codec.name === 'transpose') return [codec];
    if (codec.name === 'bytes')
      return [codec, { name: `${PREFIX}whole`, configuration: { limit: chunkBytes } }];
    const name = codec.name === 'crc32c' && !verify ? 'crc32c.unverified' : codec.name;
    return [{ name: PREFIX + name, configuration: { limit } }];
  });
}

/** Codecs of a shard's index by these names. */
export function guardedIndex(codecs: readonly Codec[], verify: boolean): Codec[] {
  return [
    { name: 'bytes', configuration: { endian: 'little' } },
    { name: `${PREFIX}index`, configuration: {} },
    ...codecs.slice(1).map(() => ({
      name: `${PREFIX}crc32c${verify ? '' : '.unverified'}`,
      configuration: {},
    })),
  ];
}

/** What a chunk of so many stored bytes may be unpacked to at most. */
export const mayUnpackTo = (storedBytes: number): number => UNPACKED.bytes + UNPACKED.ratio * storedBytes;
