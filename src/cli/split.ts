/** `wavecube split`: a file into a folder of shards. */
import { Command } from 'commander';
import { loadFileLibrary } from './engine.js';
import { byteSize } from './options.js';
import { checkPlace, required } from './output.js';
import { CUBE_ARGUMENT, checkInput } from './places.js';
import { stage } from './progress.js';
import { tellLost } from './recovered.js';
import { interruptible } from './signals.js';
import { filesIn } from './sizes.js';
import { bytesText, counted } from './wording.js';

interface Options {
  shardBytes?: number;
  recover?: boolean;
}

export function splitCommand(): Command {
  return new Command('split')
    .summary('spread a cube over many files')
    .description(
      `Writes what IN holds to the folder OUT, in files of at most SIZE bytes beside a
manifest.wvcb; a node that is larger has a file to itself. The folder is loaded by
its path. A missing or damaged file costs its own nodes only. What an earlier split
left in OUT is replaced when the new files are whole. 'wavecube convert OUT one.wvcb'
puts them together again.`,
    )
    .argument('<in>', CUBE_ARGUMENT)
    .argument('<out>', 'a folder, new or of an earlier split')
    .option('--shard-bytes <size>', 'of a file, as 64MB or 1GiB (required)', byteSize)
    .option('--recover', 'take what is intact of a damaged file; exit code 1 if something was lost')
    .addHelpText(
      'after',
      `
Examples:
  wavecube split piano.wvcb shards/ --shard-bytes 64MB
  wavecube convert shards/ piano.wvcb`,
    )
    .action(split);
}

async function split(from: string, to: string, options: Options, command: Command): Promise<void> {
  const shardBytes = required(command, options.shardBytes, '--shard-bytes');
  const { recover = false } = options;
  checkInput(from);
  checkPlace(to, { folder: true });
  const { convert } = await loadFileLibrary();
  const splitting = stage('split');
  const { count, lost } = await interruptible((signal) =>
    convert(from, to, {
      format: 'wvcb',
      shardBytes,
      recover,
      signal,
      onProgress: ({ done, total }) => splitting.update(done, total),
    }),
  );
  splitting.done(counted(count, 'node'));
  tellLost(lost, from);
  const sizes = (await filesIn(to)).filter(({ name }) => /^shard-.*\.wvcb$/.test(name));
  const bytes = sizes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  process.stdout.write(
    `${to}: ${counted(count, 'node')} in ${counted(sizes.length, 'file')}, ${bytesText(bytes)}\n`,
  );
}
