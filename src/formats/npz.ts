/** Cubes and hierarchies as .npz files: npz/layout.ts. */
import type { FileFormat } from '../grid/persistence.js';
import { readNpz } from './npz/reading.js';
import { writeNpz } from './npz/writing.js';

export const npz: FileFormat = {
  name: 'npz',
  extensions: ['.npz'],
  sniff: (head) => head[0] === 0x50 && head[1] === 0x4b,
  write: (contents, sink, { deflate }) => writeNpz(contents, sink, Boolean(deflate)),
  read: readNpz,
};
