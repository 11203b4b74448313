/** What is in files, without the cubes: of formats that are read by the node, without their nodes too. */
import { readContainer } from '../../codecs/container.js';
import { sizeOf } from '../../codecs/parameters.js';
import { check, checkOptionNames, FormatError, WavecubeError } from '../../errors.js';
import type { Boundary } from '../../interpolation/stencil.js';
import type { NodeDtype } from '../bank.js';
import { checkOptions, type MatrixOptions, type Missing } from '../options.js';
import type { Folder, Source } from './bytestream.js';
import { type Contents, disposeContents, type LostNode } from './contents.js';
import { folderAt } from './folders.js';
import type { NodeSource, StoredEntry } from './nodesource.js';
import {
  type FileFacts,
  type FileFormat,
  type Opened,
  openPath,
  type ReadOptions,
  sniffFolderFormat,
  sniffFormat,
} from './persistence.js';
import type { StoredNode } from './storednodes.js';

/** The nodes of a cube in a file, counted. */
export interface NodeCounts {
  nodes: number;
  tangents: number;
  /** Of nodes and tangents: as float32, and as they are stored. */
  denseBytes: number;
  storedBytes: number;
  /** Nodes and their stored bytes by codec; 'dense' of those without. */
  codecs: Record<string, { nodes: number; bytes: number }>;
  /** Nodes by resolution, 'H×W'. */
  resolutions: Record<string, number>;
}

export interface InspectedCube {
  width: number;
  height: number;
  depth: number;
  /** Of the cube's options those that say what its nodes are and where they stand, as a cube takes them. */
  options: {
    resolution: readonly [height: number, width: number];
    channels: number;
    dtype: NodeDtype;
    boundary: { x: Boundary; y: Boundary; z: Boundary };
    missing: Missing;
    /** Whether nodes may be of any resolution. */
    mixed: boolean;
    axes: NonNullable<MatrixOptions['axes']>;
  };
  metadata: Record<string, unknown>;
  counts: NodeCounts;
}

/** What is in a file. */
export interface Inspected extends FileFacts {
  format: string;
  /** Of the file; absent of folders. */
  sizeBytes?: number;
  /** Whether the nodes were read, and their checksums verified; else the index alone was. */
  isRead: boolean;
  /** Nodes that are damaged, as far as was read. */
  lost: LostNode[];
  /** What else is, where it costs no node. */
  damage?: string;
  /** A cube, or a hierarchy of them. */
  held:
    | ({ kind: 'cube' } & InspectedCube)
    | {
        kind: 'octaves';
        width: number;
        height: number;
        depth: number;
        basis: string;
        metadata: Record<string, unknown>;
        levels: { octave: number; cube: InspectedCube }[];
      };
}

