import { expect } from 'chai';
import { planRanges, type RangeLimits } from '../../src/formats/wvcb/ranges.js';
import { wvcb } from '../../src/formats/wvcb.js';
import {
  ChangedError,
  DisposedError,
  FormatError,
  type NodeSource,
  OctaveHierarchy,
  type Opened,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend } from '../support/backends.js';
import { giveTangents, makeCube } from '../support/cubes.js';
import fc from '../support/properties.js';
import { countedSource, failure, keyOf, partsOf, storedBytes, storedOf } from '../support/wvcb.js';

async function openedCube(source: Parameters<NonNullable<typeof wvcb.open>>[0], options = {}) {
  const opened = await wvcb.open!(source, options);
  if (opened.kind !== 'cube') throw new Error('expected a cube');
  return opened as Extract<Opened, { kind: 'cube' }>;
}

async function readOf(
  nodes: NodeSource,
  which: readonly number[],
  signal?: AbortSignal,
): Promise<Map<string, unknown>> {
  const out = new Map<string, unknown>();
  for await (const batch of nodes.read(which, signal))
    for (const node of batch) out.set(keyOf(node), storedBytes(node));
  return new Map([...out].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Nodes of 96 × 96 × 1 float32: 36,864 bytes each, so that a gap of one is not worth to be read. */
async function largeNodes(): Promise<{ bytes: Uint8Array; stored: Map<string, unknown> }> {
  const { cube } = makeCube({ dims: [4, 5, 2], resolution: 96, channels: 1 });
  const bytes = await cube.toBytes('wvcb');
  const stored = await storedOf(cube);
  cube.dispose();
  return { bytes, stored };
}

eachBackend('wvcb, opened', () => {
  let large: Awaited<ReturnType<typeof largeNodes>>;
  before(async () => {
    large = await largeNodes();
  });

  it('a small file is opened in one read, which is no longer than its first 32 KiB, and a node costs one read of its bytes', async () => {
    const { source, reads } = countedSource(large.bytes);
    const { source: nodes, count, width, options } = await openedCube(source);
    expect([count, width, options.channels]).to.deep.equal([40, 4, 1]);
    expect(reads).to.deep.equal([{ offset: 0, length: 32 * 1024 }]);
    for (const [i, { x, y, z, shape, codec, sizeBytes, tangent }] of nodes.entries.entries()) {
      reads.length = 0;
      const found = await readOf(nodes, [i]);
      const key = `${x}_${y}_${z}`;
      expect(found).to.deep.equal(new Map([[key, large.stored.get(key)]]));
      expect([shape, codec, sizeBytes, tangent]).to.deep.equal([[96, 96, 1], null, 36864, undefined]);
      const { offset } = partsOf(large.bytes).entries[i];
      expect(reads).to.deep.equal([{ offset, length: 36864 }]);
    }
    nodes.close();
  });

  it('a long index costs a second read, of what the first did not have', async () => {
    const cube = new WavetableMatrix(1000, 1, 1, {
      resolution: 1,
      channels: 3,
      metadata: { text: 'x'.repeat(5000) },
    });
    for (let x = 0; x < 1000; x++) cube.setNode(x, 0, 0, Float32Array.of(x, 0, 0));
    const bytes = await cube.toBytes('wvcb');
    const { metadata } = partsOf(bytes);
    const { source, reads } = countedSource(bytes);
    const { source: nodes, metadata: user } = await openedCube(source);
    expect(reads).to.deep.equal([
      { offset: 0, length: 32768 },
      { offset: 32768, length: metadata.offset + metadata.bytes - 32768 },
    ]);
    expect(user).to.deep.equal(cube.metadata);
    expect(await readOf(nodes, [...nodes.entries.keys()])).to.deep.equal(await storedOf(cube));
    nodes.close();
    cube.dispose();
  });

  it('eight corners of 10,000 nodes cost three round trips, and few bytes beyond header, index and themselves', async () => {
    const cube = new WavetableMatrix(25, 20, 20, { resolution: [1, 64], channels: 1 });
    cube.setNodes(
      Array.from(
        { length: 10_000 },
        (_, i) =>
          [Math.floor(i / 400), Math.floor(i / 20) % 20, i % 20, new Float32Array(64).fill(i)] as const,
      ),
    );
    const bytes = await cube.toBytes('wvcb');
    const { source, reads, state } = countedSource(bytes);
    const { source: nodes } = await openedCube(source);
    expect(reads.length).to.equal(2);
    const corners = [0, 1, 20, 21, 400, 401, 420, 421].map((i) => i + 4321);
    expect((await readOf(nodes, corners)).size).to.equal(8);
    expect(state.mostUnderWay).to.be.at.most(6);
    expect(reads.length).to.be.at.most(2 + 4);
    const total = reads.reduce((sum, { length }) => sum + length, 0);
    expect(total).to.be.at.most(256 + 8 + 64 * 10_000 + 8 * 256 + 64 * 1024);
    nodes.close();
    cube.dispose();
  });

  it('the source is closed once, when the last holder has closed and the last read is over', async () => {
    const { source, state } = countedSource(large.bytes);
    const { source: nodes } = await openedCube(source);
    const twin = nodes.share();
    expect(twin.entries).to.equal(nodes.entries);
    nodes.close();
    nodes.close();
    expect(await failure(readOf(nodes, [0]))).to.be.instanceOf(DisposedError);
    const reading = twin.read([0, 9, 20])[Symbol.asyncIterator]();
    await reading.next();
    twin.close();
    expect(state.closed).to.equal(0);
    await reading.return!();
    expect(state).to.include({ closed: 1, underWay: 0 });
  });

  it('a reader that was stopped reads no more, and says so', async () => {
    const { source, reads, state } = countedSource(large.bytes);
    const { source: nodes } = await openedCube(source);
    const stop = new AbortController();
    reads.length = 0;
    const which = [...nodes.entries.keys()].filter((i) => i % 2 === 0);
    const reading = (async () => {
      for await (const _ of nodes.read(which, stop.signal)) stop.abort(new Error('enough'));
    })();
    expect((await failure(reading)).message).to.equal('enough');
    expect(reads.length).to.be.below(which.length);
    expect(state.underWay).to.equal(0);
    expect(await failure(readOf(nodes, [0], AbortSignal.abort(new Error('before'))))).to.have.property(
      'message',
      'before',
    );
    expect(
      await failure(wvcb.open!(source, { signal: AbortSignal.abort(new Error('never')) })),
    ).to.have.property('message', 'never');
    nodes.close();
  });

  it('a damaged node is an error that names it; with recover it is missing and listed once, the others come', async () => {
    const damaged = large.bytes.slice();
    const { entries } = partsOf(damaged);
    damaged[entries[7].offset + 100] ^= 1;
    const { x, y, z, offset } = entries[7];
    const strict = await openedCube(countedSource(damaged).source);
    const error = (await failure(readOf(strict.source, [6, 7, 8]))) as FormatError;
    expect(error).to.be.instanceOf(FormatError);
    expect(error).to.deep.include({ source: 'counted.wvcb', offset, node: [x, y, z] });
    const { source: nodes, lost } = await openedCube(countedSource(damaged).source, { recover: true });
    for (let k = 0; k < 2; k++) expect((await readOf(nodes, [6, 7, 8])).size).to.equal(2);
    expect(lost).to.have.length(1);
    expect(lost![0]).to.include({ x, y, z, offset });
    strict.source.close();
    nodes.close();
  });

  it('a file that changed is an error, also where a reader recovers', async () => {
    const { source } = countedSource(large.bytes);
    const { source: nodes } = await openedCube(source, { recover: true });
    source.read = async () => {
      throw new ChangedError('counted.wvcb', 'changed');
    };
    expect(await failure(readOf(nodes, [0]))).to.be.instanceOf(ChangedError);
    nodes.close();
  });

  it('tangents, codecs and octaves are told by their entries', async () => {
    const made = makeCube({ dims: [2, 1, 1], resolution: 4, channels: 1 });
    giveTangents(made);
    await made.cube.compressNode(0, 0, 0, { method: 'lossless' });
    const { source: nodes } = await openedCube(countedSource(await made.cube.toBytes('wvcb')).source);
    expect(nodes.entries.map(({ x, codec, tangent }) => [x, codec, tangent])).to.deep.equal([
      [0, 'lossless', undefined],
      [1, null, undefined],
      ...['x', 'y', 'z'].flatMap((axis) => [
        [0, null, axis],
        [1, null, axis],
      ]),
    ]);
    expect(await readOf(nodes, [...nodes.entries.keys()])).to.deep.equal(await storedOf(made.cube));
    made.cube.dispose();
    nodes.close();

    const hierarchy = new OctaveHierarchy(2, 1, 1, { octaveLevels: [0, 4], resolution: 2, channels: 1 });
    hierarchy.getMatrix(0).setNode(1, 0, 0, new Float32Array(4).fill(1));
    hierarchy.getMatrix(4).setNode(0, 0, 0, new Float32Array(4).fill(2));
    const { source, state } = countedSource(await hierarchy.toBytes('wvcb'));
    const opened = await wvcb.open!(source, {});
    if (opened.kind !== 'octaves') throw new Error('expected a hierarchy');
    expect(opened.levels.map(({ octave }) => octave)).to.deep.equal([0, 4]);
    for (const { octave, cube } of opened.levels) {
      expect(await readOf(cube.source, [0])).to.deep.equal(await storedOf(hierarchy.getMatrix(octave)));
      expect(state.closed).to.equal(0);
      cube.source.close();
    }
    expect(state.closed).to.equal(1);
    hierarchy.dispose();
  });
}, ['cpu']);

describe('ranges of bytes that are read together', () => {
  const limits = fc.record({
    gapBytes: fc.nat(200),
    wasteBytes: fc.nat(500),
    freeBytes: fc.nat(20),
    mostBytes: fc.integer({ min: 1, max: 2000 }),
  });
  /** Spans apart from each other, shuffled. */
  const spans = fc
    .array(
      fc.record({
        file: fc.nat(2),
        gap: fc.nat(300),
        bytes: fc.integer({ min: 1, max: 300 }),
        rank: fc.nat(),
      }),
      { maxLength: 40 },
    )
    .map((list) => {
      let at = 0;
      return list
        .map(({ file, gap, bytes, rank }) => {
          at += gap;
          const span = { file, offset: at, bytes, rank };
          at += bytes;
          return span;
        })
        .sort((a, b) => a.rank - b.rank)
        .map(({ file, offset, bytes }) => ({ file, offset, bytes }));
    });

  it('each span lies whole in one range of its file; ranges are ascending, apart, begin and end with a span, and keep their limits', () => {
    fc.assert(
      fc.property(spans, limits, (all, given: RangeLimits) => {
        const ranges = planRanges(all, given);
        expect(ranges.flatMap(({ parts }) => parts).sort((a, b) => a - b)).to.deep.equal([...all.keys()]);
        let waste = 0;
        ranges.forEach(({ file, offset, bytes, parts }, k) => {
          const own = parts.map((i) => all[i]);
          for (const span of own) {
            expect(span.file).to.equal(file);
            expect(span.offset).to.be.at.least(offset);
            expect(span.offset + span.bytes).to.be.at.most(offset + bytes);
          }
          expect(own[0].offset).to.equal(offset);
          const last = own[own.length - 1];
          expect(last.offset + last.bytes).to.equal(offset + bytes);
          if (parts.length > 1) expect(bytes).to.be.at.most(given.mostBytes);
          for (let i = 1; i < own.length; i++) {
            const gap = own[i].offset - own[i - 1].offset - own[i - 1].bytes;
            if (gap >= given.freeBytes) {
              expect(gap).to.be.at.most(given.gapBytes);
              waste += gap;
            }
          }
          const before = ranges[k - 1];
          if (before?.file === file) expect(offset).to.be.at.least(before.offset + before.bytes);
          else if (before) expect(file).to.be.above(before.file);
        });
        expect(waste).to.be.at.most(given.wasteBytes);
      }),
    );
  });

  it('spans that touch are one range up to the most that is read at once', () => {
    const touching = Array.from({ length: 10 }, (_, i) => ({ file: 0, offset: 64 * i, bytes: 64 }));
    const ranges = planRanges(touching, { gapBytes: 0, wasteBytes: 0, freeBytes: 1, mostBytes: 256 });
    expect(ranges.map(({ offset, bytes }) => [offset, bytes])).to.deep.equal([
      [0, 256],
      [256, 256],
      [512, 128],
    ]);
  });
});
