/** What files take on the disk. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const plain = (path: string): string => (path.startsWith('file://') ? fileURLToPath(path) : path);

/** All files in a folder and in its folders. */
export async function filesIn(path: string): Promise<{ name: string; sizeBytes: number }[]> {
  const entries = await readdir(plain(path), { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async ({ name, parentPath }) => ({ name, sizeBytes: (await stat(join(parentPath, name))).size })),
  );
}

/** Bytes of a file, or of all files in a folder. */
export async function sizeOnDisk(path: string): Promise<number> {
  const found = await stat(plain(path));
  if (!found.isDirectory()) return found.size;
  return (await filesIn(path)).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
