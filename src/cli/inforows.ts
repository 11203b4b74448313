/** What `wavecube info` prints, as names and texts. */
import type { Inspected, InspectedCube } from '../grid/files/inspecting.js';
import type { InstrumentAxes } from '../instrument/axes.js';
import type { AxisOption } from '../interpolation/axis.js';
import type { Boundary } from '../interpolation/stencil.js';
import { bytesText, counted } from './wording.js';

type Row = [name: string, value: string];

/** What a blend does near a place without a node. */
const MISSING = {
  zero: 'places without a node count as zeros',
  renormalize: 'a blend counts the nodes that are there',
  error: 'a blend that needs a missing node fails',
};

export function fileRows(
  { format, version, generation, shards, isRead, lost, damage }: Inspected,
  sizeBytes: number | undefined,
): Row[] {
  const parts = [
    `${format}${version === undefined ? '' : ` version ${version}`}`,
    ...(sizeBytes === undefined ? [] : [bytesText(sizeBytes)]),
    ...(shards ? [`in ${counted(shards.length, 'shard')}`] : []),
    ...(generation !== undefined && generation > 1 ? [`updated ${counted(generation - 1, 'time')}`] : []),
  ];
  const checks = [
    lost.length > 0
      ? `${counted(lost.length, 'node')} damaged`
      : (damage && 'damaged, which costs no node') || 'nothing damaged',
    ...(isRead ? [] : ["nodes not read: 'wavecube verify' reads them"]),
  ];
  return [
    ['file', parts.join(', ')],
    ['checks', checks.join('; ')],
  ];
}

/** Of a hierarchy: of each octave its grid, nodes and bytes. */
export function hierarchyRows(held: Extract<Inspected['held'], { kind: 'octaves' }>): Row[] {
  const { width, height, depth, basis, levels, metadata } = held;
  return [
    ['octaves', `${levels.map(({ octave }) => octave).join(', ')}, basis ${basis}`],
    ['grid', `${width} × ${height} × ${depth}`],
    ...levels.map(({ octave, cube }): Row => {
      const { resolution, channels, dtype } = cube.options;
      const { nodes, storedBytes, codecs } = cube.counts;
      const grid = [cube.width, cube.height, cube.depth].join(' × ');
      const node = [...resolution, channels].join(', ');
      const packed = isCompressed(codecs) ? ` (${codecsText(codecs)})` : '';
      return [
        `octave ${octave}`,
        `${grid} of [${node}] ${dtype}, ${counted(nodes, 'node')}, ${bytesText(storedBytes)}${packed}`,
      ];
    }),
    ...metadataRow(Object.keys(metadata)),
  ];
}

export function cubeRows(
  { width, height, depth, options, metadata, counts }: InspectedCube,
  instrument: InstrumentAxes | null | undefined,
  nameOfFrequency: (frequencyHz: number) => string,
): Row[] {
  const { resolution, channels, dtype, boundary, missing, mixed, axes } = options;
  const { nodes, tangents, denseBytes, storedBytes, codecs, resolutions } = counts;
  const rows: Row[] = [
    ['grid', `${width} × ${height} × ${depth}`],
    ['node', `[${[...resolution, channels].join(', ')}] ${dtype}`],
  ];
  if (mixed || Object.keys(resolutions).length > 1) rows.push(['resolutions', countsText(resolutions)]);
  rows.push(['nodes', `${nodes.toLocaleString('en')} of ${(width * height * depth).toLocaleString('en')}`]);
  if (tangents > 0) rows.push(['tangents', tangents.toLocaleString('en')]);
  rows.push(['bytes', storedBytes.toLocaleString('en')]);
  if (isCompressed(codecs))
    rows.push(['compression', `${(denseBytes / storedBytes).toFixed(1)} times (${codecsText(codecs)})`]);
  rows.push(
    ['boundary', boundaryText(boundary)],
    ['missing', `${missing}: ${MISSING[missing]}`],
    ...Object.entries(axes).map(([name, axis]): Row => [`axis ${name}`, axisText(axis)]),
    ...(instrument ? instrumentRows(instrument, nameOfFrequency) : []),
  );
  if (typeof metadata.source === 'string') rows.push(['source', metadata.source]);
  // The instrument's axes and a source that is a text are told above.
  const keys = Object.entries(metadata).flatMap(([key, value]) =>
    (key === 'instrument' && instrument) || (key === 'source' && typeof value === 'string') ? [] : [key],
  );
  return [...rows, ...metadataRow(keys)];
}

function instrumentRows(axes: InstrumentAxes, nameOfFrequency: (frequencyHz: number) => string): Row[] {
  const pitches = axes.frequenciesHz.map(
    (frequencyHz) => `${nameOfFrequency(frequencyHz)} ${frequencyHz.toFixed(1)}`,
  );
  return [
    ['x: velocity', axes.velocities.join(', ')],
    [
      'y: pitch, Hz',
      pitches.length > 4 ? `${pitches[0]} … ${pitches[pitches.length - 1]}` : pitches.join(', '),
    ],
    ['z: time, s', timesText(axes.timesSeconds)],
    ['sample rate', `${axes.sampleRateHz} Hz`],
  ];
}

const metadataRow = (keys: readonly string[]): Row[] =>
  keys.length > 0 ? [['metadata', `${keys.join(', ')} (--json shows what they hold)`]] : [];

function countsText(counts: Record<string, number>): string {
  const all = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  const shown = all.slice(0, 6).map(([name, count]) => `${name} ${count.toLocaleString('en')}`);
  return `${shown.join(', ')}${all.length > 6 ? `, and ${all.length - 6} others` : ''}; samples have the node's`;
}

type Codecs = InspectedCube['counts']['codecs'];

const isCompressed = (codecs: Codecs): boolean => Object.keys(codecs).some((codec) => codec !== 'dense');

const codecsText = (codecs: Codecs): string =>
  Object.entries(codecs)
    .map(([codec, { nodes, bytes }]) => `${codec} ${nodes.toLocaleString('en')} in ${bytesText(bytes)}`)
    .join(', ');

function boundaryText(boundary: { x: Boundary; y: Boundary; z: Boundary }): string {
  const { x, y, z } = boundary;
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
