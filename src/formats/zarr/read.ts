/** Zarr stores as contents of cubes: Wavecube's own (layout.ts), and arrays of others. */
import { ArgumentError, ChangedError, check, FormatError, shown } from '../../errors.js';
import type { Folder } from '../../grid/files/bytestream.js';
import type { CubeContents, CubeOptions, LostNode } from '../../grid/files/contents.js';
import type { ReadOptions } from '../../grid/files/persistence.js';
import type { StoredNode } from '../../grid/files/storednodes.js';
import { type OpenArray, openArray, readBox, readExact } from './array.js';
import { sizeOf } from './box.js';
import { AXES, checksumOf, type OwnAttributes, VERSION } from './layout.js';
import { parseGroup } from './metadata.js';
import { mostNodes, type NodesWanted, readNodes } from './nodes.js';
import { StoreFiles } from './store.js';

type Json = Record<string, unknown>;

/** Cells of the largest grid, as cubes have it. */
const MAX_CELLS = 2 ** 28;
/** Positions of an axis that are read: a cube has no more. */
const MAX_POSITIONS = 2 ** 24;

/** Whether a folder is a Zarr store. */
export async function isStore(folder: Folder): Promise<boolean> {
  const files = new StoreFiles(folder);
  try {
    for (const name of ['zarr.json', '.zarray', '.zgroup']) {
      if ((await files.json(name).catch(orDamaged)) !== undefined) return true;
    }
    return false;
  } finally {
    await files.close();
  }
}

/** Damaged metadata are for the reader to name. */
function orDamaged(error: unknown): true {
  if (error instanceof FormatError) return true;
  throw error;
}

/** What a store holds. @throws FormatError for what is no array of nodes, or damaged. */
export async function readStore(folder: Folder, options: ReadOptions): Promise<CubeContents> {
  const files = new StoreFiles(folder, options.signal);
  try {
    const group = await groupAttributes(files);
    const before = group?.wavecube;
    const own = group?.wavecube !== undefined && options.array === undefined;
    const contents = own
      ? await ownContents(files, ownAttributes(group, `${folder.name}/zarr.json`, options), options)
      : await foreignContents(files, group ?? {}, options);
    const nodes = own ? unchanged(contents.nodes, files, before) : contents.nodes;
    return { ...contents, nodes, dispose: () => void files.close() };
  } catch (error) {
    await files.close();
    throw error;
  }
}

/** The nodes, and then an error where another store has taken the place of this one meanwhile: they may be of both. */
async function* unchanged(
  nodes: AsyncIterable<readonly StoredNode[]>,
  { folder, signal }: StoreFiles,
  before: unknown,
): AsyncGenerator<readonly StoredNode[]> {
  const fail = (cause?: unknown) =>
    new ChangedError(folder.name, 'was replaced while it was read; load it again', { cause });
  // A new look at the folder: files that are open stay what they were.
  const again = new StoreFiles(folder, signal);
  try {
    try {
      yield* nodes;
    } catch (error) {
      const after = await groupAttributes(again).catch(() => null);
      if (error instanceof FormatError && after && !isSameJson(after.wavecube, before)) throw fail(error);
      throw error;
    }
    const after = await groupAttributes(again).catch((cause) => {
      throw cause instanceof FormatError ? fail(cause) : cause;
    });
    check(isSameJson(after?.wavecube, before), fail);
  } finally {
    await again.close();
  }
}

const isSameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** A group's attributes, of v3 or v2; null where the store is no group. */
async function groupAttributes(files: StoreFiles): Promise<Json | null> {
  const json = await files.json('zarr.json');
  if (json !== undefined) {
    if ((json as Json | null)?.node_type === 'array') return null;
    return parseGroup(json, `${files.folder.name}/zarr.json`);
  }
  if ((await files.json('.zgroup')) === undefined) return null;
  return ((await files.json('.zattrs')) ?? {}) as Json;
}

