/** Opened cubes: the same cube as the loaded one, of nodes that are read when they are needed, and not before or twice. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { openedOf } from '../../src/grid/lazy/opened.js';
import {
  ArgumentError,
  BOUNDARIES,
  DCTCodec,
  DeviceError,
  FormatError,
  LosslessCodec,
  METHODS,
  MissingNodeError,
  MultiResolutionWavetableMatrix,
  NotResidentError,
  open,
  type SampleOptions,
  WavetableMatrix,
} from '../../src/index.js';
import { findDevice } from '../../src/ops/device.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { type CubeOptions, giveTangents, makeCube } from '../support/cubes.js';
import { failureOf, mixedCoords, same } from '../support/lazycubes.js';
import { type LazyFile, lazyFile } from '../support/lazyfiles.js';
import { random, randomArray } from '../support/numbers.js';

const DIMS: [number, number, number] = [4, 3, 3];
/** Bytes of a node [2, 3, 2]. */
const NODE = 48;

/** A cube, and the same as it is opened from a file. */
async function both(
  options: CubeOptions & { maxResidentBytes?: number } = {},
): Promise<{ cube: WavetableMatrix; opened: WavetableMatrix; file: LazyFile; dispose(): void }> {
  const { maxResidentBytes, ...rest } = options;
  const { cube } = makeCube({ dims: DIMS, ...rest });
  const file = await lazyFile(cube);
  const opened = await WavetableMatrix.open(file.bytes, { maxResidentBytes });
  const dispose = () => {
    cube.dispose();
    opened.dispose();
    expect(file.open, 'open holders').to.equal(0);
  };
  return { cube, opened, file, dispose };
}

/** A cube of nodes of three forms, dense and compressed. */
async function mixedCube(): Promise<MultiResolutionWavetableMatrix> {
  const cube = new MultiResolutionWavetableMatrix(3, 3, 2, {
    resolution: 8,
    channels: 1,
    autoCompress: false,
    cacheBytes: 0,
  });
  const next = random(3);
  const codecs = [new DCTCodec({ residual: false }), new LosslessCodec()];
  let i = 0;
  for (let x = 0; x < 3; x++)
    for (let y = 0; y < 3; y++)
      for (let z = 0; z < 2; z++, i++) {
        const size = i % 2 ? 8 : 12;
        const values = randomArray(size * size, next);
        if (i % 4 < 2) cube.setNode(x, y, z, values, { resolution: size });
        else {
          const packed = await codecs[i % 2].encode({ values, shape: [size, size, 1] }, i % 2 ? 1 : 0.9);
          cube.setNode(x, y, z, packed);
          packed.dispose();
        }
      }
  return cube;
}

