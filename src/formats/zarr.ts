/**
 * Dense cubes as Zarr v3 stores, folders that Dask, xarray, TensorStore and Spark read, and arrays of theirs as cubes.
 *
 *     await cube.save('cube.zarr')                                  // zarr/layout.ts says what is in it
 *     await cube.save('cube.zarr', { shards: false, compressor: 'zstd' })
 *     const cube = await WavetableMatrix.load('cube.zarr')          // a path or a URL; { array: 'name' } of a group of others
 *
 * Saving: shards of about `shardBytes` (default 64 MiB), or with shards: false a file a node; `compressor` 'zstd', 'gzip' or null
 * (default). Compressed nodes are decoded. Mixed resolutions, tangents and hierarchies are refused: .wvcb holds them. The shards are
 * written here, after the specification, for zarrita only reads them.
 *
 * Loading: arrays [X, Y, Z, H, W, C] of v3, sharded or not, or of v2; float16 stays, everything else becomes float32, rounded to
 * nearest (integers beyond 2^24, float64). An array of others makes a sparse cube: nodes of a chunk that is not there are left out
 * where the fill value is 0, NaN or none, for that is how a missing node counts by default, and are made of it otherwise. Coordinate
 * arrays of the first three dimensions become axes.
 *
 * Damage: chunks of Wavecube's own stores carry checksums, as do the index of a shard and the attributes: a damaged chunk costs its
 * node, a damaged index the nodes of its shard. A chunk that is missing is damage there too, since all are written; others may leave
 * out chunks of zeros when they write into such a store, and { verify: false } reads it as they do. Files of whole chunks that have
 * changed places are not noticed, nor damage of what others wrote without the codec crc32c.
 *
 * A store is written beside its path and takes its place whole; storage/filefoldersink.ts says what a crash leaves.
 */
import { ArgumentError } from '../errors.js';
import type { FileFormat } from '../grid/files/persistence.js';
import { isStore, readStore } from './zarr/read.js';
import { writeStore } from './zarr/write.js';

const noFile = (where: string) =>
  new ArgumentError(
    `${where}: 'zarr' is a folder of files and no file: save and load it by a path that ends in .zarr`,
  );

export const zarr: FileFormat = {
  name: 'zarr',
  extensions: ['.zarr'],
  sniff: () => false,
  async write() {
    throw noFile('toBytes');
  },
  async read(source) {
    throw noFile(source.name);
  },
  writeFolder: writeStore,
  sniffFolder: isStore,
  readFolder: readStore,
};