function ownAttributes({ wavecube }: Json, source: string, { verify = true }: ReadOptions): OwnAttributes {
  const fail = (message: string) => new FormatError(source, message);
  check(typeof wavecube === 'object' && wavecube !== null, () =>
    fail('has attributes of wavecube of no sense'),
  );
  const { crc32c, ...own } = wavecube as OwnAttributes;
  check(own.version === VERSION, () =>
    fail(`has version ${shown(own.version)} of Wavecube's layout, known is ${VERSION}`),
  );
  check(!verify || crc32c === checksumOf(own), () =>
    fail('has attributes of wavecube that do not have their checksum'),
  );
  const { shape, count, options, user } = own;
  check(
    Array.isArray(shape) &&
      shape.length === 6 &&
      Number.isSafeInteger(count) &&
      [options, user].every((one) => typeof one === 'object' && one !== null && !Array.isArray(one)),
    () => fail('has attributes of wavecube of no sense'),
  );
  return wavecube as OwnAttributes;
}

type Parts = Omit<CubeContents, 'dispose'>;

async function ownContents(
  files: StoreFiles,
  { shape, count, options, user }: OwnAttributes,
  { verify = true, recover = false }: ReadOptions,
): Promise<Parts> {
  const array = await openArray(files, 'nodes', verify);
  check(
    array !== undefined,
    () => new FormatError(files.folder.name, "has no array 'nodes', which its attributes promise"),
  );
  const { meta, name } = array;
  const dtype = options.dtype ?? 'float32';
  check(
    meta.type === dtype && meta.shape.length === 6 && meta.shape.every((n, j) => n === shape[j]),
    () =>
      new FormatError(
        name,
        `must be [${shape.join(', ')}] ${shown(dtype)}, as the attributes say, and is [${meta.shape.join(', ')}] ${meta.type}`,
      ),
  );
  checkDims(array);
  const lost: LostNode[] = [];
  const present = await readPresence(files, shape.slice(0, 3), verify).catch((error) => {
    // The chunks themselves then say which nodes there are.
    if (!recover || !(error instanceof FormatError)) throw error;
    return null;
  });
  const found = present?.reduce((sum, one) => sum + one, 0) ?? count;
  check(
    !verify || found === count,
    () =>
      new FormatError(`${files.folder.name}/present`, `tells of ${found} nodes, the attributes of ${count}`),
  );
  const wanted: NodesWanted = { present, complete: verify, lost: recover ? lost : null };
  const [width, height, depth, ...node] = shape;
  return {
    ...{ kind: 'cube', width, height, depth, options, metadata: user, count: found, lost },
    expected: [{ shape: node as [number, number, number], count: found }],
    nodes: readNodes(array, wanted),
  };
}

function checkDims({ name, meta }: OpenArray): void {
  const cells = sizeOf(meta.shape.slice(0, 3));
  check(
    sizeOf(meta.shape) > 0 && cells <= MAX_CELLS,
    () =>
      new FormatError(
        name,
        `has a shape [${meta.shape.join(', ')}] of ${cells} nodes; a cube has 1 to ${MAX_CELLS}`,
      ),
  );
}

/** [X, Y, Z] of 1 where there is a node. */
async function readPresence(
  files: StoreFiles,
  dims: readonly number[],
  verify: boolean,
): Promise<Uint8Array> {
  const array = await openArray(files, 'present', verify);
  const name = `${files.folder.name}/present`;
  check(
    array !== undefined &&
      array.meta.type === 'uint8' &&
      array.meta.shape.length === 3 &&
      array.meta.shape.every((n, j) => n === dims[j]),
    () => new FormatError(name, `must be [${dims.join(', ')}] uint8`),
  );
  const present = new Uint8Array(sizeOf(dims));
  const plane = dims[1] * dims[2];
  const planes = Math.max(1, array.meta.chunk[0]);
  for (let x = 0; x < dims[0]; x += planes) {
    const extent = [Math.min(planes, dims[0] - x), dims[1], dims[2]];
    const slab = await readBox(array, { start: [x, 0, 0], extent });
    check(
      slab !== null || !verify,
      () => new FormatError(name, `its chunk [${x / planes}, 0, 0] is missing`),
    );
    if (slab) present.set(slab, x * plane);
  }
  return present;
}

