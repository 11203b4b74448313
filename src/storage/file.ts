/** Files, in Node. Its modules are asked for at run time, so that a browser's bundle holds none of them. */
import { check, WavecubeError } from '../errors.js';
import type { Storage } from '../grid/persistence.js';

const nodeModules = () => globalThis.process?.getBuiltinModule;

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is no folder',
  EROFS: 'the disk is read-only',
};

function readable(path: string, error: unknown, reasons = REASONS): WavecubeError {
  const code = (error as { code?: string }).code;
  return new WavecubeError(`${path}: ${reasons[code ?? ''] ?? String(error)}`, { cause: error });
}

/**
 * Temporary files under way. A process that ends while one is written takes it along: by one listener for 'exit',
 * there only while there are any. Signals stay the program's own; one that kills at once leaves the file.
 */
const underWay = new Set<string>();

function removeUnderWay(): void {
  const fs = process.getBuiltinModule('node:fs');
  for (const path of underWay) {
    try {
      fs.rmSync(path, { force: true });
    } catch {
      // The process is ending; the next file may still be removed.
    }
  }
}

function begin(path: string): void {
  if (underWay.size === 0) process.on('exit', removeUnderWay);
  underWay.add(path);
}

function end(path: string): void {
  underWay.delete(path);
  if (underWay.size === 0) process.off('exit', removeUnderWay);
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

  /**
   * Into a file beside it, synced, then renamed: a reader sees the old file or the new one. The file beside it goes
   * when writing fails, and when the process exits meanwhile.
   */
  async write(path, bytes) {
    const fs = process.getBuiltinModule('node:fs/promises');
    const { closeSync, openSync } = process.getBuiltinModule('node:fs');
    const { randomUUID } = process.getBuiltinModule('node:crypto');
    const { dirname } = process.getBuiltinModule('node:path');
    const target = toPath(path);
    const beside = `${target}.${randomUUID()}.tmp`;
    begin(beside);
    try {
      // Made at once: an 'open' on its way could make it after the exit listener has removed it.
      closeSync(openSync(beside, 'wx'));
      const file = await fs.open(beside, 'r+');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await fs.rename(beside, target);
    } catch (error) {
      // A failed removal must not hide what failed first.
      await fs.rm(beside, { force: true }).catch(() => {});
      throw readable(path, error, { ...REASONS, ENOENT: `${REASONS.ENOENT}: ${dirname(target)}` });
    } finally {
      end(beside);
    }
  },
};

function toPath(path: string): string {
  check(path.length > 0, () => new WavecubeError('save and load: the path must not be empty'));
  return path.startsWith('file://') ? process.getBuiltinModule('node:url').fileURLToPath(path) : path;
}