eachBackend('opened cubes', (backend) => {
  for (const missing of ['zero', 'renormalize'] as const) {
    it(`sample as the loaded cube does, by every method and boundary, with room for four nodes; missing ${missing}`, () =>
      withoutLeaks(async () => {
        for (const boundary of BOUNDARIES) {
          const test = makeCube({ boundary, missing, missingPart: 0.3, dims: DIMS });
          giveTangents(test);
          const { cube } = test;
          const file = await lazyFile(cube);
          const coords = mixedCoords(DIMS, 6, 11, boundary === 'error' ? 0 : 0.7);
          const opened = await WavetableMatrix.open(file.bytes, { maxResidentBytes: 4 * NODE });
          for (const method of METHODS) {
            if (missing === 'renormalize' && (method === 'bspline' || method === 'monotone')) continue;
            const options: SampleOptions = { method, resolution: method === 'nearest' ? [4, 6] : undefined };
            const samples = await opened.sampleBatchAsync(coords, options);
            await same(samples, cube.sampleBatch(coords, options));
          }
          opened.dispose();
          cube.dispose();
          expect(file.open).to.equal(0);
        }
      }));
  }

  it('sample float16 nodes, compressed ones, and nodes of mixed resolutions as the loaded cube does', () =>
    withoutLeaks(async () => {
      const coords = mixedCoords([3, 3, 2], 12, 5, 0.4);
      const mixed = await mixedCube();
      const half = makeCube({ dims: [3, 3, 2], dtype: 'float16', missingPart: 0.2 }).cube;
      for (const cube of [mixed, half]) {
        const file = await lazyFile(cube);
        const opened = await open(file.bytes, { maxResidentBytes: 600 });
        expect(opened.constructor).to.equal(cube.constructor);
        if (!(opened instanceof WavetableMatrix)) throw new Error('a cube');
        for (const method of ['linear', 'cardinal', 'bspline'] as const) {
          await same(await opened.sampleBatchAsync(coords, { method }), cube.sampleBatch(coords, { method }));
        }
        opened.dispose();
        cube.dispose();
      }
    }));

  it('read nothing but what samples touch, and each node once while it is at hand', () =>
    withoutLeaks(async () => {
      const { opened, file, dispose } = await both();
      expect(file.calls).to.equal(0);
      (await opened.sampleBatchAsync([0.5, 0.5, 0.5])).dispose();
      expect(file.reads.length).to.equal(8);
      // On a node its neighbours weigh nothing; a sample needs them not, a gradient does.
      (await opened.sampleBatchAsync([3, 2, 2])).dispose();
      expect(file.reads.length).to.equal(9);
      await opened.prefetch([[2, 1, 1]]);
      expect(file.reads.length).to.equal(16);
      await Promise.all([opened.prefetch(), opened.prefetch(), opened.prefetch([1.5, 0.5, 0.5])]);
      expect(file.reads.length).to.equal(opened.nodeCount);
      expect(new Set(file.reads).size).to.equal(opened.nodeCount);
      const before = file.calls;
      await opened.prefetch();
      tf.dispose([opened.sample(1.2, 0.1, 1.9), opened.toTensor(), opened.getNode(1, 1, 1)]);
      expect(file.calls).to.equal(before);
      dispose();
    }));

  it('know every node without reading one', () =>
    withoutLeaks(async () => {
      const cube = await mixedCube();
      const file = await lazyFile(cube);
      const opened = await MultiResolutionWavetableMatrix.open(new Blob([file.bytes as BlobPart]));
      expect([...opened.positions()]).to.deep.equal([...cube.positions()]);
      expect(opened.nodeCount).to.equal(cube.nodeCount);
      expect(opened.getCodecMap()).to.deep.equal(cube.getCodecMap());
      expect(opened.getResolutionMap()).to.deep.equal(cube.getResolutionMap());
      const [is, was] = [opened.getMemoryUsage(), cube.getMemoryUsage()];
      expect([is.nodes, is.denseBytes, is.storedBytes]).to.deep.equal([
        was.nodes,
        was.denseBytes,
        was.storedBytes,
      ]);
      expect(is.residentBytes).to.equal(0);
      expect(opened.hasNode(0, 0, 0)).to.equal(true);
      expect(opened.options).to.deep.equal(cube.options);
      expect(file.calls).to.equal(0);
      opened.dispose();
      cube.dispose();
    }));

  it('name the nodes that a call at once needs and that are still in the file', () =>
    withoutLeaks(async () => {
      const { cube, opened, file, dispose } = await both();
      const named = (body: () => unknown, nodes: number[][]) => {
        let error: unknown;
        try {
          body();
        } catch (thrown) {
          error = thrown;
        }
        expect(error).to.be.instanceOf(NotResidentError);
        expect((error as NotResidentError).nodes).to.deep.equal(nodes);
      };
      const edge = [
        [1, 2, 2],
        [2, 2, 2],
      ];
      const all = [...cube.positions()];
      await opened.prefetch([0, 0, 0.5]);
      named(() => opened.sample(1.5, 2, 2), edge);
      named(() => opened.sampleBatch([0, 0, 0, 1.5, 2, 2]), edge);
      named(() => [...opened.sampleChunks([0, 0, 0, 1.5, 2, 2], { maxBytes: NODE })], edge);
      const values = tf.zeros([1, 2, 3, 2]);
      named(() => opened.splat([1.5, 2, 2], values), edge);
      values.dispose();
      named(() => opened.getNode(1, 2, 2), [edge[0]]);
      named(() => opened.decompressNode(1, 2, 2), [edge[0]]);
      named(() => opened.getCompressed(1, 2, 2), [edge[0]]);
      named(() => opened.rowOf(1, 2, 2), [edge[0]]);
      named(() => opened.downscaleNode(1, 2, 2, 2), [edge[0]]);
      const away = all.filter((node) => !file.reads.includes(node.join('_')));
      named(() => opened.toTensor(), away);
      named(() => opened.sample(0, 0, 0, { method: 'bspline' }), away);
      named(() => opened.clone({ trainable: true }), away);
      expect(() => opened.visualizeSlice({ index: 2 })).to.throw(NotResidentError);
      expect(() => opened.deleteNode(9, 0, 0)).to.throw('indices');
      expect(() => opened.getNode(3, 2, 2)).to.throw(/still in the file; await prefetch/);
      tf.dispose([opened.sample(0, 0, 0.25), opened.getNode(0, 0, 1)]);
      dispose();
    }));

  it('wait for coordinates that a GPU holds, and say so where they cannot', () =>
    withoutLeaks(async () => {
      const { cube, opened, dispose } = await both();
      const values = mixedCoords(DIMS, 4, 9);
      const coords = tf.tensor2d(values, [4, 3]);
      const refused = findDevice(backend)?.readsSync ? NotResidentError : DeviceError;
      expect(() => opened.sampleBatch(coords)).to.throw(refused, /sampleBatchAsync/);
      const samples = opened.sampleBatchAsync(coords);
      const later = opened.prefetch(coords);
      // As they were at the time of the call.
      coords.dispose();
      await same(await samples, cube.sampleBatch(values));
      await later;
      await opened.prefetch();
      const again = tf.tensor2d(values, [4, 3]);
      await same(opened.sampleBatch(again), cube.sampleBatch(again));
      again.dispose();
      dispose();
    }));

  it('keep what is read within the bound, whatever forms the nodes have, and what was set beyond it', () =>
    withoutLeaks(async () => {
      const cube = await mixedCube();
      const file = await lazyFile(cube);
      const limit = 3000;
      const opened = await MultiResolutionWavetableMatrix.open(file.bytes, { maxResidentBytes: limit });
      // Rows of banks, as they are allocated, and containers; what is decoded of them is bounded by cacheBytes.
      const held = () => openedOf(opened)!.file.residency.residentBytes;
      // Of the nodes that one sample needs.
      const most = 8 * (12 * 12 * 4 + 600);
      const next = random(8);
      for (let i = 0; i < 60; i++) {
        const at = [2 * next(), 2 * next(), next()];
        await opened.prefetch(at);
        expect(held()).to.be.at.most(limit + most);
        await same(await opened.sampleBatchAsync(at), cube.sampleBatch(at));
        expect(held()).to.be.at.most(limit);
      }
      expect(file.reads.length).to.be.above(2 * opened.nodeCount);
      const own = randomArray(64, random(1));
      opened.setNode(1, 1, 1, own, { resolution: 8 });
      cube.setNode(1, 1, 1, own, { resolution: 8 });
      const before = file.reads.length;
      for (let i = 0; i < 10; i++) {
        const at = [2 * next(), 2 * next(), next()];
        await same(await opened.sampleBatchAsync(at), cube.sampleBatch(at));
      }
      expect(file.reads.slice(before)).to.not.include('1_1_1');
      opened.dispose();
      cube.dispose();
    }));

  it('sample batches that need more than is kept in parts, in the order that they were given', () =>
    withoutLeaks(async () => {
      const { cube, opened, file, dispose } = await both({ maxResidentBytes: 10 * NODE, dims: [6, 5, 4] });
      const coords = mixedCoords([6, 5, 4], 200, 4);
      await same(await opened.sampleBatchAsync(coords), cube.sampleBatch(coords));
      expect(opened.getMemoryUsage().residentBytes).to.be.at.most(10 * NODE);
      // Neighbours go together: not eight nodes a sample.
      expect(file.reads.length).to.be.below(6 * opened.nodeCount);
      dispose();
    }));

  it('are not disturbed by calls at once that need room', () =>
    withoutLeaks(async () => {
      const { cube, opened, dispose } = await both({ maxResidentBytes: 9 * NODE });
      const batches = Array.from({ length: 12 }, (_, i) => mixedCoords(DIMS, 3, 20 + i));
      const samples = await Promise.all(batches.map((coords) => opened.sampleBatchAsync(coords)));
      for (const [i, coords] of batches.entries()) await same(samples[i], cube.sampleBatch(coords));
      expect(opened.getMemoryUsage().residentBytes).to.be.at.most(9 * NODE);
      dispose();
    }));

  it('take what is set and deleted as any cube, before, while and after nodes are read', () =>
    withoutLeaks(async () => {
      const { cube, opened, file, dispose } = await both({ missing: 'renormalize' });
      const own = randomArray(12, random(2));
      const change = (to: WavetableMatrix, x: number) => {
        to.setNode(x, 0, 0, own);
        to.deleteNode(x, 1, 0);
      };
      change(opened, 0);
      change(cube, 0);
      expect(opened.nodeCount).to.equal(cube.nodeCount);
      expect(opened.hasNode(0, 1, 0)).to.equal(false);
      let changed = false;
      file.before = () => {
        if (!changed) change(opened, 1);
        changed = true;
      };
      await opened.prefetch();
      change(cube, 1);
      change(opened, 2);
      change(cube, 2);
      expect([...opened.positions()]).to.deep.equal([...cube.positions()]);
      expect(file.reads).to.not.include.members(['0_0_0', '0_1_0']);
      const coords = mixedCoords(DIMS, 20, 6);
      await same(opened.sampleBatch(coords), cube.sampleBatch(coords));
      await same(opened.getNode(1, 0, 0), cube.getNode(1, 0, 0));
      expect(() => opened.getNode(1, 1, 0)).to.throw(MissingNodeError);
      dispose();
    }));

  it('have the zeros of a dense cube that its file does not hold', () =>
    withoutLeaks(async () => {
      const { cube: sparse } = makeCube({ dims: DIMS, missingPart: 0.5 });
      const cube = new WavetableMatrix(...DIMS, {
        resolution: [2, 3],
        channels: 2,
        sparse: false,
        missing: 'error',
      });
      for (const { x, y, z, wavetable } of sparse.nodes()) {
        cube.setNode(x, y, z, await wavetable.data<'float32'>());
        wavetable.dispose();
      }
      const contents = { ...sparse.contents(), options: cube.options };
      const file = await lazyFile({ contents: () => contents } as WavetableMatrix);
      const opened = await WavetableMatrix.open(file.bytes);
      expect(opened.nodeCount).to.equal(cube.nodeCount);
      expect([...opened.positions()].length).to.equal(36);
      const coords = mixedCoords(DIMS, 20, 6);
      for (const method of ['linear', 'monotone', 'bspline'] as const) {
        await same(await opened.sampleBatchAsync(coords, { method }), cube.sampleBatch(coords, { method }));
      }
      for (const [x, y, z] of cube.positions()) await same(opened.getNode(x, y, z), cube.getNode(x, y, z));
      const [one] = [...cube.positions()].filter(([x, y, z]) => !sparse.hasNode(x, y, z));
      opened.upscaleNode(...one, 2);
      expect(opened.getResolution(...one)).to.deep.equal([4, 6]);
      expect(opened.nodeCount).to.equal(36);
      expect(() => opened.deleteNode(...one)).to.throw(ArgumentError, /dense/);
      for (const each of [cube, sparse, opened]) each.dispose();
      expect(file.open).to.equal(0);
    }));

  it('compress nodes of the file as their turn comes, within the bound', () =>
    withoutLeaks(async () => {
      const { cube, opened, dispose } = await both({
        maxResidentBytes: 4 * NODE,
        resolution: [8, 8],
        channels: 1,
      });
      const method = { method: 'quantized', quality: { maxAbs: 0.05 } };
      const [reports, expected] = [await opened.compressAll(method), await cube.compressAll(method)];
      expect(reports).to.deep.equal(expected);
      expect(opened.getCodecMap()).to.deep.equal(cube.getCodecMap());
      expect([...opened.getCodecMap().values()]).to.include('quantized');
      const coords = mixedCoords(DIMS, 10, 3);
      await same(await opened.sampleBatchAsync(coords), cube.sampleBatch(coords));
      dispose();
    }));

  it('keep to the policies of missing nodes before they read', () =>
    withoutLeaks(async () => {
      const { opened, file, dispose } = await both({ missing: 'error', missingPart: 0.4 });
      const coords = mixedCoords(DIMS, 30, 6, 0);
      expect(await failureOf(opened.sampleBatchAsync(coords))).to.be.instanceOf(MissingNodeError);
      expect(() => opened.sampleBatch(coords)).to.throw(MissingNodeError);
      expect(file.calls).to.equal(0);
      dispose();
    }));

  const move = () =>
    withoutLeaks(async () => {
      const { cube, opened, dispose } = await both();
      await opened.prefetch([0.5, 0.5, 0.5]);
      await opened.toBackend('cpu');
      await cube.toBackend('cpu');
      const coords = mixedCoords(DIMS, 10, 3);
      await same(await opened.sampleBatchAsync(coords), cube.sampleBatch(coords));
      dispose();
      await tf.setBackend('wasm');
    });
  if (backend === 'wasm') it('move to a backend with what is at hand, and go on there', move);

  it('answer to sampleBatchAsync and prefetch as any cube does', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: DIMS });
      const coords = mixedCoords(DIMS, 10, 3);
      await cube.prefetch(coords);
      await same(await cube.sampleBatchAsync(coords), cube.sampleBatch(coords));
      expect(await failureOf(cube.prefetch([1, 2]))).to.be.instanceOf(ArgumentError);
      expect(
        await failureOf(cube.sampleBatchAsync(coords, { signal: AbortSignal.abort(new Error('no')) })),
      ).to.have.property('message', 'no');
      cube.dispose();
    }));
});

