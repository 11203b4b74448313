/** Arrays of a store: opened with their metadata checked, and read box by box. */
import type * as Zarrita from 'zarrita';
import { FormatError, WavecubeError } from '../../errors.js';
import { floatToHalf } from '../../ops/half.js';
import { copyBox, isContiguous, sizeOf, stridesOf, type Target, unravel, type Values } from './box.js';
import { guarded, guardedIndex, zarrita } from './codecs.js';
import { type ArrayMetadata, fromV2, parseArray } from './metadata.js';
import { Absent, ChunkStore, type StoreFiles, type Trace } from './store.js';

export interface OpenArray {
  /** What errors call it. */
  name: string;
  /** In the folder: '' or ending in '/'. */
  prefix: string;
  meta: ArrayMetadata;
  chunks: Zarrita.Array<'float32'>;
  files: StoreFiles;
}

/** A box of an array: where it begins, and how far it goes. */
export interface Box {
  start: readonly number[];
  extent: readonly number[];
}

/**
 * The array at a path in the store, of Zarr v3 or v2; undefined where there is none.
 * @param path '' for the store itself.
 */
export async function openArray(
  files: StoreFiles,
  path: string,
  verify: boolean,
): Promise<OpenArray | undefined> {
  const prefix = path === '' ? '' : `${path}/`;
  const name = path === '' ? files.folder.name : `${files.folder.name}/${path}`;
  let json = await files.json(`${prefix}zarr.json`);
  let file = `${name}/zarr.json`;
  if (json === undefined) {
    const v2 = await files.json(`${prefix}.zarray`);
    if (v2 === undefined) return undefined;
    file = `${name}/.zarray`;
    const attributes = (await files.json(`${prefix}.zattrs`)) ?? {};
    json = fromV2(v2, attributes as Record<string, unknown>, file);
  } else if ((json as { node_type?: unknown } | null)?.node_type === 'group') return undefined;
  const meta = parseArray(json, file);
  const { shape, file: grid, rawType, chunk, chunkBytes, sharding, keys } = meta;
  const codecs = guarded(meta.codecs, chunkBytes, verify);
  const zarr = await zarrita();
  const store = new ChunkStore(files, prefix, {
    chunkBytes,
    // What checksums and compressors that do not compress add.
    storedBytes: chunkBytes + (chunkBytes >> 4) + 65536,
    indexAtStart: sharding?.atStart ?? false,
  });
  const chunks = new zarr.Array<'float32'>(store as Zarrita.AsyncReadable, '/', {
    zarr_format: 3,
    node_type: 'array',
    shape,
    data_type: rawType as 'float32',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: grid } },
    chunk_key_encoding: { name: keys.name, configuration: { separator: keys.separator } },
    codecs: sharding
      ? [
          {
            name: 'sharding_indexed',
            configuration: {
              chunk_shape: chunk,
              codecs,
              index_codecs: guardedIndex(sharding.codecs, verify),
            },
          },
        ]
      : codecs,
    // Never asked for: a chunk that is not there is Absent.
    fill_value: 0,
    attributes: {},
  });
  return { name, prefix, meta, chunks, files };
}

/** What errors call the file that holds an element. */
export function fileOf({ name, meta: { file, keys } }: OpenArray, at: readonly number[]): string {
  const numbers = at.map((n, j) => Math.floor(n / file[j]));
  return `${name}/${[...(keys.name === 'default' ? ['c'] : []), ...numbers].join(keys.separator)}`;
}

/** A chunk's values and their strides; null where there is none. @throws FormatError for one that is damaged. */
async function readChunk(
  array: OpenArray,
  at: number[],
): Promise<{ data: Values; stride: readonly number[] } | null> {
  const { chunks, meta, files } = array;
  const trace: Trace = { signal: files.signal };
  try {
    const { data, stride } = await chunks.getChunk(at, trace);
    return { data: data as Values, stride };
  } catch (error) {
    if (error instanceof Absent) return null;
    files.signal?.throwIfAborted();
    // What the place says, that it cannot be read or has changed, is no fault of the chunk.
    if (error instanceof WavecubeError && !(error instanceof FormatError)) throw error;
    const cause = (error as Error).cause ?? error;
    const reason = (cause as Error).message.replace(/^chunk: /, '');
    const where = `the chunk [${at.join(', ')}] of [${meta.chunk.join(', ')}]`;
    // A shard's index is read for one chunk, and fails for all.
    const {
      file = fileOf(
        array,
        at.map((n, j) => n * meta.chunk[j]),
      ),
      offset,
    } = trace;
    const message = reason.startsWith(`${file}: `) ? reason.slice(file.length + 2) : `${where} ${reason}`;
    throw new FormatError(file, message, { offset, cause });
  }
}

/** A box of numbers in the precision that they have: coordinates. @returns and throws as readBox. */
export async function readExact(array: OpenArray, box: Box): Promise<Float64Array | null> {
  return (await readInto(array, box, (size) => new Float64Array(size))) as Float64Array | null;
}

/**
 * A box in C order, as float32, or as 16-bit words of float16; what no chunk holds is the fill value.
 * @returns null where none of its chunks is there.
 * @throws FormatError for a damaged chunk.
 */
export function readBox(array: OpenArray, box: Box): Promise<Float32Array | Uint16Array | null> {
  const make = (size: number) =>
    array.meta.type === 'float16' ? new Uint16Array(size) : new Float32Array(size);
  return readInto(array, box, make) as Promise<Float32Array | Uint16Array | null>;
}

async function readInto(
  array: OpenArray,
  { start, extent }: Box,
  make: (size: number) => Target,
): Promise<Target | null> {
  const { chunk, type, fill } = array.meta;
  const first = start.map((n, j) => Math.floor(n / chunk[j]));
  const count = start.map((n, j) => Math.floor((n + extent[j] - 1) / chunk[j]) - first[j] + 1);
  const sample = make(0);
  let out: Target | null = null;
  for (let i = 0; i < sizeOf(count); i++) {
    const at = unravel(i, count).map((n, j) => n + first[j]);
    const read = await readChunk(array, at);
    if (!read) continue;
    const { data, stride } = read;
    // The part of the box that this chunk holds.
    const from = at.map((n, j) => Math.max(start[j], n * chunk[j]));
    const to = at.map((n, j) => Math.min(start[j] + extent[j], (n + 1) * chunk[j]));
    const whole = sizeOf(count) === 1 && data.length === sizeOf(extent) && isContiguous(stride, extent);
    if (whole && data.constructor === sample.constructor) return data as Target;
    if (!out) {
      out = make(sizeOf(extent));
      // Chunks beside this one may not be there.
      if (sizeOf(count) > 1) out.fill(type === 'float16' ? floatToHalf(fill ?? 0) : (fill ?? 0));
    }
    copyBox(
      { data, strides: stride, start: from.map((n, j) => n - at[j] * chunk[j]) },
      { data: out, strides: stridesOf(extent), start: from.map((n, j) => n - start[j]) },
      from.map((n, j) => to[j] - n),
    );
  }
  return out;
}
