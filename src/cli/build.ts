/** `wavecube build`: a folder of recordings into a cube. */
import { Command } from 'commander';
import { WavecubeError } from '../errors.js';
import { loadLibrary } from './engine.js';
import { backendOption, count, powerOfTwoCount } from './options.js';
import { stage } from './progress.js';

interface Options {
  output: string;
  size: number;
  times: number;
  backend: string;
}

export function buildCommand(): Command {
  return new Command('build')
    .summary('build a cube from a folder of .wav and .ogg recordings')
    .description(
      `Builds a cube from the .wav and .ogg files in DIR and its folders, one note
a file. Axes: x velocity, y pitch, z time in the note; each node is one cycle
[1, W, 1].

Pitch is measured, never read from the name. A velocity layer is a number
after a v at the end of the name or of a folder's name (C4v8.wav, v8/C4.wav);
if any file lacks one, the recordings of a pitch are put in the order of their
loudness. Places without a recording stay empty: a blend near them counts the
nodes that are there.`,
    )
    .argument('<dir>', 'folder of recordings')
    .requiredOption('-o, --output <cube.npz>', 'where the cube goes')
    .option('--size <n>', 'samples a cycle, a power of two', powerOfTwoCount, 1024)
    .option('--times <n>', 'points of the time axis', count, 12)
    .addOption(backendOption())
    .addHelpText('after', '\nExample:\n  wavecube build ~/recordings -o piano.npz --times 16')
    .action(build);
}

async function build(folder: string, { output, size, times, backend }: Options): Promise<void> {
  const { buildInstrument, hearFiles, nameOfFrequency, soundFiles } = await loadLibrary(backend);
  const paths = await soundFiles(folder);
  if (paths.length === 0) throw new WavecubeError(`${folder}: holds no .wav or .ogg file`);
  const hearing = stage('decode, find pitch');
  const { notes, refused } = await hearFiles(paths, hearing.update);
  hearing.done(`${notes.length} of ${paths.length} recordings`);
  for (const { path, reason } of refused) process.stderr.write(`left out: ${path}: ${reason}\n`);
  if (notes.length === 0)
    throw new WavecubeError(`${folder}: none of its ${paths.length} recordings holds a pitched note`);
  const cutting = stage('cut, align');
  const { cube, velocities, frequenciesHz, leftOut } = buildInstrument(notes, {
    size,
    times,
    source: folder,
    onProgress: cutting.update,
  });
  cutting.done(`${cube.nodeCount} nodes`);
  for (const path of leftOut)
    process.stderr.write(`left out: ${path}: another recording has its pitch and velocity\n`);
  await cube.save(output, { format: 'npz' });
  const names = [frequenciesHz[0], frequenciesHz[frequenciesHz.length - 1]].map(nameOfFrequency);
  process.stdout.write(
    `${output}: ${velocities.length} velocities × ${frequenciesHz.length} pitches (${[...new Set(names)].join(' … ')}) × ${times} times\n`,
  );
  cube.dispose();
}