describe('open', () => {
  it('refuses formats that are not read by the node, trainable cubes and misspelt options, and closes the source', async () => {
    const { cube } = makeCube({ dims: [1, 1, 1] });
    expect(await failureOf(open(await cube.toBytes('npz'))))
      .to.be.instanceOf(FormatError)
      .with.property('message')
      .that.matches(/load\(\).*wavecube convert/);
    const trainable = makeCube({ dims: [1, 1, 1], trainable: true }).cube;
    const file = await lazyFile(trainable);
    const refused = await failureOf(WavetableMatrix.open(file.bytes));
    expect(refused)
      .to.be.instanceOf(ArgumentError)
      .with.property('message')
      .that.matches(/load\(\)/);
    expect(file.open).to.equal(0);
    expect(await failureOf(open(file.bytes, { maxResidentByte: 1 } as object))).to.be.instanceOf(
      ArgumentError,
    );
    expect(await failureOf(open(file.bytes, { maxResidentBytes: -1 }))).to.be.instanceOf(ArgumentError);
    expect(await failureOf(open(7 as never))).to.be.instanceOf(ArgumentError);
    expect(await failureOf(open(new Uint8Array(100)))).to.be.instanceOf(FormatError);
    cube.dispose();
    trainable.dispose();
  });
});
