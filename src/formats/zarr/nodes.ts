/** The nodes of a [X, Y, Z, H, W, C] array, block by block, several blocks at once. */
import { check, FormatError } from '../../errors.js';
import type { NodeShape } from '../../grid/bank.js';
import type { LostNode } from '../../grid/files/contents.js';
import type { StoredNode } from '../../grid/files/storednodes.js';
import { floatToHalf } from '../../ops/half.js';
import { type Box, fileOf, type OpenArray, readBox } from './array.js';
import { sizeOf, unravel } from './box.js';

export interface NodesWanted {
  /** Whether the node of a cell is there, x slowest; null: where its chunks are. */
  present: Uint8Array | null;
  /** Whether a node that is there must have chunks, for it is damage otherwise. */
  complete: boolean;
  /** Collects nodes that are damaged; without it they throw. */
  lost: LostNode[] | null;
}

/** Blocks read ahead, and their bytes together. */
const AHEAD = { blocks: 8, bytes: 64 * 2 ** 20 };
/** Nodes of one block at most, where chunks hold many. */
const BLOCK_BYTES = 32 * 2 ** 20;
/** Of nodes that are nothing but a fill value other than 0. */
const FILLED_BYTES = 64 * 2 ** 20;
/** Files asked for one by one, where the place does not tell which there are. */
const MAX_ASKED = 2 ** 20;

/** Batches of nodes, in the order of files. */
export async function* readNodes(array: OpenArray, wanted: NodesWanted): AsyncGenerator<StoredNode[]> {
  const bytes = 4 * array.meta.chunk.slice(0, 3).reduce((a, b) => a * b, sizeOf(array.meta.shape.slice(3)));
  const ahead = Math.max(1, Math.min(AHEAD.blocks, Math.floor(AHEAD.bytes / bytes)));
  const filled = fillsLeft(array, wanted);
  const under: Promise<StoredNode[]>[] = [];
  try {
    for await (const box of nodeBoxes(array, wanted)) {
      const read = readBlock(array, box, wanted, filled);
      // Whoever awaits it in its turn hears of a failure.
      read.catch(() => {});
      under.push(read);
      if (under.length >= ahead) yield await under.shift()!;
    }
    while (under.length > 0) yield await under.shift()!;
  } finally {
    await Promise.allSettled(under);
  }
}

/** Counts the bytes of nodes of a fill value; null: a chunk that is not there leaves its nodes out. */
function fillsLeft({ name, meta }: OpenArray, { present }: NodesWanted): ((bytes: number) => void) | null {
  const { fill } = meta;
  if (!present && (fill === null || fill === 0 || Number.isNaN(fill))) return null;
  let left = present && (fill ?? 0) === 0 ? Number.POSITIVE_INFINITY : FILLED_BYTES;
  return (bytes) => {
    left -= bytes;
    check(
      left >= 0,
      () =>
        new FormatError(
          name,
          `has more than ${FILLED_BYTES} bytes of nodes that are nothing but the fill value ${fill}`,
        ),
    );
  };
}

/** Boxes of whole nodes, each within the chunks of one place in (x, y, z). */
async function* nodeBoxes(array: OpenArray, { present }: NodesWanted): AsyncGenerator<Box> {
  const { shape, chunk } = array.meta;
  const dims = shape.slice(0, 3);
  const rest = shape.slice(3);
  const nodeBytes = 4 * sizeOf(rest);
  const size = chunk.slice(0, 3).map((n, j) => Math.min(n, dims[j]));
  for (let j = 0; j < 3; j++) {
    while (size[j] > 1 && sizeOf(size) * nodeBytes > BLOCK_BYTES) size[j] = Math.ceil(size[j] / 2);
  }
  for await (const { start, extent } of filePlaces(array, present !== null)) {
    // Blocks begin where chunks do, and again where they have been cut.
    const starts = start.map((from, j) => {
      const list: number[] = [];
      for (let at = from; at < from + extent[j]; ) {
        list.push(at);
        at = Math.min(at + size[j], (Math.floor(at / chunk[j]) + 1) * chunk[j]);
      }
      return list;
    });
    const counts = starts.map((list) => list.length);
    for (let i = 0; i < sizeOf(counts); i++) {
      const which = unravel(i, counts);
      const from = which.map((k, j) => starts[j][k]);
      const to = which.map((k, j) => starts[j][k + 1] ?? start[j] + extent[j]);
      const box = { start: [...from, 0, 0, 0], extent: [...from.map((n, j) => to[j] - n), ...rest] };
      if (!present || cellsOf(box, dims).some((cell) => present[cell] === 1)) yield box;
    }
  }
}

/** Files of a grid of them, along each dimension. */
const fileGrid = ({ shape, file }: OpenArray['meta']): number[] =>
  shape.map((n, j) => Math.ceil(n / file[j]));

