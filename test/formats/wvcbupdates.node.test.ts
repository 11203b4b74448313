/** Updates of .wvcb files in place: what is added is there, readers and crashes see the old file or the new one, compact leaves no gap. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { build } from 'esbuild';
import {
  ArgumentError,
  ChangedError,
  compact,
  FormatError,
  load,
  OctaveHierarchy,
  ready,
  StorageError,
  WavetableMatrix,
} from '../../src/index.js';
import { withoutLeaks } from '../support/backends.js';
import { plainContents, settled } from '../support/contents.js';
import { giveTangents, makeCube } from '../support/cubes.js';
import { failure } from '../support/failure.js';
import { expectSameContents, FORMAT_CASES } from '../support/formatcases.js';
import { random, randomArray } from '../support/numbers.js';

const HEADER_BYTES = 256;

let folder: string;
let file: string;

async function refused(
  promise: Promise<unknown>,
  kind: new (...args: never[]) => Error,
  what: RegExp,
): Promise<void> {
  const error = await failure(promise);
  expect(error).to.be.instanceOf(kind);
  expect(error.message).to.match(what);
}

/** A file of a cube with some nodes, dense and compressed, some of them with tangents. */
async function made(): Promise<void> {
  const one = makeCube({ dims: [3, 3, 2], resolution: [4, 5], missingPart: 0.3, metadata: { note: 'one' } });
  giveTangents(one);
  await one.cube.compressNode(1, 1, 1, { method: 'lossless' });
  await one.cube.save(file);
  one.cube.dispose();
}

const node = (seed: number) => randomArray(40, random(seed));

