/** Cubes over many .wvcb files: what is saved comes back; damage costs the nodes of the shard that it hit; saves never mix. */
import { expect } from 'chai';
import { crc32c } from '../../src/checksum.js';
import { HEADER_BYTES, hasMagic } from '../../src/formats/wvcb/header.js';
import { MANIFEST, shardsIn } from '../../src/formats/wvcb/shardnames.js';
import { formatFor } from '../../src/grid/files/persistence.js';
import {
  ArgumentError,
  ChangedError,
  type Contents,
  type Folder,
  FormatError,
  load,
  type StoredNode,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { canonical, plainContents, settled } from '../support/contents.js';
import { makeCube } from '../support/cubes.js';
import { expectSameContents, FORMAT_CASES } from '../support/formatcases.js';
import { memoryFiles, memoryFolder, openedFiles } from '../support/memoryfolders.js';

const PATH = 'folders://cube';
const inFolder = () => [...memoryFiles.keys()].filter((path) => path.startsWith(`${PATH}/`));
const shards = async () => (await shardsIn(memoryFolder(PATH))).sort();
const pathOf = (name: string) => `${PATH}/${name}`;
const wvcb = formatFor('test', 'wvcb');

/** Nodes and tangents that a file by itself holds. */
const countIn = (path: string) =>
  new DataView(memoryFiles.get(path)!.slice().buffer).getUint32(48, true) / 64 - 1 / 8;

async function failure(promise: Promise<unknown>): Promise<FormatError> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(FormatError);
    return error as FormatError;
  }
  throw new Error('nothing was thrown');
}

/** A cube of 27 nodes in some shards. */
async function savedCube(options: Parameters<typeof makeCube>[0] = {}): Promise<WavetableMatrix> {
  const { cube } = makeCube({ dims: [3, 3, 3], resolution: [16, 16], channels: 1, ...options });
  await cube.save(PATH, { format: 'wvcb', shardBytes: 4096 });
  return cube;
}

beforeEach(() => {
  memoryFiles.clear();
  openedFiles.length = 0;
});

eachBackend('cubes over shards come back bit for bit', () => {
  for (const one of FORMAT_CASES) {
    it(one.name, () =>
      withoutLeaks(async () => {
        const made = await settled(await one.make());
        const before = await plainContents(made.contents());
        const metadataBytes = canonical(made.metadata).length;
        const shardBytes = Math.max(4096, 16 * metadataBytes);
        await made.save(PATH, { format: 'wvcb', shardBytes });
        for (const path of inFolder()) {
          if (!path.endsWith(MANIFEST)) expect(memoryFiles.get(path)!.length).to.be.at.most(shardBytes);
        }
        for (const path of [PATH, pathOf(MANIFEST)]) {
          const back = await load(path);
          await expectSameContents(before, back, path);
          back.dispose();
        }
        memoryFiles.delete(pathOf(MANIFEST));
        const rebuilt = await load(PATH, { recover: true });
        await expectSameContents(before, rebuilt, 'without its manifest');
        rebuilt.dispose();
        made.dispose();
      }),
    );
  }
}, ['cpu']);

