/** Files, in Node. Its modules are asked for at run time, so that a browser's bundle holds none of them. */
import { check, WavecubeError } from '../errors.js';
import type { Storage } from '../grid/persistence.js';

const nodeModules = () => globalThis.process?.getBuiltinModule;

function readable(path: string, error: unknown): WavecubeError {
  const code = (error as { code?: string }).code;
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file or folder',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
    ENOSPC: 'the disk is full',
    ENOTDIR: 'a part of the path is no folder',
  };
  return new WavecubeError(`${path}: ${reasons[code ?? ''] ?? String(error)}`, { cause: error });
}

export const fileStorage: Storage = {
  serves: (path) => Boolean(nodeModules()) && (!/^[a-z]+:\/\//i.test(path) || path.startsWith('file://')),

  async read(path) {
    const fs = process.getBuiltinModule('node:fs/promises');
    try {
      return new Uint8Array(await fs.readFile(toPath(path)));
    } catch (error) {
      throw readable(path, error);
    }
  },

  /** Into a file beside it, synced, then renamed: a reader sees the old file or the new one. */
  async write(path, bytes) {
    const fs = process.getBuiltinModule('node:fs/promises');
    const { randomUUID } = process.getBuiltinModule('node:crypto');
    const target = toPath(path);
    const beside = `${target}.${randomUUID()}.tmp`;
    try {
      const file = await fs.open(beside, 'wx');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await fs.rename(beside, target);
    } catch (error) {
      await fs.rm(beside, { force: true });
      throw readable(path, error);
    }
  },
};

function toPath(path: string): string {
  check(path.length > 0, () => new WavecubeError('save and load: the path must not be empty'));
  return path.startsWith('file://') ? process.getBuiltinModule('node:url').fileURLToPath(path) : path;
}
