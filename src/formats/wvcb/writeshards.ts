/**
 * Writing a cube over many files: shards of bounded size, each a .wvcb file by itself, then the manifest that makes them count, then
 * away with those that it replaced. Streamed as one file is (write.ts): a shard's index and metadata follow its payloads, so that it
 * is known as it grows when it is full. Every save has an id of its own, in the names of its shards too: files of two saves never mix,
 * and until the manifest is there the old one has all of its own.
 */
import { crc32c } from '../../checksum.js';
import { ArgumentError, ChangedError, check, shown } from '../../errors.js';
import type { Folder, Sink } from '../../grid/files/bytestream.js';
import type { Contents } from '../../grid/files/contents.js';
import { IndexBuilder, indexBytes } from './entries.js';
import { readHead } from './head.js';
import { compressionCode, encodeHeader, HEADER_BYTES, type Header } from './header.js';
import {
  type CodecName,
  describe,
  encodeMetadata,
  headerWords,
  type ShardName,
  withCodecs,
  withShards,
} from './metadata.js';
import { hexOf, MANIFEST, MAX_SHARDS, partsOfShardName, shardName, shardsIn } from './shardnames.js';
import { aligned, CodecTable, cubesOf, headerOf, type Payload, PayloadWriter, payloadOf } from './write.js';

const LEAST_BYTES = 4096;

/** What all files of a save have in common. */
interface Save {
  folder: Folder;
  /** In hexadecimal digits. */
  id: string;
  header(parts: Parameters<typeof headerOf>[3], used: ReadonlySet<string | null>): Uint8Array;
  /** Of a shard, or with names of the manifest. */
  metadata(codecs: readonly CodecName[], shards?: readonly ShardName[]): Uint8Array;
}

/**
 * Writes everything; what fails leaves nothing of its own behind.
 * @param shardBytes of a shard at most; a node that is larger has one to itself.
 * @throws ArgumentError for bytes that are no positive integer, or that the metadata alone would fill, or that make too many shards.
 */
export async function writeShards(contents: Contents, folder: Folder, shardBytes: unknown): Promise<void> {
  check(
    Number.isSafeInteger(shardBytes) && (shardBytes as number) >= LEAST_BYTES,
    () =>
      new ArgumentError(
        `save: shardBytes must be an integer of at least ${LEAST_BYTES}, got ${shown(shardBytes)}`,
      ),
  );
  const most = shardBytes as number;
  const idBytes = crypto.getRandomValues(new Uint8Array(16));
  const described = describe(contents);
  const words = headerWords(described.cubes);
  // Now, for what the user may change while nodes are written.
  const bare = encodeMetadata({ ...described, codecs: [], shards: [] });
  const save: Save = {
    folder,
    id: hexOf(idBytes),
    header: (parts, used) =>
      encodeHeader(headerOf(contents, words, compressionCode(used), { ...parts, id: idBytes })),
    metadata: (codecs, shards) => {
      const one = withCodecs(bare, codecs);
      return shards ? withShards(one, shards) : one;
    },
  };
  const headBytes = HEADER_BYTES + bare.length;
  check(
    2 * headBytes <= most,
    () =>
      new ArgumentError(
        `save: shardBytes must be at least ${2 * headBytes}, as each shard repeats the cube's options and metadata; got ${most}`,
      ),
  );
  const before = await shardsIn(folder);
  const shards: ShardName[] = [];
  try {
    const { index, codecs, used } = await writePayloads(contents, save, most, shards);
    await checkThere(folder, shards);
    await writeManifest(save, index, codecs, used, shards, before);
  } catch (error) {
    // A failed removal must not hide what failed first; what the manifest names already is not to be removed.
    if ((await manifestOf(folder))?.id !== save.id)
      for (const { name } of shards) await folder.remove?.(name).catch(() => {});
    throw error;
  }
}

/** @param shards takes the names of those that are written. */
async function writePayloads(contents: Contents, save: Save, most: number, shards: ShardName[]) {
  const table = new CodecTable();
  const index = new IndexBuilder();
  const used = new Set<string | null>();
  let shard: Shard | null = null;
  const finish = async (codecs: readonly CodecName[]) => {
    shards.push(await shard!.finish(codecs));
    shard = null;
  };
  const next = async (): Promise<Shard> => {
    check(
      shards.length < MAX_SHARDS,
      () =>
        new ArgumentError(
          `save: shardBytes must be larger: a cube has at most ${MAX_SHARDS} shards, and ${most} bytes make more`,
        ),
    );
    const name = shardName(save.id, shards.length + 1);
    shard = new Shard(save, name, await save.folder.create!(name));
    return shard;
  };
  try {
    for (const [level, cube] of cubesOf(contents).entries()) {
      for await (const batch of cube.nodes) {
        for (const node of batch) {
          const known = table.codecs.length;
          const payload = payloadOf(node, level, table);
          // Typed anew: what `finish` does to it is not seen here.
          const current = shard as Shard | null;
          if (current && current.sizeWith(payload, table.codecs) > most)
            await finish(table.codecs.slice(0, known));
          const codec = payload.codec === 0 ? null : table.codecs[payload.codec - 1].id;
          if (payload.role === 0) used.add(codec);
          const entry = await ((shard as Shard | null) ?? (await next())).add(payload, codec);
          index.add({ ...entry, shard: shards.length + 1 });
        }
      }
    }
    // A cube without a node has a shard too.
    if (shard !== null || shards.length === 0) {
      if (shard === null) await next();
      await finish(table.codecs);
    }
  } catch (error) {
    await (shard as Shard | null)?.abort();
    throw error;
  }
  return { index, codecs: table.codecs, used };
}

