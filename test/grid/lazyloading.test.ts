/** What opened cubes read: what fails, what is given up, what is changed meanwhile, and what is written of it. */
import { expect } from 'chai';
import { crc32c } from '../../src/checksum.js';
import { changesOf } from '../../src/grid/lazy/changes.js';
import { openedOf } from '../../src/grid/lazy/opened.js';
import {
  ChangedError,
  DisposedError,
  FormatError,
  NotResidentError,
  OctaveHierarchy,
  open,
  type StoredNode,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { giveTangents, makeCube } from '../support/cubes.js';
import { failureOf, mixedCoords, same } from '../support/lazycubes.js';
import { type LazyFile, lazyFile } from '../support/lazyfiles.js';
import { random, randomArray } from '../support/numbers.js';

const DIMS: [number, number, number] = [3, 3, 2];
const NODE = 48;

async function opening(
  options: object = {},
): Promise<{ cube: WavetableMatrix; file: LazyFile; opened: WavetableMatrix }> {
  const { cube } = makeCube({ dims: DIMS, ...options });
  const file = await lazyFile(cube);
  return { cube, file, opened: await WavetableMatrix.open(file.bytes) };
}

/** A gate that reads wait at. */
function gate(file: LazyFile): { open(): void } {
  let go = () => {};
  const opened = new Promise<void>((resolve) => {
    go = resolve;
  });
  file.before = () => opened;
  return { open: () => go() };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Nodes as they are stored, by place and tangent. */
async function storedOf(cube: WavetableMatrix): Promise<Map<string, unknown>> {
  const all = new Map<string, unknown>();
  for await (const node of cube.storedNodes()) all.set(keyOf(node), valuesOf(node));
  return all;
}
const keyOf = (node: StoredNode) =>
  `${node.x}_${node.y}_${node.z} ${('tangent' in node && node.tangent) || ''}`;
/** Length and checksum: chai would compare megabytes for minutes. */
const valuesOf = (node: StoredNode) => {
  const { buffer, byteOffset, byteLength } = 'values' in node ? node.values : node.compressed;
  return [byteLength, crc32c(new Uint8Array(buffer, byteOffset, byteLength))];
};

eachBackend('what opened cubes read', () => {
  it('is an error to the call that needs a damaged node, and to no other; the nodes beside it are usable', () =>
    withoutLeaks(async () => {
      const { cube, file, opened } = await opening();
      file.damaged.add('2_2_1');
      const [all, one] = await Promise.allSettled([opened.prefetch(), opened.prefetch([0.5, 0.5, 0.5])]);
      expect(one.status).to.equal('fulfilled');
      const { reason } = all as PromiseRejectedResult;
      expect(reason).to.be.instanceOf(FormatError);
      expect(reason.node).to.deep.equal([2, 2, 1]);
      await same(opened.sampleBatch([0.5, 0.5, 0.5]), cube.sampleBatch([0.5, 0.5, 0.5]));
      expect(await failureOf(opened.sampleBatchAsync([1.5, 1.5, 1]))).to.be.instanceOf(FormatError);
      expect(() => opened.getNode(2, 2, 1)).to.throw(NotResidentError);
      // What is set in its place heals it.
      opened.setNode(2, 2, 1, new Float32Array(12));
      await opened.prefetch();
      opened.dispose();
      cube.dispose();
      expect(file.open).to.equal(0);
    }));

  it('passes on a file that changed as it is', () =>
    withoutLeaks(async () => {
      const { cube, file, opened } = await opening();
      file.before = () => {
        throw new ChangedError('test.lazy', 'is another one now');
      };
      expect(await failureOf(opened.prefetch())).to.be.instanceOf(ChangedError);
      expect(await failureOf(opened.sampleBatchAsync([0, 0, 0]))).to.be.instanceOf(ChangedError);
      file.before = () => {};
      await same(await opened.sampleBatchAsync([0, 0, 0]), cube.sampleBatch([0, 0, 0]));
      opened.dispose();
      cube.dispose();
    }));

  it('ends with the signal of the last call that waits for it, each with its own reason', () =>
    withoutLeaks(async () => {
      const { cube, file, opened } = await opening();
      const { open: go } = gate(file);
      const [first, second] = [new AbortController(), new AbortController()];
      const a = failureOf(opened.prefetch(undefined, { signal: first.signal }));
      const b = opened.sampleBatchAsync([0.5, 0, 0], { signal: second.signal });
      await turn();
      first.abort(new Error('enough'));
      expect((await a).message).to.equal('enough');
      go();
      // They were asked for by the call that gave up, and are read all the same.
      await same(await b, cube.sampleBatch([0.5, 0, 0]));
      expect(new Set(file.reads).size).to.equal(file.reads.length);
      opened.dispose();
      cube.dispose();
      expect(file.open).to.equal(0);
    }));

  it('ends with the only call that waits for it, and begins anew for the next', () =>
    withoutLeaks(async () => {
      const { cube, file, opened } = await opening();
      const { open: goOn } = gate(file);
      const before = file.reads.length;
      const third = new AbortController();
      const c = failureOf(opened.prefetch(undefined, { signal: third.signal }));
      await turn();
      third.abort(new Error('no more'));
      expect((await c).message).to.equal('no more');
      goOn();
      await turn();
      expect(file.reads.length).to.equal(before);
      file.before = () => {};
      await opened.prefetch();
      expect(() => opened.toTensor().dispose()).to.not.throw();
      opened.dispose();
      cube.dispose();
      expect(file.open).to.equal(0);
    }));

  it('restores nothing into a cube that was disposed meanwhile', () =>
    withoutLeaks(async () => {
      const { cube, file, opened } = await opening();
      const { open: go } = gate(file);
      const calls = [opened.prefetch(), opened.sampleBatchAsync([0.5, 0.5, 0.5])].map(failureOf);
      await turn();
      opened.dispose();
      go();
      for (const error of await Promise.all(calls)) expect(error).to.be.instanceOf(DisposedError);
      await turn();
      expect(file.open).to.equal(0);
      expect(file.reads.length).to.equal(0);
      cube.dispose();
    }));

  it('is told as it comes', () =>
    withoutLeaks(async () => {
      const { cube, opened } = await opening();
      const seen: [number, number][] = [];
      await opened.prefetch(undefined, { onProgress: ({ done, total }) => void seen.push([done, total]) });
      expect(seen.at(-1)).to.deep.equal([18, 18]);
      expect(seen.length).to.equal(9);
      opened.dispose();
      cube.dispose();
    }));

  it('leaves out what is lost, with { recover: true }, and names it and its tangents', () =>
    withoutLeaks(async () => {
      const test = makeCube({ dims: DIMS, missing: 'renormalize' });
      giveTangents(test);
      const { cube } = test;
      const file = await lazyFile(cube);
      for (const key of ['0_1_1', '2_2_0', '1_1_1 y']) file.damaged.add(key);
      const opened = await WavetableMatrix.open(file.bytes, { recover: true });
      const lost = opened.lost.map(({ x, y, z, tangent }) => `${x}_${y}_${z}${tangent ? ` ${tangent}` : ''}`);
      expect(lost).to.have.members(
        ['0_1_1', '2_2_0']
          .flatMap((node) => [node, ...['x', 'y', 'z'].map((axis) => `${node} ${axis}`)])
          .concat('1_1_1 y'),
      );
      const one = opened.lost.find(({ x, y, z }) => x === 0 && y === 1 && z === 1)!;
      expect(one.reason).to.match(/damaged at 0_1_1/);
      expect(one.file).to.equal('test.lazy');
      expect(one.offset).to.be.a('number');
      expect(openedOf(opened)!.file.residency.residentBytes).to.equal(0);
      for (const [x, y, z] of [
        [0, 1, 1],
        [2, 2, 0],
      ]) {
        cube.deleteNode(x, y, z);
        expect(opened.hasNode(x, y, z)).to.equal(false);
      }
      const coords = mixedCoords(DIMS, 20, 6);
      await same(await opened.sampleBatchAsync(coords), cube.sampleBatch(coords));
      opened.dispose();
      cube.dispose();
      expect(file.open).to.equal(0);
    }));
});

eachBackend('what is written of opened cubes', () => {
  it('is every node bit for bit: those of the file in bounded parts, and those that were set', () =>
    withoutLeaks(async () => {
      for (const options of [
        { resolution: [256, 256] as const, channels: 4, dims: [3, 2, 2] as const },
        {},
      ]) {
        const test = makeCube({ dims: DIMS, ...(options as object) });
        if (!('resolution' in options)) giveTangents(test);
        const { cube } = test;
        const file = await lazyFile(cube);
        const opened = await WavetableMatrix.open(file.bytes, { maxResidentBytes: 3 * NODE });
        await opened.prefetch([0, 0.5, 0]);
        const own = randomArray(test.field.payload, random(2));
        for (const each of [cube, opened]) {
          each.setNode(1, 0, 0, own);
          each.deleteNode(1, 1, 1);
        }
        file.mostBytes = 0;
        const saved = await opened.toBytes('wvcb');
        // Of twelve nodes of 1 MiB.
        expect(file.mostBytes).to.be.at.most(8 * 2 ** 20);
        const loaded = await WavetableMatrix.fromBytes(saved);
        expect(await storedOf(loaded)).to.deep.equal(await storedOf(cube));
        expect(loaded.options).to.deep.equal(cube.options);
        for (const each of [cube, loaded, opened]) each.dispose();
        expect(file.open).to.equal(0);
      }
    }));

  it('shows none of what is set or evicted after contents were taken', () =>
    withoutLeaks(async () => {
      const { cube, file, opened } = await opening();
      await opened.prefetch([0, 0, 0]);
      const before = await storedOf(cube);
      const contents = opened.contents();
      expect(contents.count).to.equal(18);
      opened.setNode(0, 0, 0, new Float32Array(12));
      opened.setNode(2, 0, 0, new Float32Array(12));
      opened.dispose();
      const after = new Map<string, unknown>();
      for await (const batch of contents.nodes)
        for (const node of batch) after.set(keyOf(node), valuesOf(node));
      expect(after).to.deep.equal(before);
      const unread = cube.contents();
      unread.dispose();
      cube.dispose();
      expect(file.open).to.equal(0);
    }));

  it('is what has changed, for an update in place, and goes on from the new file', () =>
    withoutLeaks(async () => {
      const { cube, file, opened } = await opening();
      await opened.prefetch([0.5, 0, 0]);
      for (const each of [cube, opened]) {
        each.setNode(1, 0, 0, randomArray(12, random(4)));
        each.setNode(1, 2, 0, randomArray(12, random(5)));
        each.deleteNode(2, 2, 1);
        each.setTangents(0, 2, 0, { x: randomArray(12, random(6)) });
      }
      const what = openedOf(opened)!;
      const changes = changesOf(what);
      const { entries } = what.file.source;
      expect(changes.kept.map((i) => entries[i])).to.deep.equal(
        entries.filter(({ x, y, z }) => !['1_0_0', '1_2_0', '2_2_1'].includes(`${x}_${y}_${z}`)),
      );
      expect(changes.count).to.equal(3);
      const nodes: string[] = [];
      for await (const node of changes.nodes) nodes.push(keyOf(node).trim());
      expect(nodes).to.have.members(['1_0_0', '1_2_0', '0_2_0 x']);
      // Meanwhile another is set: it stays a change.
      const late = randomArray(12, random(7));
      const updated = await lazyFile(cube);
      for (const each of [cube, opened]) each.setNode(0, 1, 0, late);
      const other = await WavetableMatrix.open(updated.bytes);
      changes.written(openedOf(other)!.file.source.share());
      changes.dispose();
      other.dispose();
      expect(file.open).to.equal(0);
      const again = changesOf(what);
      expect(again.count).to.equal(1);
      again.dispose();
      await again.nodes.return(undefined);
      const coords = mixedCoords(DIMS, 20, 6);
      await same(await opened.sampleBatchAsync(coords), cube.sampleBatch(coords));
      opened.dispose();
      cube.dispose();
      expect(updated.open).to.equal(0);
    }));

  it('is of a clone what it was when it was made, whatever becomes of either', () =>
    withoutLeaks(async () => {
      const { cube, file, opened } = await opening();
      await opened.prefetch([0.5, 0.5, 0]);
      opened.setNode(2, 0, 0, new Float32Array(12));
      const twin = opened.clone();
      cube.setNode(2, 0, 0, new Float32Array(12));
      opened.setNode(0, 0, 0, new Float32Array(12));
      opened.dispose();
      const coords = mixedCoords(DIMS, 20, 6);
      await same(await twin.sampleBatchAsync(coords), cube.sampleBatch(coords));
      const trained = twin.clone({ trainable: true });
      expect(trained.trainableVariables().length).to.be.above(0);
      twin.dispose();
      await same(trained.sampleBatch(coords), cube.sampleBatch(coords));
      trained.dispose();
      cube.dispose();
      expect(file.open).to.equal(0);
    }));
});

eachBackend('opened hierarchies', () => {
  for (const basis of ['levels', 'laplacian'] as const) {
    it(`sample as loaded ones do, reading what their octaves need, in basis ${basis}`, () =>
      withoutLeaks(async () => {
        const hierarchy = new OctaveHierarchy(4, 3, 1, {
          octaveLevels: [0, 1, 2],
          gridScale: [2, 2, 1],
          resolution: [2, 3],
          channels: 2,
          basis,
        });
        const next = random(5);
        for (const octave of hierarchy.octaves) {
          const cube = hierarchy.getMatrix(octave);
          for (let x = 0; x < cube.width; x++)
            for (let y = 0; y < cube.height; y++) cube.setNode(x, y, 0, randomArray(12, next));
        }
        const file = await lazyFile(hierarchy);
        expect(await failureOf(WavetableMatrix.open(file.bytes))).to.be.instanceOf(FormatError);
        expect(file.open).to.equal(0);
        const coords = mixedCoords([4, 3, 1], 12, 3, 0.3);
        const octaves = Float32Array.from({ length: 12 }, (_, i) => (i % 4 === 0 ? 1 : 3 * next() - 0.5));
        for (const maxResidentBytes of [10 * NODE, 2 ** 20]) {
          const opened = await OctaveHierarchy.open(file.bytes, { maxResidentBytes });
          for (const method of ['linear', 'cardinal'] as const) {
            await same(
              await opened.sampleBatchBlendedAsync(coords, octaves, { method }),
              hierarchy.sampleBatchBlended(coords, octaves, { method }),
            );
          }
          await same(
            await opened.sampleBatchAtOctaveAsync(1, coords),
            hierarchy.sampleBatchAtOctave(1, coords),
          );
          const files = opened.octaves.map((octave) => openedOf(opened.getMatrix(octave))!.file);
          expect(files[0].residency.residentBytes).to.be.at.most(maxResidentBytes);
          expect(new Set(files.map(({ residency }) => residency)).size).to.equal(1);
          opened.dispose();
        }
        const opened = (await open(file.bytes)) as OctaveHierarchy;
        file.reads = [];
        await opened.prefetch(coords, { octaves: 0.5 });
        expect(file.reads.length).to.be.above(0);
        expect(file.reads.filter((key) => key.startsWith('2:'))).to.deep.equal([]);
        await same(opened.sampleBatchBlended(coords, 0.5), hierarchy.sampleBatchBlended(coords, 0.5));
        expect(() => opened.sampleBatchBlended(coords, 1.5)).to.throw(NotResidentError);
        const twin = opened.clone();
        await twin.prefetch();
        await same(twin.sampleBatchBlended(coords, octaves), hierarchy.sampleBatchBlended(coords, octaves));
        twin.dispose();
        const again = await OctaveHierarchy.fromBytes(await opened.toBytes('wvcb'));
        await same(again.sampleBatchBlended(coords, octaves), hierarchy.sampleBatchBlended(coords, octaves));
        again.dispose();
        opened.dispose();
        file.damaged.add('1:2_2_0');
        const lacking = await OctaveHierarchy.open(file.bytes, { recover: true });
        expect(lacking.lost).to.have.length(1);
        expect(lacking.lost[0]).to.include({ x: 2, y: 2, z: 0, octave: 1 });
        lacking.dispose();
        hierarchy.dispose();
        expect(file.open).to.equal(0);
      }));
  }
});