/** An array that others wrote: what they say of it as far as cubes have a word for it. */
async function foreignContents(
  files: StoreFiles,
  group: Json,
  { verify = true, recover = false, array: path }: ReadOptions,
): Promise<Parts> {
  const name = checkedPath(path);
  const at = name === undefined ? await openArray(files, '', verify) : undefined;
  const array = at ?? (await openArray(files, name ?? 'nodes', verify));
  check(
    array !== undefined,
    () =>
      new FormatError(
        files.folder.name,
        `has no array '${name ?? 'nodes'}'; name one, { array: '…' }, or load a path that leads to it`,
      ),
  );
  const { meta } = array;
  check(
    meta.shape.length === 6,
    () =>
      new FormatError(array.name, `must be [X, Y, Z, H, W, C], and has the shape [${meta.shape.join(', ')}]`),
  );
  check(
    (meta.attributes.wavecube ?? null) === null || name !== undefined || at !== undefined,
    () => new FormatError(files.folder.name, "has lost its attributes, which its array 'nodes' says it had"),
  );
  checkDims(array);
  const [width, height, depth, h, w, channels] = meta.shape;
  const lost: LostNode[] = [];
  const axes: NonNullable<CubeOptions['axes']> = {};
  for (const [j, axis] of AXES.entries()) {
    const parent = array.prefix.replace(/[^/]*\/$/, '');
    const positions = at
      ? null
      : await positionsFrom(files, parent + (meta.names?.[j] ?? axis), meta.shape[j], verify);
    if (positions) axes[axis] = positions;
  }
  const { _ARRAY_DIMENSIONS: _, wavecube: __, ...attributes } = meta.attributes;
  const { wavecube: ___, ...around } = group;
  const nodes: AsyncGenerator<StoredNode[]> = readNodes(array, {
    present: null,
    complete: false,
    lost: recover ? lost : null,
  });
  return {
    ...{ kind: 'cube', width, height, depth, metadata: { ...around, ...attributes }, lost, nodes },
    // At most: which chunks there are is seen when they are read.
    count: await mostNodes(array),
    options: {
      resolution: [h, w],
      channels,
      dtype: meta.type === 'float16' ? 'float16' : 'float32',
      ...(Object.keys(axes).length > 0 && { axes }),
    },
  };
}

/** @throws ArgumentError for the name of an array that leads elsewhere. */
function checkedPath(path: unknown): string | undefined {
  if (path === undefined) return undefined;
  check(
    typeof path === 'string' &&
      path.split('/').every((part) => /^[^\\/:\0]+$/.test(part) && !/^\.+$/.test(part)),
    () => new ArgumentError(`load: array must be the name of an array in the store, got ${shown(path)}`),
  );
  return path;
}

/** The coordinates of a dimension, where an array of its name has them and they are not index space; null otherwise. */
async function positionsFrom(
  files: StoreFiles,
  path: string,
  n: number,
  verify: boolean,
): Promise<number[] | null> {
  if (n > MAX_POSITIONS || !path.split('/').every((part) => /^[\w -]+$/.test(part))) return null;
  const array = await openArray(files, path, verify).catch(orNull);
  if (array?.meta.shape.length !== 1 || array.meta.shape[0] !== n) return null;
  if (array.meta.type === 'float16') return null;
  const values = await readExact(array, { start: [0], extent: [n] }).catch(orNull);
  if (!values) return null;
  const positions = Array.from(values);
  const rising = positions.every((t, i) => Number.isFinite(t) && (i === 0 || t > positions[i - 1]));
  return rising && positions.some((t, i) => t !== i) ? positions : null;
}

/** Coordinates of a kind that is not known, texts or dates, leave the axis as it is. */
function orNull(error: unknown): null {
  if (error instanceof FormatError) return null;
  throw error;
}
