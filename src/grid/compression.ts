/**
 * Compressing the nodes of a cube: node by node, each whole at any moment, dense or compressed. A node that is set
 * again while it is being compressed stays as it was set.
 */
import type * as tf from '@tensorflow/tfjs';
import type { CompressedWavetable } from '../codecs/compressed.js';
import { checkQuality, type Quality } from '../codecs/quality.js';
import { type Method, methodOf } from '../codecs/registry.js';
import { ArgumentError, check, checkOptionNames, QualityNotReachedError } from '../errors.js';

export interface CompressionOptions {
  /** A codec's id, or 'auto': the smallest that reaches the quality. Default 'gaussian'. */
  method?: string;
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
  /** The codec that holds it now; null: it is as it was set. */
  codec: string | null;
  /** Why it was left as it was; undefined where it was compressed. */
  kept?: 'quality not reached' | 'set meanwhile' | 'not smaller';
  /** Bytes as stored now. */
  storedBytes: number;
  maxError: number;
  psnr: number;
}

/** What compressing needs of a cube; cells are numbers in bulk order. */
export interface CompressibleNodes {
  has(cell: number): boolean;
  /** The node as it is now, decoded; the caller disposes it. */
  read(cell: number): tf.Tensor3D;
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
  checkQuality(where, quality);
  return { method: methodOf(where, method).blending, quality };
}

function kept(nodes: CompressibleNodes, cell: number, why: NodeReport['kept']): NodeReport {
  const [x, y, z] = nodes.place(cell);
  const exact = { maxError: 0, psnr: Number.POSITIVE_INFINITY };
  return { x, y, z, codec: null, kept: why, storedBytes: nodes.storedBytes(cell), ...exact };
}

/** @throws QualityNotReachedError, and leaves the node. */
export async function compressCell(
  where: string,
  nodes: CompressibleNodes,
  cell: number,
  { method, quality }: { method: Method; quality: Quality },
  signal: AbortSignal | undefined,
  onlySmaller = false,
): Promise<NodeReport> {
  signal?.throwIfAborted();
  const changed = nodes.watch(cell);
  let compressed: CompressedWavetable | null = null;
  const node = nodes.read(cell);
  try {
    compressed = await method.encode(node, quality, { signal });
  } finally {
    node.dispose();
    if (!compressed) changed();
  }
  try {
    const stale = changed();
    signal?.throwIfAborted();
    nodes.alive(where);
    const [x, y, z] = nodes.place(cell);
    const { codec, sizeBytes: storedBytes, achieved } = compressed;
    if (stale) {
      return kept(nodes, cell, 'set meanwhile');
    }
    if (onlySmaller && storedBytes >= nodes.storedBytes(cell)) return kept(nodes, cell, 'not smaller');
    nodes.replace(where, cell, compressed);
    return { x, y, z, codec, storedBytes, maxError: achieved.maxError, psnr: achieved.psnr };
  } finally {
    compressed.dispose();
  }
}

/** Compresses cells one after the other; those that cannot reach the quality, or would not get smaller, stay. */
export async function compressCells(
  where: string,
  nodes: CompressibleNodes,
  cells: readonly number[],
  options: CompressAllOptions,
  after?: (cell: number) => void,
): Promise<NodeReport[]> {
  const how = checkedCompression(where, options);
  const reports: NodeReport[] = [];
  for (const cell of cells) {
    options.signal?.throwIfAborted();
    nodes.alive(where);
    if (!nodes.has(cell)) continue;
    let node: NodeReport;
    try {
      node = await compressCell(where, nodes, cell, how, options.signal, true);
    } catch (error) {
      if (!(error instanceof QualityNotReachedError)) throw error;
      node = kept(nodes, cell, 'quality not reached');
    }
    after?.(cell);
    reports.push(node);
    options.onProgress?.({ done: reports.length, total: cells.length, node });
  }
  nodes.trim();
  return reports;
}
