/** `wavecube convert`: a file of one format into one of another. */
import { Command } from 'commander';
import { loadFileLibrary } from './engine.js';
import { checkPlace } from './output.js';
import { CUBE_ARGUMENT, checkInput, cubeOutput, endingOf } from './places.js';
import { stage } from './progress.js';
import { tellLost } from './recovered.js';
import { interruptible } from './signals.js';
import { sizeOnDisk } from './sizes.js';
import { bytesText, counted } from './wording.js';

interface Options {
  deflate?: boolean;
  recover?: boolean;
}

export function convertCommand(): Command {
  return new Command('convert')
    .summary('turn a file of a cube into one of another format')
    .description(
      `Writes what IN holds, a cube or a hierarchy of octaves, to OUT, in the format
that OUT's name ends in; nodes stay as they are stored, bit for bit (a .zarr has
them decoded). They are read and written one after the other, so that large files
take little memory. OUT may be there already, or be IN: it is replaced when the new
one is whole, not before.`,
    )
    .argument('<in>', CUBE_ARGUMENT)
    .argument('<out>', 'the new file: .npz, .wvcb, .h5, .hdf5, or .zarr (a folder)', cubeOutput)
    .option('--deflate', 'pack the entries of a .npz')
    .option('--recover', 'take what is intact of a damaged file; exit code 1 if something was lost')
    .addHelpText(
      'after',
      `
Examples:
  wavecube convert piano.npz piano.wvcb
  wavecube convert piano.wvcb piano.npz --deflate
  wavecube convert damaged.wvcb rescued.wvcb --recover
  wavecube convert shards/ piano.wvcb`,
    )
    .action(convert);
}

async function convert(from: string, to: string, options: Options, command: Command): Promise<void> {
  const { deflate, recover = false } = options;
  const ending = endingOf(to);
  if (deflate && ending !== '.npz') command.error('error: --deflate is for .npz');
  checkInput(from);
  checkPlace(to, { folder: ending === '.zarr' });
  const { convert: converted } = await loadFileLibrary();
  const converting = stage('convert');
  const { count, lost } = await interruptible((signal) =>
    converted(from, to, {
      recover,
      signal,
      ...(deflate && { deflate }),
      onProgress: ({ done, total }) => converting.update(done, total),
    }),
  );
  converting.done(counted(count, 'node'));
  tellLost(lost, from);
  process.stdout.write(`${to}: ${counted(count, 'node')}, ${bytesText(await sizeOnDisk(to))}\n`);
}
