/** Blobs, and the files that a user picked in a page, to be read in parts. */
import { ChangedError } from '../../errors.js';
import { checkRange, type Source } from './bytestream.js';

/** @param name what errors call it; of a File its own. @throws ChangedError from reads, where the file was changed since it was picked. */
export function blobSource(blob: Blob, name = (blob as Partial<File>).name || 'a blob'): Source {
  return {
    name,
    sizeBytes: blob.size,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      checkRange(this, offset, length);
      const bytes = await blob
        .slice(offset, offset + length)
        .arrayBuffer()
        .catch((cause) => {
          throw new ChangedError(name, 'can be read no more: it was changed or removed since it was picked', {
            cause,
          });
        });
      signal?.throwIfAborted();
      if (bytes.byteLength !== length) throw new ChangedError(name, 'is shorter than when it was picked');
      return new Uint8Array(bytes);
    },
    async close() {},
  };
}
