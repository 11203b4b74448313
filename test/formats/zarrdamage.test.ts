import { expect } from 'chai';
import { zarr } from '../../src/formats/zarr.js';
import { FormatError, type LostNode, WavecubeError, WavetableMatrix } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { makeCube } from '../support/cubes.js';
import { failure } from '../support/failure.js';
import { folderOf, memoryFolder, placeFolder } from '../support/folders.js';
import { random } from '../support/numbers.js';
import { stored } from '../support/storednodes.js';

type Files = Map<string, Uint8Array>;
type Json = Record<string, unknown>;

const decode = (bytes: Uint8Array): Json => JSON.parse(new TextDecoder().decode(bytes));
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** The files of a small store, and what it holds. */
async function smallStore(
  way: Record<string, unknown>,
): Promise<{ files: Files; want: unknown; nodes: number }> {
  const { cube } = makeCube({ dims: [2, 2, 2], missingPart: 0.3, metadata: { a: 1 }, axes: { x: [0, 3] } });
  await cube.save('memory://small.zarr', way);
  const want = await contentsOf(cube);
  const nodes = cube.nodeCount;
  cube.dispose();
  return { files: new Map(folderOf('memory://small.zarr').files), want, nodes };
}

const contentsOf = async (cube: WavetableMatrix) => ({
  nodes: await stored(cube),
  options: cube.options,
  metadata: cube.metadata,
});

/** Loads damaged files: the same cube, or a FormatError. @returns the error. */
async function sameOrRefused(files: Files, want: unknown, what: string): Promise<Error | null> {
  return withoutLeaks(async () => {
    try {
      const back = await WavetableMatrix.load(placeFolder('memory://damaged.zarr', files));
      expect(await contentsOf(back), what).to.deep.equal(want);
      back.dispose();
      return null;
    } catch (error) {
      expect(error, `${what}: ${(error as Error).stack}`).to.be.instanceOf(FormatError);
      return error as Error;
    }
  });
}

/** Damages of each store; 20,000 in all with WAVECUBE_LONG=1. */
const CASES = globalThis.process?.env?.WAVECUBE_LONG ? 5000 : 500;

const WAYS = [{}, { shards: false }, { compressor: 'zstd' }, { compressor: 'gzip', shardBytes: 300 }];

