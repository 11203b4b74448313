/** `wavecube sample`: one place of a cube as sound, picture or numbers. */
import type { Tensor3D } from '@tensorflow/tfjs';
import { Command, Option } from 'commander';
import { ArgumentError } from '../errors.js';
import type { WavetableMatrix } from '../grid/matrix.js';
import { type InterpolationMethod, METHODS } from '../grid/methods.js';
import type { OctaveHierarchy } from '../grid/octaves.js';
import { positionsOf } from '../interpolation/axis.js';
import { type Library, loadLibrary, openFile, openFileAt } from './engine.js';
import { backendOption, finiteNumber, positiveNumber, sampleRate } from './options.js';
import { checkPlace, fileName, required } from './output.js';
import { CUBE_ARGUMENT, checkInput } from './places.js';

interface Options {
  output?: string;
  duration: number;
  frequency?: number;
  sampleRate?: number;
  hold?: boolean;
  method?: InterpolationMethod;
  octave?: number;
  backend: string;
}

export function sampleCommand(): Command {
  return new Command('sample')
    .summary('sample a cube as a note, a picture or an array')
    .description(
      `Samples CUBE at the fractional node coordinates X Y Z (in the units of its
axes, where they have their own) and writes what the output's name asks for:
  .wav  a note. In a cube made by 'build' it starts at Z and dies as its
        recordings did (--hold: stays at Z), at the cube's own pitch.
        In another cube of one-row nodes it is a steady tone of 110 Hz.
  .png  a picture of the wavetable
  .npy  the wavetable, float32 [H, W, C]`,
    )
    .argument('<cube>', CUBE_ARGUMENT)
    .argument('<x>', "along x; in a cube made by 'build' the velocity, from 0", finiteNumber)
    .argument('<y>', 'along y; there the pitch, from 0', finiteNumber)
    .argument('<z>', 'along z; there the time, from 0', finiteNumber)
    .option(
      '-o, --output <file>',
      'note.wav, cycle.png or cycle.npy (required)',
      fileName('.wav', '.png', '.npy'),
    )
    .option('-d, --duration <seconds>', 'of the note', positiveNumber, 2)
    .option('-f, --frequency <hz>', 'of the note, below half the sample rate', positiveNumber)
    .option('--sample-rate <hz>', "of the .wav, 4000 to 384000; else the cube's, else 48000", sampleRate)
    .option('--hold', 'a steady tone: stay at Z')
    .addOption(
      new Option('-m, --method <name>', 'of interpolation, for .png and .npy')
        .choices(METHODS)
        .default('linear'),
    )
    .option('--octave <number>', 'of a hierarchy, between octaves too; default: the finest', finiteNumber)
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

async function sample(
  path: string,
  x: number,
  y: number,
  z: number,
  options: Options,
  command: Command,
): Promise<void> {
  const output = required(command, options.output);
  checkPlace(output);
  checkInput(path);
  const library = await loadLibrary(options.backend);
  const place: [number, number, number] = [x, y, z];
  // A note goes through a column of nodes; a picture or an array needs those around one place.
  const held = await (output.toLowerCase().endsWith('.wav')
    ? openFile(library, path)
    : openFileAt(library, path, place, options.method ?? 'linear'));
  const bytes = await sampled(library, held, path, place, output, options, command);
  await library.fileStorage.write(output, bytes);
  held.dispose();
  process.stdout.write(`${output}: ${bytes.length.toLocaleString('en')} bytes\n`);
}

/** The bytes of the output. */
async function sampled(
  library: Library,
  held: WavetableMatrix | OctaveHierarchy,
  path: string,
  place: [number, number, number],
  output: string,
  options: Options,
  command: Command,
): Promise<Uint8Array> {
  const isNote = output.toLowerCase().endsWith('.wav');
  const { method, octave } = options;
  if (held instanceof library.OctaveHierarchy) {
    if (isNote) command.error('error: a hierarchy of octaves is sampled as .png or .npy');
    const { octaves } = held;
    const wavetable = held.sampleBlended(...place, octave ?? octaves[octaves.length - 1], { method });
    return table(library, wavetable, output);
  }
  if (octave !== undefined) command.error(`error: ${path} holds one cube, and no octaves to choose from`);
  for (const line of outside(held, place)) process.stderr.write(`wavecube: ${line}\n`);
  if (isNote) return note(library, held, path, place, options, command);
  return table(library, held.sample(...place, { method }), output);
}

/** What is said of coordinates outside the grid. */
function outside(cube: WavetableMatrix, place: [number, number, number]): string[] {
  const { boundary } = cube.options;
  const rules = typeof boundary === 'string' ? { x: boundary, y: boundary, z: boundary } : boundary;
  const { axes } = cube.options;
  return (['x', 'y', 'z'] as const).flatMap((axis, i) => {
    const positions = positionsOf(axes[axis], [cube.width, cube.height, cube.depth][i]);
    const first = positions[0];
    const last = positions[positions.length - 1];
    if (place[i] >= first && place[i] <= last) return [];
    const rule = rules[axis] ?? 'clamp';
    const taken =
      rule === 'clamp' ? `clamped to ${place[i] < first ? first : last}` : `its boundary there is '${rule}'`;
    const range = last === first ? `can only be ${first}` : `runs from ${first} to ${last}`;
    return [`${axis} ${place[i]} is outside the grid, where ${axis} ${range}: ${taken}`];
  });
}

async function note(
  { encodeWav, frequencyAt, instrumentAxes, notePath, renderPath }: Library,
  cube: WavetableMatrix,
  path: string,
  [x, y, z]: [number, number, number],
  { duration, frequency, sampleRate, hold }: Options,
  command: Command,
): Promise<Uint8Array> {
  if (cube.resolution[0] !== 1 || cube.channels !== 1)
    throw new ArgumentError(
      `${path}: a .wav needs nodes [1, W, 1], got [${[...cube.resolution, cube.channels].join(', ')}]; ask for .png or .npy`,
    );
  const axes = instrumentAxes(cube.metadata);
  const sampleRateHz = sampleRate ?? axes?.sampleRateHz ?? 48000;
  const frequencyHz = frequency ?? (axes ? frequencyAt(axes, y) : 110);
  if (frequencyHz >= sampleRateHz / 2)
    command.error(
      `error: a note of ${+frequencyHz.toFixed(1)} Hz cannot be heard at ${sampleRateHz} samples a second: --frequency must be below ${sampleRateHz / 2}, or --sample-rate higher`,
    );
  const way = axes ? notePath(axes, [x, y, z], { frequencyHz, hold }) : () => ({ x, y, z, frequencyHz });
  const { samples } = await renderPath(cube, way, { sampleRateHz, durationSeconds: duration });
  return encodeWav(samples, sampleRateHz);
}

async function table(
  { encodeNpy, encodePng }: Library,
  wavetable: Tensor3D,
  output: string,
): Promise<Uint8Array> {
  if (output.toLowerCase().endsWith('.npy'))
    return encodeNpy({ dtype: '<f4', shape: wavetable.shape, data: await wavetable.data<'float32'>() });
  const { drawWavetable } = await import('./picture.js');
  return encodePng(await drawWavetable(wavetable));
}
