/** Files from files: what one format's reader gives goes to another's writer node by node, and no cube is made of it. */
import { ArgumentError, check, checkOptionNames, shown } from '../../errors.js';
import type { NodeShape } from '../bank.js';
import { type CompressionOptions, checkedCompression, type NodeReport } from '../compression.js';
import type { Contents, CubeContents, LostNode } from './contents.js';
import { formatFor, type ReadOptions } from './persistence.js';
import { compressStored } from './recompress.js';
import { loadPath, saveContents } from './saving.js';
import type { StoredNode } from './storednodes.js';

export interface ConvertProgress {
  /** Nodes and tangents that have been read, of how many that the file says it holds. */
  done: number;
  total: number;
  /**
   * What became of the node, of [H, W, C] that it had before; where nodes are compressed, and this is no tangent. Of a hierarchy with its
   * octave.
   */
  node?: NodeReport & { shape: NodeShape; octave?: number };
}

export interface ConvertOptions extends ReadOptions {
  /** Of the new file, by name; default: the one that its ending names. */
  format?: string;
  /**
   * Compresses the nodes on their way, by the rules of compressAll: those that cannot reach the quality, or would not get smaller, stay as
   * they are. Default: all stay as they are.
   */
  compress?: Omit<CompressionOptions, 'signal'>;
  /** Called after each node. */
  onProgress?: (progress: ConvertProgress) => void;
}

/** What a file was made of. */
export interface Converted {
  kind: Contents['kind'];
  /** Nodes and tangents that are in the new file. */
  count: number;
  /** Of the file that was read, with { recover: true }. */
  lost: LostNode[];
}

/**
 * Turns a file of a cube or a hierarchy into one of another format, bit for bit but for what `compress` asks. It takes the memory of a
 * few nodes, where both formats are written and read by the node. The new file is there whole or not at all, and may be in the place of the
 * old one.
 * @param from a path or URL; its format is told by its first bytes. @param to a path.
 * @param options those of ConvertOptions; all others are the new format's, as in `save`.
 * @throws FormatError for a damaged file, unless { recover: true }: then all that is intact is in the new one, and `lost` says what is not.
 *
 *     await convert('cube.npz', 'cube.wvcb')
 *     await convert('cube.wvcb', 'small.wvcb', { compress: { method: 'auto', quality: { maxAbs: 1e-3 } } })
 */
export async function convert(
  from: string,
  to: string,
  options: ConvertOptions & Record<string, unknown> = {},
): Promise<Converted> {
  const { format: name, compress, onProgress, verify, recover, maxBytes, array, signal, ...rest } = options;
  check(
    onProgress === undefined || typeof onProgress === 'function',
    () => new ArgumentError(`convert: onProgress must be a function, got ${shown(onProgress)}`),
  );
  if (compress !== undefined) {
    checkOptionNames('convert: compress', compress, ['method', 'quality']);
    checkedCompression('convert', compress);
  }
  const format = formatFor('convert', name, to);
  return loadPath(from, { verify, recover, maxBytes, array, signal }, async (contents) => {
    let done = 0;
    const total = nodesOf(contents);
    const progress = (node?: ConvertProgress['node']) => {
      done++;
      onProgress?.({ done, total, ...(node && { node }) });
    };
    const passing = passed(contents, (nodes, octave) =>
      eachOnItsWay(nodes, octave, progress, { compress, signal }),
    );
    await saveContents(passing, format, to, rest);
    return { kind: contents.kind, count: done, lost: lostOf(contents) };
  });
}

/** Nodes and tangents in all. */
export function nodesOf(contents: Contents): number {
  if (contents.kind === 'cube') return contents.count;
  return contents.levels.reduce((sum, { cube }) => sum + cube.count, 0);
}

/** What could not be read of contents, once their nodes have been; of a hierarchy with the octave. */
export function lostOf(contents: Contents): LostNode[] {
  if (contents.kind === 'cube') return [...(contents.lost ?? [])];
  return contents.levels.flatMap(({ octave, cube }) =>
    (cube.lost ?? []).map((node) => ({ octave, ...node })),
  );
}

/** Contents whose nodes go through `through` when they are read. */
function passed(
  contents: Contents,
  through: (nodes: CubeContents['nodes'], octave: number | undefined) => CubeContents['nodes'],
): Contents {
  const cubeOf = (cube: CubeContents, octave?: number): CubeContents => {
    // What dense nodes were expected need not come.
    const { expected: _, ...rest } = cube;
    return { ...rest, nodes: through(cube.nodes, octave), dispose: () => cube.dispose() };
  };
  if (contents.kind === 'cube') return cubeOf(contents);
  const levels = contents.levels.map((level) => ({ ...level, cube: cubeOf(level.cube, level.octave) }));
  return { ...contents, levels };
}

async function* eachOnItsWay(
  nodes: CubeContents['nodes'],
  octave: number | undefined,
  progress: (node?: ConvertProgress['node']) => void,
  { compress, signal }: Pick<ConvertOptions, 'compress' | 'signal'>,
): AsyncGenerator<readonly StoredNode[]> {
  for await (const batch of nodes) {
    for (const given of batch) {
      signal?.throwIfAborted();
      if (!compress || ('tangent' in given && given.tangent)) {
        yield [given];
        progress();
        continue;
      }
      const { node, report, shape } = await compressStored('convert', given, { ...compress, signal });
      yield [node];
      progress({ ...report, shape, ...(octave !== undefined && { octave }) });
    }
  }
}
