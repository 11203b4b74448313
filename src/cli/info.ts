/** `wavecube info`: what a cube file holds. */
import { Command } from 'commander';
import { loadLibrary } from './engine.js';
import { backendOption } from './options.js';

export function infoCommand(): Command {
  return new Command('info')
    .summary('say what a cube file holds')
    .argument('<cube>', 'a cube file (.npz)')
    .option('--json', 'as JSON')
    .addOption(backendOption())
    .addHelpText('after', '\nExample:\n  wavecube info piano.npz --json')
    .action(info);
}

async function info(path: string, { json, backend }: { json?: boolean; backend: string }): Promise<void> {
  const { instrumentAxes, nameOfFrequency, WavetableMatrix } = await loadLibrary(backend);
  const cube = await WavetableMatrix.load(path);
  const { nodes, denseBytes, storedBytes } = cube.getMemoryUsage();
  const axes = instrumentAxes(cube.metadata);
  const facts = {
    grid: [cube.width, cube.height, cube.depth],
    node: [...cube.resolution, cube.channels],
    dtype: cube.dtype,
    nodes,
    denseBytes,
    storedBytes,
    metadata: cube.metadata,
  };
  cube.dispose();
  if (json) {
    process.stdout.write(`${JSON.stringify(facts, undefined, 2)}\n`);
    return;
  }
  const rows: [string, string][] = [
    ['grid', facts.grid.join(' × ')],
    ['node', `[${facts.node.join(', ')}] ${facts.dtype}`],
    ['nodes', `${nodes} of ${facts.grid.reduce((a, b) => a * b)}`],
    ['bytes', storedBytes.toLocaleString('en')],
  ];
  if (axes) {
    const pitches = axes.frequenciesHz.map(
      (frequencyHz) => `${nameOfFrequency(frequencyHz)} ${frequencyHz.toFixed(1)}`,
    );
    const ends = axes.timesSeconds.map((times) => times[times.length - 1]);
    rows.push(
      ['x: velocity', axes.velocities.join(', ')],
      [
        'y: pitch, Hz',
        pitches.length > 4 ? `${pitches[0]} … ${pitches[pitches.length - 1]}` : pitches.join(', '),
      ],
      [
        'z: time, s',
        `${axes.timesSeconds[0][0].toFixed(2)} … ${[...new Set([ends[0], ends[ends.length - 1]].map((s) => s.toFixed(2)))].join(' (lowest note), ')}${ends.length > 1 ? ' (highest)' : ''}`,
      ],
      ['sample rate', `${axes.sampleRateHz} Hz`],
    );
  }
  if (typeof cube.metadata.source === 'string') rows.push(['source', cube.metadata.source]);
  process.stdout.write(rows.map(([name, value]) => `${name.padEnd(14)}${value}\n`).join(''));
}
