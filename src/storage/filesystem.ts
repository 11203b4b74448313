/** Node's file system. Its modules are asked for at run time, so that a browser's bundle holds none of them. */
import { ArgumentError, check, StorageError } from '../errors.js';

export const hasFileSystem = (): boolean => Boolean(globalThis.process?.getBuiltinModule);
export const nodeFs = () => process.getBuiltinModule('node:fs');
export const nodeFiles = () => process.getBuiltinModule('node:fs/promises');
export const nodePath = () => process.getBuiltinModule('node:path');

export type FileHandle = Awaited<ReturnType<ReturnType<typeof nodeFiles>['open']>>;

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is no folder',
  EROFS: 'the disk is read-only',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  EEXIST: 'a file is in the place of a folder',
};

export const codeOf = (error: unknown): string | undefined => (error as { code?: string } | null)?.code;

/** What the file system said, of a path; errors that are ours stay as they are. @param folder named where it is what is missing. */
export function readable(name: string, error: unknown, folder?: string): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  const missing = code === 'ENOENT';
  const reason = REASONS[code] ?? String(error);
  return new StorageError(name, missing && folder !== undefined ? `${reason}: ${folder}` : reason, {
    missing,
    cause: error,
  });
}

/** A path or a file URL as a path. */
export function toPath(path: string): string {
  check(path.length > 0, () => new ArgumentError('save and load: the path must not be empty'));
  return path.startsWith('file://') ? process.getBuiltinModule('node:url').fileURLToPath(path) : path;
}

/** Where a folder cannot be synced (Windows, some network disks) its entries are as durable as they get. */
const CANNOT_SYNC = new Set(['EINVAL', 'EPERM', 'EACCES', 'EISDIR', 'EBADF', 'ENOTSUP', 'ENOSYS']);

/** Makes the names in a folder durable: without it a rename may be gone after a power cut. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await nodeFiles().open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!CANNOT_SYNC.has(codeOf(error) ?? '')) throw error;
  }
}
