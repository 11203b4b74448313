/** `wavecube sample`: one place of a cube as sound, picture or numbers. */
import { Command, InvalidArgumentError } from 'commander';
import { ArgumentError } from '../errors.js';
import type { WavetableMatrix } from '../grid/matrix.js';
import { loadLibrary } from './engine.js';
import { backendOption, finiteNumber, positiveNumber } from './options.js';

type Library = Awaited<ReturnType<typeof loadLibrary>>;

interface Options {
  output: string;
  duration: number;
  frequency?: number;
  sampleRate?: number;
  hold?: boolean;
  backend: string;
}

const KINDS = ['.wav', '.png', '.npy'] as const;

function outputPath(path: string): string {
  if (!KINDS.some((kind) => path.toLowerCase().endsWith(kind)))
    throw new InvalidArgumentError(`It must end with ${KINDS.join(', ')}.`);
  return path;
}

export function sampleCommand(): Command {
  return new Command('sample')
    .summary('sample a cube as a note, a picture or an array')
    .description(
      `Samples CUBE at the fractional node coordinates X Y Z and writes what the
output's name asks for:
  .wav  a note. In a cube made by 'build' it starts at Z and dies as its
        recordings did (--hold: stays at Z), at the cube's own pitch.
        In another cube of one-row nodes it is a steady tone of 110 Hz.
  .png  a picture of the wavetable
  .npy  the wavetable, float32 [H, W, C]`,
    )
    .argument('<cube>', 'a cube file (.npz)')
    .argument('<x>', 'velocity, from 0', finiteNumber)
    .argument('<y>', 'pitch, from 0', finiteNumber)
    .argument('<z>', 'time, from 0', finiteNumber)
    .requiredOption('-o, --output <file>', 'note.wav, cycle.png or cycle.npy', outputPath)
    .option('-d, --duration <seconds>', 'of the note', positiveNumber, 2)
    .option('-f, --frequency <hz>', 'of the note', positiveNumber)
    .option('--sample-rate <hz>', 'of the .wav', positiveNumber)
    .option('--hold', 'a steady tone: stay at Z')
    .addOption(backendOption())
    .addHelpText(
      'after',
      `
Examples:
  wavecube sample piano.npz 1.5 12 0 -o note.wav --duration 4
  wavecube sample piano.npz 1.5 12 3 -o drone.wav --hold --frequency 55
  wavecube sample piano.npz 1.5 12 3 -o cycle.npy`,
    )
    .action(sample);
}

async function sample(path: string, x: number, y: number, z: number, options: Options): Promise<void> {
  const library = await loadLibrary(options.backend);
  const cube = await library.WavetableMatrix.load(path);
  const bytes = options.output.toLowerCase().endsWith('.wav')
    ? await note(library, cube, path, [x, y, z], options)
    : await table(library, cube, [x, y, z], options.output);
  await library.fileStorage.write(options.output, bytes);
  cube.dispose();
  process.stdout.write(`${options.output}: ${bytes.length.toLocaleString('en')} bytes\n`);
}

async function note(
  { encodeWav, instrumentAxes, notePath, renderPath }: Library,
  cube: WavetableMatrix,
  path: string,
  [x, y, z]: [number, number, number],
  { duration, frequency, sampleRate, hold }: Options,
): Promise<Uint8Array> {
  if (cube.resolution[0] !== 1 || cube.channels !== 1)
    throw new ArgumentError(
      `${path}: a .wav needs nodes [1, W, 1], got [${[...cube.resolution, cube.channels].join(', ')}]; ask for .png or .npy`,
    );
  const axes = instrumentAxes(cube.metadata);
  const sampleRateHz = sampleRate ?? axes?.sampleRateHz ?? 48000;
  const way = axes
    ? notePath(axes, [x, y, z], { frequencyHz: frequency, hold })
    : () => ({ x, y, z, frequencyHz: frequency ?? 110 });
  const { samples } = await renderPath(cube, way, { sampleRateHz, durationSeconds: duration });
  return encodeWav(samples, sampleRateHz);
}

async function table(
  { encodeNpy, encodePng }: Library,
  cube: WavetableMatrix,
  [x, y, z]: [number, number, number],
  output: string,
): Promise<Uint8Array> {
  const wavetable = cube.sample(x, y, z);
  if (output.toLowerCase().endsWith('.npy'))
    return encodeNpy({ dtype: '<f4', shape: wavetable.shape, data: await wavetable.data<'float32'>() });
  const { drawWavetable } = await import('./picture.js');
  return encodePng(await drawWavetable(wavetable));
}
