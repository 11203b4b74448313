/**
 * A cube as the entries of a .npz file, which numpy.load opens with its defaults:
 *
 *   metadata.npy        uint8, the UTF-8 bytes of a JSON object: the cube's options, its size, the user's metadata
 *   nodes/x_y_z.npy     [H, W, C] float32, or float16 as it is stored
 *   compressed/x_y_z.npy   uint8, the bytes of a compressed node: codecs/container.ts
 *   tangents/x/x_y_z.npy   as nodes/: the node's tangent along x; y and z alike. With them the layout is version 2, else 1
 *
 * Entries are stored, or deflated with { deflate: true }.
 */
import { check, FormatError, shown } from '../errors.js';
import type { CubeContents } from '../grid/contents.js';
import { eachNode, type StoredNode } from '../grid/files.js';
import type { MatrixOptions, MixedOptions } from '../grid/options.js';
import { decodeNpy, encodeNpy } from './npy.js';

/** Of files with tangents, and without. */
const VERSIONS = { nodes: 1, tangents: 2 };

interface Header extends Omit<MatrixOptions & MixedOptions, 'metadata' | 'pageBytes'> {
  format: 'wavecube' | typeof HIERARCHY;
  version: number;
  width: number;
  height: number;
  depth: number;
  user: Record<string, unknown>;
}

/** The entries of a cube, by name. */
export async function cubeEntries(cube: CubeContents): Promise<Record<string, Uint8Array>> {
  const { axes = {}, ...cubeOptions } = cube.options;
  const header: Header = {
    format: 'wavecube',
    version: VERSIONS.nodes,
    width: cube.width,
    height: cube.height,
    depth: cube.depth,
    ...cubeOptions,
    // Axes of index space need no word, and older readers know none.
    ...(Object.keys(axes).length > 0 && { axes }),
    user: cube.metadata,
  };
  const entries: Record<string, Uint8Array> = { 'metadata.npy': new Uint8Array() };
  const dtype = cubeOptions.dtype === 'float16' ? '<f2' : '<f4';
  for await (const node of eachNode(cube.nodes)) {
    const name = `${node.x}_${node.y}_${node.z}.npy`;
    if ('compressed' in node) {
      const { compressed: data } = node;
      entries[`compressed/${name}`] = encodeNpy({ dtype: '|u1', shape: [data.length], data });
      continue;
    }
    const { shape, values: data, tangent } = node;
    if (tangent) header.version = VERSIONS.tangents;
    const folder = tangent ? `tangents/${tangent}` : 'nodes';
    entries[`${folder}/${name}`] = encodeNpy({ dtype, shape, data });
  }
  entries['metadata.npy'] = encodeMetadata(header);
  return entries;
}

/** What entries hold. @throws FormatError for what cubeEntries does not give. */
export function cubeOf(entries: Record<string, Uint8Array>, source: string): CubeContents {
  const header = readHeader(entries['metadata.npy'], source);
  const { width, height, depth, user, format: _, version: __, ...options } = header;
  const nodes: StoredNode[] = [];
  for (const [name, entry] of Object.entries(entries)) {
    if (name === 'metadata.npy') continue;
    const place = /^(nodes|compressed|tangents\/[xyz])\/(\d+)_(\d+)_(\d+)\.npy$/.exec(name);
    check(place !== null, () => new FormatError(source, `has an entry '${name}' that no cube has`));
    const { dtype, shape, data } = decodeNpy(entry, `${source}:${name}`);
    const [x, y, z] = place.slice(2).map(Number);
    if (place[1] === 'compressed') {
      check(dtype === '|u1', () => new FormatError(source, `${name} must be uint8, got ${dtype}`));
      nodes.push({ x, y, z, compressed: data as Uint8Array });
      continue;
    }
    check(
      shape.length === 3 && dtype === (options.dtype === 'float16' ? '<f2' : '<f4'),
      () =>
        new FormatError(
          source,
          `node ${name} must be [H, W, C] ${shown(options.dtype)}, got [${shape.join(', ')}] ${dtype}`,
        ),
    );
    const values = data as Float32Array | Uint16Array;
    const tangent = place[1].startsWith('tangents/') ? (place[1].slice(-1) as 'x' | 'y' | 'z') : undefined;
    nodes.push({ x, y, z, shape: shape as [number, number, number], values, ...(tangent && { tangent }) });
  }
  return {
    kind: 'cube',
    width,
    height,
    depth,
    options,
    metadata: user,
    count: nodes.length,
    nodes: oneBatch(nodes),
    dispose() {},
  };
}

async function* oneBatch(nodes: StoredNode[]): AsyncGenerator<StoredNode[]> {
  yield nodes;
}

function readHeader(entry: Uint8Array | undefined, source: string): Header {
  const header = readMetadata<Header>(entry, source);
  check(
    header?.format === 'wavecube',
    () => new FormatError(source, 'has metadata of something else than a cube'),
  );
  checkVersion(header.version, Object.values(VERSIONS), source);
  return header;
}

/** What metadata.npy of a hierarchy says of itself. */
export const HIERARCHY = 'wavecube octaves';

/** The JSON of a metadata.npy. */
export function readMetadata<T>(entry: Uint8Array | undefined, source: string): T {
  check(
    entry !== undefined,
    () => new FormatError(source, 'has no metadata.npy, so it is no cube of Wavecube'),
  );
  const { data } = decodeNpy(entry, `${source}:metadata.npy`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data as Uint8Array));
  } catch (cause) {
    throw new FormatError(source, 'has metadata that is no JSON', { cause });
  }
}

/** metadata.npy of a JSON value. */
export function encodeMetadata(value: unknown): Uint8Array {
  const data = new TextEncoder().encode(JSON.stringify(value));
  return encodeNpy({ dtype: '|u1', shape: [data.length], data });
}

export function checkVersion(version: unknown, known: readonly number[], source: string): void {
  const words = [...known].sort((a, b) => a - b).join(' and ');
  check(
    known.includes(version as number),
    () => new FormatError(source, `has version ${version} of the npz layout; this library reads ${words}`),
  );
}
