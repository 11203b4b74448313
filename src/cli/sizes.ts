/** What files take on the disk. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Bytes of a file, or of all files in a folder. */
export async function sizeOnDisk(path: string): Promise<number> {
  const target = path.startsWith('file://') ? fileURLToPath(path) : path;
  const found = await stat(target);
  if (!found.isDirectory()) return found.size;
  let bytes = 0;
  for (const entry of await readdir(target, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return bytes;
}