/** Numbers of the places in (x, y, z) of which there are files, ascending; null where the place does not tell. */
async function placesThere({ prefix, meta, files }: OpenArray): Promise<Float64Array | null> {
  const names = await files.names();
  if (!names) return null;
  const { keys } = meta;
  const grid = fileGrid(meta);
  const numbers = new Set<number>();
  for (const key of names) {
    if (!key.startsWith(prefix)) continue;
    const parts = key.slice(prefix.length).split(keys.separator);
    if (keys.name === 'default' && parts.shift() !== 'c') continue;
    if (
      parts.length !== 6 ||
      !parts.every((part, j) => /^(0|[1-9]\d{0,14})$/.test(part) && Number(part) < grid[j])
    )
      continue;
    const [i, j, k] = parts.map(Number);
    numbers.add((i * grid[1] + j) * grid[2] + k);
  }
  return Float64Array.from(numbers).sort();
}

const isFilled = ({ fill }: OpenArray['meta']): boolean => fill !== null && fill !== 0 && !Number.isNaN(fill);

/** Nodes that an array of others has at most, by the files that there are: writers make room for so many. */
export async function mostNodes(array: OpenArray): Promise<number> {
  const { shape, file } = array.meta;
  const cells = sizeOf(shape.slice(0, 3));
  const places = await placesThere(array);
  if (!places) return cells;
  const filled = isFilled(array.meta) ? Math.ceil(FILLED_BYTES / (4 * sizeOf(shape.slice(3)))) : 0;
  return Math.min(cells, filled + places.length * sizeOf(file.slice(0, 3)));
}

/** Of files that are there, or may be there, the nodes: each place in (x, y, z) once, x slowest. */
async function* filePlaces(array: OpenArray, all: boolean): AsyncGenerator<Box> {
  const { name, meta } = array;
  const { shape, file } = meta;
  const grid = fileGrid(meta);
  let places: Iterable<number> | null = all || isFilled(meta) ? null : await placesThere(array);
  if (!places) {
    const count = sizeOf(grid.slice(0, 3));
    check(
      all || count <= MAX_ASKED,
      () =>
        new FormatError(
          name,
          `has ${count} files, of which one cannot tell which are there; at most ${MAX_ASKED} are asked for`,
        ),
    );
    places = numbersBelow(count);
  }
  for (const i of places) {
    const start = unravel(i, grid.slice(0, 3)).map((n, j) => n * file[j]);
    yield { start, extent: start.map((n, j) => Math.min(file[j], shape[j] - n)) };
  }
}

function* numbersBelow(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}

/** The cells of a box of nodes, x slowest. */
function cellsOf({ start, extent }: Box, dims: readonly number[]): number[] {
  return Array.from({ length: sizeOf(extent.slice(0, 3)) }, (_, i) => {
    const [x, y, z] = unravel(i, extent.slice(0, 3)).map((n, j) => n + start[j]);
    return (x * dims[1] + y) * dims[2] + z;
  });
}

async function readBlock(
  array: OpenArray,
  box: Box,
  { present, complete, lost }: NodesWanted,
  filled: ((bytes: number) => void) | null,
): Promise<StoredNode[]> {
  const dims = array.meta.shape.slice(0, 3);
  const shape = array.meta.shape.slice(3) as [number, number, number] & NodeShape;
  const places = cellsOf(box, dims)
    .filter((cell) => !present || present[cell] === 1)
    .map((cell) => unravel(cell, dims) as [number, number, number]);
  let values: Float32Array | Uint16Array | null;
  try {
    values = await readBox(array, box);
    check(
      values !== null || !complete,
      () =>
        new FormatError(
          fileOf(array, box.start),
          'its chunk is missing; { verify: false } takes the fill value for it, as Zarr does',
        ),
    );
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { source: file, offset } = error;
    const reason = error.message.slice(file.length + 2);
    if (!lost) {
      const hint = '{ recover: true } reads the others';
      throw new FormatError(file, `node (${places[0].join(', ')}): ${reason}; ${hint}`, {
        offset,
        node: places[0],
        cause: error,
      });
    }
    lost.push(
      ...places.map(([x, y, z]) => ({ x, y, z, file, reason, ...(offset !== undefined && { offset }) })),
    );
    return [];
  }
  if (!values && !filled) return [];
  const payload = sizeOf(shape);
  filled?.(values ? 0 : 4 * payload * places.length);
  return places.map(([x, y, z]) => {
    if (!values) return { x, y, z, shape, values: filledNode(array, payload) };
    const at = [x, y, z].map((n, j) => n - box.start[j]);
    const i = (at[0] * box.extent[1] + at[1]) * box.extent[2] + at[2];
    return { x, y, z, shape, values: values.subarray(i * payload, (i + 1) * payload) };
  });
}

function filledNode({ meta }: OpenArray, payload: number): Float32Array | Uint16Array {
  const fill = meta.fill ?? 0;
  if (meta.type === 'float16') return new Uint16Array(payload).fill(floatToHalf(fill));
  return new Float32Array(payload).fill(fill);
}
