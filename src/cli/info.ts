/** `wavecube info`: what a cube file holds. */
import { Command } from 'commander';
import type { Inspected, InspectedCube } from '../grid/files/inspecting.js';
import { loadFileLibrary } from './engine.js';
import { cubeRows, fileRows, hierarchyRows } from './inforows.js';
import { backendOption } from './options.js';
import { CUBE_ARGUMENT, checkInput } from './places.js';
import { stage } from './progress.js';
import { tellLost } from './recovered.js';
import { interruptible } from './signals.js';
import { sizeOnDisk } from './sizes.js';

interface Options {
  json?: boolean;
}

export function infoCommand(): Command {
  return (
    new Command('info')
      .summary('say what a cube file holds')
      .description(
        `Says what FILE holds: its grid, nodes, codecs, axes, metadata, and the file's own
format, version and generation. Of a .wvcb, in one file or in shards, only the index
is read; 'wavecube verify' reads the nodes too. Exit code 1 if something is damaged.`,
      )
      .argument('<cube>', CUBE_ARGUMENT)
      .option('--json', 'as JSON')
      // It computes nothing; scripts that name one go on.
      .addOption(backendOption().hideHelp())
      .addHelpText(
        'after',
        `
Examples:
  wavecube info piano.npz
  wavecube info https://example.org/piano.wvcb --json`,
      )
      .action(info)
  );
}

async function info(path: string, { json = false }: Options): Promise<void> {
  checkInput(path);
  const { inspect, instrumentAxes, nameOfFrequency } = await loadFileLibrary();
  const reading = stage('read');
  const found = await interruptible((signal) =>
    inspect(path, { signal, onProgress: ({ done, total }) => reading.update(done, total) }),
  );
  reading.end();
  const { held, lost } = found;
  const sizeBytes = found.sizeBytes ?? (/^https?:/i.test(path) ? undefined : await sizeOnDisk(path));
  tellLost(lost, path);
  if (found.damage !== undefined) {
    process.exitCode = 1;
    process.stderr.write(`damaged: ${found.damage}\n`);
  }
  if (json) {
    const facts = held.kind === 'cube' ? cubeFacts(held, true) : hierarchyFacts(held);
    process.stdout.write(
      `${JSON.stringify({ file: fileFacts(found, sizeBytes), ...facts }, undefined, 2)}\n`,
    );
    return;
  }
  const rows = [
    ...fileRows(found, sizeBytes),
    ...(held.kind === 'cube'
      ? cubeRows(held, instrumentAxes(held.metadata), nameOfFrequency)
      : hierarchyRows(held)),
  ];
  process.stdout.write(rows.map(([name, value]) => `${name.padEnd(14)}${value}\n`).join(''));
}

function fileFacts(
  { format, version, generation, shards, isRead, lost, damage }: Inspected,
  sizeBytes?: number,
) {
  return {
    format,
    version,
    sizeBytes,
    generation,
    shards,
    checks: { nodes: isRead ? 'read' : 'not read', lost, damage },
  };
}

function cubeFacts({ width, height, depth, options, metadata, counts }: InspectedCube, alone: boolean) {
  const { nodes, tangents, denseBytes, storedBytes, codecs, resolutions } = counts;
  const { resolution, channels, dtype, boundary, missing, mixed, axes } = options;
  return {
    grid: [width, height, depth],
    node: [...resolution, channels],
    // Of cubes whose nodes have resolutions of their own.
    ...((mixed || Object.keys(resolutions).length > 1) && { resolutions }),
    dtype,
    nodes,
    ...(tangents > 0 && { tangents }),
    denseBytes,
    storedBytes,
    codecs,
    boundary,
    missing,
    // Of cubes whose axes have coordinates of their own.
    ...(Object.keys(axes).length > 0 && { axes }),
    ...(alone && { metadata }),
  };
}

function hierarchyFacts(held: Extract<Inspected['held'], { kind: 'octaves' }>) {
  const { width, height, depth, basis, metadata, levels } = held;
  const octaves = levels.map(({ octave, cube }) => ({ octave, ...cubeFacts(cube, false) }));
  return { grid: [width, height, depth], basis, octaves, metadata };
}
