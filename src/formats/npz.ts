/** Cubes and hierarchies as .npz files: npz/layout.ts. */
import { ArgumentError, check, checkOptionNames, shown } from '../errors.js';
import type { FileFormat } from '../grid/files/persistence.js';
import { readNpz } from './npz/reading.js';
import { writeNpz } from './npz/writing.js';

export const npz: FileFormat = {
  name: 'npz',
  extensions: ['.npz'],
  sniff: (head) => head[0] === 0x50 && head[1] === 0x4b,
  async write(contents, sink, options) {
    checkOptionNames("save to 'npz'", options, ['deflate']);
    const { deflate = false } = options;
    check(
      typeof deflate === 'boolean',
      () => new ArgumentError(`save: deflate must be true or false, got ${shown(deflate)}`),
    );
    await writeNpz(contents, sink, deflate);
  },
  read: readNpz,
};
