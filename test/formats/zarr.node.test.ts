import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { FormatError, ready, WavetableMatrix } from '../../src/index.js';
import { makeCube, place } from '../support/cubes.js';
import { failure } from '../support/failure.js';
import { folderOf, placeFolder } from '../support/folders.js';
import { hasModule, python } from '../support/python.js';

/** Prints arrays of stores: dtype, shape and values of each path. */
const READ = `
import json, sys, numpy, tensorstore as ts
seen = {}
for path in json.loads(sys.argv[1]):
  a = ts.open({'driver': 'zarr3', 'kvstore': {'driver': 'file', 'path': path}}).result()
  v = a.read().result()
  seen[path] = {'dtype': str(v.dtype), 'shape': v.shape, 'names': a.domain.labels, 'values': v.astype('float64').ravel().tolist()}
print(json.dumps(seen))`;

/** Writes arrays [3, 4, 3, 2, 3, 2] of i + 1: of each its path, driver, metadata, and how many planes of it. */
const WRITE = `
import json, sys, numpy, tensorstore as ts
for path, driver, meta, part in json.loads(sys.argv[1]):
  a = ts.open({'driver': driver, 'kvstore': {'driver': 'file', 'path': path}, 'metadata': meta, 'create': True}).result()
  v = (numpy.arange(3 * 4 * 3 * 2 * 3 * 2) + 1).reshape(3, 4, 3, 2, 3, 2).astype(a.dtype.numpy_dtype)
  a[:part].write(v[:part]).result()`;

const SHAPE = [3, 4, 3, 2, 3, 2];
const gridOf = (shape: number[]) => ({ name: 'regular', configuration: { chunk_shape: shape } });
const LITTLE = { name: 'bytes', configuration: { endian: 'little' } };