eachBackend('zarr, damaged', () => {
  for (const way of WAYS) {
    it(`every truncation, and every file that is gone, is refused by a name or does not matter, ${JSON.stringify(way)}`, async () => {
      const { files, want } = await smallStore(way);
      const next = random(3);
      let refused = 0;
      for (const [name, bytes] of files) {
        const cut = new Map(files);
        cut.delete(name);
        if (await sameOrRefused(cut, want, `${name} gone`)) refused++;
        for (let length = 0; length < bytes.length; length += 1 + Math.floor(next() * 24)) {
          cut.set(name, bytes.slice(0, length));
          const error = await sameOrRefused(cut, want, `${name} cut at ${length}`);
          if (!error) expect(name).to.match(/^[xyz]\//);
          else {
            refused++;
            expect(error.message).to.contain('damaged.zarr');
          }
        }
      }
      expect(refused).to.be.greaterThan(files.size);
    });

    it(`flipped bits and splices give a typed error or the same cube, ${JSON.stringify(way)}`, async () => {
      const { files, want } = await smallStore(way);
      const names = [...files.keys()].filter((name) => !/^[xyz]\//.test(name));
      const next = random(17);
      const pick = (n: number) => Math.floor(next() * n);
      let refused = 0;
      for (let i = 0; i < CASES; i++) {
        const name = names[pick(names.length)];
        const bytes = files.get(name)!.slice();
        if (i % 10 === 0) {
          const other = files.get(names[pick(names.length)])!;
          // From its first byte on it could be a whole chunk, which is one in another's place too: Zarr has no places in its checksums.
          const at = 1 + pick(other.length - 1);
          bytes.set(other.subarray(at, at + Math.min(64, bytes.length)), 0);
        } else bytes[pick(bytes.length)] ^= 1 << pick(8);
        if (await sameOrRefused(new Map(files).set(name, bytes), want, `${name}, case ${i}`)) refused++;
      }
      expect(refused).to.be.greaterThan(0.8 * CASES);
    });
  }

  it('with recover a damaged node, a damaged shard and a missing file cost their own nodes only', async () => {
    for (const [way, lostNodes] of [
      [{ shards: false }, 1],
      [{ shardBytes: 100 }, 2],
      [{}, 1],
    ] as const) {
      const { files, nodes } = await smallStore(way);
      const chunks = [...files.keys()].filter((name) => name.startsWith('nodes/c'));
      const whole = await WavetableMatrix.load(placeFolder('memory://whole.zarr', files));
      const want = await stored(whole);
      const bytes = files.get(chunks[0])!.slice();
      bytes[5] ^= 1;
      for (const damaged of [
        new Map(files).set(chunks[0], bytes),
        new Map(files).set(chunks[0], bytes.slice(0, 20)),
      ]) {
        const path = placeFolder('memory://recover.zarr', damaged);
        const refused = (await failure(WavetableMatrix.load(path))) as FormatError;
        expect(refused).to.be.instanceOf(FormatError);
        expect(refused.message).to.contain(chunks[0]).and.to.contain('recover: true');
        expect(refused.node).to.have.length(3);
        const contents = await zarr.readFolder!(folderOf(path), { recover: true });
        if (contents.kind !== 'cube') throw new Error('no cube');
        const read: string[] = [];
        for await (const batch of contents.nodes)
          for (const { x, y, z } of batch) read.push(`${x}_${y}_${z}`);
        const lost = contents.lost as LostNode[];
        const places = lost.map(({ x, y, z }) => `${x}_${y}_${z}`);
        expect([...read, ...places].sort()).to.deep.equal([...want.keys()]);
        expect(read.length + lost.length).to.equal(nodes);
        if (damaged.get(chunks[0]) === bytes) expect(lost.length).to.be.at.most(lostNodes);
        for (const one of lost) {
          expect(one.file).to.contain(chunks[0]);
          expect(one.reason).to.match(/damaged|ends after/);
        }
        expect(lost.some(({ offset }) => offset !== undefined)).to.equal(true);
      }
      const gone = new Map(files);
      gone.delete(chunks[0]);
      const path = placeFolder('memory://gone.zarr', gone);
      const some = await WavetableMatrix.load(path, { recover: true });
      expect(some.nodeCount).to.be.lessThan(nodes);
      // As Zarr itself has it, what is missing is the fill value.
      const filled = await WavetableMatrix.load(path, { verify: false });
      expect(filled.nodeCount).to.equal(nodes);
      for (const cube of [whole, some, filled]) cube.dispose();
    }
  });

  it('of others’ arrays a chunk that is not there is the fill value, or no node where that is 0', async () => {
    const meta = (fill: unknown) => ({
      ...{ zarr_format: 3, node_type: 'array', shape: [2, 1, 1, 1, 2, 1], data_type: 'float32' },
      chunk_grid: { name: 'regular', configuration: { chunk_shape: [1, 1, 1, 1, 2, 1] } },
      chunk_key_encoding: { name: 'default' },
      codecs: [{ name: 'bytes', configuration: { endian: 'little' } }],
      fill_value: fill,
    });
    const node = new Uint8Array(Float32Array.of(1, 2).buffer);
    for (const [fill, value] of [
      [0, null],
      ['NaN', null],
      [7, 7],
      ['0x40000000', 2],
      ['-Infinity', Number.NEGATIVE_INFINITY],
    ] as const) {
      const files = new Map([
        ['zarr.json', encode(meta(fill))],
        ['c/1/0/0/0/0/0', node],
      ]);
      const cube = await WavetableMatrix.load(placeFolder('memory://fill.zarr', files));
      expect(cube.nodeCount).to.equal(value === null ? 1 : 2);
      const got = cube.toTensor();
      expect([...(await got.data())]).to.deep.equal([value ?? 0, value ?? 0, 1, 2]);
      got.dispose();
      cube.dispose();
    }
  });

  it('hostile metadata are refused before anything is made on their word', async () => {
    const { files } = await smallStore({});
    const nodes = decode(files.get('nodes/zarr.json')!);
    const sharding = (nodes.codecs as { configuration: Json }[])[0].configuration;
    const foreign = (change: Json): Files =>
      new Map(files).set('zarr.json', encode({ ...nodes, attributes: {}, ...change }));
    const grid = (chunk: unknown) => ({
      chunk_grid: { name: 'regular', configuration: { chunk_shape: chunk } },
    });
    const codecs = (...list: unknown[]) => ({ codecs: list });
    const bytes = { name: 'bytes', configuration: { endian: 'little' } };
    const cases: [Json, string][] = [
      [{ shape: [65536, 65536, 1, 2, 3, 2] }, 'nodes; a cube has'],
      [{ shape: [2 ** 60, 1, 1, 2, 3, 2] }, 'shape'],
      [{ shape: [0, 2, 2, 2, 3, 2] }, 'a cube has 1'],
      [{ shape: [2, 2, 2, 2, 3] }, 'chunk_shape'],
      [{ shape: [-1, 2, 2, 2, 3, 2] }, 'of no sense'],
      [{ shape: Array(1000).fill(1) }, 'of no sense'],
      [{ shape: [2, 2], ...grid([1, 1]), ...codecs(bytes), dimension_names: null }, '[X, Y, Z, H, W, C]'],
      [{ ...grid([2, 2, 2, 2 ** 20, 2 ** 20, 2]), ...codecs(bytes) }, 'are read at once'],
      [{ ...grid([0, 1, 1, 2, 3, 2]) }, 'of no sense'],
      [{ ...grid([3, 2, 2, 2, 4, 2]) }, 'no multiples'],
      [{ ...grid([2 ** 20, 2 ** 20, 2 ** 4, 2, 3, 2]) }, 'the index of its chunks alone'],
      [{ chunk_key_encoding: { name: 'default', configuration: { separator: '/../' } } }, 'separates keys'],
      [{ chunk_key_encoding: { name: '../..' } }, 'chunk_key_encoding'],
      [codecs(bytes, { name: 'lzma' }), 'lzma'],
      [codecs({ name: 'constructor' }), 'constructor'],
      [codecs({ name: '__proto__' }), '__proto__'],
      [codecs(bytes, bytes), 'order'],
      [codecs({ name: 'transpose', configuration: { order: [0, 0, 1, 2, 3, 4] } }, bytes), 'transpose'],
      [
        codecs({ name: 'sharding_indexed', configuration: sharding }, { name: 'crc32c' }),
        'around its shards',
      ],
      [
        codecs({
          name: 'sharding_indexed',
          configuration: { ...sharding, codecs: [{ name: 'sharding_indexed', configuration: sharding }] },
        }),
        'order',
      ],
      [{ data_type: 'complex64' }, 'complex64'],
      [{ data_type: { name: 'r8' } }, 'data_type'],
      [{ fill_value: 'zero' }, 'fill_value'],
      [
        {
          fill_value: 1,
          chunk_key_encoding: { name: 'v2' },
          shape: [64, 1, 1, 512, 1024, 1],
          ...grid([1, 1, 1, 512, 1024, 1]),
          ...codecs(bytes),
        },
        'nothing but the fill value',
      ],
      [{ fill_value: 1, shape: [4096, 256, 256, 2, 3, 2] }, 'at most 1048576 are asked for'],
      [{ storage_transformers: [{ name: 'x' }] }, 'storage transformers'],
      [{ surprise: 1 }, "'surprise'"],
      [{ zarr_format: 4 }, 'zarr_format 4'],
    ];
    for (const [change, message] of cases) {
      const path = placeFolder('memory://hostile.zarr', foreign(change));
      // The chunks of the store are beside its zarr.json.
      for (const [name, one] of files) {
        if (name.startsWith('nodes/c')) folderOf(path).files.set(name.slice(6), one);
      }
      const error = await failure(WavetableMatrix.load(path));
      expect(error, `${message}: ${error.stack}`).to.be.instanceOf(FormatError);
      expect(error.message).to.contain(message).and.to.contain('hostile.zarr');
    }
    for (const array of ['../secret', '/etc', 'a/../../b', '..', 'a\\b', 'c:x', '', 5]) {
      const path = placeFolder(
        'memory://paths.zarr',
        new Map([['zarr.json', encode({ zarr_format: 3, node_type: 'group' })]]),
      );
      const error = await failure(WavetableMatrix.load(path, { array: array as string }));
      expect(error, String(array)).to.be.instanceOf(WavecubeError);
      expect(error.message).to.contain('array must be');
      expect(folderOf(path).reads.every(({ name }) => name === 'zarr.json')).to.equal(true);
    }
  });

  it('compressed chunks that would unpack to more than they may are refused before they do', async () => {
    const bomb = async (format: 'gzip' | 'deflate', length: number) => {
      const stream = new Blob([new Uint8Array(length)]).stream().pipeThrough(new CompressionStream(format));
      return new Uint8Array(await new Response(stream).arrayBuffer());
    };
    const zstd = new Uint8Array(16);
    // A frame that says 2^40 bytes: magic, single segment with eight bytes of size, one empty block.
    new DataView(zstd.buffer).setUint32(0, 0xfd2fb528, true);
    zstd.set([0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0], 4);
    // Without a size: blocks of one byte repeated 128 KB each.
    const blocks = new Uint8Array(6 + 4 * 64);
    new DataView(blocks.buffer).setUint32(0, 0xfd2fb528, true);
    blocks.set([0, 0x58], 4);
    for (let i = 0; i < 64; i++) blocks.set([(i === 63 ? 1 : 0) | 2 | (0x20000 << 3), 0, 0x10, 0], 6 + 4 * i);
    const blosc = new Uint8Array(16);
    new DataView(blosc.buffer).setUint32(4, 2 ** 31, true);
    new DataView(blosc.buffer).setUint32(12, 16, true);
    for (const [codec, bytes] of [
      [{ name: 'gzip', configuration: { level: 5 } }, await bomb('gzip', 2 ** 22)],
      [{ name: 'numcodecs.zlib', configuration: { level: 5 } }, await bomb('deflate', 2 ** 22)],
      [{ name: 'zstd', configuration: { level: 1, checksum: false } }, zstd],
      [{ name: 'zstd', configuration: { level: 1, checksum: false } }, blocks],
      [{ name: 'blosc', configuration: {} }, blosc],
      [{ name: 'numcodecs.lz4', configuration: {} }, Uint8Array.of(0, 0, 0, 0x7f, 0)],
    ] as const) {
      const meta = {
        ...{ zarr_format: 3, node_type: 'array', shape: [1, 1, 1, 1, 4, 1], data_type: 'float32' },
        chunk_grid: { name: 'regular', configuration: { chunk_shape: [1, 1, 1, 1, 4, 1] } },
        chunk_key_encoding: { name: 'default' },
        codecs: [{ name: 'bytes', configuration: { endian: 'little' } }, codec],
        fill_value: 0,
      };
      const files = new Map([
        ['zarr.json', encode(meta)],
        ['c/0/0/0/0/0/0', bytes],
      ]);
      const error = await failure(WavetableMatrix.load(placeFolder('memory://bomb.zarr', files)));
      expect(error, codec.name).to.be.instanceOf(FormatError);
      expect(error.message, codec.name).to.match(/unpacks? to/);
    }
  });

  it('reading keeps to blocks: a node at a time of a store of nodes, nothing twice', async () => {
    const { cube } = makeCube({ dims: [4, 4, 4] });
    await cube.save('memory://reads.zarr', { shardBytes: 1000 });
    const folder = memoryFolder('reads', folderOf('memory://reads.zarr').files);
    const contents = await zarr.readFolder!(folder, {});
    if (contents.kind !== 'cube') throw new Error('no cube');
    let most = 0;
    for await (const batch of contents.nodes) most = Math.max(most, batch.length);
    contents.dispose();
    expect(most).to.equal(1);
    const chunks = folder.reads.filter(({ name }) => name.startsWith('nodes/c'));
    const shards = new Set(chunks.map(({ name }) => name)).size;
    expect(chunks.length).to.equal(64 + shards);
    cube.dispose();
  });

  it('an abort ends it, with the reason', async () => {
    const { files } = await smallStore({});
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    expect(
      await failure(WavetableMatrix.load(placeFolder('memory://abort.zarr', files), { signal })),
    ).to.equal(reason);
  });
}, ['cpu']);
