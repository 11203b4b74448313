import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  type Converted,
  convert,
  FormatError,
  inspect,
  load,
  type NodeReport,
  OctaveHierarchy,
  ready,
  verify,
  WavecubeError,
  WavetableMatrix,
} from '../../../src/index.js';
import { expectSameContents, plainContents } from '../../support/contents.js';
import { makeCube } from '../../support/cubes.js';
import { FORMAT_CASES } from '../../support/formatcases.js';
import { random } from '../../support/numbers.js';

/** One case of each combination of what there may be in a file: that every format keeps every case is tested elsewhere. */
const CASES = [...new Map(FORMAT_CASES.map((one) => [one.has.join(), one])).values()];

describe('convert', function () {
  this.timeout(30_000);
  let folder: string;
  const at = (name: string) => join(folder, name);
  before(async () => {
    await ready({ backend: 'cpu' });
    folder = await mkdtemp(join(tmpdir(), 'wavecube-convert-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('from npz to wvcb to hdf5 and back keeps every bit of each kind of case', async () => {
    for (const { name, make } of CASES) {
      const made = await make();
      await made.save(at('a.npz'));
      const before = await plainContents(made.contents());
      made.dispose();
      const { kind, count, lost } = await convert(at('a.npz'), at('b.wvcb'));
      expect({ kind, count, lost }).to.deep.equal({
        kind: made instanceof OctaveHierarchy ? 'octaves' : 'cube',
        count: before.nodes.size,
        lost: [],
      } satisfies Converted);
      await convert(at('b.wvcb'), at('c.h5'));
      await convert(at('c.h5'), at('d.npz'), { deflate: true });
      const back = await load(at('d.npz'));
      await expectSameContents(before, back, name);
      back.dispose();
    }
  });

  it('reports each node once, of all that there are', async () => {
    const { cube } = makeCube({ dims: [2, 2, 2] });
    await cube.save(at('eight.npz'));
    cube.dispose();
    const seen: [number, number][] = [];
    await convert(at('eight.npz'), at('eight.wvcb'), {
      onProgress: ({ done, total }) => seen.push([done, total]),
    });
    expect(seen).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8].map((done) => [done, 8]));
  });

  it('may write in the place of what it reads', async () => {
    const { cube } = makeCube({ dims: [2, 3, 1] });
    await cube.save(at('same.npz'));
    const before = await plainContents(cube.contents());
    cube.dispose();
    const size = (await readFile(at('same.npz'))).length;
    await convert(at('same.npz'), at('same.npz'), { deflate: true });
    expect((await readFile(at('same.npz'))).length).not.to.equal(size);
    const back = await load(at('same.npz'));
    await expectSameContents(before, back);
    back.dispose();
  });

  it('with { compress } leaves what load, compressAll and save leave, node for node', async () => {
    for (const [options, how] of [
      [{}, { method: 'auto', quality: { maxAbs: 0.01 } }],
      [{ dtype: 'float16' }, { method: 'dct', quality: 0.5 }],
      [{}, { method: 'quantized', quality: { bytes: 70 } }],
      [
        { dtype: 'float16', resolution: [1, 3], channels: 1 },
        { method: 'dct', quality: { bytes: 60 } },
      ],
    ] as const) {
      const { cube } = makeCube({ dims: [2, 2, 1], resolution: [4, 5], ...options });
      await cube.save(at('dense.wvcb'));
      const expected = await cube.compressAll(how);
      const reports: NodeReport[] = [];
      await convert(at('dense.wvcb'), at('small.wvcb'), {
        compress: how,
        onProgress({ node }) {
          const { shape, ...report } = node!;
          expect(shape).to.deep.equal([...cube.resolution, cube.channels]);
          reports.push(report);
        },
      });
      // A file has its nodes in an order of its own.
      const inOrder = [...reports].sort((a, b) => a.x - b.x || a.y - b.y || a.z - b.z);
      // A cube pads rows of halves to whole words; files do not.
      const unpadded = expected.map((report) =>
        report.kept && cube.options.dtype === 'float16'
          ? { ...report, storedBytes: 2 * report.resolution[0] * report.resolution[1] * cube.channels }
          : report,
      );
      expect(inOrder).to.deep.equal(unpadded);
      const back = await load(at('small.wvcb'));
      await expectSameContents(cube, back);
      back.dispose();
      cube.dispose();
    }
  });

  it('with { compress } compresses what is compressed again, and leaves tangents as they are', async () => {
    const { cube } = makeCube({ dims: [2, 1, 1], resolution: [8, 8], channels: 1 });
    cube.setTangents(1, 0, 0, { x: new Float32Array(64).fill(3) });
    await cube.compressNode(0, 0, 0, { method: 'quantized', quality: 0.999 });
    await cube.save(at('some.npz'));
    const how = { method: 'quantized', quality: 0.5 };
    const expected = await cube.compressAll(how);
    expect(expected.map(({ kept }) => kept)).to.deep.equal([undefined, undefined]);
    await convert(at('some.npz'), at('all.npz'), { compress: how });
    const back = await load(at('all.npz'));
    await expectSameContents(cube, back);
    back.dispose();
    cube.dispose();
  });

  it('of a damaged file writes nothing, and with { recover: true } all that is intact', async () => {
    const { cube } = makeCube({ dims: [2, 2, 1], resolution: 16 });
    await cube.save(at('whole.wvcb'));
    const before = await plainContents(cube.contents());
    cube.dispose();
    const bytes = await readFile(at('whole.wvcb'));
    bytes[bytes.length - 100] ^= 4;
    await writeFile(at('damaged.wvcb'), bytes);
    await copyFile(at('whole.wvcb'), at('there.wvcb'));
    for (const to of [at('new.wvcb'), at('there.wvcb')]) {
      const error = await convert(at('damaged.wvcb'), to).catch((e: unknown) => e);
      expect(error).to.be.an('error').with.property('name', 'FormatError');
    }
    expect(existsSync(at('new.wvcb'))).to.equal(false);
    expect(await readFile(at('there.wvcb'))).to.deep.equal(await readFile(at('whole.wvcb')));
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).to.deep.equal([]);

    const { count, lost } = await convert(at('damaged.wvcb'), at('new.wvcb'), { recover: true });
    expect(count).to.equal(3);
    expect(lost).to.have.length(1);
    expect(lost[0]).to.include({ x: 1, y: 1, z: 0, file: at('damaged.wvcb') });
    const back = await load(at('new.wvcb'));
    const rest = new Map([...before.nodes].filter(([place]) => place !== '1_1_0'));
    await expectSameContents({ about: before.about, nodes: rest }, back);
    back.dispose();
    // What is lost is not damage: the new file is whole.
    expect((await verify(at('new.wvcb'))).damage).to.deep.equal([]);
  });

  it('refuses what it does not know before it writes', async () => {
    const { cube } = makeCube({ dims: [1, 1, 1] });
    await cube.save(at('one.npz'));
    cube.dispose();
    for (const [to, options, says] of [
      ['x.foo', {}, /no format ends in '\.foo'/],
      ['x.wvcb', { compress: { method: 'nothing' } }, /method must be one of/],
      ['x.wvcb', { compress: { quality: 2 } }, /quality must be/],
      ['x.wvcb', { compress: { speed: 1 } }, /no option is called 'speed'/],
      ['x.wvcb', { onProgress: 1 }, /onProgress must be a function/],
      ['x.wvcb', { format: 'zip' }, /format must be one of/],
    ] as const) {
      const error = await convert(at('one.npz'), at(to), options as Record<string, unknown>).catch(
        (e: unknown) => e,
      );
      expect(error).to.be.an('error').with.property('name', 'ArgumentError');
      expect((error as Error).message).to.match(says);
      expect(existsSync(at(to))).to.equal(false);
    }
  });

  it('ends by its signal, and leaves nothing', async () => {
    const { cube } = makeCube({ dims: [2, 2, 2] });
    await cube.save(at('long.npz'));
    cube.dispose();
    const stop = new AbortController();
    const error = await convert(at('long.npz'), at('short.wvcb'), {
      signal: stop.signal,
      onProgress: ({ done }) => done === 3 && stop.abort(),
    }).catch((e: unknown) => e);
    expect(error).to.have.property('name', 'AbortError');
    expect((await readdir(folder)).filter((name) => name.startsWith('short'))).to.deep.equal([]);
  });
});

