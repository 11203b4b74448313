/** `wavecube info`: what a cube file holds. */
import { Command } from 'commander';
import type { WavetableMatrix } from '../grid/matrix.js';
import type { OctaveHierarchy } from '../grid/octaves.js';
import type { AxisOption } from '../interpolation/axis.js';
import type { Boundary } from '../interpolation/stencil.js';
import { type Library, loadLibrary, openFile } from './engine.js';
import { backendOption } from './options.js';

export function infoCommand(): Command {
  return new Command('info')
    .summary('say what a cube file holds')
    .argument('<cube>', 'a file of a cube, or of a hierarchy of octaves (.npz)')
    .option('--json', 'as JSON')
    .addOption(backendOption())
    .addHelpText('after', '\nExample:\n  wavecube info piano.npz --json')
    .action(info);
}

/** What a blend does near a place without a node. */
const MISSING = {
  zero: 'places without a node count as zeros',
  renormalize: 'a blend counts the nodes that are there',
  error: 'a blend that needs a missing node fails',
};

async function info(path: string, { json, backend }: { json?: boolean; backend: string }): Promise<void> {
  const library = await loadLibrary(backend);
  const held = await openFile(library, path);
  if (held instanceof library.OctaveHierarchy) hierarchyInfo(held, json ?? false);
  else cubeInfo(library, held, json ?? false);
}

/** What an OctaveHierarchy holds: of each octave its grid, nodes and bytes. */
function hierarchyInfo(hierarchy: OctaveHierarchy, json: boolean): void {
  const { width, height, depth, basis, metadata, matrices } = hierarchy;
  const octaves = hierarchy.octaves.map((octave) => {
    const cube = matrices[octave];
    const { nodes, storedBytes } = cube.getMemoryUsage();
    const grid = [cube.width, cube.height, cube.depth];
    return { octave, grid, node: [...cube.resolution, cube.channels], dtype: cube.dtype, nodes, storedBytes };
  });
  hierarchy.dispose();
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ grid: [width, height, depth], basis, octaves, metadata }, undefined, 2)}\n`,
    );
    return;
  }
  const rows: [string, string][] = [
    ['octaves', `${octaves.map(({ octave }) => octave).join(', ')}, basis ${basis}`],
    ['grid', `${width} × ${height} × ${depth}`],
    ...octaves.map(({ octave, grid, node, dtype, nodes, storedBytes }): [string, string] => [
      `octave ${octave}`,
      `${grid.join(' × ')} of [${node.join(', ')}] ${dtype}, ${nodes} nodes, ${storedBytes.toLocaleString('en')} bytes`,
    ]),
  ];
  const keys = Object.keys(metadata);
  if (keys.length > 0) rows.push(['metadata', `${keys.join(', ')} (--json shows what they hold)`]);
  process.stdout.write(rows.map(([name, value]) => `${name.padEnd(14)}${value}\n`).join(''));
}

function cubeInfo({ instrumentAxes, nameOfFrequency }: Library, cube: WavetableMatrix, json: boolean): void {
  const { nodes, denseBytes, storedBytes } = cube.getMemoryUsage();
  const axes = instrumentAxes(cube.metadata);
  const facts = {
    grid: [cube.width, cube.height, cube.depth],
    node: [...cube.resolution, cube.channels],
    // Of cubes whose nodes have resolutions of their own.
    ...('getResolutionMap' in cube && { resolutions: resolutionCounts(cube) }),
    dtype: cube.dtype,
    nodes,
    denseBytes,
    storedBytes,
    codecs: codecCounts(cube.getCodecMap()),
    boundary: cube.options.boundary,
    missing: cube.options.missing,
    // Of cubes whose axes have coordinates of their own.
    ...(Object.keys(cube.options.axes).length > 0 && { axes: cube.options.axes }),
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
    ...(facts.resolutions ? [['resolutions', countsText(facts.resolutions)] as [string, string]] : []),
    ['nodes', `${nodes} of ${facts.grid.reduce((a, b) => a * b)}`],
    ['bytes', storedBytes.toLocaleString('en')],
    ...(Object.keys(facts.codecs).some((codec) => codec !== 'dense')
      ? [compressionRow(facts.codecs, denseBytes / storedBytes)]
      : []),
    ['boundary', boundaryText(facts.boundary)],
    ['missing', `${facts.missing}: ${MISSING[facts.missing]}`],
    ...Object.entries(facts.axes ?? {}).map(([name, axis]): [string, string] => [
      `axis ${name}`,
      axisText(axis),
    ]),
  ];
  if (axes) {
    const pitches = axes.frequenciesHz.map(
      (frequencyHz) => `${nameOfFrequency(frequencyHz)} ${frequencyHz.toFixed(1)}`,
    );
    rows.push(
      ['x: velocity', axes.velocities.join(', ')],
      [
        'y: pitch, Hz',
        pitches.length > 4 ? `${pitches[0]} … ${pitches[pitches.length - 1]}` : pitches.join(', '),
      ],
      ['z: time, s', timesText(axes.timesSeconds)],
      ['sample rate', `${axes.sampleRateHz} Hz`],
    );
  }
  if (typeof cube.metadata.source === 'string') rows.push(['source', cube.metadata.source]);
  // The instrument's axes and a source that is a text are told above.
  const keys = Object.entries(cube.metadata).flatMap(([key, value]) =>
    (key === 'instrument' && axes) || (key === 'source' && typeof value === 'string') ? [] : [key],
  );
  if (keys.length > 0) rows.push(['metadata', `${keys.join(', ')} (--json shows what they hold)`]);
  process.stdout.write(rows.map(([name, value]) => `${name.padEnd(14)}${value}\n`).join(''));
}

/** Nodes by their own resolution, 'H×W'. */
function resolutionCounts(cube: WavetableMatrix): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [x, y, z] of cube.positions()) {
    const name = cube.getResolution(x, y, z).join('×');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function countsText(counts: Record<string, number>): string {
  const all = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  const shown = all.slice(0, 6).map(([name, count]) => `${name} ${count}`);
  return `${shown.join(', ')}${all.length > 6 ? `, and ${all.length - 6} others` : ''}; samples have the node's`;
}

