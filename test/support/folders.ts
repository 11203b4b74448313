/** Folders in memory, as a storage of their own: memory://name. */

import { memorySink } from '../../src/grid/files/bytestream.js';
import {
  type Folder,
  memorySource,
  provideStorage,
  type Sink,
  type Storage,
  StorageError,
} from '../../src/index.js';

const nothing = (place: string) =>
  new StorageError(place, 'there is nothing of this name', { missing: true });

export interface MemoryFolder extends Folder {
  files: Map<string, Uint8Array>;
  create(name: string): Promise<Sink>;
  list?(): Promise<string[]>;
  /** Bytes of each read, by name. */
  reads: { name: string; offset: number; length: number }[];
}

/** @param files by name. @param options.listed whether it tells its names; a web server does not. */
export function memoryFolder(
  name: string,
  files = new Map<string, Uint8Array>(),
  { listed = true } = {},
): MemoryFolder {
  const reads: MemoryFolder['reads'] = [];
  return {
    name,
    files,
    reads,
    ...(listed && { list: async () => [...files.keys()].sort() }),
    async open(inside) {
      const bytes = files.get(inside);
      if (!bytes) throw nothing(`${name}/${inside}`);
      const source = memorySource(bytes, `${name}/${inside}`);
      return {
        ...source,
        read(offset, length, signal) {
          reads.push({ name: inside, offset, length });
          return source.read(offset, length, signal);
        },
      };
    },
    create: async (inside) =>
      memorySink(`${name}/${inside}`, (bytes) => void files.set(inside, bytes.slice())),
    remove: async (inside) => void files.delete(inside),
  };
}

const folders = new Map<string, MemoryFolder>();

/** The folder of a memory:// path, made where there is none. */
export function folderOf(path: string): MemoryFolder {
  const folder = folders.get(path) ?? memoryFolder(path);
  folders.set(path, folder);
  return folder;
}

/** A path whose folder holds these files. */
export function placeFolder(path: string, files: Map<string, Uint8Array>, options = {}): string {
  folders.set(path, memoryFolder(path, files, options));
  return path;
}

const storage: Storage = {
  serves: (path) => path.startsWith('memory://'),
  async read(path) {
    throw nothing(path);
  },
  async write(path) {
    throw new StorageError(path, 'keeps folders only');
  },
  folder: async (path) => folderOf(path),
};
provideStorage(storage);
