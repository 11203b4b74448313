/** Cubes opened from real files: saved over, converted, and closed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { open, ready, WavetableMatrix } from '../../src/node.js';
import { withoutLeaks } from '../support/backends.js';
import { makeCube } from '../support/cubes.js';
import { failureOf, mixedCoords, same } from '../support/lazycubes.js';
import { random, randomArray } from '../support/numbers.js';

describe('cubes opened from files', () => {
  let folder: string;
  before(async () => {
    await ready({ backend: 'cpu' });
    folder = await mkdtemp(join(tmpdir(), 'wavecube-lazy-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('are saved over the file that they read from, and go on reading what it was', () =>
    withoutLeaks(async () => {
      const path = join(folder, 'own.wvcb');
      const { cube } = makeCube({ dims: [4, 3, 3], missingPart: 0.2 });
      await cube.save(path);
      const opened = await WavetableMatrix.open(path, { maxResidentBytes: 300 });
      await opened.prefetch([0.5, 0.5, 0.5]);
      const own = randomArray(12, random(4));
      for (const each of [cube, opened]) each.setNode(1, 1, 1, own);
      await opened.save(path);
      await opened.save(path);
      const coords = mixedCoords([4, 3, 3], 30, 2);
      await same(await opened.sampleBatchAsync(coords), cube.sampleBatch(coords));
      const again = (await open(pathToFileURL(path))) as WavetableMatrix;
      expect(again.nodeCount).to.equal(cube.nodeCount);
      await same(await again.sampleBatchAsync(coords), cube.sampleBatch(coords));
      const loaded = await WavetableMatrix.load(path);
      await same(loaded.sampleBatch(coords), cube.sampleBatch(coords));
      for (const each of [cube, opened, again, loaded]) each.dispose();
    }));

  it('read header and index, and then the nodes of a sample, of a source that counts', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: [10, 10, 10], resolution: [8, 8] });
      const bytes = await cube.toBytes('wvcb');
      let [reads, closed] = [0, 0];
      const source = {
        name: 'counted',
        sizeBytes: bytes.length,
        async read(offset: number, length: number) {
          reads += length;
          return bytes.slice(offset, offset + length);
        },
        async close() {
          closed++;
        },
      };
      const opened = await WavetableMatrix.open(source);
      const head = 256 + 8 + 64 * 1000 + 2 ** 16;
      expect(reads).to.be.at.most(head);
      await same(await opened.sampleBatchAsync([4.5, 4.5, 4.5]), cube.sampleBatch([4.5, 4.5, 4.5]));
      expect(reads).to.be.at.most(head + 8 * 512 + 2 ** 16);
      opened.dispose();
      expect(closed).to.equal(1);
      cube.dispose();
    }));

  it('close a source that they were given whatever is wrong with the options', async () => {
    for (const options of [{ typo: 1 }, { maxResidentBytes: -1 }, { signal: AbortSignal.abort() }]) {
      let closed = 0;
      const source = {
        name: 'counted',
        sizeBytes: 100,
        read: async () => new Uint8Array(100),
        close: async () => {
          closed++;
        },
      };
      await failureOf(open(source, options as object));
      expect(closed).to.equal(1);
    }
  });

  it('hear one signal in many calls without a warning of the system', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: [5, 5, 2] });
      const opened = await WavetableMatrix.open(await cube.toBytes('wvcb'));
      const warnings: string[] = [];
      const warned = (warning: Error) => warnings.push(String(warning));
      process.on('warning', warned);
      const { signal } = new AbortController();
      const places = [...cube.positions()];
      await Promise.all(places.map((place) => opened.prefetch(place, { signal })));
      await new Promise((resolve) => setTimeout(resolve, 20));
      process.off('warning', warned);
      expect(warnings).to.deep.equal([]);
      opened.dispose();
      cube.dispose();
    }));
});