/** A shard under way. */
class Shard {
  readonly #index = new IndexBuilder();
  readonly #used = new Set<string | null>();
  #out: PayloadWriter | null = null;
  #metadata = { codecs: -1, bytes: 0 };

  constructor(
    private readonly save: Save,
    private readonly name: string,
    private readonly sink: Sink,
  ) {}

  get #end(): number {
    return this.#out?.offset ?? HEADER_BYTES;
  }

  /** Bytes that the file will have with one payload more. */
  sizeWith({ bytes }: Payload, codecs: readonly CodecName[]): number {
    if (this.#metadata.codecs !== codecs.length)
      this.#metadata = { codecs: codecs.length, bytes: this.save.metadata(codecs).length };
    return this.#end + aligned(bytes) + indexBytes(this.#index.count + 1) + this.#metadata.bytes;
  }

  async add({ data, ...payload }: Payload, codec: string | null) {
    const out = await this.#begun();
    if (payload.role === 0) this.#used.add(codec);
    const entry = { ...payload, crc: crc32c(data), offset: await out.add(data) };
    this.#index.add({ ...entry, shard: 0 });
    return entry;
  }

  async #begun(): Promise<PayloadWriter> {
    if (!this.#out) {
      await this.sink.write(new Uint8Array(HEADER_BYTES));
      this.#out = new PayloadWriter((bytes) => this.sink.write(bytes), HEADER_BYTES);
    }
    return this.#out;
  }

  async finish(codecs: readonly CodecName[]): Promise<ShardName> {
    const out = await this.#begun();
    await out.flush();
    await writeTail(this.sink, this.#index.finish(), this.save.metadata(codecs), (parts) =>
      this.save.header(parts, this.#used),
    );
    return { name: this.name, sizeBytes: this.sink.sizeBytes };
  }

  abort(): Promise<void> {
    return this.sink.abort();
  }
}

/** Index and metadata behind what is written, then the header before it all; and commits. */
async function writeTail(
  sink: Sink,
  entries: Uint8Array,
  metadata: Uint8Array,
  header: (
    parts: Pick<Header, 'index' | 'metadata' | 'indexCrc' | 'metadataCrc' | 'fileBytes'>,
  ) => Uint8Array,
): Promise<void> {
  const index = { offset: sink.sizeBytes, bytes: entries.length };
  await sink.write(entries);
  const where = { offset: sink.sizeBytes, bytes: metadata.length };
  await sink.write(metadata);
  const parts = { index, metadata: where, indexCrc: crc32c(entries), metadataCrc: crc32c(metadata) };
  await sink.patch(0, header({ ...parts, fileBytes: sink.sizeBytes }));
  await sink.commit();
}

async function writeManifest(
  save: Save,
  index: IndexBuilder,
  codecs: readonly CodecName[],
  used: ReadonlySet<string | null>,
  shards: readonly ShardName[],
  before: readonly string[],
): Promise<void> {
  const { folder } = save;
  const sink = await folder.create!(MANIFEST);
  let replaced: readonly string[];
  try {
    await sink.write(new Uint8Array(HEADER_BYTES));
    replaced = (await manifestOf(folder))?.shards ?? [];
    await writeTail(sink, index.finish(), save.metadata(codecs, shards), (parts) =>
      save.header({ ...parts, isManifest: true }, used),
    );
  } catch (error) {
    await sink.abort();
    throw error;
  }
  // What stays is removed by the next save.
  await removeOthers(save, replaced, before).catch(() => {});
  if ((await manifestOf(folder))?.id === save.id) await checkThere(folder, shards);
}

/**
 * Removes the shards of the manifest that was replaced, and those of saves that were killed. One that is under way beside this one is
 * known by its having written meanwhile: its shards stay.
 */
async function removeOthers(
  { folder, id }: Save,
  replaced: readonly string[],
  before: readonly string[],
): Promise<void> {
  const now = await shardsIn(folder);
  // Another save that came to its end since then cleans up itself.
  if ((await manifestOf(folder))?.id !== id) return;
  const idOf = (name: string) => partsOfShardName(name)!.id;
  const counts = (names: readonly string[]) => {
    const all = new Map<string, number>();
    for (const name of names) all.set(idOf(name), (all.get(idOf(name)) ?? 0) + 1);
    return all;
  };
  const [then, there, dead] = [counts(before), counts(now), new Set(replaced)];
  for (const name of now) {
    const other = idOf(name);
    const isStill = then.get(other) === there.get(other);
    if (other !== id && (dead.has(name) || isStill)) await folder.remove?.(name);
  }
}

/** The save that a folder's manifest is of, and its shards; null where there is none that can be read. */
async function manifestOf(folder: Folder): Promise<{ id: string; shards: string[] } | null> {
  try {
    const source = await folder.open(MANIFEST);
    try {
      const { header, metadata } = await readHead(source, {});
      return { id: hexOf(header.id), shards: metadata.shards.map(({ name }) => name) };
    } finally {
      await source.close();
    }
  } catch {
    return null;
  }
}

/** @throws ChangedError where another has removed shards that were just written: one that took them for a killed save's. */
async function checkThere(folder: Folder, shards: readonly ShardName[]): Promise<void> {
  if (!folder.list) return;
  const there = new Set(await shardsIn(folder));
  const gone = shards.find(({ name }) => !there.has(name));
  check(
    gone === undefined,
    () =>
      new ChangedError(
        folder.name,
        `was written by another at the same time, which removed '${gone?.name}'; save again`,
      ),
  );
}