/** Nodes by the codec that holds them. */
function codecCounts(codecs: ReadonlyMap<string, string | null>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const codec of codecs.values()) counts[codec ?? 'dense'] = (counts[codec ?? 'dense'] ?? 0) + 1;
  return counts;
}

function compressionRow(counts: Record<string, number>, ratio: number): [string, string] {
  const list = Object.entries(counts).map(([codec, count]) => `${codec} ${count}`);
  return ['compression', `${ratio.toFixed(1)} times (${list.join(', ')})`];
}

function boundaryText(boundary: Boundary | { x?: Boundary; y?: Boundary; z?: Boundary }): string {
  const { x, y, z } = typeof boundary === 'string' ? { x: boundary, y: boundary, z: boundary } : boundary;
  return x === y && y === z ? `${x}` : `x ${x}, y ${y}, z ${z}`;
}

/** Where the nodes of an axis stand. */
function axisText(axis: AxisOption): string {
  if ('min' in axis)
    return `${axis.min} … ${axis.max}, evenly${axis.period ? `, period ${axis.period}` : ''}`;
  const { positions, trainable, period } = 'positions' in axis ? axis : { positions: axis };
  const list = Array.from(positions, (t) => Number(t.toPrecision(6)));
  const text =
    list.length > 8 ? `${list.length} positions, ${list[0]} … ${list[list.length - 1]}` : list.join(', ');
  return `${text}${period ? `, period ${period}` : ''}${trainable ? ', trained' : ''}`;
}

/** Each pitch has its own times: from the same start to where it has died away. */
function timesText(timesSeconds: readonly (readonly number[])[]): string {
  const [lowest, highest] = [timesSeconds[0], timesSeconds[timesSeconds.length - 1]].map((times) =>
    [...new Set([times[0], times[times.length - 1]].map((seconds) => seconds.toFixed(2)))].join(' … '),
  );
  return lowest === highest ? lowest : `${lowest} for the lowest pitch, ${highest} for the highest`;
}
