/** Chunks on their way into files: encoded, and gathered into shards. */
import { crc32c } from '../../checksum.js';
import { ArgumentError, check, shown } from '../../errors.js';
import type { FolderSink, Sink } from '../../grid/files/bytestream.js';
import { type CodecMetadata, CRC, LITTLE } from './layout.js';

export type Compressor = 'zstd' | 'gzip' | null;

/** What an empty place of a shard's index holds, as offset and as length. */
const NOTHING = 0xffff_ffff_ffff_ffffn;

export interface ChunkEncoder {
  codecs: CodecMetadata[];
  /** The bytes of a chunk, but for the checksum behind them. */
  encode(values: ArrayBufferView): Uint8Array | Promise<Uint8Array>;
}

/** @throws ArgumentError for a compressor that there is not. */
export async function chunkEncoder(compressor: unknown): Promise<ChunkEncoder> {
  const plain = (values: ArrayBufferView) =>
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (compressor === null) return { codecs: [LITTLE, CRC], encode: plain };
  if (compressor === 'gzip') {
    const { gzipSync } = await import('fflate');
    const codec = { name: 'gzip', configuration: { level: 6 } };
    // Without the time, the same cube gives the same bytes.
    return {
      codecs: [LITTLE, codec, CRC],
      encode: (values) => gzipSync(plain(values), { level: 6, mtime: 0 }),
    };
  }
  check(
    compressor === 'zstd',
    () => new ArgumentError(`save: compressor must be 'zstd', 'gzip' or null, got ${shown(compressor)}`),
  );
  const configuration = { level: 3, checksum: false };
  const { registry } = await import('zarrita');
  const zstd = (await registry.get('zstd')!()).fromConfig(configuration, {
    dataType: 'uint8',
    shape: [],
    codecs: [],
    fillValue: null,
  });
  return {
    codecs: [LITTLE, { name: 'zstd', configuration }, CRC],
    encode: (values) => zstd.encode(plain(values) as never) as Promise<Uint8Array>,
  };
}

/** Bytes with their CRC-32C behind them. */
export async function writeChecked(sink: Sink, bytes: Uint8Array): Promise<void> {
  await sink.write(bytes);
  const checksum = new Uint8Array(4);
  new DataView(checksum.buffer).setUint32(0, crc32c(bytes), true);
  await sink.write(checksum);
}

/** A file of its own, whole. */
export async function writeFile(
  folder: FolderSink,
  name: string,
  write: (sink: Sink) => Promise<void>,
): Promise<void> {
  const sink = await folder.create(name);
  try {
    await write(sink);
    await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

export function writeJson(folder: FolderSink, name: string, value: unknown): Promise<void> {
  return writeFile(folder, name, (sink) => sink.write(new TextEncoder().encode(JSON.stringify(value))));
}

/** A shard under way: chunks in the order in which they come, then the index, offset and length each, and its checksum. */
class Shard {
  readonly #index: BigUint64Array;
  #left: number;

  /** @param places of chunks. @param cells of them within the array. */
  constructor(
    readonly sink: Sink,
    places: number,
    cells: number,
  ) {
    this.#index = new BigUint64Array(2 * places).fill(NOTHING);
    this.#left = cells;
  }

  /** @returns whether the shard has all its chunks now. */
  async add(place: number, bytes: Uint8Array): Promise<boolean> {
    const offset = this.sink.sizeBytes;
    await writeChecked(this.sink, bytes);
    this.#index.set([BigInt(offset), BigInt(this.sink.sizeBytes - offset)], 2 * place);
    return --this.#left === 0;
  }

  async finish(): Promise<void> {
    await writeChecked(this.sink, new Uint8Array(this.#index.buffer));
    await this.sink.commit();
  }
}

/** Gathers nodes, in any order, into shards of `block` nodes. */
export class ShardWriter {
  readonly #open = new Map<string, Shard>();

  constructor(
    readonly folder: FolderSink,
    readonly dims: readonly number[],
    readonly block: readonly number[],
  ) {}

  async add(at: readonly number[], bytes: Uint8Array): Promise<void> {
    const { dims, block } = this;
    const shardAt = at.map((n, j) => Math.floor(n / block[j]));
    const name = `nodes/c/${[...shardAt, 0, 0, 0].join('/')}`;
    let shard = this.#open.get(name);
    if (!shard) {
      const cells = block.reduce((product, n, j) => product * Math.min(n, dims[j] - shardAt[j] * n), 1);
      shard = new Shard(await this.folder.create(name), block[0] * block[1] * block[2], cells);
      this.#open.set(name, shard);
    }
    const [x, y, z] = at.map((n, j) => n % block[j]);
    if (!(await shard.add((x * block[1] + y) * block[2] + z, bytes))) return;
    this.#open.delete(name);
    await shard.finish();
  }

  async finish(): Promise<void> {
    for (const shard of this.#open.values()) await shard.finish();
    this.#open.clear();
  }

  async abort(): Promise<void> {
    for (const { sink } of this.#open.values()) await sink.abort();
  }
}
