/** Cubes and hierarchies as HDF5 files: HDF5.md. What reads and writes them is loaded at first use. */
import type { FileFormat } from '../grid/files/persistence.js';

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

export const hdf5: FileFormat = {
  name: 'hdf5',
  aliases: ['h5'],
  extensions: ['.h5', '.hdf5'],
  sniff: (head) => SIGNATURE.every((byte, i) => head[i] === byte),
  async write(contents, sink, options) {
    const { writeContents } = await import('./hdf5/write.js');
    await writeContents(contents, sink, options);
  },
  async read(source, options) {
    const { readContents } = await import('./hdf5/read.js');
    return readContents(source, options);
  },
};
