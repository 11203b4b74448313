import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import {
  ArgumentError,
  CoordinateError,
  DeviceError,
  DisposedError,
  MissingNodeError,
  meanSquare,
  resample,
  ShapeError,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { makeCube, place } from '../support/cubes.js';
import { expectClose, random, randomArray } from '../support/numbers.js';
import { sampleOracle } from '../support/oracle.js';

const nodeValues = async (cube: WavetableMatrix, x: number, y: number, z: number) => {
  const t = cube.getNode(x, y, z);
  const data = await t.data<'float32'>();
  t.dispose();
  return data;
};

eachBackend('nodes of a cube', (backend) => {
  for (const dtype of ['float32', 'float16'] as const) {
    it(`what is set is what is got, ${dtype}, in any order, after deletions and reuse of rows`, () =>
      withoutLeaks(async () => {
        const { cube, values } = makeCube({ dtype });
        const [[gone], [other]] = [...values];
        cube.deleteNode(...place([3, 4, 3], gone));
        expect(cube.hasNode(...place([3, 4, 3], gone))).to.equal(false);
        expect(cube.nodeCount).to.equal(35);
        cube.deleteNode(...place([3, 4, 3], other));
        cube.setNode(...place([3, 4, 3], gone), values.get(gone)!);
        values.delete(other);
        for (const [cell, want] of values) {
          const got = await nodeValues(cube, ...place([3, 4, 3], cell));
          expectClose(got, want, dtype === 'float32' ? 0 : 2 ** -11);
        }
        cube.dispose();
      }));
  }

  it('float16 nodes stay as they were when their page grows, and when a full one is sampled', () =>
    withoutLeaks(async () => {
      const next = random(12);
      const options = { resolution: 16, channels: 1, dtype: 'float16' } as const;
      // Pages begin with 128 nodes of this size.
      const cube = new WavetableMatrix(200, 1, 1, options);
      const nodes = Array.from({ length: 200 }, () => randomArray(256, next));
      for (let x = 199; x >= 0; x--) cube.setNode(x, 0, 0, nodes[x]);
      const out = cube.sampleBatch(nodes.map((_, x) => [x, 0, 0]));
      expectClose(
        await out.data(),
        nodes.flatMap((node) => [...node]),
        2 ** -11,
      );
      out.dispose();
      expectClose(await nodeValues(cube, 3, 0, 0), nodes[3], 2 ** -11);
      cube.dispose();
    }));

  it('setNode and getNode copy: neither side sees the other’s later changes', () =>
    withoutLeaks(async () => {
      const cube = new WavetableMatrix(2, 2, 2, { resolution: [1, 4], channels: 1 });
      const mine = Float32Array.of(1, 2, 3, 4);
      cube.setNode(0, 0, 0, mine);
      mine.fill(9);
      expect([...(await nodeValues(cube, 0, 0, 0))]).to.deep.equal([1, 2, 3, 4]);
      const tensor = tf.tensor3d([5, 6, 7, 8], [1, 4, 1]);
      cube.setNode(1, 0, 0, tensor);
      const got = cube.getNode(1, 0, 0);
      cube.setNode(1, 0, 0, [0, 0, 0, 0]);
      expect([...(await got.data())]).to.deep.equal([5, 6, 7, 8]);
      expect([...(await tensor.data())]).to.deep.equal([5, 6, 7, 8]);
      tf.dispose([tensor, got]);
      cube.dispose();
    }));

  it('setNode after a sample changes later samples and not earlier ones', () =>
    withoutLeaks(async () => {
      const { cube, values, field } = makeCube();
      const at = [1.25, 2.5, 0.75];
      const before = cube.sample(1.25, 2.5, 0.75);
      const want = sampleOracle(field, at);
      const cell = (1 * 4 + 2) * 3 + 0;
      const node = randomArray(field.payload, random(77));
      values.set(cell, node);
      cube.setNode(1, 2, 0, node);
      const after = cube.sample(1.25, 2.5, 0.75);
      expectClose(await before.data(), want, 1e-6);
      expectClose(await after.data(), sampleOracle(field, at), 1e-6);
      tf.dispose([before, after]);
      cube.dispose();
    }));

  it('setNode after a sample costs a node: the page and the index stay the same tensors', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ trainable: true });
      cube.sample(0.5, 0.5, 0.5).dispose();
      const [page] = cube.trainableVariables();
      const id = page.dataId;
      const buffers = tf.memory().numDataBuffers;
      cube.setNode(1, 1, 1, new Float32Array(12));
      expect(page.dataId).to.equal(id);
      expect(tf.memory().numDataBuffers).to.equal(buffers);
      cube.dispose();
    }));

  it('setNodes sets all or, where one is wrong, none', () =>
    withoutLeaks(async () => {
      const cube = new WavetableMatrix(4, 1, 1, { resolution: 1, channels: 1 });
      cube.setNodes([
        [0, 0, 0, [1]],
        [3, 0, 0, [4]],
      ]);
      expect(() =>
        cube.setNodes([
          [1, 0, 0, [2]],
          [0, 0, 0, [9]],
          [2, 0, 0, [3, 3]],
        ]),
      ).to.throw(ShapeError, 'setNodes[2]');
      expect([...cube.positions()]).to.deep.equal([
        [0, 0, 0],
        [3, 0, 0],
      ]);
      expect((await nodeValues(cube, 0, 0, 0))[0]).to.equal(1);
      cube.dispose();
    }));

  it('nodes() yields every node once, x slowest', () =>
    withoutLeaks(async () => {
      const { cube, values } = makeCube({ missingPart: 0.5 });
      const seen: number[] = [];
      for (const { x, y, z, wavetable } of cube.nodes()) {
        const cell = (x * 4 + y) * 3 + z;
        seen.push(cell);
        expectClose(await wavetable.data(), values.get(cell)!, 0);
        wavetable.dispose();
      }
      expect(seen).to.deep.equal([...values.keys()].sort((a, b) => a - b));
      cube.dispose();
    }));

  it('a dense cube has all nodes, as zeros, and does not let go of them', () =>
    withoutLeaks(async () => {
      const cube = new WavetableMatrix(2, 2, 2, { resolution: 2, channels: 1, sparse: false });
      expect(cube.nodeCount).to.equal(8);
      expect([...(await nodeValues(cube, 1, 1, 1))]).to.deep.equal([0, 0, 0, 0]);
      expect(() => cube.deleteNode(0, 0, 0)).to.throw(ArgumentError, 'dense');
      cube.dispose();
    }));

  for (const layout of [
    {},
    { sparse: false },
    { dtype: 'float16' },
    { pageBytes: 96 },
    { trainable: true, pageBytes: 96 },
  ] as const) {
    it(`toTensor and fromTensor are inverse, ${JSON.stringify(layout)}`, () =>
      withoutLeaks(async () => {
        const values = Float32Array.from({ length: 2 * 3 * 2 * 4 }, (_, i) => i / 8);
        const source = tf.tensor(values.slice(), [2, 3, 2, 2, 2, 1]);
        const half = (layout as { dtype?: string }).dtype === 'float16' && tf.getBackend() === 'webgpu';
        if (half) {
          expect(() => WavetableMatrix.fromTensor(source, layout)).to.throw('typed array');
          source.dispose();
          return;
        }
        const cube = WavetableMatrix.fromTensor(source, layout);
        expect(cube.nodeCount).to.equal(12);
        expect([...(await nodeValues(cube, 1, 2, 0))]).to.deep.equal([...values.slice(40, 44)]);
        cube.setNode(0, 0, 0, [-1, -1, -1, -1]);
        expectClose(await source.data(), values, 0);
        const back = cube.toTensor();
        expect(back.shape).to.deep.equal([2, 3, 2, 2, 2, 1]);
        const want = values.slice();
        want.fill(-1, 0, 4);
        expectClose(await back.data(), want, 0);
        // The result may share memory: a later write must not show in it.
        cube.setNode(0, 0, 0, [7, 7, 7, 7]);
        expectClose(await back.data(), want, 0);
        tf.dispose([source, back]);
        cube.dispose();
      }));
  }

  it('toTensor has zeros where there is no node, whatever other nodes hold', () =>
    withoutLeaks(async () => {
      const cube = new WavetableMatrix(3, 1, 1, { resolution: 1, channels: 2 });
      cube.setNode(1, 0, 0, [Number.NaN, Number.POSITIVE_INFINITY]);
      const t = cube.toTensor();
      const got = await t.data();
      expect([got[0], got[1], got[4], got[5]]).to.deep.equal([0, 0, 0, 0]);
      expect(got[2]).to.be.NaN;
      t.dispose();
      cube.dispose();
    }));

  it('a clone shares until one side writes, then neither sees the other', () =>
    withoutLeaks(async () => {
      const { cube, values } = makeCube({ missingPart: 0.3, metadata: { name: 'a' } });
      const buffers = tf.memory().numDataBuffers;
      const twin = cube.clone({ trainable: true });
      expect(tf.memory().numDataBuffers).to.equal(buffers);
      const [cell, want] = [...values][0];
      const at = place([3, 4, 3], cell);
      twin.setNode(...at, new Float32Array(12).fill(3));
      expectClose(await nodeValues(cube, ...at), want, 0);
      expectClose(await nodeValues(twin, ...at), new Float32Array(12).fill(3), 0);
      expect(twin.metadata).to.deep.equal({ name: 'a' });
      expect(twin.metadata).to.not.equal(cube.metadata);
      expect(twin.trainableVariables().length).to.be.greaterThan(0);
      cube.dispose();
      expectClose(await nodeValues(twin, ...at), new Float32Array(12).fill(3), 0);
      twin.dispose();
    }));

  it('the bookkeeping is at most 48 bytes a node, and the numbers add up', () =>
    withoutLeaks(async () => {
      for (const dtype of ['float32', 'float16'] as const) {
        const { cube } = makeCube({ dims: [10, 10, 10], resolution: [1, 5], channels: 1, dtype });
        cube.sample(1.5, 1.5, 1.5).dispose();
        const usage = cube.getMemoryUsage();
        expect(usage.nodes).to.equal(1000);
        expect(usage.denseBytes).to.equal(20_000);
        expect(usage.storedBytes).to.equal(dtype === 'float32' ? 20_000 : 12_000);
        expect(usage.residentBytes).to.be.at.least(usage.storedBytes);
        expect(usage.indexBytes / usage.nodes).to.be.at.most(48);
        cube.dispose();
      }
    }));

  it('100,000 nodes of [1, 1, 3] build in under 2 s, set one by one', () => {
    const node = Float32Array.of(1, 2, 3);
    const build = () => {
      const before = performance.now();
      const cube = new WavetableMatrix(50, 50, 40, { resolution: 1, channels: 3 });
      for (let x = 0; x < 50; x++)
        for (let y = 0; y < 50; y++) for (let z = 0; z < 40; z++) cube.setNode(x, y, z, node);
      const elapsed = performance.now() - before;
      expect(cube.nodeCount).to.equal(100_000);
      cube.dispose();
      return elapsed;
    };
    // The best of a few: other programs may hold the processor.
    let best = build();
    // A software GPU takes its time for each write; the bar is wasm's.
    if (backend === 'webgpu') return;
    for (let i = 0; i < 4 && best >= 2_000; i++) best = Math.min(best, build());
    expect(best).to.be.below(2_000);
  });

  it('a trainable cube of float16 nodes is refused', () => {
    expect(() => new WavetableMatrix(2, 2, 2, { dtype: 'float16', trainable: true })).to.throw(
      ArgumentError,
      'float16',
    );
  });

  it('an x-first build samples like any other, and its rows come into cell order', () =>
    withoutLeaks(async () => {
      const cube = new WavetableMatrix(3, 3, 3, { resolution: 1, channels: 1 });
      for (let z = 0; z < 3; z++)
        for (let y = 0; y < 3; y++) for (let x = 0; x < 3; x++) cube.setNode(x, y, z, [9 * x + 3 * y + z]);
      const out = cube.sample(1.5, 0.5, 1);
      expect((await out.data())[0]).to.equal(16);
      expect(cube.rowOf(1, 2, 0)).to.deep.equal({ page: 0, row: 15 });
      cube.setNode(1, 2, 0, [-1]);
      expect((await nodeValues(cube, 1, 2, 0))[0]).to.equal(-1);
      out.dispose();
      cube.dispose();
    }));

  it('many small setNodes cost what setNode does, and make few pages', () =>
    withoutLeaks(() => {
      const cube = new WavetableMatrix(10, 10, 10, { resolution: 8, channels: 4, trainable: true });
      const node = new Float32Array(256);
      for (let x = 0; x < 10; x++)
        for (let y = 0; y < 10; y++) for (let z = 0; z < 10; z++) cube.setNodes([[x, y, z, node]]);
      expect(cube.nodeCount).to.equal(1000);
      expect(cube.trainableVariables().length).to.be.below(25);
      cube.dispose();
    }));

  it('float16 refuses what would become infinite', () =>
    withoutLeaks(() => {
      const cube = new WavetableMatrix(1, 1, 1, { resolution: 1, channels: 2, dtype: 'float16' });
      expect(() => cube.setNode(0, 0, 0, [1, 1e5])).to.throw(ArgumentError, '±65,504, got 100000');
      expect(cube.nodeCount).to.equal(0);
      cube.setNode(0, 0, 0, [65504, Number.NEGATIVE_INFINITY]);
      cube.dispose();
    }));

  it('setNodes of a new form that fails sets none and leaves no form behind', () =>
    withoutLeaks(() => {
      const cube = new WavetableMatrix(2, 1, 1, { resolution: 1, channels: 1, dtype: 'float16' });
      cube.setNode(0, 0, 0, [1]);
      cube.setGlobalResolution(2);
      const resident = cube.getMemoryUsage().residentBytes;
      const fine = tf.zeros([2, 2, 1]);
      const huge = tf.fill([2, 2, 1], 1e6);
      expect(() =>
        cube.setNodes([
          [0, 0, 0, fine],
          [1, 0, 0, huge],
        ]),
      ).to.throw(backend === 'webgpu' ? DeviceError : ArgumentError);
      expect(cube.getMemoryUsage().residentBytes).to.equal(resident);
      expect(cube.getResolution(0, 0, 0)).to.deep.equal([1, 1]);
      tf.dispose([fine, huge]);
      cube.dispose();
    }));

  it('a node that holds infinities is got as it is, under any boundary', () =>
    withoutLeaks(async () => {
      for (const options of [
        { boundary: 'wrap', trainable: true },
        { boundary: 'reflect', dtype: 'float16' },
      ] as const) {
        const cube = new WavetableMatrix(2, 2, 2, { resolution: 1, channels: 2, ...options });
        cube.setNode(1, 1, 1, [Number.POSITIVE_INFINITY, 3]);
        expect([...(await nodeValues(cube, 1, 1, 1))]).to.deep.equal([Number.POSITIVE_INFINITY, 3]);
        cube.dispose();
      }
    }));

  it('what toTensor gave does not change with later writes, its slices included', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ sparse: false });
      const all = cube.toTensor();
      const data = await all.data();
      const part = tf.slice(all, [0, 0, 0, 0, 0, 0], [1, 1, 1, 2, 3, 2]);
      const want = [data.slice(), await part.data()].map((a) => [...a]);
      all.dispose();
      for (const [x, y, z] of cube.positions()) cube.setNode(x, y, z, new Float32Array(12).fill(7));
      expect([...data]).to.deep.equal(want[0]);
      expect([...(await part.data())]).to.deep.equal(want[1]);
      part.dispose();
      cube.dispose();
    }));

  describe('several resolutions in one cube', () => {
    it('setGlobalResolution is for future nodes; samples come at the resolution set', () =>
      withoutLeaks(async () => {
        const cube = new WavetableMatrix(2, 1, 1, { resolution: [1, 8], channels: 1, periodic: { w: true } });
        const wave = (n: number) =>
          Float32Array.from({ length: n }, (_, i) => Math.sin((2 * Math.PI * (i + 0.5)) / n));
        cube.setNode(0, 0, 0, wave(8));
        cube.setGlobalResolution([1, 16]);
        expect(() => cube.setNode(1, 0, 0, wave(8))).to.throw(ShapeError, '[1, 16, 1]');
        cube.setNode(1, 0, 0, wave(16));
        expect(cube.getResolution(0, 0, 0)).to.deep.equal([1, 8]);
        expect(cube.getResolution(1, 0, 0)).to.deep.equal([1, 16]);
        // The same sine at two resolutions: everywhere between them it is that sine, at any resolution asked for.
        for (const n of [16, 8, 5, 31]) {
          const out = cube.sample(0.4, 0, 0, { resolution: [1, n] });
          expect(out.shape).to.deep.equal([1, n, 1]);
          expectClose(await out.data(), wave(n), 2e-6);
          out.dispose();
        }
        cube.dispose();
      }));

    it('upscaleNode then downscaleNode gives the node back; other nodes stay', () =>
      withoutLeaks(async () => {
        const { cube, values } = makeCube({ resolution: [4, 6], channels: 2, dims: [2, 2, 1] });
        const want = values.get(3)!;
        cube.upscaleNode(1, 1, 0, 3);
        expect(cube.getResolution(1, 1, 0)).to.deep.equal([12, 18]);
        expect(cube.nodeCount).to.equal(4);
        cube.downscaleNode(1, 1, 0, 3);
        expect(cube.getResolution(1, 1, 0)).to.deep.equal([4, 6]);
        expectClose(await nodeValues(cube, 1, 1, 0), want, 3e-6);
        expectClose(await nodeValues(cube, 0, 0, 0), values.get(0)!, 0);
        expect(() => cube.downscaleNode(1, 1, 0, 5)).to.throw(ArgumentError, 'divides');
        expect(() => cube.upscaleNode(1, 1, 0, 1.5)).to.throw(ArgumentError, 'positive integer');
        cube.dispose();
      }));
  });
});

