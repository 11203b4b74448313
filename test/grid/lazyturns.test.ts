/** Opened cubes while several things happen at once: nodes come once and from the file that the cube reads now, and nothing is sampled of a cube that has gone. */
import { expect } from 'chai';
import { changesOf } from '../../src/grid/lazy/changes.js';
import { openedOf } from '../../src/grid/lazy/opened.js';
import { DisposedError, NotResidentError, WavetableMatrix } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { makeCube } from '../support/cubes.js';
import { failureOf, same } from '../support/lazycubes.js';
import { type LazyFile, lazyFile } from '../support/lazyfiles.js';

const DIMS: [number, number, number] = [3, 3, 2];
const NODE = 48;
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Reads wait for `let` of their node. */
function gates(file: LazyFile): { let(key: string): void } {
  const doors = new Map<string, { opened: Promise<void>; open: () => void }>();
  const door = (key: string) => {
    const known = doors.get(key);
    if (known) return known;
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const made = { opened, open };
    doors.set(key, made);
    return made;
  };
  file.before = (key) => door(key).opened;
  return { let: (key) => door(key).open() };
}

eachBackend('opened cubes, several calls at once', () => {
  it('read a node again that gave way while the read that brought it goes on for another call', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: DIMS });
      const file = await lazyFile(cube);
      const opened = await WavetableMatrix.open(file.bytes, { maxResidentBytes: 4 * NODE });
      const { let: pass } = gates(file);
      const at = openedOf(opened)!.file.source.entries.map(({ x, y, z }) => [x, y, z]);
      const passAll = (places: number[][]) => {
        for (const place of places) pass(place.join('_'));
      };
      const [x, y, z] = at[0];
      const first = new AbortController();
      const all = failureOf(opened.sampleBatchAsync(at.slice(0, 4), { signal: first.signal }));
      await turn();
      const other = opened.sampleBatchAsync(at.slice(3, 4));
      await turn();
      passAll(at.slice(0, 2));
      await turn();
      first.abort(new Error('enough'));
      expect((await all).message).to.equal('enough');
      opened.getNode(x, y, z).dispose();
      // They take the room of those that are there.
      passAll(at.slice(4, 7));
      (await opened.sampleBatchAsync(at.slice(4, 7))).dispose();
      expect(() => opened.getNode(x, y, z)).to.throw(NotResidentError);
      const again = opened.sampleBatchAsync(at.slice(0, 1));
      await turn();
      passAll(at.slice(2, 4));
      await same(await again, cube.sampleBatch(at.slice(0, 1)));
      await same(await other, cube.sampleBatch(at.slice(3, 4)));
      opened.dispose();
      cube.dispose();
    }));

  it('take nothing from the file that they read before an update in place', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: DIMS });
      const file = await lazyFile(cube);
      const opened = await WavetableMatrix.open(file.bytes, { maxResidentBytes: 4 * NODE });
      const what = openedOf(opened)!;
      const at = what.file.source.entries.map(({ x, y, z }) => [x, y, z]);
      const [x, y, z] = at[0];
      const door = gates(file);
      const stopped = new AbortController();
      const one = failureOf(
        opened.sampleBatchAsync(at.slice(0, 1).concat(at.slice(4, 5)), { signal: stopped.signal }),
      );
      await turn();
      const other = opened.sampleBatchAsync(at.slice(4, 5));
      await turn();
      const values = new Float32Array(12).fill(7);
      for (const each of [cube, opened]) each.setNode(x, y, z, values);
      const changes = changesOf(what);
      const updated = await lazyFile(cube);
      const next = await WavetableMatrix.open(updated.bytes);
      changes.written(openedOf(next)!.file.source.share());
      changes.dispose();
      await changes.nodes.return(undefined);
      stopped.abort(new Error('enough'));
      await one;
      // What was set is in the new file now, and gives way.
      for (const part of [at.slice(5, 9), at.slice(9, 13)]) (await opened.sampleBatchAsync(part)).dispose();
      expect(() => opened.getNode(x, y, z)).to.throw(NotResidentError);
      for (const place of at) door.let(place.join('_'));
      await same(await other, cube.sampleBatch(at.slice(4, 5)));
      await same(await opened.sampleBatchAsync(at.slice(0, 1)), cube.sampleBatch(at.slice(0, 1)));
      for (const each of [opened, next, cube]) each.dispose();
      expect([file.open, updated.open]).to.deep.equal([0, 0]);
    }));

  it('are not sampled once they are disposed, though all that is needed is at hand', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: DIMS });
      const file = await lazyFile(cube);
      for (let turns = 0; turns < 12; turns++) {
        const opened = await WavetableMatrix.open(file.bytes);
        for (const [x, y, z] of opened.positions()) opened.setNode(x, y, z, new Float32Array(12).fill(1));
        const sampled = Promise.allSettled([opened.sampleBatchAsync([0.5, 0.5, 0.5])]);
        for (let i = 0; i < turns; i++) await null;
        opened.dispose();
        const [end] = await sampled;
        if (end.status === 'rejected') expect(end.reason).to.be.instanceOf(DisposedError);
        else {
          expect([...(await end.value.data())]).to.deep.equal(Array(12).fill(1));
          end.value.dispose();
        }
      }
      cube.dispose();
    }));

  it('of zeros alone are sampled by every method', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: DIMS, sparse: false });
      const file = await lazyFile(cube);
      for (const [x, y, z] of cube.positions()) file.damaged.add(`${x}_${y}_${z}`);
      const opened = await WavetableMatrix.open(file.bytes, { recover: true });
      expect(opened.lost).to.have.length(18);
      for (const method of ['linear', 'cardinal', 'bspline', 'monotone'] as const) {
        const zeros = cube.sampleBatch([0.5, 0.5, 0.5], { method });
        const none = zeros.mul(0);
        zeros.dispose();
        await same(opened.sampleBatch([0.5, 0.5, 0.5], { method }), none);
      }
      const t = opened.toTensor();
      t.dispose();
      opened.dispose();
      cube.dispose();
    }));

  it('are kept within their bound from the next prefetch on', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: DIMS });
      const file = await lazyFile(cube);
      const opened = await WavetableMatrix.open(file.bytes, { maxResidentBytes: 2 * NODE });
      await opened.prefetch();
      // With what gradients need: eight nodes.
      await opened.prefetch([1, 1, 1]);
      expect(openedOf(opened)!.file.residency.residentBytes).to.equal(8 * NODE);
      opened.getNode(1, 1, 1).dispose();
      opened.dispose();
      cube.dispose();
    }));
});
