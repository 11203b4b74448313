/** Folders of files. */
import { check, FormatError } from '../errors.js';
import type { Folder } from '../grid/files/bytestream.js';
import { FileSink } from './filesink.js';
import { openFile } from './filesource.js';
import { codeOf, nodeFiles, nodePath, readable, syncFolder } from './filesystem.js';
import { lockOf } from './lock.js';
import { partsOfName } from './names.js';
import { isTemporary, sweep } from './temporary.js';

/**
 * A folder that is there, or is made when something is first written into it. Names are plain (names.ts). Links in it are followed for
 * reading; for writing only where they stay within it.
 * @param name what errors call it.
 */
export async function openFolder(path: string, name: string): Promise<Folder> {
  const { join, sep } = nodePath();
  const files = nodeFiles();
  const nameOf = (inside: string) => join(name, String(inside));
  const pathOf = (inside: string) => join(path, ...partsOfName(name, inside));

  /** Where a name lies, by folders that are seen to lie within this one. @param prepare gets each before it is looked at. */
  async function placeOf(inside: string, prepare: (folder: string) => Promise<void>): Promise<string> {
    const parts = partsOfName(name, inside);
    await prepare(path);
    const root = await files.realpath(path);
    let place = root;
    for (const part of parts.slice(0, -1)) {
      await prepare(join(place, part));
      place = await files.realpath(join(place, part));
      check(
        place.startsWith(root.endsWith(sep) ? root : root + sep),
        () => new FormatError(name, `'${inside}' leads out of the folder, by a link to ${place}`),
      );
    }
    return join(place, parts[parts.length - 1]);
  }

  const named = <T>(inside: string, promise: Promise<T>): Promise<T> =>
    promise.catch((error) => {
      throw readable(nameOf(inside), error);
    });

  return {
    name,
    async list() {
      try {
        const entries = await files.readdir(path, { recursive: true, withFileTypes: true });
        const found: string[] = [];
        for (const entry of entries) {
          const full = join(entry.parentPath, entry.name);
          const isFile = entry.isSymbolicLink()
            ? ((await files.stat(full).catch(() => undefined))?.isFile() ?? false)
            : entry.isFile();
          const parts = nodePath().relative(path, full).split(sep);
          if (isFile && !parts.some(isTemporary) && !entry.name.endsWith(lockOf('')))
            found.push(parts.join('/'));
        }
        return found.sort();
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return [];
        throw readable(name, error);
      }
    },
    open: async (inside) => openFile(pathOf(inside), nameOf(inside), openFolder),
    async create(inside) {
      const place = await named(inside, placeOf(inside, makeFolder));
      const sink = new FileSink(place, nameOf(inside));
      await sweep(nodePath().dirname(place));
      return sink;
    },
    async remove(inside) {
      const removing = async () => files.rm(await placeOf(inside, async () => {}), { force: true });
      await named(
        inside,
        removing().catch((error) => {
          if (codeOf(error) !== 'ENOENT') throw error;
        }),
      );
    },
  };
}

async function makeFolder(path: string): Promise<void> {
  const made = await nodeFiles().mkdir(path, { recursive: true });
  if (made === undefined) return;
  // The new names are to outlast a power cut, as what is written into them does.
  const { dirname } = nodePath();
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    await syncFolder(folder);
    if (folder === dirname(made) || folder === dirname(folder)) return;
  }
}
