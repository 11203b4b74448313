/** A cube's nodes and tangents as file formats write and read them: one by one, as they are stored. */
import { readContainer } from '../../codecs/container.js';
import { sizeOf } from '../../codecs/parameters.js';
import { ArgumentError, check, MissingNodeError, ShapeError, shown } from '../../errors.js';
import type { NodeShape } from '../bank.js';
import { cellOf, nodeOf } from '../coordinates.js';
import { ROLES } from '../lazy/filenodes.js';
import { streamed } from '../lazy/stream.js';
import type { Settings } from '../options.js';
import type { SamplingState } from '../sampling/sampling.js';
import { isSame, type StoredValues, stored } from '../store.js';
import { AXES, type Axis } from '../tangents.js';
import type { CubeContents } from './contents.js';

/**
 * A node at (x, y, z) as its bank stores it: dense values, or the bytes of a compressed one. With `tangent` it is not the node but
 * its derivative along that axis.
 */
export type StoredNode =
  | { x: number; y: number; z: number; shape: NodeShape; values: Float32Array | Uint16Array; tangent?: Axis }
  /** verified: whether the checksum of these bytes, or one of the same bytes, was. */
  | { x: number; y: number; z: number; compressed: Uint8Array; verified?: boolean };

/** Nodes and tangents at this moment; writes from now on do not show. To be read once, or disposed. */
export function snapshotNodes({ store, tangents, settings, file }: SamplingState): {
  nodes: AsyncGenerator<StoredNode>;
  count: number;
  dispose(): void;
} {
  const stores = [store, ...tangents.stores];
  // Zeros that nobody has set are no word of a file.
  const count = stores.reduce((sum, one) => sum + one.count, -(file?.zeroCount ?? 0));
  const snapshots = stores.map((one) => one.snapshot());
  const away = file ? ROLES.map((role) => file.numbers(role, false)) : [];
  let source = file?.source.share();
  const dispose = () => {
    for (const snapshot of snapshots.splice(0)) snapshot.dispose();
    source?.close();
    source = undefined;
  };
  async function* nodes(): AsyncGenerator<StoredNode> {
    try {
      for (const [i, snapshot] of [...snapshots].entries()) {
        for await (const { cell, ...node } of stored(snapshot)) {
          const [x, y, z] = nodeOf(settings.dims, cell);
          if (i > 0 && 'values' in node) yield { x, y, z, ...node, tangent: AXES[i - 1] };
          else yield { x, y, z, ...node };
        }
        if (source) yield* streamed(source, away[i]);
      }
    } finally {
      dispose();
    }
  }
  return { nodes: nodes(), count, dispose };
}

/** Each by itself: what a format is about to write has its own memory by then. */
export async function* inBatches(nodes: AsyncIterable<StoredNode>): AsyncGenerator<StoredNode[]> {
  for await (const node of nodes) yield [node];
}

/** One by one what comes in batches. */
export async function* eachNode(batches: AsyncIterable<readonly StoredNode[]>): AsyncGenerator<StoredNode> {
  for await (const batch of batches) yield* batch;
}

/** Of a cube that is being loaded. */
interface Loading {
  /** Whether a cell that has its node already is an error. */
  fresh: boolean;
  expected: NonNullable<CubeContents['expected']>;
}

/** Sets nodes and tangents: all of them, or none if one is wrong. */
export function restoreNodes(
  where: string,
  { store, tangents, settings }: SamplingState,
  nodes: Iterable<StoredNode>,
  { fresh, expected }: Loading = { fresh: false, expected: [] },
): void {
  const lists: StoredValues[][] = [[], [], [], []];
  const known = new Set<string>();
  for (const node of nodes) {
    const cell = cellOf(where, settings.dims, node.x, node.y, node.z);
    const tangent = 'tangent' in node ? node.tangent : undefined;
    check(
      tangent === undefined || AXES.includes(tangent),
      () => new ArgumentError(`${where}: tangent must be one of ${AXES.join(', ')}, got ${shown(tangent)}`),
    );
    const key = `${cell} ${tangent ?? ''}`;
    const held = tangent ? tangents.stores[AXES.indexOf(tangent)] : store;
    check(
      !known.has(key) && !(fresh && held.has(cell)),
      () =>
        new ArgumentError(
          `${where}: there are two ${tangent ? `tangents along ${tangent}` : 'nodes'} at (${node.x}, ${node.y}, ${node.z})`,
        ),
    );
    known.add(key);
    lists[tangent ? 1 + AXES.indexOf(tangent) : 0].push({ cell, ...checkStored(where, node, settings) });
  }
  const [own, ...others] = lists;
  const there = new Set(own.map(({ cell }) => cell));
  for (const { cell } of others.flat()) {
    check(there.has(cell) || store.has(cell), () => new MissingNodeError(where, nodeOf(settings.dims, cell)));
  }
  others.flat().forEach((one) => {
    if ('shape' in one) store.checkForm(where, one.shape, settings.dtype);
  });
  const room = (tangent?: Axis) => (shape: NodeShape) =>
    expected.find((one) => one.tangent === tangent && isSame(one.shape, shape))?.count ?? 0;
  store.restore(where, own, room());
  tangents.stores.forEach((one, j) => {
    one.restore(where, others[j], room(AXES[j]));
  });
}

type Stored = StoredValues extends infer T ? (T extends unknown ? Omit<T, 'cell'> : never) : never;

/** A node without its place. @throws ShapeError, FormatError unless it is one of this cube. */
export function checkStored(where: string, node: StoredNode, { channels, dtype }: Settings): Stored {
  if ('compressed' in node) {
    const place = `${where}: node (${node.x}, ${node.y}, ${node.z})`;
    const { shape, codec } = readContainer(node.compressed, place, !node.verified);
    check(
      shape[2] === channels,
      () => new ShapeError(where, `a node of '${codec}'`, `[H, W, ${channels}]`, shape),
    );
    return { compressed: node.compressed };
  }
  const Values = dtype === 'float16' ? Uint16Array : Float32Array;
  const { shape, values } = node;
  check(
    shape.length === 3 &&
      sizeOf(shape) > 0 &&
      shape[2] === channels &&
      values instanceof Values &&
      values.length === sizeOf(shape),
    () => new ShapeError(where, 'a node', `[H, W, ${channels}] of ${Values.name}`, shape),
  );
  return { shape, values };
}
