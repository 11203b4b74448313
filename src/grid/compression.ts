/**
 * Compressing the nodes of a cube: node by node, each whole at any moment, dense or compressed. A node that is set
 * again while it is being compressed stays as it was set.
 */
import type * as tf from '@tensorflow/tfjs';
import type { CompressedWavetable } from '../codecs/compressed.js';
import { pause } from '../codecs/pause.js';
import { checkQuality, type Quality } from '../codecs/quality.js';
import { type Method, methodOf } from '../codecs/registry.js';
import { ArgumentError, check, checkOptionNames, QualityNotReachedError, shown } from '../errors.js';

export interface CompressionOptions {
  /** A codec's id, 'auto' (the smallest that reaches the quality), or a codec with options of its own. Default 'gaussian'. */
  method?: string | Method;
  /** See Quality. Default 0.95. */
  quality?: Quality;
  /** Ends the work: the call rejects with the signal's reason, and each node is what it was or compressed. */
  signal?: AbortSignal;
}

export interface CompressAllOptions extends CompressionOptions {
  /** Called after each node. */
  onProgress?: (progress: { done: number; total: number; node: NodeReport }) => void;
}

/** What became of a node. */
export interface NodeReport {
  x: number;
  y: number;
  z: number;
  /** The codec that holds it now; null: none. */
  codec: string | null;
  /** [H, W] it is stored at now: settle() of a mixed cube may choose it. [0, 0] of one that was deleted. */
  resolution: [height: number, width: number];
  /**
   * Why it was left as it was; undefined where it was compressed. 'not taken': by a codec of finite values, or because it is
   * too large; 'set meanwhile' and 'deleted meanwhile': while it was being compressed.
   */
  kept?: 'quality not reached' | 'not taken' | 'set meanwhile' | 'deleted meanwhile' | 'not smaller';
  /** Bytes as stored now. */
  storedBytes: number;
  /** What this compression has added to the node's error: 0 and ∞ where it was kept. */
  maxError: number;
  psnr: number;
}

/** What compressing needs of a cube; cells are numbers in bulk order. */
export interface CompressibleNodes {
  has(cell: number): boolean;
  /** The codec that holds a node, null of a dense one. */
  codec(cell: number): string | null;
  /** Of an opened cube: has a node at hand until the result is called. */
  hold?(where: string, cell: number, signal: AbortSignal | undefined): Promise<() => void>;
  /** The node as it is now, decoded; the caller disposes it. */
  read(cell: number): tf.Tensor3D;
  /** [H, W] of a node. */
  resolution(cell: number): [number, number];
  /** Bytes of the node as it is stored. */
  storedBytes(cell: number): number;
  /** Watches a cell; the result says whether it was changed meanwhile, and ends the watch. */
  watch(cell: number): () => boolean;
  replace(where: string, cell: number, compressed: CompressedWavetable): void;
  place(cell: number): [number, number, number];
  /** Gives back what was grown beyond the nodes. */
  trim(): void;
  /** @throws DisposedError or DeviceError if the cube cannot be written any more. */
  alive(where: string): void;
}

export function checkedCompression(
  where: string,
  options: CompressAllOptions,
): { method: Method; quality: Quality } {
  checkOptionNames(where, options, ['method', 'quality', 'signal', 'onProgress']);
  const { method = 'gaussian', quality = 0.95, signal } = options;
  check(
    signal === undefined || signal instanceof AbortSignal,
    () => new ArgumentError(`${where}: signal must be an AbortSignal`),
  );
  const { onProgress } = options;
  check(
    onProgress === undefined || typeof onProgress === 'function',
    () => new ArgumentError(`${where}: onProgress must be a function, got ${shown(onProgress)}`),
  );
  checkQuality(where, quality);
  if (typeof method === 'string') return { method: methodOf(where, method).blending, quality };
  check(
    typeof method?.encode === 'function' && typeof method.id === 'string',
    () => new ArgumentError(`${where}: method must be a name or a codec, got ${shown(method)}`),
  );
  // What it makes must be readable by a known codec.
  methodOf(where, method.id);
  return { method: method.blending, quality };
}

