/** Files that grow in place, under a lock. */
import { ArgumentError, ChangedError, check, DisposedError } from '../errors.js';
import { type AppendableSource, checkRange } from '../grid/files/bytestream.js';
import { openFolder } from './filefolder.js';
import { writeExactly } from './filesink.js';
import { readExactly } from './filesource.js';
import { nodeFiles, nodePath, readable } from './filesystem.js';
import { lock } from './lock.js';

/**
 * Opens a file that is there to be added to; links are followed, so that a file has one lock however it is called.
 * @throws StorageError while another adds to it. Saving over it is not kept out: the file that was opened is then another's no more,
 * and sync says so with a ChangedError.
 */
export async function appendFile(path: string, name: string): Promise<AppendableSource> {
  try {
    const target = await nodeFiles().realpath(path);
    const release = lock(target, name);
    try {
      return await appendable(target, name, release);
    } catch (error) {
      release();
      throw error;
    }
  } catch (error) {
    throw readable(name, error);
  }
}

async function appendable(target: string, name: string, release: () => void): Promise<AppendableSource> {
  const files = nodeFiles();
  const handle = await files.open(target, 'r+');
  const opened = await handle.stat({ bigint: true });
  let sizeBytes = Number(opened.size);
  let last: Promise<unknown> = Promise.resolve();
  /** One thing after the other. */
  const next = (step: () => Promise<void>): Promise<void> => {
    const begun = last.then(() => {
      check(handle.fd >= 0, () => new DisposedError(`${name}: it has been closed`));
      return step();
    });
    const done = begun.catch((error) => {
      throw readable(name, error);
    });
    last = done.catch(() => {});
    return done;
  };
  const source: AppendableSource = {
    name,
    get sizeBytes() {
      return sizeBytes;
    },
    async read(offset, length, signal) {
      checkRange(source, offset, length);
      return readExactly(handle, name, offset, length, signal);
    },
    append: (bytes) =>
      next(async () => {
        // Where it fails the file keeps its size for us: what follows overwrites what came of it.
        await writeExactly(handle.fd, bytes, sizeBytes);
        sizeBytes += bytes.length;
      }),
    patch: (offset, bytes) =>
      next(async () => {
        check(
          Number.isSafeInteger(offset) && offset >= 0 && offset + bytes.length <= sizeBytes,
          () =>
            new ArgumentError(
              `${name}: patch must stay within its ${sizeBytes} bytes, got ${bytes.length} at byte ${offset}`,
            ),
        );
        await writeExactly(handle.fd, bytes, offset);
      }),
    sync: () =>
      next(async () => {
        await handle.sync();
        const there = await files.stat(target, { bigint: true }).catch(() => undefined);
        check(
          there?.ino === opened.ino && there.dev === opened.dev,
          () => new ChangedError(name, 'was replaced by another file while it was added to'),
        );
      }),
    folder: () => openFolder(nodePath().dirname(target), nodePath().dirname(name)),
    async close() {
      await last;
      try {
        await handle.close();
      } finally {
        release();
      }
    },
  };
  return source;
}
