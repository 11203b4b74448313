/** Files, in Node. */
import type { Storage } from '../grid/files/persistence.js';
import { appendFile } from './fileappend.js';
import { openFolder } from './filefolder.js';
import { createFolder } from './filefoldersink.js';
import { FileSink } from './filesink.js';
import { openFile } from './filesource.js';
import { hasFileSystem, nodeFiles, nodeFs, nodePath, readable, toPath } from './filesystem.js';
import { sweep } from './temporary.js';

export const fileStorage = {
  serves: (path) => hasFileSystem() && (!/^[a-z]+:\/\//i.test(path) || path.startsWith('file://')),

  async read(path) {
    try {
      return new Uint8Array(await nodeFiles().readFile(toPath(path)));
    } catch (error) {
      throw readable(path, error);
    }
  },

  /** Into a file beside it, synced, then renamed: a reader sees the old file or the new one. */
  async write(path, bytes) {
    const sink = await fileStorage.create(path);
    try {
      await sink.write(bytes);
      await sink.commit();
    } catch (error) {
      await sink.abort();
      throw error;
    }
  },

  open: async (path) => openFile(toPath(path), path, openFolder),

  async create(path) {
    const target = targetOf(toPath(path));
    const sink = new FileSink(target, path);
    await sweep(nodePath().dirname(target));
    return sink;
  },

  append: async (path) => appendFile(toPath(path), path),

  async folder(path) {
    const target = toPath(path);
    const there = await nodeFiles()
      .stat(target)
      .catch((error) => {
        if (error.code === 'ENOENT') return undefined;
        throw readable(path, error);
      });
    return there === undefined || there.isDirectory() ? openFolder(target, path) : null;
  },

  createFolder: async (path) => createFolder(toPath(path), path),
} satisfies Storage;

/**
 * What a link leads to is replaced, not the link. Asked at once: a file under way must be known to who ends the process from the moment on in
 * which the call is made.
 */
function targetOf(path: string): string {
  try {
    return nodeFs().realpathSync(path);
  } catch {
    return path;
  }
}
