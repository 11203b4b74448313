/** A folder of shards, read whole or opened: by its manifest; where that is damaged or lost, and it is asked for, by the shards. */
import { check, FormatError } from '../../errors.js';
import type { Folder } from '../../grid/files/bytestream.js';
import type { Contents } from '../../grid/files/contents.js';
import type { Opened, ReadOptions } from '../../grid/files/persistence.js';
import { type Head, readHead } from './head.js';
import { openFrom } from './nodes.js';
import { readFrom } from './read.js';
import { rebuiltHead } from './rebuild.js';
import { MANIFEST } from './shardnames.js';
import { shardFiles } from './shards.js';

export async function readShardFolder(folder: Folder, options: ReadOptions): Promise<Contents> {
  const head = await headOf(folder, options);
  return readFrom(head, await shardFiles(head, folder, options, true), options);
}

export async function openShardFolder(folder: Folder, options: ReadOptions): Promise<Opened> {
  const head = await headOf(folder, options);
  const shards = await shardFiles(head, folder, options, false);
  try {
    return openFrom(head, shards, options, async () => {});
  } catch (error) {
    await shards.close();
    throw error;
  }
}

/** The manifest's; where it is damaged, with `recover`, one of what the shards say, if that is more. */
async function headOf(folder: Folder, options: ReadOptions): Promise<Head> {
  let manifest: Head;
  try {
    manifest = await manifestHead(folder, options);
  } catch (error) {
    if (!options.recover || !(error instanceof FormatError)) throw error;
    // Without a shard, what is wrong with the manifest says more.
    const head = await rebuiltHead(folder, options);
    if (head === null) throw error;
    return head;
  }
  const { index, isIndexWhole } = manifest;
  if (isIndexWhole) return manifest;
  const whole = Array.from({ length: index.count }, (_, i) => index.isWhole(i)).filter(Boolean).length;
  const head = await rebuiltHead(folder, options);
  return head && head.index.count >= whole ? head : manifest;
}

async function manifestHead(folder: Folder, options: ReadOptions): Promise<Head> {
  const names = await folder.list?.();
  check(
    names === undefined || names.includes(MANIFEST),
    () =>
      new FormatError(
        folder.name,
        `has no '${MANIFEST}', which says what its shards are; { recover: true } reads what is in them`,
      ),
  );
  const source = await folder.open(MANIFEST);
  try {
    const head = await readHead(source, options);
    check(
      head.header.isManifest,
      () =>
        new FormatError(
          source.name,
          'is no manifest, but a cube of one file by itself: load it by its own path',
        ),
    );
    return head;
  } finally {
    await source.close();
  }
}