describe('updates of .wvcb files in place', function () {
  this.timeout(60_000);
  before(() => ready({ backend: 'cpu' }));
  beforeEach(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wavecube-updates-'));
    file = path.join(folder, 'cube.wvcb');
    await made();
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('nodes set, compressed and deleted, tangents and metadata are there afterwards, and everything else as before', () =>
    withoutLeaks(async () => {
      const twin = await WavetableMatrix.load(file);
      const cube = await WavetableMatrix.open(file);
      for (const one of [twin, cube]) {
        await one.prefetch();
        one.setNode(0, 0, 0, node(1));
        one.setNode(2, 2, 1, node(2));
        one.deleteNode(1, 0, 1);
        await one.compressNode(0, 0, 0, { method: 'predictive' });
        one.setTangents(2, 2, 1, { y: node(3) });
        one.metadata.note = 'two';
      }
      expect(await cube.saveChanges()).to.equal(true);
      await expectSameContents(twin, cube, 'the cube itself');
      const back = await load(file);
      await expectSameContents(twin, back, 'the file');
      for (const one of [twin, cube, back]) one.dispose();
      expect(fs.readdirSync(folder)).to.deep.equal(['cube.wvcb']);
    }));

  it('cubes of every kind are added to, but for those that train', async () => {
    let count = 0;
    // Of codecs one: to a file they are all containers.
    const cases = FORMAT_CASES.filter(
      ({ name, has }) =>
        !has.includes('octaves') && (!has.includes('compressed') || name.includes("'lossless'")),
    );
    for (const one of cases) {
      const made = (await settled(await one.make())) as WavetableMatrix;
      const { trainable } = made;
      await made.save(file);
      const [h, w] = made.resolution;
      made.dispose();
      if (trainable) continue;
      const cube = await WavetableMatrix.open(file);
      cube.setNode(0, 0, 0, new Float32Array(h * w * cube.channels).fill(0.5));
      expect(await cube.saveChanges(), one.name).to.equal(true);
      const back = await WavetableMatrix.load(file);
      await expectSameContents(await settled(cube), back, one.name);
      cube.dispose();
      back.dispose();
      count++;
    }
    expect(count).to.be.above(20);
  });

  it('a second, a third update each add to the one before; evicted nodes are read from their new places', async () => {
    const twin = await WavetableMatrix.load(file);
    const cube = await WavetableMatrix.open(file, { maxResidentBytes: 400 });
    for (let k = 0; k < 3; k++) {
      for (const one of [twin, cube]) {
        one.setNode(k, 1, 0, node(10 + k));
        one.setNode(0, 1, 0, node(20 + k));
      }
      expect(await cube.saveChanges()).to.equal(true);
      expect(await cube.saveChanges(), 'nothing has changed since').to.equal(false);
      const coords = [
        [0, 1, 0],
        [k, 1, 0],
        [2, 2, 1],
      ].filter(([x, y, z]) => twin.hasNode(x, y, z));
      const sampled = await cube.sampleBatchAsync(coords);
      const expected = twin.sampleBatch(coords);
      expect(await sampled.data()).to.deep.equal(await expected.data());
      sampled.dispose();
      expected.dispose();
      await expectSameContents(twin, cube);
      const back = await load(file);
      await expectSameContents(twin, back, `update ${k}`);
      back.dispose();
    }
    twin.dispose();
    cube.dispose();
  });

  it('what is set while changes are saved is the cube’s own, and goes with the next', async () => {
    const cube = await WavetableMatrix.open(file);
    cube.setNode(0, 0, 0, node(1));
    const saving = cube.saveChanges();
    const again = new Promise<void>((resolve) =>
      setImmediate(() => {
        cube.setNode(0, 0, 0, node(2));
        cube.setNode(1, 0, 0, node(3));
        resolve();
      }),
    );
    await Promise.all([saving, again]);
    const twin = await plainContents(cube.contents());
    await cube.saveChanges();
    const back = await WavetableMatrix.load(file);
    await expectSameContents(twin, back);
    expect(await (back.getNode(0, 0, 0) as { data(): Promise<Float32Array> }).data()).to.deep.equal(node(2));
    cube.dispose();
    back.dispose();
  });

  it('one that opened the file before goes on reading the old nodes', async () => {
    const old = await load(file);
    const reader = await WavetableMatrix.open(file);
    const writer = await WavetableMatrix.open(file);
    await writer.prefetch();
    for (let x = 0; x < 3; x++) for (let y = 0; y < 3; y++) writer.setNode(x, y, 0, node(x + 5 * y));
    await writer.saveChanges();
    await reader.prefetch();
    await expectSameContents(old, reader);
    for (const one of [old, reader, writer]) one.dispose();
  });

  it('a file that was changed since it was opened is refused, with nothing written', async () => {
    const first = await WavetableMatrix.open(file);
    const second = await WavetableMatrix.open(file);
    for (const one of [first, second]) one.setNode(0, 0, 0, node(1));
    await first.saveChanges();
    const bytes = fs.readFileSync(file);
    await refused(second.saveChanges(), ChangedError, /was changed since it was opened/);
    expect(fs.readFileSync(file).equals(bytes)).to.equal(true);
    first.setNode(0, 0, 0, node(2));
    await made();
    await refused(first.saveChanges(), ChangedError, /was changed since/);
    first.dispose();
    second.dispose();
  });

  it('only an opened path of one file and one cube is updated', async () => {
    const { cube } = makeCube();
    await refused(cube.saveChanges(), ArgumentError, /must be one that WavetableMatrix.open opened/);
    const bytes = await WavetableMatrix.open(fs.readFileSync(file));
    await refused(bytes.saveChanges(), ArgumentError, /opened from a path/);
    const shards = path.join(folder, 'shards');
    await cube.save(shards, { format: 'wvcb', shardBytes: 4096 });
    for (const name of fs.readdirSync(shards)) {
      const one = await WavetableMatrix.open(path.join(shards, name));
      one.setNode(0, 0, 0, randomArray(12, random(1)));
      await refused(one.saveChanges(), ArgumentError, /never changed in place/);
      one.dispose();
      await refused(compact(path.join(shards, name)), ArgumentError, /no gaps/);
    }
    await cube.save(path.join(folder, 'cube.npz'));
    await refused(compact(path.join(folder, 'cube.npz')), ArgumentError, /never changed in place/);
    for (const one of [cube, bytes]) one.dispose();
  });

  it('while another adds to the file it is not added to', async () => {
    const cube = await WavetableMatrix.open(file);
    cube.setNode(0, 0, 0, node(1));
    fs.writeFileSync(`${file}.lock`, JSON.stringify({ pid: process.pid, host: 'another machine' }));
    await refused(cube.saveChanges(), StorageError, /one at a time/);
    await refused(compact(file), StorageError, /one at a time/);
    fs.rmSync(`${file}.lock`);
    expect(await cube.saveChanges()).to.equal(true);
    cube.dispose();
  });

  it('cut anywhere behind the old file, with the old header, an update means nothing, and is no obstacle to the next', async () => {
    const before = fs.readFileSync(file);
    const old = await load(file);
    const cube = await WavetableMatrix.open(file);
    cube.setNode(0, 0, 0, node(1));
    await cube.saveChanges();
    const after = fs.readFileSync(file);
    expect(after.subarray(HEADER_BYTES, before.length).equals(before.subarray(HEADER_BYTES))).to.equal(true);
    expect(after.subarray(-HEADER_BYTES).equals(after.subarray(0, HEADER_BYTES))).to.equal(true);
    const lengths = Array.from(
      { length: 12 },
      (_, i) => before.length + Math.floor((i / 11) * (after.length - before.length)),
    );
    for (const length of [...lengths, after.length - HEADER_BYTES, after.length - 1]) {
      const bytes = Buffer.from(after.subarray(0, length));
      before.copy(bytes, 0, 0, HEADER_BYTES);
      fs.writeFileSync(file, bytes);
      const found = await WavetableMatrix.open(file);
      await expectSameContents(old, found, `${length} bytes`);
      found.setNode(0, 0, 1, node(7));
      await found.saveChanges();
      const back = await load(file);
      await expectSameContents(found, back, `${length} bytes, added to`);
      found.dispose();
      back.dispose();
    }
    cube.dispose();
    old.dispose();
  });

  it('a header that was torn while it was overwritten is read from its copy', async () => {
    const before = fs.readFileSync(file);
    const cube = await WavetableMatrix.open(file);
    cube.setNode(0, 0, 0, node(1));
    await cube.saveChanges();
    const after = fs.readFileSync(file);
    for (const torn of [48, 80, 90, 130, 254]) {
      const bytes = Buffer.from(after);
      before.copy(bytes, torn, torn, HEADER_BYTES);
      fs.writeFileSync(file, bytes);
      const back = await WavetableMatrix.open(file);
      await expectSameContents(cube, back);
      back.setNode(2, 0, 0, node(4));
      await back.saveChanges();
      back.dispose();
      expect(fs.readFileSync(file).subarray(0, 4).toString()).to.equal('WVCB');
      (await load(file)).dispose();
    }
    cube.dispose();
  });

  it('compact leaves the same nodes and no gap: the file is what save would write', async () => {
    const cube = await WavetableMatrix.open(file);
    for (let k = 0; k < 5; k++) {
      cube.setNode(0, 0, 0, node(k));
      await cube.saveChanges();
    }
    const size = fs.statSync(file).size;
    const { before, after } = await compact(file);
    expect([before, after]).to.deep.equal([size, fs.statSync(file).size]);
    expect(after).to.be.below(before - 5 * 160);
    const back = await load(file);
    await expectSameContents(cube, back);
    const saved = path.join(folder, 'saved.wvcb');
    await back.save(saved);
    expect(fs.statSync(saved).size).to.equal(after);
    expect(await compact(file)).to.deep.equal({ before: after, after });
    cube.setNode(0, 0, 0, node(9));
    await refused(cube.saveChanges(), ChangedError, /was changed since/);
    cube.dispose();
    back.dispose();
    fs.writeFileSync(file, fs.readFileSync(file).fill(1, 700, 900));
    await refused(compact(file), FormatError, /damaged/);
    expect(fs.readdirSync(folder).sort()).to.deep.equal(['cube.wvcb', 'saved.wvcb']);
  });

  it('compact takes a hierarchy too', async () => {
    const hierarchy = new OctaveHierarchy(2, 2, 1, { octaveLevels: [0, 1], resolution: 2, channels: 1 });
    hierarchy.getMatrix(0).setNode(0, 0, 0, new Float32Array(4).fill(2));
    await hierarchy.save(file);
    await compact(file);
    const back = await OctaveHierarchy.load(file);
    await expectSameContents(hierarchy, back);
    hierarchy.dispose();
    back.dispose();
  });
});

describe('updates that are killed', function () {
  this.timeout(120_000);
  const KILLS = 64;
  const LANES = 4;
  let script: string;

  before(async () => {
    await ready({ backend: 'cpu' });
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wavecube-killed-'));
    script = path.join(folder, 'writer.mjs');
    // One plain module, without what it does not use, starts in a tenth of the time that the sources take.
    await build({
      entryPoints: [fileURLToPath(new URL('../support/updatewriter.ts', import.meta.url))],
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      alias: { '@tensorflow/tfjs': '@tensorflow/tfjs-core' },
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
      logLevel: 'silent',
    });
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** Lets a writer work, and kills it a while after it said a word. @returns what it said last. */
  function kill(target: string, there: number, word: string, afterMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [script, target, String(there)]);
      let said = '';
      let errors = '';
      child.stdout.on('data', (data) => {
        if (!said.includes(word) && String(data).includes(word))
          setTimeout(() => child.kill('SIGKILL'), afterMs);
        said += data;
      });
      child.stderr.on('data', (data) => {
        errors += data;
      });
      child.on('error', reject);
      child.on('close', (_, signal) =>
        signal === 'SIGKILL' ? resolve(said.trim().split('\n').at(-1)!) : reject(new Error(errors)),
      );
    });
  }

  it(`at ${KILLS} random moments leave exactly the old nodes or exactly the new ones, and can be gone on with`, async () => {
    const outcomes = { old: 0, new: 0, between: 0 };
    await Promise.all(
      Array.from({ length: LANES }, async (_, lane) => {
        const target = path.join(folder, `${lane}.wvcb`);
        const cube = new WavetableMatrix(2, 2, 2, { resolution: [32, 32], channels: 1 });
        const all = [0, 1].flatMap((x) => [0, 1].flatMap((y) => [0, 1].map((z) => [x, y, z] as const)));
        for (const at of all) cube.setNode(...at, new Float32Array(1024));
        await cube.save(target);
        cube.dispose();
        const next = random(77 + lane);
        let there = 0;
        for (let i = lane; i < KILLS; i += LANES) {
          const word = next() < 0.5 ? 'b' : 'h';
          const last = await kill(target, there, word, next() * (word === 'b' ? 30 : 4));
          const update = Number(last.slice(1));
          // Until the header is being overwritten the file is of the update before, and after it for certain of this one.
          const possible = { b: [update - 1], h: [update - 1, update], d: [update] }[last[0]];
          const found = await WavetableMatrix.load(target);
          const values = new Set(all.flatMap((at) => [...(found.getNode(...at) as tf.Tensor).dataSync()]));
          for (const at of all) found.getNode(...at).dispose();
          found.dispose();
          expect([...values], `moment ${i}: nodes of one update`).to.have.length(1);
          [there] = values;
          expect(possible, `moment ${i}, ${last}`).to.include(there);
          outcomes[last[0] === 'd' ? 'between' : there === update ? 'new' : 'old']++;
        }
        const { before, after } = await compact(target);
        expect(after).to.be.below(before);
        expect(fs.existsSync(`${target}.lock`)).to.equal(false);
      }),
    );
    // Else the moments show less than they are to show.
    expect(outcomes.old, 'killed before the header was overwritten').to.be.above(KILLS / 8);
    expect(outcomes.new, 'killed after it').to.be.above(0);
    if (process.env.WAVECUBE_LONG) console.log(outcomes);
  });
});