describe('zarr beside tensorstore', function () {
  this.timeout(120_000);
  let folder: string;
  before(async function () {
    if (!hasModule('tensorstore, numpy')) this.skip();
    await ready({ backend: 'cpu' });
    folder = await mkdtemp(join(tmpdir(), 'wavecube-zarr-'));
  });
  after(async () => {
    if (folder) await rm(folder, { recursive: true });
  });

  async function toDisk(files: Map<string, Uint8Array>, name: string): Promise<string> {
    for (const [inside, bytes] of files) {
      const path = join(folder, name, inside);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
    return join(folder, name);
  }

  async function fromDisk(path: string): Promise<Map<string, Uint8Array>> {
    const files = new Map<string, Uint8Array>();
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const full = join(entry.parentPath, entry.name);
      files.set(relative(path, full), new Uint8Array(await readFile(full)));
    }
    return files;
  }

  it('it reads what is saved, of every dtype, sharding and compressor', async () => {
    const ways = [
      {},
      { shardBytes: 300 },
      { shards: false },
      { compressor: 'zstd' },
      { compressor: 'gzip', shards: false },
    ];
    const saved: { path: string; dtype: string; made: ReturnType<typeof makeCube> }[] = [];
    for (const dtype of ['float32', 'float16'] as const) {
      for (const [i, way] of ways.entries()) {
        const made = makeCube({ dtype, missingPart: 0.2 });
        await made.cube.save('memory://disk.zarr', way);
        const path = await toDisk(folderOf('memory://disk.zarr').files, `${dtype}${i}.zarr`);
        saved.push({ path, dtype, made });
      }
    }
    const arrays = saved.flatMap(({ path }) => ['nodes', 'present', 'x', 'y', 'z'].map((n) => join(path, n)));
    const seen = JSON.parse(python(READ, JSON.stringify(arrays)));
    for (const { path, dtype, made } of saved) {
      const nodes = seen[join(path, 'nodes')];
      expect(nodes).to.deep.include({ dtype, shape: SHAPE, names: ['x', 'y', 'z', 'h', 'w', 'c'] });
      for (let cell = 0; cell < 36; cell++) {
        const got = nodes.values.slice(cell * 12, (cell + 1) * 12);
        const node = made.values.has(cell) ? made.cube.getNode(...place([3, 4, 3], cell)) : null;
        expect(got, path).to.deep.equal(node ? [...(await node.data())] : Array(12).fill(0));
        node?.dispose();
      }
      const present = Array.from({ length: 36 }, (_, cell) => Number(made.values.has(cell)));
      expect(seen[join(path, 'present')].values).to.deep.equal(present);
      for (const [j, axis] of ['x', 'y', 'z'].entries())
        expect(seen[join(path, axis)].values).to.deep.equal([...Array(SHAPE[j]).keys()]);
      made.cube.dispose();
    }
  });

  const sharded = (shard: number[], chunk: number[], codecs: object[], extra = {}) => [
    {
      name: 'sharding_indexed',
      configuration: { chunk_shape: chunk, codecs, index_codecs: [LITTLE, { name: 'crc32c' }], ...extra },
    },
    shard,
  ];
  const transposed = { name: 'transpose', configuration: { order: [5, 4, 3, 2, 1, 0] } };
  const blosc = {
    name: 'blosc',
    configuration: { cname: 'lz4', clevel: 5, shuffle: 'shuffle', typesize: 4, blocksize: 0 },
  };
  const zstd = { name: 'zstd', configuration: { level: 3 } };
  const gzip = { name: 'gzip', configuration: { level: 6 } };
  const big = { name: 'bytes', configuration: { endian: 'big' } };
  const v3: [string, object][] = [
    ['a chunk a node', { data_type: 'float32', chunk_grid: gridOf([1, 1, 1, 2, 3, 2]), codecs: [LITTLE] }],
    ['one chunk', { data_type: 'float32', chunk_grid: gridOf(SHAPE), codecs: [LITTLE, zstd] }],
    [
      'chunks beyond the array',
      { data_type: 'float32', chunk_grid: gridOf([2, 3, 2, 2, 2, 2]), codecs: [LITTLE, gzip] },
    ],
    [
      'chunks of parts of nodes',
      { data_type: 'float64', chunk_grid: gridOf([2, 1, 3, 1, 2, 1]), codecs: [big, { name: 'crc32c' }] },
    ],
    [
      'transposed',
      { data_type: 'int16', chunk_grid: gridOf([2, 2, 2, 2, 3, 2]), codecs: [transposed, LITTLE, blosc] },
    ],
    ['float16, big-endian', { data_type: 'float16', chunk_grid: gridOf([1, 4, 3, 2, 3, 2]), codecs: [big] }],
    ['uint64', { data_type: 'uint64', chunk_grid: gridOf([1, 4, 3, 2, 3, 2]), codecs: [LITTLE] }],
    ['int8', { data_type: 'int8', chunk_grid: gridOf([1, 4, 3, 2, 3, 2]), codecs: [{ name: 'bytes' }] }],
    ...[
      sharded([2, 4, 4, 2, 3, 2], [1, 1, 2, 2, 3, 2], [LITTLE, { name: 'crc32c' }]),
      sharded([4, 4, 4, 2, 3, 2], [2, 1, 1, 2, 3, 2], [transposed, LITTLE, zstd]),
      sharded([4, 4, 4, 2, 3, 2], [1, 1, 1, 1, 3, 2], [LITTLE], { index_location: 'start' }),
    ].map(([codec, shard], i): [string, object] => [
      `shards ${i}`,
      { data_type: 'float32', chunk_grid: gridOf(shard as number[]), codecs: [codec] },
    ]),
    [
      'keys of v2',
      {
        ...{ data_type: 'float32', chunk_grid: gridOf([1, 1, 1, 2, 3, 2]), codecs: [LITTLE] },
        chunk_key_encoding: { name: 'v2', configuration: { separator: '.' } },
      },
    ],
  ];

  /** Nodes of i + 1 in the first planes; behind them zeros, or none. */
  async function expectCounted(cube: WavetableMatrix, planes: number, byte = false): Promise<void> {
    const places = [...cube.positions()];
    expect(places.filter(([x]) => x < planes).length).to.equal(planes * 12);
    for (const [x, y, z] of places) {
      const first = ((x * 4 + y) * 3 + z) * 12 + 1;
      const node = cube.getNode(x, y, z);
      const counted = (i: number) => (byte ? ((first + i + 128) & 255) - 128 : first + i);
      const want = Array.from({ length: 12 }, (_, i) => (x < planes ? counted(i) : 0));
      expect([...(await node.data())]).to.deep.equal(want);
      node.dispose();
    }
  }

  const v2 = [
    ['plain', { dtype: '<f4', chunks: [1, 1, 1, 2, 3, 2], compressor: null }],
    [
      'Fortran order, zlib',
      { dtype: '<f8', chunks: [2, 2, 3, 2, 3, 2], compressor: { id: 'zlib', level: 5 }, order: 'F' },
    ],
    [
      'blosc, separated by /',
      {
        ...{ dtype: '>i4', chunks: [2, 2, 3, 2, 3, 2], dimension_separator: '/' },
        compressor: { id: 'blosc', cname: 'zstd', clevel: 3, shuffle: 1, blocksize: 0 },
      },
    ],
  ] as const;

  it('what it wrote is imported, whole or in part, of v3 and v2', async () => {
    const stores = [
      ...v3.map(([title, how]) => ({
        title,
        driver: 'zarr3',
        meta: { shape: SHAPE, fill_value: 0, attributes: { made: 'by others' }, ...how },
      })),
      ...v2.map(([title, how]) => ({
        title,
        driver: 'zarr',
        meta: { zarr_format: 2, order: 'C', filters: null, fill_value: 0, shape: SHAPE, ...how },
      })),
    ].flatMap((store, i) =>
      [3, 2].map((part) => ({ ...store, part, path: join(folder, `${i}-${part}.zarr`) })),
    );
    python(WRITE, JSON.stringify(stores.map(({ path, driver, meta, part }) => [path, driver, meta, part])));
    for (const { title, driver, part, path } of stores) {
      const cube = await WavetableMatrix.load(placeFolder('memory://made.zarr', await fromDisk(path)));
      expect([cube.width, cube.height, cube.depth, cube.channels], title).to.deep.equal([3, 4, 3, 2]);
      expect(cube.dtype).to.equal(title.startsWith('float16') ? 'float16' : 'float32');
      expect(cube.metadata).to.deep.equal(driver === 'zarr3' ? { made: 'by others' } : {});
      await expectCounted(cube, part, title === 'int8');
      cube.dispose();
    }
  });

  it('an array within a group is found by name, with its coordinates', async () => {
    const meta = {
      shape: SHAPE,
      data_type: 'float32',
      chunk_grid: gridOf([1, 4, 3, 2, 3, 2]),
      codecs: [LITTLE],
    };
    const path = join(folder, 'group.zarr');
    const named = { ...meta, dimension_names: ['t', 'y', 'x', 'a', 'b', 'c'] };
    python(WRITE, JSON.stringify([[join(path, 'field'), 'zarr3', named, 3]]));
    python(
      `
import sys, numpy, tensorstore as ts
for name, values in (('t', [0.1, 2.5, 10]), ('x', [0, 1, 2])):
  a = ts.open({'driver': 'zarr3', 'kvstore': {'driver': 'file', 'path': sys.argv[1] + '/' + name}}, create=True, dtype=ts.float64, shape=[3]).result()
  a.write(numpy.array(values)).result()`,
      path,
    );
    const files = await fromDisk(path);
    const text = new TextEncoder().encode('{"zarr_format":3,"node_type":"group","attributes":{"title":"a"}}');
    files.set('zarr.json', text);
    const store = placeFolder('memory://group.zarr', files);
    const error = await failure(WavetableMatrix.load(store));
    expect(error).to.be.instanceOf(FormatError);
    expect(error.message).to.contain("{ array: '…' }");
    const cube = await WavetableMatrix.load(store, { array: 'field' });
    await expectCounted(cube, 3);
    expect(cube.options.axes).to.deep.equal({ x: [0.1, 2.5, 10] });
    expect(cube.metadata).to.deep.equal({ title: 'a' });
    cube.dispose();
  });
});