export interface InspectOptions extends Pick<ReadOptions, 'signal'> {
  /** Called after each node, where nodes have to be read. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

/**
 * Says what a file holds. Of a .wvcb file or its shards header, index and metadata are read alone.
 * @param path a path or URL. @throws FormatError for a file that says nothing any more; damage to nodes is in `lost`.
 */
export async function inspect(path: string, how: InspectOptions = {}): Promise<Inspected> {
  checkOptionNames('inspect', how, ['signal', 'onProgress']);
  try {
    return await inspectedAt(path, false, how);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const found = await inspectedAt(path, true, how);
    // What recovery does without is damage all the same.
    if (found.lost.length === 0) found.damage = error.message;
    return found;
  }
}

async function inspectedAt(
  path: string,
  recover: boolean,
  { signal, onProgress }: InspectOptions,
): Promise<Inspected> {
  const options = { recover, signal };
  const folder = await folderAt(path, { signal });
  if (folder) {
    const format = await sniffFolderFormat(folder);
    const held = await (format.openFolder?.(folder, options) ?? format.readFolder!(folder, options));
    return inspected(folder.name, format, held, await factsOf(format, folder, signal), onProgress);
  }
  const source = await openPath(path, { signal });
  try {
    const { name, sizeBytes } = source;
    const format = await sniffFormat(source, signal);
    const facts = { ...(await factsOf(format, source, signal)), sizeBytes };
    const held = await (format.open?.(source, options) ?? format.read(source, options));
    return await inspected(name, format, held, facts, onProgress);
  } finally {
    await source.close();
  }
}

/** A file whose head can be read only from what is left of it says nothing of itself. */
async function factsOf(format: FileFormat, place: Source | Folder, signal?: AbortSignal): Promise<FileFacts> {
  try {
    return (await format.facts?.(place, signal)) ?? {};
  } catch (error) {
    if (error instanceof WavecubeError) return {};
    throw error;
  }
}

type Held<T> = Extract<T, { kind: 'cube' }>;

async function inspected(
  name: string,
  format: FileFormat,
  contents: Contents | Opened,
  facts: FileFacts & { sizeBytes?: number },
  onProgress: InspectOptions['onProgress'],
): Promise<Inspected> {
  const lost: LostNode[] = [];
  const cubes: readonly (Held<Contents> | Held<Opened>)[] =
    contents.kind === 'cube' ? [contents] : contents.levels.map(({ cube }) => cube);
  const total = cubes.reduce((sum, { count }) => sum + count, 0);
  let done = 0;
  const progress = () => onProgress?.({ done: ++done, total });
  const looked: InspectedCube[] = [];
  try {
    for (const cube of cubes) {
      const { width, height, depth, metadata } = cube;
      const options = optionsOf(name, cube);
      const counts = emptyCounts();
      if ('source' in cube) for (const entry of cube.source.entries) add(counts, entry);
      else {
        for await (const batch of cube.nodes) {
          for (const node of batch) {
            add(counts, entryOf(node, name));
            progress();
          }
        }
      }
      looked.push({ width, height, depth, options, metadata, counts });
      lost.push(...(cube.lost ?? []));
    }
  } finally {
    if (!isOpened(contents)) disposeContents(contents);
    else for (const source of sourcesOf(contents)) source.close();
  }
  const held: Inspected['held'] =
    contents.kind === 'cube'
      ? { kind: 'cube', ...looked[0] }
      : {
          kind: 'octaves',
          ...{ width: contents.width, height: contents.height, depth: contents.depth },
          ...{ basis: contents.basis, metadata: contents.metadata },
          levels: contents.levels.map(({ octave }, i) => ({ octave, cube: looked[i] })),
        };
  return { format: format.name, ...facts, isRead: !isOpened(contents), lost, held };
}

const isOpened = (contents: Contents | Opened): contents is Opened =>
  contents.kind === 'cube' ? 'source' in contents : contents.levels.some(({ cube }) => 'source' in cube);

const sourcesOf = (opened: Opened): NodeSource[] =>
  opened.kind === 'cube' ? [opened.source] : opened.levels.map(({ cube }) => cube.source);

/** @throws FormatError for options that no cube has: it is the file's fault here. */
function optionsOf(
  name: string,
  { width, height, depth, options }: Held<Contents> | Held<Opened>,
): InspectedCube['options'] {
  try {
    const settings = checkOptions(width, height, depth, options, options.mixed === true);
    const { resolution, channels, dtype, missing, mixed } = settings;
    const [x, y, z] = settings.boundary;
    const { axes = {} } = options;
    return { resolution, channels, dtype, boundary: { x, y, z }, missing, mixed, axes };
  } catch (cause) {
    if (!(cause instanceof WavecubeError)) throw cause;
    throw new FormatError(name, cause.message, { cause });
  }
}

const emptyCounts = (): NodeCounts => ({
  ...{ nodes: 0, tangents: 0, denseBytes: 0, storedBytes: 0 },
  ...{ codecs: Object.create(null), resolutions: Object.create(null) },
});

function add(counts: NodeCounts, { shape, codec, sizeBytes, tangent }: StoredEntry): void {
  counts.denseBytes += 4 * sizeOf(shape);
  counts.storedBytes += sizeBytes;
  if (tangent) {
    counts.tangents++;
    return;
  }
  counts.nodes++;
  counts.codecs[codec ?? 'dense'] ??= { nodes: 0, bytes: 0 };
  const of = counts.codecs[codec ?? 'dense'];
  of.nodes++;
  of.bytes += sizeBytes;
  const size = `${shape[0]}×${shape[1]}`;
  counts.resolutions[size] = (counts.resolutions[size] ?? 0) + 1;
}

function entryOf(node: StoredNode, name: string): StoredEntry {
  const { x, y, z } = node;
  if ('compressed' in node) {
    const { shape, codec } = readContainer(node.compressed, name, false);
    return { x, y, z, shape, codec, sizeBytes: node.compressed.length };
  }
  const { shape, values, tangent } = node;
  check(
    shape.length === 3,
    () => new FormatError(name, `must hold nodes [H, W, C], got [${shape.join(', ')}]`),
  );
  return { x, y, z, shape, codec: null, sizeBytes: values.byteLength, ...(tangent && { tangent }) };
}
