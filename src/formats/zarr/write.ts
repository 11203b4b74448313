/** Cubes into Zarr stores: layout.ts. */
import * as tf from '@tensorflow/tfjs';
import { crc32c } from '../../checksum.js';
import { CompressedWavetable } from '../../codecs/compressed.js';
import { knownCodec } from '../../codecs/registry.js';
import { ArgumentError, check, checkOptionNames, shown } from '../../errors.js';
import type { NodeShape } from '../../grid/bank.js';
import type { FolderSink } from '../../grid/files/bytestream.js';
import type { Contents, CubeContents } from '../../grid/files/contents.js';
import { eachNode, type StoredNode } from '../../grid/files/storednodes.js';
import { positionsOf } from '../../interpolation/axis.js';
import { floatToHalf } from '../../ops/half.js';
import { chunkEncoder, ShardWriter, writeChecked, writeFile, writeJson } from './chunks.js';
import {
  AXES,
  addedToDigest,
  arrayMetadata,
  CRC,
  checksumOf,
  DIMENSIONS,
  LITTLE,
  shardBlock,
  VERSION,
} from './layout.js';

const SHARD_BYTES = 64 * 2 ** 20;
/** Of chunks of the array of presence. */
const PRESENT_BYTES = 2 ** 20;

/** Writes a cube into a folder, its zarr.json last. @throws ArgumentError for what Zarr does not hold. */
export async function writeStore(
  contents: Contents,
  folder: FolderSink,
  options: Record<string, unknown>,
): Promise<void> {
  checkOptionNames('save', options, ['shardBytes', 'shards', 'compressor']);
  const { shardBytes = SHARD_BYTES, shards = true, compressor = null } = options;
  check(
    typeof shardBytes === 'number' && shardBytes >= 1 && typeof shards === 'boolean',
    () =>
      new ArgumentError(
        `save: shardBytes must be a positive number and shards a boolean, got ${shown(shardBytes)}, ${shown(shards)}`,
      ),
  );
  check(contents.kind === 'cube', () => refused('a single cube, and no hierarchy of octaves'));
  const { width, height, depth, options: made } = contents;
  const dims = [width, height, depth];
  const dtype = made.dtype ?? 'float32';
  const encoder = await chunkEncoder(compressor);
  // What is there when folders are written in place; its zarr.json first, without which nobody takes the rest for a store.
  const old = (await folder.list?.()) ?? [];
  for (const name of old.sort((a, b) => a.split('/').length - b.split('/').length))
    await folder.remove?.(name);
  const present = new Uint8Array(width * height * depth);
  const empty: NodeShape = [...(made.resolution as [number, number]), made.channels!];
  const bytesOf = (shape: NodeShape) => shape.reduce((a, b) => a * b) * (dtype === 'float16' ? 2 : 4) + 4;
  let digest = 0;
  let shape: NodeShape | undefined;
  let sharded: ShardWriter | undefined;
  try {
    for await (const stored of eachNode(contents.nodes)) {
      const node = await denseNode(stored, dtype);
      const at = [node.x, node.y, node.z];
      shape ??= node.shape;
      check(
        node.shape.every((n, j) => n === shape![j]),
        () =>
          refused(
            `nodes of one resolution; the one at (${at.join(', ')}) is [${node.shape.join(', ')}], others are [${shape!.join(', ')}]`,
          ),
      );
      const bytes = await encoder.encode(node.values);
      if (shards) {
        sharded ??= new ShardWriter(folder, dims, shardBlock(dims, bytesOf(shape), shardBytes));
        await sharded.add(at, bytes);
      } else {
        await writeFile(folder, `nodes/c/${[...at, 0, 0, 0].join('/')}`, (sink) => writeChecked(sink, bytes));
      }
      const cell = (node.x * height + node.y) * depth + node.z;
      present[cell] = 1;
      digest = addedToDigest(digest, cell, crc32c(bytes));
    }
    await sharded?.finish();
  } catch (error) {
    await sharded?.abort();
    throw error;
  }
  shape ??= empty;
  await writeCoordinates(folder, contents);
  await writePresence(folder, dims, present);
  const inner = [1, 1, 1, ...shape];
  const block = shards ? [...shardBlock(dims, bytesOf(shape), shardBytes), ...shape] : inner;
  const sharding = {
    name: 'sharding_indexed',
    configuration: {
      chunk_shape: inner,
      codecs: encoder.codecs,
      index_codecs: [LITTLE, CRC],
      index_location: 'end',
    },
  };
  await writeJson(
    folder,
    'nodes/zarr.json',
    arrayMetadata({
      shape: [...dims, ...shape],
      dataType: dtype,
      chunk: block,
      codecs: shards ? [sharding] : encoder.codecs,
      names: DIMENSIONS,
      attributes: { wavecube: { version: VERSION } },
    }),
  );
  const count = present.reduce((sum, one) => sum + one, 0);
  const own = plainJson({
    version: VERSION,
    shape: [...dims, ...shape],
    count,
    digest,
    options: made,
    user: contents.metadata,
  });
  await writeJson(folder, 'zarr.json', {
    zarr_format: 3,
    node_type: 'group',
    attributes: { wavecube: { ...own, crc32c: checksumOf(own) } },
  });
}

