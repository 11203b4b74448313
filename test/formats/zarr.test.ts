import { expect } from 'chai';
import { ArgumentError, load, OctaveHierarchy, WavetableMatrix } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { plainContents, settled } from '../support/contents.js';
import { giveTangents, makeCube } from '../support/cubes.js';
import { failure } from '../support/failure.js';
import { folderOf, placeFolder } from '../support/folders.js';
import { expectSameContents, FORMAT_CASES } from '../support/formatcases.js';
import { stored } from '../support/storednodes.js';

const json = (path: string, name: string) =>
  JSON.parse(new TextDecoder().decode(folderOf(path).files.get(name)));

eachBackend('zarr', () => {
  const layouts = [
    {},
    { dtype: 'float16' },
    { sparse: false, dims: [2, 3, 2] },
    { trainable: true },
    { missingPart: 0.5, pageBytes: 100 },
    { missingPart: 1 },
    { boundary: { x: 'wrap', y: 'reflect', z: 'zero' }, missing: 'renormalize', channels: 4, blend: 'nlerp' },
    { axes: { x: [0, 1, 4], y: { min: -1, max: 1 }, z: { positions: [1, 2, 4], trainable: true } } },
  ] as const;
  const ways = [
    {},
    { shards: false },
    { shardBytes: 100 },
    { compressor: 'zstd' },
    { compressor: 'gzip', shards: false },
  ];
  for (const layout of layouts) {
    it(`cube → store → cube is bit-exact, ${JSON.stringify(layout)}`, () =>
      withoutLeaks(async () => {
        const { cube } = makeCube({ ...(layout as object), metadata: { note: 'ünïcode', list: [1, 2] } });
        const want = await stored(cube);
        for (const way of ways) {
          await cube.save('memory://a.zarr', way);
          const back = await WavetableMatrix.load('memory://a.zarr');
          expect(back.options, JSON.stringify(way)).to.deep.equal(cube.options);
          expect([back.width, back.height, back.depth]).to.deep.equal([cube.width, cube.height, cube.depth]);
          expect(back.metadata).to.deep.equal(cube.metadata);
          expect(await stored(back), JSON.stringify(way)).to.deep.equal(want);
          expect(back.nodeCount).to.equal(cube.nodeCount);
          back.dispose();
        }
        cube.dispose();
      }));
  }

  for (const one of FORMAT_CASES.filter(({ has }) => has.every((what) => what === 'gaps'))) {
    it(`what is saved comes back bit for bit: ${one.name}`, () =>
      withoutLeaks(async () => {
        const made = await settled(await one.make());
        const before = await plainContents(made.contents());
        await made.save('memory://case.zarr', { compressor: 'zstd' });
        const back = await load('memory://case.zarr');
        await expectSameContents(before, back, one.name);
        back.dispose();
        made.dispose();
      }));
  }

  it('compressed nodes are saved as what they decode to', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: [2, 2, 1], resolution: [8, 8] });
      await cube.compressAll({ method: 'quantized', quality: 0.9 });
      await cube.save('memory://c.zarr');
      const back = await WavetableMatrix.load('memory://c.zarr');
      for (const [x, y, z] of cube.positions()) {
        const [a, b] = [cube.getNode(x, y, z), back.getNode(x, y, z)];
        expect(await b.data()).to.deep.equal(await a.data());
        a.dispose();
        b.dispose();
      }
      expect(back.getMemoryUsage().storedBytes).to.equal(2 * 2 * 8 * 8 * 2 * 4);
      cube.dispose();
      back.dispose();
    }));

  it('what Zarr does not hold is refused by name, and nothing is left tensors in memory', () =>
    withoutLeaks(async () => {
      const tangents = makeCube({ dims: [2, 2, 1] });
      giveTangents(tangents);
      const mixed = makeCube({ dims: [2, 2, 1] }).cube;
      mixed.upscaleNode(1, 0, 0, 2);
      const octaves = new OctaveHierarchy(2, 1, 1, { octaveLevels: [0, 1], resolution: 1, channels: 1 });
      for (const [what, word] of [
        [tangents.cube, 'tangents'],
        [mixed, 'one resolution'],
        [octaves, 'hierarchy'],
      ] as const) {
        const error = await failure(what.save('memory://refused.zarr'));
        expect(error, word).to.be.instanceOf(ArgumentError);
        expect(error.message).to.contain(word).and.to.contain('.wvcb');
        what.dispose();
      }
    }));
});

