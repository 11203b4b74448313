/**
 * Writing a .wvcb file, streamed: the place of header, index and metadata is left free, payloads follow as they come, and the head
 * is put in its place when all is known. Nothing is held but the index and a buffer of small payloads.
 */
import { crc32c } from '../../checksum.js';
import { readContainer } from '../../codecs/container.js';
import type { Sink } from '../../grid/files/bytestream.js';
import type { Contents, CubeContents } from '../../grid/files/contents.js';
import type { StoredNode } from '../../grid/files/storednodes.js';
import { AXES } from '../../grid/tangents.js';
import { IndexBuilder, type IndexEntry, indexBytes, PayloadType } from './entries.js';
import {
  ALIGNMENT,
  compressionCode,
  encodeHeader,
  HEADER_BYTES,
  type Header,
  type Region,
} from './header.js';
import { type CodecName, describe, encodeMetadata, headerWords, withCodecs } from './metadata.js';

/** Room for the names of codecs, which are known only when all nodes are written; more of them put the metadata at the end. */
const CODECS_BYTES = 512;
/** Small payloads are written together, so many bytes at a time. */
const BUFFER_BYTES = 256 * 1024;

export const aligned = (offset: number): number => Math.ceil(offset / ALIGNMENT) * ALIGNMENT;

/** Where the parts of a head lie in a file written at once, and where payloads begin. @param count entries at most. */
export function planIndex(
  count: number,
  metadataBytes: number,
): { index: number; metadata: number; payloads: number } {
  const index = HEADER_BYTES;
  const metadata = index + indexBytes(count);
  return { index, metadata, payloads: aligned(metadata + metadataBytes) };
}

/** The codecs of a file, numbered from 1 on as they come. */
export class CodecTable {
  readonly codecs: CodecName[];

  constructor(known: readonly CodecName[] = []) {
    this.codecs = [...known];
  }

  numberOf({ id, version }: CodecName): number {
    const known = this.codecs.findIndex((codec) => codec.id === id && codec.version === version);
    return known >= 0 ? known + 1 : this.codecs.push({ id, version });
  }
}

/** An entry without its place in the file. */
export type Payload = Omit<IndexEntry, 'offset' | 'shard' | 'crc'> & { data: Uint8Array };

/** What a stored node is as a payload. */
export function payloadOf(node: StoredNode, level: number, codecs: CodecTable): Payload {
  const { x, y, z } = node;
  if ('compressed' in node) {
    const { compressed: data } = node;
    const { codec: id, version, shape } = readContainer(data, `node (${x}, ${y}, ${z})`, false);
    const codec = codecs.numberOf({ id, version });
    return { x, y, z, shape, codec, level, role: 0, type: PayloadType.Container, bytes: data.length, data };
  }
  const { shape, values, tangent } = node;
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const type = values instanceof Uint16Array ? PayloadType.Float16 : PayloadType.Float32;
  const role = tangent ? 1 + AXES.indexOf(tangent) : 0;
  return { x, y, z, shape, codec: 0, level, role, type, bytes: data.length, data };
}

/** Payloads on their way to the end of a file, aligned, small ones together. */
export class PayloadWriter {
  #buffer: Uint8Array | null = null;
  #held = 0;

  constructor(
    readonly write: (bytes: Uint8Array) => Promise<void>,
    private at: number,
  ) {}

  /** Where the next payload goes. */
  get offset(): number {
    return this.at;
  }

  /** @returns its offset: at once where it joins others. `data` are the caller's again when it is there. */
  add(data: Uint8Array): number | Promise<number> {
    const end = aligned(data.length);
    if (this.#held + end > BUFFER_BYTES) return this.#addLarge(data, end);
    return this.#join(data, end);
  }

  #join(data: Uint8Array, end: number): number {
    this.#buffer ??= new Uint8Array(BUFFER_BYTES);
    this.#buffer.set(data, this.#held);
    this.#buffer.fill(0, this.#held + data.length, this.#held + end);
    this.#held += end;
    this.at += end;
    return this.at - end;
  }