function kept(nodes: CompressibleNodes, cell: number, why: NodeReport['kept']): NodeReport {
  const [x, y, z] = nodes.place(cell);
  const exact = { maxError: 0, psnr: Number.POSITIVE_INFINITY };
  if (!nodes.has(cell)) {
    return { x, y, z, codec: null, resolution: [0, 0], kept: 'deleted meanwhile', storedBytes: 0, ...exact };
  }
  const [codec, resolution] = [nodes.codec(cell), nodes.resolution(cell)];
  return { x, y, z, codec, resolution, kept: why, storedBytes: nodes.storedBytes(cell), ...exact };
}

/** @throws QualityNotReachedError, and leaves the node. */
export async function compressCell(
  where: string,
  nodes: CompressibleNodes,
  cell: number,
  how: { method: Method; quality: Quality },
  signal: AbortSignal | undefined,
  onlySmaller = false,
): Promise<NodeReport> {
  signal?.throwIfAborted();
  // Of any other cube the node as it is at the time of the call.
  const release = nodes.hold && (await nodes.hold(where, cell, signal));
  try {
    if (release) {
      nodes.alive(where);
      if (!nodes.has(cell)) return kept(nodes, cell, 'deleted meanwhile');
    }
    return await compressHeld(where, nodes, cell, how, signal, onlySmaller);
  } finally {
    release?.();
  }
}

async function compressHeld(
  where: string,
  nodes: CompressibleNodes,
  cell: number,
  { method, quality }: { method: Method; quality: Quality },
  signal: AbortSignal | undefined,
  onlySmaller: boolean,
): Promise<NodeReport> {
  const node = nodes.read(cell);
  const changed = nodes.watch(cell);
  let compressed: CompressedWavetable;
  try {
    compressed = await method.encode(node, quality, { signal });
  } catch (error) {
    const stale = changed();
    // Of a node that is another one now it says nothing.
    if (stale && reasonOf(error)) {
      signal?.throwIfAborted();
      nodes.alive(where);
      return kept(nodes, cell, 'set meanwhile');
    }
    throw error;
  } finally {
    node.dispose();
  }
  const stale = changed();
  try {
    signal?.throwIfAborted();
    nodes.alive(where);
    if (stale) return kept(nodes, cell, 'set meanwhile');
    const [x, y, z] = nodes.place(cell);
    const { codec, sizeBytes: storedBytes, achieved } = compressed;
    if (onlySmaller && storedBytes >= nodes.storedBytes(cell)) return kept(nodes, cell, 'not smaller');
    nodes.replace(where, cell, compressed);
    const { maxError, psnr } = achieved;
    return { x, y, z, codec, resolution: nodes.resolution(cell), storedBytes, maxError, psnr };
  } finally {
    compressed.dispose();
  }
}

/** What an error of `encode` says of a node that is left for it; undefined of any other error. */
function reasonOf(error: unknown): NodeReport['kept'] {
  if (error instanceof QualityNotReachedError) return 'quality not reached';
  // The options were checked before: it is the wavetable that is not what the codec takes.
  return error instanceof ArgumentError ? 'not taken' : undefined;
}

/**
 * Compresses cells one after the other; those that cannot reach the quality, or would not get smaller, stay.
 * @param wanted asked when a cell's turn comes: whether it still is to be compressed.
 */
export async function compressCells(
  where: string,
  nodes: CompressibleNodes,
  cells: readonly number[],
  options: CompressAllOptions,
  wanted: (cell: number) => boolean,
  after?: (cell: number, node: NodeReport) => void,
): Promise<NodeReport[]> {
  const how = checkedCompression(where, options);
  const reports: NodeReport[] = [];
  for (const cell of cells) {
    await pause(options.signal);
    nodes.alive(where);
    if (!wanted(cell)) continue;
    let node: NodeReport;
    try {
      node = await compressCell(where, nodes, cell, how, options.signal, true);
    } catch (error) {
      nodes.alive(where);
      const reason = reasonOf(error);
      if (!reason) throw error;
      node = kept(nodes, cell, reason);
    }
    after?.(cell, node);
    reports.push(node);
    options.onProgress?.({ done: reports.length, total: cells.length, node });
  }
  nodes.trim();
  return reports;
}
