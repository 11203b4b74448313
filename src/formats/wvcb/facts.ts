/** What a .wvcb file, or a folder of shards, says of itself beside its cube. */
import type { Folder, Source } from '../../grid/files/bytestream.js';
import type { FileFacts } from '../../grid/files/persistence.js';
import { readHead } from './head.js';
import { VERSION } from './header.js';
import { MANIFEST } from './shardnames.js';

export async function factsOf(place: Source | Folder, signal?: AbortSignal): Promise<FileFacts> {
  if ('read' in place) return headFacts(place, signal);
  const manifest = await place.open(MANIFEST);
  try {
    return await headFacts(manifest, signal);
  } finally {
    await manifest.close();
  }
}

async function headFacts(source: Source, signal?: AbortSignal): Promise<FileFacts> {
  const { header, metadata } = await readHead(source, { recover: true, signal });
  const { generation, isManifest } = header;
  return { version: VERSION, generation, ...(isManifest && { shards: metadata.shards }) };
}
