/** The index of a cube of many files from its shards alone, where its manifest is damaged or lost. */
import { ChangedError, check, FormatError, WavecubeError } from '../../errors.js';
import type { Folder, Source } from '../../grid/files/bytestream.js';
import type { ReadOptions } from '../../grid/files/persistence.js';
import { IndexBuilder, NodeIndex } from './entries.js';
import { type Head, readHead } from './head.js';
import { encodeMetadata, type Metadata, type ShardName } from './metadata.js';
import { hexOf, MANIFEST, partsOfShardName, shardName, shardsIn } from './shardnames.js';

const ID_AT = 96;

/**
 * What the manifest would say of the shards that can be read; null where there are none. Nodes of others are not known of, and so are
 * not among the lost.
 * @throws FormatError where there are shards of several saves, and nothing says which of them it is.
 */
export async function rebuiltHead(folder: Folder, options: ReadOptions): Promise<Head | null> {
  const names = await shardsIn(folder);
  const id = await idOf(folder, names);
  if (id === null) return null;
  const heads = new Map<number, Head>();
  for (const name of names) {
    const parts = partsOfShardName(name)!;
    if (parts.id !== id) continue;
    const head = await shardHead(folder, name, options);
    if (head && !head.header.isManifest && hexOf(head.header.id) === id) heads.set(parts.number, head);
  }
  if (heads.size === 0) return null;
  return merged(folder, id, heads);
}

/** The save to read: the one that there is, or the one whose id the damaged manifest still has. */
async function idOf(folder: Folder, names: readonly string[]): Promise<string | null> {
  const ids = [...new Set(names.map((name) => partsOfShardName(name)!.id))];
  if (ids.length <= 1) return ids[0] ?? null;
  const said = await withSource(folder, MANIFEST, async (source) => hexOf(await source.read(ID_AT, 16)));
  check(
    said !== null && ids.includes(said),
    () =>
      new FormatError(
        folder.name,
        `has shards of ${ids.length} saves, and no whole '${MANIFEST}' that says which of them it is: keep those of one`,
      ),
  );
  return said;
}

const shardHead = (folder: Folder, name: string, options: ReadOptions): Promise<Head | null> =>
  withSource(folder, name, (source) => readHead(source, options));

/** Null where it cannot be read. */
async function withSource<T>(
  folder: Folder,
  name: string,
  use: (source: Source) => Promise<T>,
): Promise<T | null> {
  try {
    const source = await folder.open(name);
    try {
      return await use(source);
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!(error instanceof WavecubeError) || error instanceof ChangedError) throw error;
    return null;
  }
}

/** @param heads by the numbers of their shards. */
function merged(folder: Folder, id: string, heads: ReadonlyMap<number, Head>): Head {
  const all = [...heads.values()];
  const withoutCodecs = (metadata: Metadata) =>
    new TextDecoder().decode(encodeMetadata({ ...metadata, codecs: [], shards: [] }));
  // The names of codecs grow from shard to shard.
  const fullest = all.reduce((most, one) =>
    one.metadata.codecs.length > most.metadata.codecs.length ? one : most,
  );
  const said = withoutCodecs(fullest.metadata);
  const index = new IndexBuilder();
  for (const [number, head] of heads) {
    const isOfIt =
      withoutCodecs(head.metadata) === said &&
      head.metadata.codecs.every(({ id: name, version }, i) => {
        const same = fullest.metadata.codecs[i];
        return same.id === name && same.version === version;
      });
    if (!isOfIt) continue;
    for (let i = 0; i < head.index.count; i++) {
      if (!head.isIndexWhole && !head.index.isWhole(i)) continue;
      index.add({ ...head.index.entry(i), shard: number });
    }
  }
  const last = Math.max(...heads.keys());
  const shards = Array.from({ length: last }, (_, i): ShardName => {
    return { name: shardName(id, i + 1), sizeBytes: heads.get(i + 1)?.header.fileBytes ?? 1 };
  });
  return {
    name: folder.name,
    header: { ...fullest.header, isManifest: true },
    metadata: { ...fullest.metadata, shards },
    index: new NodeIndex(index.finish()),
    isIndexWhole: true,
    sizeBytes: 0,
  };
}