const refused = (what: string) => new ArgumentError(`save: 'zarr' holds ${what}; save it as .wvcb`);

/** A value as JSON has it: without what is undefined. */
const plainJson = <T>(value: T): T => JSON.parse(JSON.stringify(value));

type DenseNode = Extract<StoredNode, { values: unknown }>;

/** A node's values; a compressed one is decoded at its own resolution. */
async function denseNode(node: StoredNode, dtype: 'float32' | 'float16'): Promise<DenseNode> {
  const { x, y, z } = node;
  if ('values' in node) {
    check(node.tangent === undefined, () =>
      refused(`nodes without tangents; the one at (${x}, ${y}, ${z}) has some`),
    );
    return node;
  }
  const compressed = CompressedWavetable.read(node.compressed, { source: `node (${x}, ${y}, ${z})` });
  try {
    const decoded = tf.tidy(() => knownCodec(compressed.codec).decode(compressed));
    const values = (await decoded.data()) as Float32Array;
    const { shape } = compressed;
    decoded.dispose();
    return { x, y, z, shape, values: dtype === 'float16' ? Uint16Array.from(values, floatToHalf) : values };
  } finally {
    compressed.dispose();
  }
}

async function writeCoordinates(
  folder: FolderSink,
  { width, height, depth, options }: CubeContents,
): Promise<void> {
  for (const [j, n] of [width, height, depth].entries()) {
    const name = AXES[j];
    const positions = Float64Array.from(positionsOf(options.axes?.[name], n));
    await writeFile(folder, `${name}/c/0`, (sink) => writeChecked(sink, new Uint8Array(positions.buffer)));
    await writeJson(
      folder,
      `${name}/zarr.json`,
      arrayMetadata({ shape: [n], dataType: 'float64', chunk: [n], codecs: [LITTLE, CRC], names: [name] }),
    );
  }
}

/** In chunks of slabs along x. */
async function writePresence(
  folder: FolderSink,
  dims: readonly number[],
  present: Uint8Array,
): Promise<void> {
  const plane = dims[1] * dims[2];
  const planes = Math.min(dims[0], Math.max(1, Math.floor(PRESENT_BYTES / plane)));
  for (let first = 0; first < dims[0]; first += planes) {
    // Chunks are of one size, the last one too.
    const slab = new Uint8Array(planes * plane);
    slab.set(present.subarray(first * plane, Math.min(first + planes, dims[0]) * plane));
    await writeFile(folder, `present/c/${first / planes}/0/0`, (sink) => writeChecked(sink, slab));
  }
  await writeJson(
    folder,
    'present/zarr.json',
    arrayMetadata({
      shape: dims,
      dataType: 'uint8',
      chunk: [planes, dims[1], dims[2]],
      codecs: [{ name: 'bytes' }, CRC],
      names: AXES,
    }),
  );
}
