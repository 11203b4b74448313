/** Wavecube's own files: WVCB.md. */
import { ArgumentError, check } from '../errors.js';
import type { FileFormat } from '../grid/files/persistence.js';
import { appendChanges } from './wvcb/append.js';
import { compactFile } from './wvcb/compact.js';
import { factsOf } from './wvcb/facts.js';
import { hasMagic } from './wvcb/header.js';
import { openFile } from './wvcb/nodes.js';
import { readFile } from './wvcb/read.js';
import { openShardFolder, readShardFolder } from './wvcb/shardfolder.js';
import { isShardFolder } from './wvcb/shards.js';
import { writeFile } from './wvcb/write.js';
import { writeShards } from './wvcb/writeshards.js';

function checkOptions(options: Record<string, unknown>, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  check(unknown === undefined, () =>
    unknown === 'shardBytes'
      ? new ArgumentError("toBytes: 'shardBytes' makes many files; save to a folder")
      : new ArgumentError(`save: format 'wvcb' has no option '${unknown}'; there is shardBytes`),
  );
}

export const wvcb: FileFormat = {
  name: 'wvcb',
  aliases: ['wavecube'],
  extensions: ['.wvcb'],
  sniff: hasMagic,
  async write(contents, sink, options) {
    checkOptions(options, []);
    await writeFile(contents, sink);
  },
  read: readFile,
  open: openFile,
  append: appendChanges,
  compact: compactFile,
  wantsFolder: ({ shardBytes }) => shardBytes !== undefined,
  foldersInPlace: true,
  async writeFolder(contents, folder, { shardBytes, ...options }) {
    checkOptions(options, []);
    await writeShards(contents, folder, shardBytes);
  },
  sniffFolder: isShardFolder,
  readFolder: readShardFolder,
  openFolder: openShardFolder,
  facts: factsOf,
};
