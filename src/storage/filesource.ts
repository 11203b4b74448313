/** Files to be read at random. */
import { ChangedError, check, DisposedError, StorageError } from '../errors.js';
import { checkRange, type Folder, memorySource, type Source } from '../grid/files/bytestream.js';
import { type FileHandle, nodeFiles, nodeFs, nodePath, readable } from './filesystem.js';
import { isLocked } from './lock.js';

type FolderAt = (path: string, name: string) => Promise<Folder>;

/** So that a signal is heard within a large read. */
const PART_BYTES = 2 ** 26;

/**
 * Opens a file by one descriptor: one that is replaced meanwhile stays readable as it was. One that is overwritten in place is found out
 * by its size and time of change; one that only grows is not disturbed, for updates in place append before they overwrite anything.
 * @param name what errors call it. @param folderAt makes the folder that it lies in, of its path and its name.
 */
export async function openFile(path: string, name: string, folderAt: FolderAt): Promise<Source> {
  try {
    const handle = await nodeFiles().open(path, 'r');
    try {
      const opened = await handle.stat({ bigint: true });
      if (opened.isFile()) return fileSource(handle, opened, path, name, folderAt);
      // A pipe has no places to read at; of a folder this says that it is one.
      const bytes = await handle.readFile();
      await handle.close();
      return memorySource(bytes, name);
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw readable(name, error);
  }
}

function fileSource(
  handle: FileHandle,
  opened: { size: bigint; mtimeNs: bigint },
  path: string,
  name: string,
  folderAt: FolderAt,
): Source {
  // While another appends, its last step overwrites the header and nothing else: a new time then says nothing.
  const growing = isLocked(path);
  const checkUnchanged = () => {
    check(handle.fd >= 0, () => new DisposedError(`${name}: it was closed while it was read`));
    const now = nodeFs().fstatSync(handle.fd, { bigint: true });
    check(
      now.size > opened.size || (now.size === opened.size && (growing || now.mtimeNs === opened.mtimeNs)),
      () => new ChangedError(name, 'was changed by another program while it was read; open it again'),
    );
  };
  return {
    name,
    sizeBytes: Number(opened.size),
    async read(offset, length, signal) {
      checkRange(this, offset, length);
      const bytes = await readExactly(handle, name, offset, length, signal);
      checkUnchanged();
      return bytes;
    },
    async readInto(offset, target, signal) {
      checkRange(this, offset, target.length);
      await fill(handle, name, offset, target, signal);
      checkUnchanged();
    },
    folder: () => folderAt(nodePath().dirname(path), nodePath().dirname(name)),
    close: () => handle.close(),
  };
}

/** Bytes of an open file, in a buffer of their own. @throws ChangedError where the file ends before them. */
export async function readExactly(
  handle: FileHandle,
  name: string,
  offset: number,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const bytes = allocate(name, length);
  await fill(handle, name, offset, bytes, signal);
  return bytes;
}

/** Fills `bytes` with those of an open file. */
async function fill(
  handle: FileHandle,
  name: string,
  offset: number,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  check(handle.fd >= 0, () => new DisposedError(`${name}: it has been closed`));
  try {
    for (let done = 0; done < bytes.length; ) {
      const part = Math.min(bytes.length - done, PART_BYTES);
      const { bytesRead } = await handle.read(bytes, done, part, offset + done);
      signal?.throwIfAborted();
      check(
        bytesRead > 0,
        () => new ChangedError(name, `ends at byte ${offset + done} now; it was longer when it was opened`),
      );
      done += bytesRead;
    }
  } catch (error) {
    throw readable(name, error);
  }
}

/** Not filled with zeros first, as all of it is read into; and not of Node's pool, where it would lie at any address. */
function allocate(name: string, length: number): Uint8Array {
  try {
    return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  } catch (cause) {
    throw new StorageError(name, `${length} bytes at once are more than memory can hold`, { cause });
  }
}
