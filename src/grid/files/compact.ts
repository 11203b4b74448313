/** Files that were changed in place, written anew. */
import { ArgumentError, check } from '../../errors.js';
import { createPath, sniffFormat, storageFor } from './persistence.js';

/**
 * Writes a file anew without what its updates (saveChanges) left unused; whole or not at all, and while no other adds to it. Cubes that
 * are opened from it go on reading what they know; to save their changes they must be opened again.
 * @returns the file's bytes before and after.
 * @throws FormatError for a file that is damaged; StorageError while another adds to it; ArgumentError for formats, and places, where
 * nothing is changed in place.
 */
export async function compact(path: string): Promise<{ before: number; after: number }> {
  const storage = storageFor(path);
  check(
    storage.append !== undefined,
    () => new ArgumentError(`compact: ${path} is no file that can be changed in place`),
  );
  const file = await storage.append(path);
  try {
    const format = await sniffFormat(file);
    check(
      format.compact !== undefined,
      () => new ArgumentError(`compact: files of format '${format.name}' are never changed in place`),
    );
    const sink = await createPath(path);
    try {
      await format.compact(file, sink);
      const sizes = { before: file.sizeBytes, after: sink.sizeBytes };
      await sink.commit();
      return sizes;
    } catch (error) {
      await sink.abort();
      throw error;
    }
  } finally {
    await file.close();
  }
}
