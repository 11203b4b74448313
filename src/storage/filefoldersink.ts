/** Folders under way: written beside their target, and renamed to it when they are whole. */
import { DisposedError } from '../errors.js';
import type { FolderSink } from '../grid/files/bytestream.js';
import { openFolder } from './filefolder.js';
import { codeOf, nodeFiles, nodeFs, nodePath, readable, syncFolder } from './filesystem.js';
import { sweep, temporaryBeside } from './temporary.js';
import { begin, end } from './underway.js';

/** What rename says where the target is a folder with something in it, on one system or another. */
const OCCUPIED = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'EACCES']);

/**
 * A reader of the target sees the old folder or the new one. No system exchanges two folders in one step that Node can ask for: the old
 * one is renamed to `<target>.<random>.old`, the new one to the target, and then the old one is removed. A crash between the two
 * renames leaves the old one under that name, whole, and none under its own; at any other moment the target is the old one or the new.
 * @param name what errors call the target.
 */
export async function createFolder(path: string, name: string): Promise<FolderSink> {
  const files = nodeFiles();
  const { dirname, resolve } = nodePath();
  const there = await files.realpath(path).catch(() => undefined);
  // The folder that a link leads to is replaced, not the link.
  const target = there ?? resolve(path);
  const beside = temporaryBeside(target);
  await sweep(dirname(target));
  begin(beside);
  try {
    // Within one turn of the event loop: nothing can remove it at exit that is not there yet.
    nodeFs().mkdirSync(beside);
    // Who could not read the old folder is not to read the new one.
    if (there !== undefined && process.platform !== 'win32')
      nodeFs().chmodSync(beside, nodeFs().statSync(there).mode & 0o777);
  } catch (error) {
    nodeFs().rmSync(beside, { force: true, recursive: true });
    end(beside);
    throw readable(name, error, dirname(target));
  }
  const folder = await openFolder(beside, name);
  let state: 'open' | 'committed' | 'aborted' = 'open';

  async function replace(): Promise<void> {
    try {
      await files.rename(beside, target);
      return;
    } catch (error) {
      if (!OCCUPIED.has(codeOf(error) ?? '')) throw error;
    }
    const random = process.getBuiltinModule('node:crypto').randomBytes(6).toString('hex');
    const old = `${target}.${random}.old`;
    await files.rename(target, old);
    try {
      await files.rename(beside, target);
    } catch (error) {
      await files.rename(old, target);
      throw error;
    }
    await syncFolder(dirname(target));
    begin(old);
    // The new one is in place: what of the old one cannot be removed is only in the way.
    await files.rm(old, { recursive: true, force: true }).catch(() => {});
    end(old);
  }

  return {
    name,
    ...(folder.list && { list: () => folder.list!() }),
    open: (inside) => folder.open(inside),
    create: (inside) => folder.create!(inside),
    remove: (inside) => folder.remove!(inside),
    async commit() {
      if (state !== 'open') throw new DisposedError(`${name}: it has been ${state} already`);
      try {
        await syncFolder(beside);
        await replace();
        state = 'committed';
        await syncFolder(dirname(target));
      } catch (error) {
        throw readable(name, error, dirname(target));
      }
      end(beside);
    },
    async abort() {
      if (state !== 'open') return;
      state = 'aborted';
      await files.rm(beside, { recursive: true, force: true }).catch(() => {});
      end(beside);
    },
  };
}
