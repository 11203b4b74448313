/** Cubes and hierarchies as .npz files: npzcube.ts, npzoctaves.ts. */
import { readAll } from '../grid/bytestream.js';
import type { FileFormat } from '../grid/persistence.js';
import { cubeEntries, cubeOf, HIERARCHY, readMetadata } from './npzcube.js';
import { hierarchyEntries, hierarchyOf } from './npzoctaves.js';
import { unzipArchive, zipArchive } from './zip.js';

export const npz: FileFormat = {
  name: 'npz',
  extensions: ['.npz'],
  sniff: (head) => head[0] === 0x50 && head[1] === 0x4b,
  async write(contents, sink, { deflate }) {
    const entries = await (contents.kind === 'cube' ? cubeEntries(contents) : hierarchyEntries(contents));
    await sink.write(zipArchive(entries, Boolean(deflate)));
  },
  async read(source, { signal }) {
    const entries = unzipArchive(await readAll(source, signal), source.name);
    const isHierarchy =
      readMetadata<{ format: string }>(entries['metadata.npy'], source.name)?.format === HIERARCHY;
    return isHierarchy ? hierarchyOf(entries, source.name) : cubeOf(entries, source.name);
  },
};
