import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import {
  CompressedWavetable,
  GaussianMixtureCodec,
  QualityNotReachedError,
  QuantizedCodec,
  ready,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { TEST_CODECS } from '../support/codecs.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';

const DIMS = [3, 3, 2] as const;
const SHAPE = [6, 5] as const;
const METHODS = TEST_CODECS.map(({ id }) => id);

/** Few elements near the top left corner, another number of them in each node. */
function sparseNode(next: () => number): Float32Array {
  const values = new Float32Array(SHAPE[0] * SHAPE[1]);
  const count = 1 + Math.floor(8 * next());
  for (let i = 0; i < count; i++) {
    values[Math.floor(4 * next()) * SHAPE[1] + Math.floor(3 * next())] = 2 * next() - 1;
  }
  return values;
}

function twoCubes(options: object = {}): [WavetableMatrix, WavetableMatrix] {
  const next = random(7);
  const make = (more: object) =>
    new WavetableMatrix(...DIMS, { resolution: [...SHAPE], channels: 1, ...options, ...more });
  const [dense, packed] = [make({}), make({})];
  for (let cell = 0; cell < 18; cell++) {
    if (cell === 5) continue; // A hole.
    const [x, y, z] = [Math.floor(cell / 6), Math.floor(cell / 2) % 3, cell % 2];
    const node = sparseNode(next);
    dense.setNode(x, y, z, node);
    packed.setNode(x, y, z, node);
  }
  return [dense, packed];
}

/** Every node by one method, or each by another, with some left dense. */
async function compressBy(cube: WavetableMatrix, method: string): Promise<void> {
  if (method !== 'mixed') {
    for (const [x, y, z] of [...cube.positions()]) await cube.compressNode(x, y, z, { method, quality: 1 });
    return;
  }
  let i = 0;
  for (const [x, y, z] of [...cube.positions()]) {
    const chosen = [...METHODS, null][i++ % 4];
    if (chosen) await cube.compressNode(x, y, z, { method: chosen, quality: 1 });
  }
}

const coordsFor = (n: number, seed: number) => {
  const next = random(seed);
  return Float32Array.from({ length: 3 * n }, () => 4 * next() - 1);
};

eachBackend('a compressed cube', (backend) => {
  // oneHot in the test's own codec reads at once, which a GPU cannot.
  const methods = backend === 'webgpu' ? ['test-corner', 'test-gain'] : [...METHODS, 'mixed'];
  for (const method of methods) {
    const all = [{}, { boundary: 'wrap' }, { boundary: 'zero', missing: 'renormalize' }];
    for (const options of backend === 'webgpu' ? all.slice(2) : all) {
      it(`samples as the dense one: ${method}, ${JSON.stringify(options)}`, async () => {
        await withoutLeaks(async () => {
          const [dense, packed] = twoCubes({ ...options, cacheBytes: 0 });
          await compressBy(packed, method);
          const coords = coordsFor(40, 3);
          for (const resolution of [undefined, [4, 9] as const]) {
            const a = dense.sampleBatch(coords, { resolution });
            const b = packed.sampleBatch(coords, { resolution });
            expectClose(await b.data(), await a.data(), 2e-6, method);
            tf.dispose([a, b]);
          }
          const [whole, all] = [dense.toTensor(), packed.toTensor()];
          expectClose(await all.data(), await whole.data(), 1e-6);
          tf.dispose([whole, all]);
          dense.dispose();
          packed.dispose();
        });
      });
    }
  }

  it('gives a row of NaN for a coordinate that is not finite, and no gradient', async () => {
    for (const method of methods) {
      const [dense, packed] = twoCubes();
      await compressBy(packed, method);
      const coords = [
        [0.5, 1.5, 0.5],
        [Number.NaN, 0, 0],
      ];
      const got = await packed.sampleBatch(coords).data();
      const want = await dense.sampleBatch(coords).data();
      expectClose(got, want, 1e-6, method);
      if (backend !== 'webgpu' || method !== 'test-gain') {
        const grad = tf.grad((c) => tf.sum(tf.square(packed.sampleBatch(c as tf.Tensor2D))));
        const slopes = await grad(tf.tensor2d(coords)).data();
        expect([...slopes.subarray(3)]).to.deep.equal([0, 0, 0]);
      }
      dense.dispose();
      packed.dispose();
    }
  });

  it('has the dense cube’s gradient to the coordinates', async () => {
    const boundaries = ['clamp', 'reflect', 'wrap', 'zero', 'extrapolate'] as const;
    // Of WebGPU each kernel is compiled at some tenths of a second; corners are made of the same ops for all of them.
    for (const boundary of backend === 'webgpu' ? boundaries.slice(2, 4) : boundaries) {
      for (const method of methods.filter((m) => backend !== 'webgpu' || m !== 'test-gain')) {
        const [dense, packed] = twoCubes({ boundary, cacheBytes: 0 });
        await compressBy(packed, method);
        const at = tf.tensor2d([...coordsFor(20, 5), 1, 1, 1, 2, 2, 1, 0, 0, 0], [23, 3]);
        const loss = (cube: WavetableMatrix) => (c: tf.Tensor) =>
          tf.sum(tf.square(cube.sampleBatch(c as tf.Tensor2D)));
        const [want, got] = [tf.grad(loss(dense))(at), tf.grad(loss(packed))(at)];
        expectClose(await got.data(), await want.data(), 1e-5, `${boundary} ${method}`);
        dense.dispose();
        packed.dispose();
      }
    }
  });

  it('trains the parameters of its nodes, and leaves no tensor behind', async () => {
    for (const method of methods) {
      const [dense, packed] = twoCubes();
      await compressBy(packed, method);
      const cube = packed.clone({ trainable: true });
      const coords = [...coordsFor(10, 8)];
      const goal = tf.mul(dense.sampleBatch(coords), 0.5);
      const adam = tf.train.adam(0.01);
      const loss = () => tf.losses.meanSquaredError(goal, cube.sampleBatch(coords)) as tf.Scalar;
      const cost = async () => (await tf.tidy(loss).data())[0];
      const before = await cost();
      adam.minimize(loss);
      const tensors = tf.memory().numTensors;
      for (let i = 0; i < (backend === 'webgpu' ? 5 : 20); i++) adam.minimize(loss);
      expect(tf.memory().numTensors, method).to.equal(tensors);
      expect(await cost(), method).to.be.below(before * 0.97);
      // What was trained is what is stored, bit for bit.
      const bytes = await cube.toBytes();
      const back = await WavetableMatrix.fromBytes(bytes);
      const [a, b] = [cube.sampleBatch(coords), back.sampleBatch(coords)];
      expectClose(await b.data(), await a.data(), 1e-6, method);
      for (const c of [dense, packed, cube, back]) c.dispose();
    }
  });

  it('serves nodes that are needed again from decoded rows within cacheBytes, equal to the blend', async () => {
    for (const method of methods) {
      const [dense, packed] = twoCubes({ cacheBytes: 4 * 30 * 10 });
      await compressBy(packed, method);
      for (const coords of [
        [[0.3, 0.4, 0.5]],
        [[0.3, 0.4, 0.5]],
        [[0.6, 0.1, 0.5]],
        [[1.3, 1.4, 0.5]],
        [[1.6, 1.1, 0.5]],
        [[0.3, 0.4, 0.5]],
        [...coordsFor(30, 9)],
      ]) {
        const a = dense.sampleBatch(coords as number[][]);
        const b = packed.sampleBatch(coords as number[][]);
        expectClose(await b.data(), await a.data(), 1e-6, method);
      }
      const { residentBytes } = packed.getMemoryUsage();
      const bare = packed.clone().getMemoryUsage().residentBytes;
      expect(residentBytes - bare, method).to.be.at.most(2 * 4 * 30 * 10 + 1200 * 18);
      // A node that is set anew is seen at once.
      packed.setNode(0, 0, 0, new Float32Array(30).fill(3));
      expect((await packed.sample(0, 0, 0).data())[7], method).to.be.closeTo(3, 1e-6);
    }
  });

  it('keeps a node that was set while it was being compressed', async () => {
    const [, cube] = twoCubes();
    const pending = cube.compressNode(1, 1, 1, { method: 'test-corner', quality: 1 });
    const fresh = randomArray(30, random(3));
    cube.setNode(1, 1, 1, fresh);
    expect((await pending).kept).to.equal('set meanwhile');
    expect([...(await cube.getNode(1, 1, 1).data())]).to.deep.equal([...fresh]);
  });
});

describe('compressing a cube', () => {
  before(() => ready({ backend: 'cpu' }));

  it('settles the nodes that were set, as its compression says, also before it is saved', async () => {
    const cube = new WavetableMatrix(2, 1, 1, {
      resolution: [6, 5],
      channels: 1,
      compression: 'test-corner',
    });
    cube.setNode(0, 0, 0, sparseNode(random(1)));
    expect(cube.getCodec(0, 0, 0)).to.equal(null);
    const [report] = await cube.settle();
    expect(report.codec).to.equal('test-corner');
    expect(await cube.settle()).to.deep.equal([]);
    cube.setNode(1, 0, 0, sparseNode(random(2)));
    const back = await WavetableMatrix.fromBytes(await cube.toBytes());
    expect([...back.getCodecMap().values()]).to.deep.equal(['test-corner', 'test-corner']);
    expect(back.options.compression).to.deep.equal({ method: 'test-corner', quality: 0.95 });
    expect(back.getCompressionRatio()).to.equal(cube.getCompressionRatio());
  });

  it('leaves whole what does not reach the quality, and says so', async () => {
    const cube = new WavetableMatrix(2, 1, 1, { resolution: [6, 5], channels: 1 });
    const full = randomArray(30, random(4));
    cube.setNode(0, 0, 0, full);
    cube.setNode(1, 0, 0, sparseNode(random(2)));
    const seen: number[] = [];
    const reports = await cube.compressAll({
      method: 'test-dots',
      onProgress: ({ done }) => seen.push(done),
    });
    expect(reports.map(({ codec, kept }) => codec ?? kept)).to.deep.equal([
      'quality not reached',
      'test-dots',
    ]);
    expect(seen).to.deep.equal([1, 2]);
    expect([...(await cube.getNode(0, 0, 0).data())]).to.deep.equal([...full]);
    const error = await cube.compressNode(0, 0, 0, { method: 'test-dots' }).catch((e) => e);
    expect(error).to.be.instanceOf(QualityNotReachedError);
  });

  it('leaves each node whole, old or new, when it is aborted', async () => {
    const [dense, cube] = twoCubes();
    const stop = new AbortController();
    const error = await cube
      .compressAll({
        method: 'test-corner',
        signal: stop.signal,
        onProgress: ({ done }) => done === 5 && stop.abort(new Error('enough')),
      })
      .catch((e) => e);
    expect(error.message).to.equal('enough');
    expect([...cube.getCodecMap().values()].filter(Boolean).length).to.equal(5);
    const [a, b] = [dense.toTensor(), cube.toTensor()];
    expectClose(await b.data(), await a.data(), 1e-6);
  });

  it('counts every byte as stored, and gives back dense nodes as they were decoded', async () => {
    const [dense, cube] = twoCubes();
    await cube.compressAll({ method: 'test-corner' });
    const { storedBytes, denseBytes } = cube.getMemoryUsage();
    let bytes = 0;
    for (const [x, y, z] of cube.positions()) bytes += cube.getCompressed(x, y, z)?.sizeBytes ?? 120;
    expect(storedBytes).to.equal(bytes);
    expect(cube.getCompressionRatio()).to.equal(denseBytes / bytes);
    const node = cube.decompressNode(0, 1, 0);
    expect(cube.getCodec(0, 1, 0)).to.equal(null);
    expect([...(await node.data())]).to.deep.equal([...(await dense.getNode(0, 1, 0).data())]);
    cube.decompressAll();
    expect(cube.getCompressionRatio()).to.equal(1);
    expect(magnitude(await tf.sub(cube.toTensor(), dense.toTensor()).data())).to.equal(0);
  });

  it('samples in parts as small as the result needs, not as its nodes would be dense', async () => {
    const cube = new WavetableMatrix(2, 1, 1, { resolution: 64, channels: 1 });
    for (const x of [0, 1]) {
      cube.setNode(x, 0, 0, new Float32Array(4096).fill(x + 1));
      await cube.compressNode(x, 0, 0, { method: 'dct' });
    }
    const coords = [
      [0, 0, 0],
      [0.5, 0, 0],
      [1, 0, 0],
    ];
    const got: number[] = [];
    for (const { values } of cube.sampleChunks(coords, { resolution: 8, maxBytes: 600 })) {
      expect(values.size).to.be.at.most(150);
      for (let i = 0; i < values.shape[0]; i++) got.push((await values.data())[64 * i]);
    }
    expectClose(got, [1, 1.5, 2], 0.1);
  });

  it('samples many components in parts as it samples them at once', async () => {
    const cube = new WavetableMatrix(2, 1, 1, { resolution: 2, channels: 1 });
    const next = random(9);
    for (const x of [0, 1]) {
      // Of 2,048 Gaussians at eight corners 170 samples are 64 MiB.
      const values = Float32Array.from(
        { length: 6 * 2048 },
        (_, i) => [next(), next(), 2, 0, 2, next() / 99][i % 6],
      );
      const params = { general: { shape: [2048, 6], values } };
      const codec = new GaussianMixtureCodec();
      cube.setNode(x, 0, 0, CompressedWavetable.ofParameters(codec, [2, 2, 1], { params, constants: {} }));
    }
    const xs = Array.from({ length: 180 }, (_, i) => (i % 9) / 8);
    const coords = tf.tensor2d(xs.map((x) => [x, 0, 0]));
    const few = await cube.sampleBatch(tf.slice(coords, [0, 0], [9, 3])).data();
    const all = await cube.sampleBatch(coords).data();
    for (let i = 0; i < 180; i += 9) {
      expectClose(all.subarray(4 * i, 4 * i + 36), few, 1e-6 * magnitude(few));
    }
  });

  it('takes a codec with options of its own as method, and no other object', async () => {
    const cube = new WavetableMatrix(1, 1, 1, { resolution: [6, 5], channels: 1 });
    cube.setNode(0, 0, 0, randomArray(30, random(4)));
    const quality = { maxAbs: 0.02 };
    const report = await cube.compressNode(0, 0, 0, {
      method: new QuantizedCodec({ dtype: 'int8' }),
      quality,
    });
    expect(report.codec).to.equal('quantized');
    const error = await cube.compressNode(0, 0, 0, { method: {} as never }).catch((e) => e);
    expect(error.message).to.match(/method must be a name or a codec/);
  });

  it('takes compressed wavetables as nodes, and no other shape than its own', async () => {
    const codec = TEST_CODECS[0];
    const cube = new WavetableMatrix(2, 1, 1, { resolution: [6, 5], channels: 1 });
    const values = sparseNode(random(6));
    const compressed = await codec.encode({ values, shape: [6, 5, 1] }, 1);
    cube.setNodes([
      [0, 0, 0, compressed],
      [1, 0, 0, values],
    ]);
    compressed.dispose();
    expect(cube.getCodec(0, 0, 0)).to.equal('test-corner');
    expect([...(await cube.sample(0.5, 0, 0).data())]).to.deep.equal([...values]);
    const other = await codec.encode({ values: values.subarray(0, 20), shape: [4, 5, 1] }, 1);
    expect(() => cube.setNode(0, 0, 0, other)).to.throw(/wavetable must be \[6, 5, 1\], got \[4, 5, 1\]/);
    expect(() => cube.splat([[0, 0, 0]], tf.zeros([1, 6, 5, 1]))).not.to.throw();
  });
});