eachBackend('zarr stores', () => {
  it('sharded and unsharded stores of a cube hold equal arrays', async () => {
    const { cube } = makeCube({ missingPart: 0.3 });
    await cube.save('memory://sharded.zarr', { shardBytes: 300 });
    await cube.save('memory://single.zarr', { shards: false });
    const [sharded, single] = [await load('memory://sharded.zarr'), await load('memory://single.zarr')];
    expect(await stored(sharded as WavetableMatrix)).to.deep.equal(await stored(single as WavetableMatrix));
    expect(
      [...folderOf('memory://single.zarr').files.keys()].filter((n) => n.startsWith('nodes/c')).length,
    ).to.equal(cube.nodeCount);
    const shards = [...folderOf('memory://sharded.zarr').files.keys()].filter((n) => n.startsWith('nodes/c'));
    expect(shards.length).to.be.greaterThan(2).and.lessThan(cube.nodeCount);
  });

  it('a store that replaces another leaves nothing of it', async () => {
    const big = makeCube().cube;
    const small = makeCube({ dims: [1, 1, 1] }).cube;
    await big.save('memory://twice.zarr', { shards: false });
    await small.save('memory://twice.zarr');
    await small.save('memory://once.zarr');
    expect([...folderOf('memory://twice.zarr').files.keys()].sort()).to.deep.equal(
      [...folderOf('memory://once.zarr').files.keys()].sort(),
    );
  });

  it('the same cube gives the same bytes', async () => {
    const { cube } = makeCube({ missingPart: 0.2 });
    for (const way of [{}, { compressor: 'gzip' }, { compressor: 'zstd' }]) {
      await cube.save('memory://one.zarr', way);
      await cube.save('memory://other.zarr', way);
      expect(folderOf('memory://one.zarr').files).to.deep.equal(folderOf('memory://other.zarr').files);
    }
  });

  it('metadata are what xarray looks for: dimensions, coordinates, a fill value', async () => {
    const { cube } = makeCube({ axes: { x: [0, 1, 4] } });
    await cube.save('memory://meta.zarr');
    expect(json('memory://meta.zarr', 'nodes/zarr.json')).to.deep.include({
      shape: [3, 4, 3, 2, 3, 2],
      dimension_names: ['x', 'y', 'z', 'h', 'w', 'c'],
      data_type: 'float32',
      fill_value: 0,
    });
    expect(json('memory://meta.zarr', 'x/zarr.json')).to.deep.include({ dimension_names: ['x'], shape: [3] });
    const x = folderOf('memory://meta.zarr').files.get('x/c/0')!;
    expect([...new Float64Array(x.slice(0, 24).buffer)]).to.deep.equal([0, 1, 4]);
    expect(json('memory://meta.zarr', 'zarr.json').attributes.wavecube.options.resolution).to.deep.equal([
      2, 3,
    ]);
  });

  it('a place that does not tell its names is read all the same', async () => {
    const { cube } = makeCube({ missingPart: 0.5 });
    await cube.save('memory://named.zarr', { shardBytes: 300 });
    const { files } = folderOf('memory://named.zarr');
    const path = placeFolder('memory://unnamed.zarr', files, { listed: false });
    const back = await WavetableMatrix.load(path);
    expect(await stored(back)).to.deep.equal(await stored(cube));
  });

  it('a folder of other things is not replaced', async () => {
    const { cube } = makeCube({ dims: [1, 1, 1] });
    placeFolder('memory://mine', new Map([['letter.txt', Uint8Array.of(1)]]));
    const error = await failure(cube.save('memory://mine', { format: 'zarr' }));
    expect(error).to.be.instanceOf(ArgumentError);
    expect(error.message).to.contain('letter.txt');
    expect((await failure(load('memory://mine'))).message).to.contain('none that Wavecube knows');
    expect((await failure(cube.toBytes('zarr'))).message).to.contain('is a folder');
    expect((await failure(cube.save('memory://mine.zarr', { shard: true }))).message).to.contain("'shard'");
    expect((await failure(cube.save('memory://mine.zarr', { compressor: 'lzma' }))).message).to.contain(
      'compressor',
    );
  });
}, ['cpu']);
