/**
 * What a Zarr store of Wavecube's own looks like (https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html, and the codecs
 * 'sharding_indexed' and 'crc32c' beside it):
 *
 *   zarr.json            group; attributes.wavecube: OwnAttributes. Written last
 *   nodes/               [X, Y, Z, H, W, C] float32 or float16, a chunk a node; shards of slabs of nodes, or a file a node
 *   present/             [X, Y, Z] uint8: 1 where there is a node
 *   x/ y/ z/             [X], [Y], [Z] float64: positions of the axes, as coordinates for xarray; Wavecube itself reads the attributes
 *
 * Every chunk and every shard's index ends with its CRC-32C, and so are the attributes checked by one. A node that is there has its
 * chunk, of zeros too: a chunk that is missing is damage, and no fill value.
 */
import { crc32c } from '../../checksum.js';
import type { CubeOptions } from '../../grid/files/contents.js';

export const VERSION = 1;
export const AXES = ['x', 'y', 'z'] as const;
export const DIMENSIONS = [...AXES, 'h', 'w', 'c'];

/** attributes.wavecube of the group. */
export interface OwnAttributes {
  version: number;
  /** [X, Y, Z, H, W, C] of the array of nodes. */
  shape: number[];
  /** Nodes that are there. */
  count: number;
  /** Of all nodes: addedToDigest. Another cube in the store's place has another. */
  digest: number;
  options: CubeOptions;
  user: Record<string, unknown>;
  /** Of all the others: checksumOf. */
  crc32c: number;
}

/** The CRC-32C of a JSON value, in whatever order its keys are written and however it is spaced. */
export function checksumOf(value: unknown): number {
  return crc32c(new TextEncoder().encode(canonical(value)));
}

/** A digest of nodes with one more, in whatever order they come. */
export function addedToDigest(digest: number, cell: number, checksum: number): number {
  return (digest + crc32c(new Uint8Array(Uint32Array.of(cell, checksum).buffer))) >>> 0;
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`)}}`;
}

export interface CodecMetadata {
  name: string;
  configuration?: Record<string, unknown>;
}

export const LITTLE: CodecMetadata = { name: 'bytes', configuration: { endian: 'little' } };
export const CRC: CodecMetadata = { name: 'crc32c' };

/** zarr.json of an array. */
export function arrayMetadata(array: {
  shape: readonly number[];
  dataType: string;
  /** Of the files: shards, or chunks. */
  chunk: readonly number[];
  codecs: readonly CodecMetadata[];
  names: readonly string[];
  attributes?: Record<string, unknown>;
}): Record<string, unknown> {
  return {
    zarr_format: 3,
    node_type: 'array',
    shape: array.shape,
    data_type: array.dataType,
    chunk_grid: { name: 'regular', configuration: { chunk_shape: array.chunk } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: 0,
    codecs: array.codecs,
    attributes: array.attributes ?? {},
    dimension_names: array.names,
  };
}

/** Shards that stay incomplete, of sparse cubes, are open until the end, with a MiB at hand each: as many at most. */
const MAX_SHARDS = 128;
/** Chunks of a shard beyond which its index, 16 bytes each, is larger than it is worth. */
const MAX_CHUNKS = 65536;

/** [bx, by, bz] nodes of a shard of about so many bytes: slabs in the order of nodes, z fastest. */
export function shardBlock(dims: readonly number[], chunkBytes: number, shardBytes: number): number[] {
  let nodes = Math.min(MAX_CHUNKS, Math.max(1, Math.floor(shardBytes / chunkBytes)));
  for (;;) {
    const block = slab(dims, nodes);
    if (dims.reduce((product, n, j) => product * Math.ceil(n / block[j]), 1) <= MAX_SHARDS) return block;
    nodes *= 2;
  }
}

function slab([width, height, depth]: readonly number[], nodes: number): number[] {
  const z = Math.min(depth, nodes);
  const y = Math.min(height, Math.max(1, Math.floor(nodes / z)));
  return [Math.min(width, Math.max(1, Math.floor(nodes / (z * y)))), y, z];
}
