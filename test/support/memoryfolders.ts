/** A storage of memory with files and folders, for tests that also run in a page: folders://folder/file. */
import { memorySink, memorySource } from '../../src/grid/files/bytestream.js';
import { type Folder, provideStorage, type Source, StorageError } from '../../src/index.js';

const SCHEME = 'folders://';

/** All files, by their paths. */
export const memoryFiles = new Map<string, Uint8Array>();
/** Paths of files that were opened, in their order. */
export const openedFiles: string[] = [];

export function memoryFolder(path: string, canList = true): Folder {
  const at = (name: string) => `${path.replace(/\/$/, '')}/${name}`;
  return {
    name: path,
    ...(canList && {
      list: async () =>
        [...memoryFiles.keys()]
          .filter((one) => one.startsWith(at('')))
          .map((one) => one.slice(at('').length)),
    }),
    open: async (name) => openMemory(at(name)),
    create: async (name) =>
      memorySink(at(name), (bytes) => {
        memoryFiles.set(at(name), bytes);
      }),
    async remove(name) {
      memoryFiles.delete(at(name));
    },
  };
}

function openMemory(path: string): Source {
  const bytes = memoryFiles.get(path);
  if (!bytes) throw new StorageError(path, 'there is no such file', { missing: true });
  openedFiles.push(path);
  const parent = path.slice(0, path.lastIndexOf('/'));
  return { ...memorySource(bytes, path), folder: async () => memoryFolder(parent) };
}

provideStorage({
  serves: (path) => path.startsWith(SCHEME),
  read: async (path) => memoryFiles.get(path)!,
  async write(path, bytes) {
    memoryFiles.set(path, bytes);
  },
  open: async (path) => openMemory(path),
  folder: async (path) =>
    memoryFiles.has(path) ? null : memoryFolder(path, !path.startsWith(`${SCHEME}unlisted`)),
});
