import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ArgumentError, FormatError, load, ready, WavecubeError, WavetableMatrix } from '../../src/index.js';
import { makeCube } from '../support/cubes.js';
import { failure } from '../support/failure.js';
import { stored } from '../support/storednodes.js';

describe('zarr on disk', function () {
  this.timeout(120_000);
  let folder: string;
  before(async () => {
    await ready({ backend: 'cpu' });
    folder = await mkdtemp(join(tmpdir(), 'wavecube-zarr-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('save and load by path, of a store that is new, replaced, linked to, or named with a slash', async () => {
    const { cube } = makeCube({ missingPart: 0.3 });
    const want = await stored(cube);
    const path = join(folder, 'a.zarr');
    await cube.save(path, { shards: false });
    await cube.save(path);
    await symlink(path, join(folder, 'link.zarr'));
    await cube.save(join(folder, 'link.zarr'), { shardBytes: 300 });
    for (const from of [path, `${path}/`, join(folder, 'link.zarr')]) {
      const back = (await load(from)) as WavetableMatrix;
      expect(await stored(back)).to.deep.equal(want);
      back.dispose();
    }
    expect(await readdir(folder)).to.deep.equal(['a.zarr', 'link.zarr']);
    await cube.save(join(folder, 'b'), { format: 'zarr' });
    expect(await stored(await WavetableMatrix.load(join(folder, 'b')))).to.deep.equal(want);
    await cube.save(join(folder, 'c.npz'));
    expect(await stored(await WavetableMatrix.load(join(folder, 'c.npz')))).to.deep.equal(want);
    cube.dispose();
  });

  it('a save that fails leaves the old store, and nothing beside it', async () => {
    const path = join(folder, 'kept.zarr');
    const { cube } = makeCube({ dims: [2, 2, 2] });
    const want = await stored(cube);
    await cube.save(path);
    cube.upscaleNode(1, 1, 1, 2);
    expect(await failure(cube.save(path))).to.be.instanceOf(ArgumentError);
    expect((await readdir(folder)).filter((name) => name.startsWith('kept'))).to.deep.equal(['kept.zarr']);
    expect(await stored(await WavetableMatrix.load(path))).to.deep.equal(want);
    const fresh = join(folder, 'fresh.zarr');
    expect(await failure(cube.save(fresh))).to.be.instanceOf(ArgumentError);
    expect(await failure(stat(fresh))).to.have.property('code', 'ENOENT');
    cube.dispose();
  });

  it('a folder of other things, and a file, are not replaced', async () => {
    const { cube } = makeCube({ dims: [1, 1, 1] });
    await mkdir(join(folder, 'mine.zarr'));
    await writeFile(join(folder, 'mine.zarr', 'letter.txt'), 'dear');
    await writeFile(join(folder, 'file.zarr'), 'dear');
    expect((await failure(cube.save(join(folder, 'mine.zarr')))).message).to.contain('letter.txt');
    expect((await failure(cube.save(join(folder, 'file.zarr')))).message).to.contain('it is a file');
    for (const name of ['mine.zarr', 'file.zarr', 'none.zarr']) {
      const error = await failure(load(join(folder, name)));
      expect(error, name).to.be.instanceOf(WavecubeError);
      expect(error.message).to.contain(name);
    }
    expect(await readFile(join(folder, 'mine.zarr', 'letter.txt'), 'utf8')).to.equal('dear');
    cube.dispose();
  });

  it('what is replaced is whole before and after: a reader that was there sees the one or the other', async () => {
    const path = join(folder, 'busy.zarr');
    const one = makeCube({ dims: [2, 2, 1], seed: 1 }).cube;
    const two = makeCube({ dims: [2, 2, 1], seed: 2 }).cube;
    const wanted = [await stored(one), await stored(two)].map((nodes) => JSON.stringify([...nodes]));
    await one.save(path);
    let done = false;
    const saving = (async () => {
      for (let i = 0; i < 10; i++) await (i % 2 ? one : two).save(path, { shards: i % 3 === 0 });
      done = true;
    })();
    let seen = 0;
    while (!done) {
      const back = await load(path).catch((error) => error);
      if (back instanceof WavetableMatrix) {
        expect(wanted).to.include(JSON.stringify([...(await stored(back))]));
        back.dispose();
        seen++;
      } else expect(back).to.be.instanceOf(WavecubeError);
    }
    await saving;
    expect(seen).to.be.greaterThan(0);
    expect((await readdir(folder)).filter((name) => name.startsWith('busy'))).to.deep.equal(['busy.zarr']);
  });

  it('loads from a URL, with no more requests than files and chunks', async () => {
    const { cube } = makeCube({ missingPart: 0.5 });
    const path = join(folder, 'served.zarr');
    await cube.save(path, { shardBytes: 400 });
    const asked: string[] = [];
    const server = createServer(async (request, response) => {
      asked.push(request.url!);
      const bytes = await readFile(join(folder, request.url!)).catch(() => undefined);
      if (!bytes) return response.writeHead(404).end();
      const [, from, to] = /bytes=(\d*)-(\d*)/.exec(request.headers.range ?? '') ?? [];
      if (from === undefined) return response.end(bytes);
      const start = from === '' ? bytes.length - Number(to) : Number(from);
      const end = from === '' || to === '' ? bytes.length : Math.min(bytes.length, Number(to) + 1);
      response.writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` });
      response.end(bytes.subarray(start, end));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    try {
      const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      for (const url of [`${root}/served.zarr`, `${root}/served.zarr/`]) {
        asked.length = 0;
        const back = (await load(url)) as WavetableMatrix;
        expect(await stored(back)).to.deep.equal(await stored(cube));
        expect(asked.length).to.be.lessThan(3 * (cube.nodeCount + 20));
        back.dispose();
      }
      const error = await failure(load(`${root}/none.zarr`));
      expect(error).to.be.instanceOf(FormatError);
    } finally {
      server.close();
    }
    cube.dispose();
  });
});
