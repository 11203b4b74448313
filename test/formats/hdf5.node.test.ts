import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { crc32c } from '../../src/checksum.js';
import { library } from '../../src/formats/hdf5/library.js';
import { formatFor } from '../../src/grid/files/persistence.js';
import { load, OctaveHierarchy, ready, type Sink, WavetableMatrix } from '../../src/index.js';
import { withoutLeaks } from '../support/backends.js';
import { loadedFrom, plainContents } from '../support/contents.js';
import { makeCube } from '../support/cubes.js';
import { fuzzCube } from '../support/fuzz.js';
import { random, randomArray } from '../support/numbers.js';
import { hasModule, python } from '../support/python.js';

const golden = new URL('../golden/hdf5/', import.meta.url);

/** Nodes of the first resolution large enough that their values go to the sink before the file is closed. */
function largeCube(count: number): WavetableMatrix {
  const cube = new WavetableMatrix(count, 1, 1, { resolution: 64, channels: 3 });
  for (let x = 0; x < count; x++) cube.setNode(x, 0, 0, randomArray(64 * 64 * 3, random(x)));
  return cube;
}

describe('hdf5 files', () => {
  let folder: string;
  before(async () => {
    await ready({ backend: 'cpu' });
    folder = await mkdtemp(join(tmpdir(), 'wavecube-hdf5-'));
  });
  after(() => rm(folder, { recursive: true }));

  for (const name of ['cube', 'octaves'] as const) {
    it(`the ${name} of version 1 are read as they were written`, () =>
      withoutLeaks(async () => {
        const file = new Uint8Array(await readFile(new URL(`${name}.h5`, golden)));
        expect(file.length).to.be.below(16_384);
        const saved = await loadedFrom(file, `${name}.h5`);
        const { about, nodes } = await plainContents(saved.contents());
        const values = JSON.parse(await readFile(new URL('values.json', golden), 'utf8'));
        expect({ about, nodes: Object.fromEntries(nodes) }).to.deep.equal(values[name]);
        saved.dispose();
      }));
  }

  it('h5py opens a cube, reads values equal to its nodes, and finds every checksum by the documented rule', async function () {
    this.timeout(30_000);
    if (!hasModule('h5py')) this.skip();
    const path = join(folder, 'cube.h5');
    const cube = await fuzzCube();
    cube.setNode(0, 1, 0, randomArray(12, random(3)));
    await cube.save(path);
    const script = `
import sys, json, h5py
out = {}
with h5py.File(sys.argv[1], 'r') as f:
    assert f.attrs['format'] == b'wavecube' and f.attrs['version'] == 1 and f.attrs['checksums'] == 1
    out['metadata'] = json.loads(f['metadata'][()])
    def visit(name, one):
        if isinstance(one, h5py.Dataset) and name.startswith('grid'):
            type = 'container' if 'compressed_params' in name else str(one.dtype)
            line = '/%s %s %s\\n' % (name, type, ','.join(map(str, one.shape)))
            out[name] = {'bytes': list(line.encode() + one[()].tobytes()), 'crc': int(one.attrs['crc32c']),
                         'values': one[()].ravel().tolist(), 'codec': one.attrs.get('codec', b'').decode(),
                         'shape': list(map(int, one.attrs.get('shape', one.shape)))}
    f.visititems(visit)
print(json.dumps(out))`;
    const { metadata, ...datasets } = JSON.parse(python(script, path));
    expect(metadata.user).to.deep.equal(cube.metadata);
    expect(metadata.count).to.equal(6);
    let count = 0;
    for await (const node of cube.storedNodes()) {
      const kind =
        'compressed' in node ? 'compressed_params' : node.tangent ? `tangent_${node.tangent}` : 'wavetable';
      const dataset = datasets[`grid/${node.x}_${node.y}_${node.z}/${kind}`];
      expect(dataset.values).to.deep.equal([...('compressed' in node ? node.compressed : node.values)]);
      expect(dataset.crc).to.equal(crc32c(Uint8Array.from(dataset.bytes)));
      expect(dataset.shape).to.deep.equal([3, 4, 1]);
      expect(dataset.codec !== '').to.equal('compressed' in node);
      count++;
    }
    expect(Object.keys(datasets).length).to.equal(count);
    cube.dispose();
  });

  it('a file that h5py copied elsewhere, dataset by dataset, is read: checksums hold wherever values lie', async function () {
    this.timeout(30_000);
    if (!hasModule('h5py')) this.skip();
    const [path, copy] = [join(folder, 'from.h5'), join(folder, 'to.h5')];
    const cube = await fuzzCube();
    await cube.save(path);
    python(
      `
import sys, h5py
with h5py.File(sys.argv[1], 'r') as a, h5py.File(sys.argv[2], 'w') as b:
    b['pad'] = list(range(999))
    for name in a: a.copy(name, b)
    for name, value in a.attrs.items(): b.attrs[name] = value`,
      path,
      copy,
    );
    const back = (await load(copy)) as WavetableMatrix;
    const [one, two] = [await plainContents(cube.contents()), await plainContents(back.contents())];
    expect([...two.nodes].sort()).to.deep.equal([...one.nodes].sort());
    cube.dispose();
    back.dispose();
  });

  it('a node that another program added is not passed over', async function () {
    this.timeout(30_000);
    if (!hasModule('h5py')) this.skip();
    const path = join(folder, 'added.h5');
    const cube = await fuzzCube();
    await cube.save(path);
    cube.dispose();
    const script = `
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], 'r+') as f: f['grid/1_1_1/wavetable'] = np.ones((3, 4, 1), '<f4')`;
    python(script, path);
    const error = await WavetableMatrix.load(path).catch((error) => error);
    expect(error.message).to.include('6 nodes and tangents, where the metadata say 5');
  });

  it('h5dump prints the structure of a hierarchy, octaves with their sign', async function () {
    try {
      execFileSync('h5dump', ['--version']);
    } catch {
      this.skip();
    }
    const path = join(folder, 'octaves.hdf5');
    const made = new OctaveHierarchy(2, 1, 1, { octaveLevels: [-2, 0, 3], resolution: [1, 2], channels: 1 });
    for (const octave of made.octaves) made.getMatrix(octave).setNode(0, 0, 0, randomArray(2, random(1)));
    await made.save(path);
    const printed = execFileSync('h5dump', ['-n', path]).toString();
    for (const octave of ['-2', '0', '+3']) {
      expect(printed).to.match(
        new RegExp(`dataset +/octaves/\\${octave}/grid/0_0_0/wavetable\n`.replace('\\0', '0')),
      );
    }
    expect(execFileSync('h5dump', ['-d', '/octaves/0/grid/0_0_0/wavetable', path]).toString()).to.include(
      'H5T_IEEE_F32LE',
    );
    made.dispose();
  });

  it('save and load by path leave one file, and nothing in the file system of h5wasm', async () => {
    const path = join(folder, 'alone', 'a.h5');
    const { FS } = (await library()) as unknown as { FS: { readdir(path: string): string[] } };
    const before = FS.readdir('/');
    const { cube } = makeCube();
    const own = await mkdtemp(join(folder, 'own-'));
    await cube.save(join(own, 'a.h5'));
    const failed = await cube.save(path).catch((error) => error);
    expect(failed).to.be.instanceOf(Error);
    (await WavetableMatrix.load(join(own, 'a.h5'))).dispose();
    expect(await readdir(own)).to.deep.equal(['a.h5']);
    expect(FS.readdir('/')).to.deep.equal(before);
    cube.dispose();
  });

  it('a file is written as its nodes come: of 40 nodes no more than the metadata are kept to the end', async () => {
    const cube = largeCube(40);
    const contents = cube.contents();
    const nodeBytes = 64 * 64 * 3 * 4;
    let [sizeBytes, patched, held] = [0, 0, 0];
    const written: number[] = [];
    let given = 0;
    const counted = {
      ...contents,
      nodes: (async function* () {
        for await (const batch of contents.nodes) {
          // All that was given before is in the sink, but for the pages at the ends of each.
          held = Math.max(held, given * nodeBytes - sizeBytes);
          yield batch;
          given += batch.length;
        }
      })(),
    };
    const sink: Sink = {
      name: 'counted',
      get sizeBytes() {
        return sizeBytes;
      },
      async write(bytes) {
        sizeBytes += bytes.length;
        written.push(bytes.length);
      },
      async patch(_, bytes) {
        patched += bytes.length;
      },
      async commit() {},
      async abort() {},
    };
    await formatFor('test', 'hdf5').write(counted, sink, {});
    expect(held).to.be.below(nodeBytes);
    expect(sizeBytes).to.be.below(40 * nodeBytes + 65_536);
    expect(patched).to.be.below(1.5 * 40 * 4096);
    cube.dispose();
  });

  it('large values come back bit for bit, from files whose parts were patched', () =>
    withoutLeaks(async () => {
      const path = join(folder, 'large.h5');
      const cube = largeCube(7);
      await cube.save(path);
      expect((await stat(path)).size).to.be.below(7 * 49_152 + 16_384);
      const back = await WavetableMatrix.load(path);
      const [one, two] = [await plainContents(cube.contents()), await plainContents(back.contents())];
      expect(two).to.deep.equal(one);
      cube.dispose();
      back.dispose();
    }));

  it('a sink that fails ends the save with its error, and what was held is given back', () =>
    withoutLeaks(async () => {
      const cube = largeCube(3);
      const h5 = await library();
      const open = () => h5.FS.streams.filter(Boolean).length;
      const before = open();
      const full = new Error('the disk is full');
      const sink = {
        ...{ name: 'full', sizeBytes: 0 },
        write: () => Promise.reject(full),
        patch: () => Promise.reject(full),
        async commit() {},
        async abort() {},
      };
      const contents = cube.contents();
      const error = await formatFor('test', 'hdf5')
        .write(contents, sink, {})
        .catch((error) => error);
      contents.dispose();
      expect(error).to.equal(full);
      expect(open()).to.equal(before);
      cube.dispose();
    }));
});
