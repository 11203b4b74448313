/** Wavecube's own files: WVCB.md. */
import { ArgumentError, check } from '../errors.js';
import type { FileFormat } from '../grid/persistence.js';
import { hasMagic } from './wvcb/header.js';
import { openFile } from './wvcb/nodes.js';
import { readFile } from './wvcb/read.js';
import { writeFile } from './wvcb/write.js';

export const wvcb: FileFormat = {
  name: 'wvcb',
  aliases: ['wavecube'],
  extensions: ['.wvcb'],
  sniff: hasMagic,
  async write(contents, sink, options) {
    const [unknown] = Object.keys(options);
    check(unknown === undefined, () => new ArgumentError(`save: format 'wvcb' has no option '${unknown}'`));
    await writeFile(contents, sink);
  },
  read: readFile,
  open: openFile,
};