describe('verify', function () {
  this.timeout(30_000);
  let folder: string;
  before(async () => {
    await ready({ backend: 'cpu' });
    folder = await mkdtemp(join(tmpdir(), 'wavecube-verify-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('finds each kind of case whole, and counts its nodes and their bytes', async () => {
    for (const { name, make } of CASES) {
      const made = await make();
      const path = join(folder, 'a.wvcb');
      await made.save(path);
      const { nodes } = await plainContents(made.contents());
      made.dispose();
      const found = await verify(path);
      expect(found.damage, name).to.deep.equal([]);
      expect(found.nodes + found.tangents, name).to.equal(nodes.size);
      expect(found.tangents, name).to.equal(
        [...nodes.keys()].filter((key) => /(^|\/)[xyz] /.test(key)).length,
      );
    }
  });

  it('finds the damage of any one byte in a payload, and names its node', async () => {
    const { cube } = makeCube({ dims: [2, 2, 2] });
    await cube.compressNode(1, 0, 1, { method: 'quantized', quality: 0.5 });
    const path = join(folder, 'b.wvcb');
    const bytes = await cube.toBytes('wvcb');
    cube.dispose();
    const starts = new Set<string>();
    // Payloads end the file, each of less than 64 bytes at a multiple of 64.
    for (let k = 1; k <= 8; k++) {
      const damaged = bytes.slice();
      damaged[bytes.length - 64 * k] ^= 1;
      await writeFile(path, damaged);
      const { nodes, damage } = await verify(path);
      expect(nodes).to.equal(7);
      expect(damage).to.have.length(1);
      const [{ file, offset, x, y, z }] = damage;
      expect({ file, offset }).to.deep.equal({ file: path, offset: bytes.length - 64 * k });
      starts.add(`${x} ${y} ${z}`);
    }
    expect(starts.size).to.equal(8);
  });

  it('finds damage that costs no node, of each format, as what reads the file does', async () => {
    const { cube } = makeCube({ dims: [2, 2, 1] });
    const next = random(7);
    for (const format of ['wvcb', 'npz', 'hdf5']) {
      const path = join(folder, `c.${format}`);
      const bytes = await cube.toBytes(format);
      for (let k = 0; k < 60; k++) {
        const damaged = bytes.slice();
        damaged[Math.floor(next() * bytes.length)] ^= 1 << Math.floor(next() * 8);
        await writeFile(path, damaged);
        const loaded = await WavetableMatrix.load(path).catch(() => null);
        loaded?.dispose();
        expect((await verify(path)).damage.length > 0, `${format} ${k}`).to.equal(loaded === null);
      }
    }
    // An index whose entry recovery puts right by itself.
    const path = join(folder, 'd.wvcb');
    const damaged = await cube.toBytes('wvcb');
    damaged[256 + 8 + 20] ^= 1;
    await writeFile(path, damaged);
    expect((await verify(path)).damage[0].reason).to.include('damaged index');
    expect((await inspect(path)).damage).to.include('damaged index');
    expect((await WavetableMatrix.load(path, { recover: true })).nodeCount).to.equal(4);
    cube.dispose();
  });

  it('tells a file that is nothing else, and rejects where there is no file', async () => {
    const path = join(folder, 'text.npz');
    await writeFile(path, 'some text');
    const found = await verify(path);
    expect(found).to.deep.include({ nodes: 0, tangents: 0, bytes: 0 });
    expect(found.damage).to.have.length(1);
    expect(found.damage[0]).to.include({ file: path });
    const error = await verify(join(folder, 'none.npz')).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(WavecubeError).and.not.instanceOf(FormatError);
  });
});
