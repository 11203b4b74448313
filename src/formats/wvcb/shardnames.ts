/** What the files of a cube of many shards are called: ../WVCB.md. */
import type { Folder } from '../../grid/files/bytestream.js';

export const MANIFEST = 'manifest.wvcb';
/** As an entry numbers them. */
export const MAX_SHARDS = 0xffff;
const PATTERN = /^shard-([0-9a-f]{32})-(\d{5})\.wvcb$/;

export const hexOf = (id: Uint8Array): string =>
  [...id].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** @param k from 1 on, as entries say it. */
export const shardName = (id: string, k: number): string =>
  `shard-${id}-${String(k - 1).padStart(5, '0')}.wvcb`;

/** The id in a shard's name, and its number from 1 on; null of another name: one with a way out of the folder too. */
export function partsOfShardName(name: string): { id: string; number: number } | null {
  const [, id, digits] = PATTERN.exec(name) ?? [];
  return id === undefined ? null : { id, number: Number(digits) + 1 };
}

/** Names of all shards in a folder, of whatever save; none where it cannot list. */
export async function shardsIn(folder: Folder): Promise<string[]> {
  return ((await folder.list?.()) ?? []).filter((name) => partsOfShardName(name) !== null);
}