eachBackend('bad input', () => {
  it('is refused by type, says what was expected and what came, and changes nothing', () =>
    withoutLeaks(async () => {
      const { cube, values } = makeCube();
      const wrong: [() => unknown, new (...a: never[]) => Error, string][] = [
        [
          () => cube.setNode(0, 0, 0, new Float32Array(11)),
          ShapeError,
          'wavetable must be [2, 3, 2] as a tensor or 12 numbers, got 11 values',
        ],
        [() => cube.setNode(3, 0, 0, new Float32Array(12)), CoordinateError, 'got (3, 0, 0)'],
        [() => cube.setNode(0, 0.5, 0, new Float32Array(12)), CoordinateError, 'integers'],
        [() => cube.setNode(0, -1, 0, new Float32Array(12)), CoordinateError, 'integers'],
        [() => cube.getNode(0, 0, Number.NaN), CoordinateError, 'NaN'],
        [() => cube.sample(Number.NaN, 0, 0), CoordinateError, 'finite'],
        [() => cube.sample(0, Number.POSITIVE_INFINITY, 0), CoordinateError, 'finite'],
        [() => cube.sampleBatch([[1, 2]]), ShapeError, 'coords[0] must be three numbers'],
        [() => cube.sampleBatch([['a', 0, 0]] as never), ArgumentError, 'must be a number'],
        [() => cube.sampleBatch(new Float32Array(4)), ShapeError, '3·N'],
        [() => cube.sampleBatch('x' as never), ShapeError, '[N, 3]'],
        [() => cube.sampleBatch([0, 1, 2, 3]), ShapeError, '3·N'],
        [
          () => cube.sampleBatch([[0, 0, 0]], { resolutin: 3 } as never),
          ArgumentError,
          "no option is called 'resolutin'",
        ],
        [() => cube.setNodes(5 as never), ArgumentError, 'a list of [x, y, z, wavetable], got 5'],
        [() => cube.setNodes([0, 0, 1] as never), ArgumentError, 'setNodes[0]'],
        [() => cube.setNode(0, 0, 0, [[1]] as never), ShapeError, 'nested arrays'],
        [() => cube.setNode(0, 0, 0, Array(12).fill('a') as never), ShapeError, '12 numbers'],
        [
          () => cube.sample(0, 0, 0, { method: 'cubic' as never }),
          ArgumentError,
          "sample: method must be one of 'linear', 'nearest'",
        ],
        [() => new WavetableMatrix(2, 2, 2, { resolutoin: 3 } as never), ArgumentError, "'resolutoin'"],
        [() => new WavetableMatrix(2, 2, 2, { boundary: { w: 'wrap' } } as never), ArgumentError, "'w'"],
        [() => new WavetableMatrix(2, 2, 2, { periodic: { x: true } } as never), ArgumentError, "'x'"],
        [() => new WavetableMatrix('2' as never, 2, 2), ArgumentError, 'got "2", 2, 2'],
        [() => cube.sampleBatch([[0, 0, 0]], { resolution: 0 }), ArgumentError, 'positive integer'],
        [() => cube.sampleBatch([[0, 0, 0]], { channels: [2] }), ArgumentError, 'channels'],
        [() => cube.sampleBatch([[0, 0, 0]], { method: 'cubic' as never }), ArgumentError, "'linear'"],
        [() => cube.setGlobalResolution([0, 4]), ArgumentError, 'positive integer'],
        [() => [...cube.sampleChunks([[0, 0, 0]], { maxBytes: 4 })], ArgumentError, 'maxBytes'],
        [() => new WavetableMatrix(0, 2, 2), ArgumentError, 'positive integers'],
        [() => new WavetableMatrix(2, 2, 2, { channels: 1.5 }), ArgumentError, 'channels'],
        [() => new WavetableMatrix(2, 2, 2, { boundary: 'mirror' as never }), ArgumentError, 'clamp, wrap'],
        [() => new WavetableMatrix(2, 2, 2, { missing: 'no' as never }), ArgumentError, 'renormalize'],
        [() => new WavetableMatrix(2, 2, 2, { dtype: 'int8' as never }), ArgumentError, 'float16'],
        [() => new WavetableMatrix(2, 2, 2, { blend: 'nlerp', channels: 3 }), ArgumentError, '4 channels'],
        [() => new WavetableMatrix(2, 2, 2, { pageBytes: 0 }), ArgumentError, 'pageBytes'],
        [() => new WavetableMatrix(1024, 1024, 1024, { resolution: 1, channels: 1 }), ArgumentError, 'cells'],
      ];
      for (const [call, type, message] of wrong) expect(call, message).to.throw(type, message);
      expect(cube.nodeCount).to.equal(36);
      for (const [cell, want] of values) {
        expectClose(await nodeValues(cube, ...place([3, 4, 3], cell)), want, 0);
      }
      cube.dispose();
    }));

  it('tensors of another rank, shape or dtype, or disposed ones, are refused', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube();
      const rank = tf.zeros([3]);
      const shape = tf.zeros([4, 2]);
      const integer = tf.zeros([4, 3], 'int32');
      const gone = tf.zeros([4, 3]);
      gone.dispose();
      const values = tf.zeros([1, 2, 3, 3]);
      const goneNode = tf.zeros([2, 3, 2]);
      goneNode.dispose();
      const integerNode = tf.zeros([2, 3, 2], 'int32');
      expect(() => cube.sampleBatch(rank)).to.throw(ShapeError, 'got [3]');
      expect(() => cube.sampleBatch(shape)).to.throw(ShapeError, 'got [4, 2]');
      expect(() => cube.sampleBatch(integer)).to.throw(ArgumentError, 'int32');
      expect(() => cube.sampleBatch(gone)).to.throw(DisposedError, 'disposed');
      expect(() => cube.splat([[0, 0, 0]], values)).to.throw(ShapeError, '[1, 2, 3, 2]');
      expect(() => cube.splat([[0, 0, 0]], integerNode)).to.throw(ArgumentError, 'values must be float32');
      expect(() => cube.splat([[0, 0, 0]], null as never)).to.throw(
        ArgumentError,
        'values must be a tensor, got null',
      );
      expect(() => meanSquare(integer)).to.throw(ArgumentError, 'float32');
      expect(() => meanSquare([1] as never)).to.throw(ArgumentError, 'a tensor, got [1]');
      expect(() => resample(shape as never, 2, 2, { h: false, w: false })).to.throw(
        ShapeError,
        '[N, H, W, C]',
      );
      expect(() => WavetableMatrix.fromTensor([[1]] as never)).to.throw(ArgumentError, 'a tensor');
      expect(() => cube.setNode(0, 0, 0, goneNode)).to.throw(DisposedError, 'disposed');
      expect(() => cube.setNode(0, 0, 0, integerNode)).to.throw(ArgumentError, 'int32');
      expect(() => cube.setNode(0, 0, 0, rank)).to.throw(ShapeError, '[2, 3, 2]');
      expect(() => WavetableMatrix.fromTensor(rank)).to.throw(ShapeError, '[X, Y, Z, H, W, C]');
      tf.dispose([rank, shape, integer, values, integerNode]);
      cube.dispose();
    }));

  it('a node too large for the device is refused before anything is made, and the cube goes on', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: [2, 1, 1], resolution: 1, channels: 1 });
      expect(() => cube.upscaleNode(0, 0, 0, 40_000)).to.throw(DeviceError, 'can bind');
      cube.setGlobalResolution(40_000);
      expect(() => cube.setNode(0, 0, 0, { length: 1.6e9, 0: 1 } as never)).to.throw(ShapeError);
      expect(cube.nodeCount).to.equal(2);
      cube.setGlobalResolution(1);
      cube.sample(0.5, 0, 0).dispose();
      cube.dispose();
    }));

  it('a write that fails leaves no trace: no bank, no page, no tensor', () =>
    withoutLeaks(async () => {
      if (tf.getBackend() !== 'wasm') return;
      const { cube } = makeCube({ dims: [2, 1, 1], resolution: 1, channels: 1 });
      // Ballast until less than a node of 1 GiB fits.
      const ballast: tf.Tensor[] = [];
      try {
        for (;;) ballast.push(tf.buffer([2 ** 27]).toTensor());
      } catch (error) {
        expect(error).to.be.instanceOf(DeviceError);
      }
      cube.setGlobalResolution([2 ** 14, 2 ** 14]);
      const before = { ...tf.memory() };
      expect(() => cube.setNode(0, 0, 0, new Float32Array(2 ** 28))).to.throw(DeviceError, 'exhausted');
      expect(tf.memory().numTensors).to.equal(before.numTensors);
      tf.dispose(ballast);
      cube.setGlobalResolution(1);
      const out = cube.sample(0.5, 0, 0);
      expect(out.shape).to.deep.equal([1, 1, 1]);
      out.dispose();
      cube.dispose();
    }));

  it('a dense cube that cannot fit is refused with its size, and nothing of it stays', () =>
    withoutLeaks(() => {
      if (tf.getBackend() !== 'wasm') return;
      const bytes = tf.memory().numBytes;
      expect(() => new WavetableMatrix(64, 64, 64, { sparse: false })).to.throw(DeviceError, '1024.0 GiB');
      expect(tf.memory().numBytes).to.equal(bytes);
    }));

  it('rowOf says where a node lies in the variables and in splat', () =>
    withoutLeaks(async () => {
      const { cube, values } = makeCube({ trainable: true, pageBytes: 200 });
      for (const [cell, want] of values) {
        const { page, row } = cube.rowOf(...place([3, 4, 3], cell));
        const variable = cube.trainableVariables()[page];
        const held = tf.slice(variable, [row, 0], [1, 12]);
        expectClose(await held.data(), want, 0);
        held.dispose();
      }
      const [x, y, z] = place([3, 4, 3], 17);
      const ones = tf.ones([1, 2, 3, 2]);
      const splat = cube.splat([x, y, z], ones);
      const { page, row } = cube.rowOf(x, y, z);
      expect((await splat[page].array())[row]).to.deep.equal(Array(12).fill(1));
      tf.dispose([ones, ...splat]);
      cube.dispose();
      const empty = new WavetableMatrix(1, 1, 1, { resolution: 1, channels: 1 });
      expect(() => empty.rowOf(0, 0, 0)).to.throw(MissingNodeError);
      empty.dispose();
    }));

  it('an absent node is named; deleting it again is an error', () =>
    withoutLeaks(() => {
      const cube = new WavetableMatrix(2, 2, 2, { resolution: 1, channels: 1 });
      expect(() => cube.getNode(1, 0, 1)).to.throw(MissingNodeError, '(1, 0, 1)');
      expect(() => cube.deleteNode(1, 0, 1)).to.throw(MissingNodeError, '(1, 0, 1)');
      expect(() => cube.getResolution(1, 0, 1)).to.throw(MissingNodeError, '(1, 0, 1)');
      cube.dispose();
    }));

  it('every call after dispose throws, and dispose may be repeated', () =>
    withoutLeaks(() => {
      const { cube } = makeCube();
      cube[Symbol.dispose]();
      cube.dispose();
      expect(cube.disposed).to.equal(true);
      const calls = [
        () => cube.setNode(0, 0, 0, new Float32Array(12)),
        () => cube.sample(0, 0, 0),
        () => cube.sampleBatch([[0, 0, 0]]),
        () => cube.getNode(0, 0, 0),
        () => cube.getMemoryUsage(),
        () => cube.visualizeSlice(),
        () => cube.trainableVariables(),
        () => cube.toTensor(),
        () => cube.clone(),
      ];
      for (const call of calls) expect(call).to.throw(DisposedError, 'the cube is disposed');
    }));
});