  async #addLarge(data: Uint8Array, end: number): Promise<number> {
    await this.flush();
    if (end <= BUFFER_BYTES) return this.#join(data, end);
    this.at += end;
    await this.write(data);
    if (end > data.length) await this.write(new Uint8Array(end - data.length));
    return this.at - end;
  }

  async flush(): Promise<void> {
    if (this.#held > 0) await this.write(this.#buffer!.subarray(0, this.#held));
    this.#held = 0;
  }
}

/** The header of contents. */
export function headerOf(
  contents: Contents,
  words: ReturnType<typeof headerWords>,
  compression: number,
  parts: Pick<Header, 'index' | 'metadata' | 'indexCrc' | 'metadataCrc' | 'fileBytes'> &
    Partial<Pick<Header, 'isManifest' | 'generation' | 'id'>>,
): Header {
  const { kind, width, height, depth } = contents;
  const resolution = (kind === 'cube' ? contents.options.resolution : contents.resolution) as readonly [
    number,
    number,
  ];
  return {
    kind,
    dims: [width, height, depth],
    resolution,
    ...words,
    compression,
    isManifest: false,
    generation: 1,
    id: new Uint8Array(16),
    ...parts,
  };
}

export const cubesOf = (contents: Contents): readonly CubeContents[] =>
  contents.kind === 'cube' ? [contents] : contents.levels.map(({ cube }) => cube);

/** Writes everything. The bytes are a function of the contents alone. */
export async function writeFile(contents: Contents, sink: Sink): Promise<void> {
  const cubes = cubesOf(contents);
  const count = cubes.reduce((sum, cube) => sum + cube.count, 0);
  const described = describe(contents);
  const words = headerWords(described.cubes);
  // Now, for what the user may change while nodes are written.
  const bare = encodeMetadata({ ...described, codecs: [], shards: [] });
  const place = planIndex(count, bare.length + CODECS_BYTES);
  await writeZeros(sink, place.payloads);

  const codecs = new CodecTable();
  const index = new IndexBuilder();
  const used = new Set<string | null>();
  const out = new PayloadWriter((bytes) => sink.write(bytes), place.payloads);
  for (const [level, cube] of cubes.entries()) {
    for await (const batch of cube.nodes) {
      for (const node of batch) {
        const { x, y, z, shape, codec, role, type, bytes, data } = payloadOf(node, level, codecs);
        if (role === 0) used.add(codec === 0 ? null : codecs.codecs[codec - 1].id);
        const crc = crc32c(data);
        const at = out.add(data);
        // Waiting takes longer than a small payload does, and so does an object that is spread.
        const offset = typeof at === 'number' ? at : await at;
        index.add({ x, y, z, offset, bytes, crc, shape, codec, level, role, type, shard: 0 });
      }
    }
  }
  await out.flush();

  const entries = index.finish();
  const metadata = withCodecs(bare, codecs.codecs);
  // More nodes than were announced, or more codecs than have room: behind the payloads.
  const at = async (bytes: Uint8Array, offset: number, room: number): Promise<Region> => {
    if (bytes.length <= room) {
      await sink.patch(offset, bytes);
      return { offset, bytes: bytes.length };
    }
    const end = sink.sizeBytes;
    await sink.write(bytes);
    await writeZeros(sink, aligned(sink.sizeBytes) - sink.sizeBytes);
    return { offset: end, bytes: bytes.length };
  };
  const indexRegion = await at(entries, place.index, indexBytes(count));
  const afterIndex = indexRegion.offset === place.index ? place.index + entries.length : place.index;
  const metadataRegion = await at(metadata, afterIndex, place.payloads - afterIndex);
  const header = headerOf(contents, words, compressionCode(used), {
    index: indexRegion,
    metadata: metadataRegion,
    indexCrc: crc32c(entries),
    metadataCrc: crc32c(metadata),
    fileBytes: sink.sizeBytes,
  });
  await sink.patch(0, encodeHeader(header));
}

/** Of some size at a time, that a long index be no long write. */
async function writeZeros(sink: Sink, bytes: number): Promise<void> {
  const zeros = new Uint8Array(Math.min(bytes, BUFFER_BYTES));
  for (let left = bytes; left > 0; left -= BUFFER_BYTES)
    await sink.write(zeros.subarray(0, Math.min(left, BUFFER_BYTES)));
}
