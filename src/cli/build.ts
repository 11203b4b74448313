/** `wavecube build`: a folder of recordings into a cube. */
import { setImmediate } from 'node:timers/promises';
import { Command } from 'commander';
import { WavecubeError } from '../errors.js';
import type { Note } from '../instrument/note.js';
import { loadLibrary } from './engine.js';
import { backendOption, count, powerOfTwoCount } from './options.js';
import { checkPlace, fileName, required } from './output.js';
import { stage } from './progress.js';
import { counted, offItsName } from './wording.js';

interface Options {
  output?: string;
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
nodes that are there. A recording whose pitch is more than 50 cents off the
note in its name (C4v8.wav) is kept, and listed.`,
    )
    .argument('<dir>', 'folder of recordings')
    .option('-o, --output <cube.npz>', 'where the cube goes (required)', fileName('.npz'))
    .option('--size <n>', 'samples a cycle, a power of two', powerOfTwoCount, 1024)
    .option('--times <n>', 'points of the time axis', count, 12)
    .addOption(backendOption())
    .addHelpText('after', '\nExample:\n  wavecube build ~/recordings -o piano.npz --times 16')
    .action(build);
}

/** Lines about notes that are off their names; a folder that counts octaves from elsewhere has one for each file. */
const MOST_LINES = 8;

async function build(folder: string, options: Options, command: Command): Promise<void> {
  const { size, times, backend } = options;
  const output = required(command, options.output);
  checkPlace(output);
  const { hearFiles, nameOfFrequency, soundFiles } = await loadLibrary(backend);
  const paths = await soundFiles(folder);
  if (paths.length === 0) throw new WavecubeError(`${folder}: holds no .wav or .ogg file`);
  const hearing = stage('decode, find pitch');
  const { notes, refused } = await hearFiles(paths, hearing.update);
  hearing.done(`${notes.length} of ${counted(paths.length, 'recording')}`);
  for (const { path, reason } of refused) process.stderr.write(`left out: ${path}: ${reason}\n`);
  if (notes.length === 0)
    throw new WavecubeError(
      `${folder}: ${paths.length === 1 ? 'its one recording holds no note' : `none of its ${paths.length} recordings holds a note`}`,
    );
  sayOffNames(notes);
  const cutting = stage('cut, align');
  const { buildSteps } = await import('../instrument/build.js');
  const steps = buildSteps(notes, { size, times, source: folder });
  let step = steps.next();
  while (!step.done) {
    cutting.update(...step.value);
    await setImmediate(); // for the bar, and for Ctrl-C
    step = steps.next();
  }
  const { cube, velocities, frequenciesHz, leftOut } = step.value;
  cutting.done(counted(cube.nodeCount, 'node'));
  for (const path of leftOut)
    process.stderr.write(`left out: ${path}: another recording has its pitch and velocity\n`);
  await cube.save(output, { format: 'npz' });
  const names = [frequenciesHz[0], frequenciesHz[frequenciesHz.length - 1]].map(nameOfFrequency);
  const dims = [
    counted(velocities.length, 'velocity', 'velocities'),
    `${counted(frequenciesHz.length, 'pitch', 'pitches')} (${[...new Set(names)].join(' … ')})`,
    counted(times, 'time'),
  ];
  process.stdout.write(`${output}: ${dims.join(' × ')}\n`);
  cube.dispose();
}

/** What is heard counts; a name that says otherwise may be a wrong file, or an instrument out of tune. */
function sayOffNames(notes: readonly Note[]): void {
  const lines = notes.flatMap((note) => {
    const off = offItsName(note);
    return off ? [`off its name: ${note.path}: ${off}; kept at the pitch it sounds at\n`] : [];
  });
  process.stderr.write(lines.slice(0, MOST_LINES).join(''));
  if (lines.length > MOST_LINES)
    process.stderr.write(
      `off their names: ${lines.length - MOST_LINES} more, kept at the pitch they sound at\n`,
    );
}