describe('shards', function () {
  this.timeout(60_000);

  it('each is a .wvcb file of its own nodes, of at most shardBytes; a larger node has one to itself', async () => {
    const { cube } = makeCube({ dims: [2, 2, 2], resolution: [16, 16], channels: 1 });
    for (const [shardBytes, nodes] of [
      [4096, [3, 3, 2]],
      [8192, [7, 1]],
      [2 ** 20, [8]],
    ] as const) {
      await cube.save(PATH, { format: 'wvcb', shardBytes });
      const names = await shards();
      expect(names.map((name) => countIn(pathOf(name)))).to.deep.equal(nodes);
      let sum = 0;
      for (const name of names) {
        expect(hasMagic(memoryFiles.get(pathOf(name))!)).to.equal(true);
        expect(memoryFiles.get(pathOf(name))!.length).to.be.at.most(shardBytes);
        const one = await WavetableMatrix.load(pathOf(name));
        sum += one.getMemoryUsage().nodes;
        one.dispose();
      }
      expect(sum).to.equal(8);
    }
    const large = makeCube({ dims: [2, 1, 1], resolution: [64, 32], channels: 1 }).cube;
    await large.save(PATH, { format: 'wvcb', shardBytes: 4096 });
    expect((await shards()).map((name) => countIn(pathOf(name)))).to.deep.equal([1, 1]);
    cube.dispose();
    large.dispose();
  });

  it('a shard whose tangents’ nodes lie in another is read by itself without them', async () => {
    const { cube } = makeCube({ dims: [2, 2, 2], resolution: [8, 8], channels: 2 });
    cube.setTangents(0, 0, 0, { x: new Float32Array(128).fill(3), y: new Float32Array(128).fill(2) });
    await cube.save(PATH, { format: 'wvcb', shardBytes: 4096 });
    const last = (await shards()).at(-1)!;
    (await WavetableMatrix.load(pathOf(last))).dispose();
    cube.dispose();
  });

  it('refuses sizes that are none, or that the metadata fill, before anything is written', async () => {
    const { cube } = makeCube({ metadata: { text: 'x'.repeat(5000) } });
    for (const shardBytes of [0, -1, 4095, 5000.5, Number.NaN, '9999', null, 2 ** 60, 4096, 8192]) {
      try {
        await cube.save(PATH, { format: 'wvcb', shardBytes });
        expect.fail(`took ${shardBytes}`);
      } catch (error) {
        expect(error).to.be.instanceOf(ArgumentError);
        expect((error as Error).message).to.match(/shardBytes must be/);
      }
    }
    expect(inFolder()).to.deep.equal([]);
    try {
      await cube.toBytes('wvcb', { shardBytes: 4096 });
      expect.fail('wrote many files into one');
    } catch (error) {
      expect(error).to.be.instanceOf(ArgumentError);
    }
    cube.dispose();
  });

  it('a cube that is saved again, larger or smaller, leaves its own files and no others of ours', async () => {
    memoryFiles.set(pathOf('shard-0123456789abcdef0123456789abcdef-00007.wvcb'), new Uint8Array(9));
    const first = await savedCube();
    const names = await shards();
    expect(names).to.have.length(9);
    memoryFiles.set(pathOf('notes.txt'), new Uint8Array(3));
    memoryFiles.set(pathOf('shard-12.wvcb'), new Uint8Array(3));
    const second = await savedCube({ seed: 9, missingPart: 0.6 });
    expect((await shards()).some((name) => names.includes(name))).to.equal(false);
    expect(inFolder()).to.include.members([pathOf('notes.txt'), pathOf('shard-12.wvcb')]);
    const back = await load(PATH);
    await expectSameContents(second, back);
    for (const cube of [first, second, back]) cube.dispose();
  });

  it('what fails while it is written leaves the old cube, and nothing of its own', async () => {
    const cube = await savedCube();
    const before = inFolder().sort();
    async function* failing(nodes: AsyncIterable<readonly StoredNode[]>) {
      let left = 20;
      for await (const batch of nodes) {
        if (left-- === 0) throw new RangeError('enough');
        yield batch;
      }
    }
    const contents = cube.contents();
    const half: Contents = { ...contents, nodes: failing(contents.nodes) };
    try {
      await wvcb.writeFolder!(half, memoryFolder(PATH), { shardBytes: 4096 });
      expect.fail('did not fail');
    } catch (error) {
      expect(error).to.be.instanceOf(RangeError);
    }
    contents.dispose();
    expect(inFolder().sort()).to.deep.equal(before);
    cube.dispose();
  });

  it('a crash between any two steps of a save leaves the old cube, or the new one, whole; the next save cleans up', async () => {
    const old = await savedCube();
    const { cube } = makeCube({ dims: [3, 3, 3], resolution: [16, 16], channels: 1, seed: 5 });
    const before = new Map(memoryFiles);
    const outcomes = [];
    for (let steps = 0, isDone = false; !isDone; steps++) {
      memoryFiles.clear();
      for (const [path, bytes] of before) memoryFiles.set(path, bytes);
      let left = steps;
      const step = () => {
        if (left-- <= 0) throw new RangeError('the power is gone');
      };
      const whole = memoryFolder(PATH);
      const failing: Folder = {
        ...whole,
        async create(name) {
          const sink = await whole.create!(name);
          const { commit } = sink;
          return Object.assign(Object.create(sink, { sizeBytes: { get: () => sink.sizeBytes } }), {
            async commit() {
              step();
              await commit.call(sink);
            },
          });
        },
        async remove(name) {
          step();
          await whole.remove!(name);
        },
      };
      const contents = cube.contents();
      await wvcb.writeFolder!(contents, failing, { shardBytes: 4096 }).catch(() => {});
      contents.dispose();
      isDone = left > 0;
      const found = await load(PATH);
      const isNew = canonical([...(await plainContents(found.contents())).nodes].sort());
      found.dispose();
      const which = [];
      for (const one of [old, cube])
        which.push(canonical([...(await plainContents(one.contents())).nodes].sort()) === isNew);
      expect(which.filter(Boolean), `after ${steps} steps`).to.have.length(1);
      outcomes.push(which[1]);
      await old.save(PATH, { format: 'wvcb', shardBytes: 4096 });
      expect(inFolder(), `after ${steps} steps and a save`).to.have.length(10);
    }
    // Nine shards, then the manifest, then nine that go.
    expect(outcomes.indexOf(true)).to.equal(10);
    expect(outcomes.length).to.be.above(18);
    old.dispose();
    cube.dispose();
  });

  it('a folder, or its manifest, is opened as a cube whose nodes stay in the shards', async () => {
    const cube = await savedCube();
    for (const path of [PATH, pathOf(MANIFEST)]) {
      const opened = await WavetableMatrix.open(path);
      const sampled = await opened.sampleBatchAsync([[0, 0, 0]]);
      const expected = cube.sampleBatch([[0, 0, 0]]);
      expect(await sampled.data()).to.deep.equal(await expected.data());
      sampled.dispose();
      expected.dispose();
      await expectSameContents(cube, opened);
      const rest = await WavetableMatrix.open(path, { recover: true });
      await expectSameContents(cube, rest);
      opened.dispose();
      rest.dispose();
    }
    const [shard] = await shards();
    memoryFiles.delete(pathOf(shard));
    const rest = await WavetableMatrix.open(PATH, { recover: true });
    expect(rest.nodeCount).to.equal(24);
    expect(rest.lost).to.have.length(3);
    for (const lost of rest.lost) expect(lost.file).to.equal(pathOf(shard));
    rest.dispose();
    cube.dispose();
  });

  it('of two saves at once the last complete one counts, whole', async () => {
    const { cube } = makeCube({ dims: [3, 3, 3], resolution: [16, 16], channels: 1 });
    const { cube: other } = makeCube({ dims: [3, 3, 3], resolution: [16, 16], channels: 1, seed: 5 });
    const [a, b] = await Promise.allSettled(
      [cube, other].map((one) => one.save(PATH, { format: 'wvcb', shardBytes: 4096 })),
    );
    for (const one of [a, b])
      if (one.status === 'rejected') expect(one.reason).to.be.instanceOf(ChangedError);
    const back = await load(PATH);
    const left = await plainContents(back.contents());
    const same = [];
    for (const one of [cube, other])
      same.push(
        canonical([...left.nodes.entries()].sort()) ===
          canonical([...(await plainContents(one.contents())).nodes.entries()].sort()),
      );
    expect(same.filter(Boolean)).to.have.length(1);
    for (const one of [cube, other, back]) one.dispose();
  });

  it('an opened cube reads only the shards that it needs, once each', async () => {
    const cube = await savedCube();
    const all = [...(await plainContents(cube.contents())).nodes];
    openedFiles.length = 0;
    const opened = await wvcb.openFolder!(memoryFolder(PATH), {});
    expect(openedFiles).to.deep.equal([pathOf(MANIFEST)]);
    if (opened.kind !== 'cube') throw new Error('is a hierarchy');
    const { source } = opened;
    // In the order in which they were written, three a shard.
    const entry = (n: number) => source.entries.findIndex(({ x, y, z }) => `${x}_${y}_${z}` === all[n][0]);
    const read: string[] = [];
    for await (const batch of source.read([4, 13, 5].map(entry)))
      for (const { x, y, z } of batch) read.push(`${x}_${y}_${z}`);
    const names = (await shards()).map(pathOf);
    expect(openedFiles.slice(1).sort()).to.deep.equal([names[1], names[4]]);
    expect(read.sort()).to.deep.equal([4, 5, 13].map((n) => all[n][0]).sort());
    memoryFiles.delete(names[2]);
    for await (const _ of source.read([0, 26, 3].map(entry)));
    const error = await failure(
      (async () => {
        for await (const _ of source.read([entry(7)]));
      })(),
    );
    expect(error.source).to.equal(names[2]);
    source.close();
    cube.dispose();
  });

  it('a manifest is read from a folder that cannot list, and from its own path; without its folder it says so', async () => {
    const cube = await savedCube();
    for (const [path, bytes] of [...memoryFiles])
      memoryFiles.set(path.replace(PATH, 'folders://unlisted'), bytes);
    for (const path of ['folders://unlisted/', `folders://unlisted/${MANIFEST}`]) {
      const back = await load(path);
      await expectSameContents(cube, back);
      back.dispose();
    }
    const error = await failure(WavetableMatrix.fromBytes(memoryFiles.get(pathOf(MANIFEST))!));
    expect(error.message).to.match(/manifest of 9 shards/);
    cube.dispose();
  });

  it('names that lead elsewhere, or that are there twice, are refused', async () => {
    const cube = await savedCube();
    const [first, second] = await shards();
    const bytes = memoryFiles.get(pathOf(MANIFEST))!;
    const named = (name: string) => {
      const view = new DataView(bytes.slice().buffer);
      const at = view.getUint32(56, true);
      const text = new TextDecoder()
        .decode(bytes.subarray(at))
        .replace(second, name.padEnd(second.length, 'x'));
      const metadata = new TextEncoder().encode(text);
      const all = new Uint8Array(at + metadata.length);
      all.set(bytes.subarray(0, at));
      all.set(metadata, at);
      const header = new DataView(all.buffer);
      header.setUint32(64, metadata.length, true);
      header.setUint32(72, all.length, true);
      header.setUint32(92, crc32c(metadata), true);
      header.setUint32(252, crc32c(all.subarray(0, 252)), true);
      return all;
    };
    memoryFiles.set(pathOf(MANIFEST), named(second));
    (await load(PATH)).dispose();
    for (const name of [
      '../../etc/passwd',
      '/etc/passwd',
      'C:\\\\x',
      'sub/shard',
      '..',
      first,
      second.replace('0001', '0009'),
    ]) {
      memoryFiles.set(pathOf(MANIFEST), named(name));
      expect((await failure(load(PATH))).message).to.match(/must call shard 2/);
    }
    cube.dispose();
  });

  describe('damage', () => {
    /** What the loss of a shard's nodes must look like. */
    async function expectCost(what: RegExp, shard: string, count: number): Promise<void> {
      const error = await failure(load(PATH));
      expect(error.source).to.equal(pathOf(shard));
      expect(error.message).to.match(what);
      expect(error.message).to.include(`costs ${count} nodes`);
      expect(error.offset).to.be.at.least(HEADER_BYTES);
      expect(error.node).to.have.length(3);
      const rest = await WavetableMatrix.load(PATH, { recover: true });
      expect(rest.getMemoryUsage().nodes).to.equal(27 - count);
      expect(rest.hasNode(...error.node!)).to.equal(false);
      rest.dispose();
    }

    it('a missing shard costs its nodes', async () => {
      const cube = await savedCube();
      const [, shard] = await shards();
      memoryFiles.delete(pathOf(shard));
      await expectCost(/is missing/, shard, 3);
      cube.dispose();
    });

    it('a shard of another save costs its nodes, and yields none of the other’s', async () => {
      (await savedCube({ seed: 7 })).dispose();
      const [, foreign] = (await shards()).map((name) => memoryFiles.get(pathOf(name))!);
      const cube = await savedCube();
      const [, shard] = await shards();
      memoryFiles.set(pathOf(shard), foreign);
      await expectCost(/of another save/, shard, 3);
      cube.dispose();
    });

    it('a shard that was cut costs the nodes that are cut off', async () => {
      const cube = await savedCube();
      const [, , shard] = await shards();
      const bytes = memoryFiles.get(pathOf(shard))!;
      for (const [length, lost] of [
        [0, 3],
        [100, 3],
        [256 + 1023, 3],
        [256 + 1024, 2],
        [256 + 3000, 1],
        [bytes.length - 1, 0],
      ]) {
        memoryFiles.set(pathOf(shard), bytes.subarray(0, length));
        const error = await failure(load(PATH));
        expect(error.source).to.equal(pathOf(shard));
        expect(error.message).to.include('costs 3 nodes');
        const rest = await WavetableMatrix.load(PATH, { recover: true });
        expect(rest.getMemoryUsage().nodes, `${length} bytes`).to.equal(27 - lost);
        rest.dispose();
      }
      cube.dispose();
    });

    it('a damaged header of a shard costs nothing where payloads are verified', async () => {
      const cube = await savedCube();
      const [, shard] = await shards();
      memoryFiles.get(pathOf(shard))![99] ^= 1;
      expect((await failure(load(PATH))).message).to.match(/damaged header.*costs 3 nodes/);
      const rest = await WavetableMatrix.load(PATH, { recover: true });
      await expectSameContents(cube, rest);
      rest.dispose();
      cube.dispose();
    });

    it('a damaged payload costs its node, in the shard that it names', async () => {
      const cube = await savedCube();
      const [, shard] = await shards();
      memoryFiles.get(pathOf(shard))![HEADER_BYTES + 1100] ^= 4;
      const error = await failure(load(PATH));
      expect(error.source).to.equal(pathOf(shard));
      expect(error.offset).to.equal(HEADER_BYTES + 1024);
      const rest = await WavetableMatrix.load(PATH, { recover: true });
      expect(rest.getMemoryUsage().nodes).to.equal(26);
      expect(rest.hasNode(...error.node!)).to.equal(false);
      rest.dispose();
      cube.dispose();
    });

    it('a damaged manifest costs nothing, a lost shard with it the nodes of that', async () => {
      const cube = await savedCube();
      memoryFiles.get(pathOf(MANIFEST))![300] ^= 1;
      await failure(load(PATH));
      memoryFiles.get(pathOf(MANIFEST))![3] ^= 1;
      await failure(load(PATH));
      const rest = await WavetableMatrix.load(PATH, { recover: true });
      await expectSameContents(cube, rest);
      rest.dispose();
      memoryFiles.delete(pathOf((await shards())[4]));
      const less = await WavetableMatrix.load(PATH, { recover: true });
      expect(less.getMemoryUsage().nodes).to.equal(24);
      less.dispose();
      cube.dispose();
    });

    it('the manifest with bits flipped all over it: a typed error, or the same cube', async () => {
      const { cube } = makeCube({ dims: [2, 1, 1] });
      await cube.save(PATH, { format: 'wvcb', shardBytes: 4096 });
      const bytes = memoryFiles.get(pathOf(MANIFEST))!;
      for (let at = 0; at < bytes.length; at += 3) {
        bytes[at] ^= 1 << (at % 8);
        const error = await failure(load(PATH));
        expect(error.source).to.include('cube');
        const rest = await load(PATH, { recover: true });
        await expectSameContents(cube, rest, `byte ${at}`);
        rest.dispose();
        bytes[at] ^= 1 << (at % 8);
      }
      cube.dispose();
    });
  });
});
