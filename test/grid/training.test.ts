import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { DeviceError, meanSquare, ready, WavetableMatrix } from '../../src/index.js';
import { BACKENDS, eachBackend, withoutLeaks } from '../support/backends.js';
import { makeCube, smoothCoords } from '../support/cubes.js';
import { expectClose, random, randomArray } from '../support/numbers.js';

eachBackend('training', () => {
  it('200 Adam steps of a trainable cube learn, leak no tensor and keep memory flat', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ dims: [3, 3, 3], trainable: true, pageBytes: 600 });
      const initial = tf.tensor2d(smoothCoords([3, 3, 3], 20), [20, 3]);
      const coords = tf.variable(initial);
      initial.dispose();
      const target = tf.tensor4d(randomArray(240, random(3)), [20, 2, 3, 2]);
      const optimizer = tf.train.adam(0.02);
      const step = () =>
        optimizer.minimize(() => meanSquare(tf.sub(cube.sampleBatch(coords), target)), true)!;
      const losses: number[] = [];
      let warm = { numTensors: 0, numBytes: 0, numDataBuffers: 0 };
      const steps = 200;
      for (let i = 0; i < steps; i++) {
        const loss = step();
        if (i % 50 === 0 || i === steps - 1) losses.push((await loss.data())[0]);
        loss.dispose();
        if (i === 1) warm = { ...tf.memory() };
      }
      const { numTensors, numBytes, numDataBuffers } = tf.memory();
      expect({ numTensors, numBytes, numDataBuffers }).to.deep.equal({
        numTensors: warm.numTensors,
        numBytes: warm.numBytes,
        numDataBuffers: warm.numDataBuffers,
      });
      expect(losses[losses.length - 1]).to.be.below(0.3 * losses[0]);
      optimizer.dispose();
      tf.dispose([coords, target]);
      cube.dispose();
    }));

  it('a batch that touches some pages trains exactly as an unpaged cube', () =>
    withoutLeaks(async () => {
      const options = { dims: [6, 2, 2] as [number, number, number], trainable: true };
      const paged = makeCube({ ...options, pageBytes: 4 * 48 });
      const whole = makeCube(options);
      expect(paged.cube.trainableVariables().length).to.be.greaterThan(3);
      const a = tf.train.adam(0.05);
      const b = tf.train.adam(0.05);
      for (let i = 0; i < 6; i++) {
        // Each step's samples lie in one cell, another each time: most pages get zeros.
        const coords = smoothCoords([2, 2, 2], 5, i).map((r, j) => (j % 3 === 0 ? r + (i % 5) : r));
        for (const [optimizer, { cube }] of [
          [a, paged],
          [b, whole],
        ] as const) {
          optimizer.minimize(() => meanSquare(cube.sampleBatch(coords)), false, cube.trainableVariables());
        }
      }
      const [p, w] = [paged.cube.toTensor(), whole.cube.toTensor()];
      // Pages add up in another order, and Adam divides a gradient's last bit by its own size.
      expectClose(await p.data(), await w.data(), 1e-5);
      tf.dispose([p, w]);
      for (const x of [a, b, paged.cube, whole.cube]) x.dispose();
    }));

  it('a page made during training comes last, so that an optimiser’s moments keep their variables', () =>
    withoutLeaks(() => {
      const cube = new WavetableMatrix(4, 4, 4, {
        resolution: 2,
        channels: 1,
        trainable: true,
        pageBytes: 32,
      });
      const node = [1, 2, 3, 4];
      for (let z = 0; z < 2; z++) cube.setNode(0, 0, z, node);
      cube.upscaleNode(0, 0, 0, 2);
      const before = cube.trainableVariables();
      for (let z = 0; z < 4; z++) cube.setNode(1, 1, z, node);
      const after = cube.trainableVariables();
      expect(after.length).to.be.greaterThan(before.length);
      expect(after.slice(0, before.length)).to.deep.equal(before);
      const ones = tf.ones([1, 2, 2, 1]);
      const grads = cube.splat([[0.5, 0.5, 0.5]], ones);
      expect(grads.map((g) => g.shape)).to.deep.equal(after.map((v) => v.shape));
      tf.dispose([ones, ...grads]);
      cube.dispose();
    }));

  it('setNode between forward and backward: gradients are those of the forward’s nodes', () =>
    withoutLeaks(async () => {
      const coords = tf.tensor2d(smoothCoords([3, 4, 3], 7), [7, 3]);
      const run = async (meddle: boolean) => {
        const { cube } = makeCube({ trainable: true });
        const grads = tf.grad((r: tf.Tensor) => {
          const out = cube.sampleBatch(r);
          if (meddle)
            for (const [x, y, z] of cube.positions()) cube.setNode(x, y, z, new Float32Array(12).fill(50));
          return tf.sum(tf.square(out));
        })(coords);
        const data = await grads.data();
        grads.dispose();
        if (meddle) {
          const after = cube.sample(1, 1, 1);
          expect((await after.data())[0]).to.equal(50);
          after.dispose();
        }
        cube.dispose();
        return data;
      };
      expectClose(await run(true), await run(false), 0);
      coords.dispose();
    }));

  it('a write between optimiser steps holds, and the optimiser goes on from it', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube({ trainable: true });
      const optimizer = tf.train.sgd(0.1);
      optimizer.minimize(
        () => meanSquare(cube.sampleBatch([[0.5, 0.5, 0.5]])),
        false,
        cube.trainableVariables(),
      );
      cube.setNode(2, 3, 2, new Float32Array(12).fill(4));
      optimizer.minimize(
        () => meanSquare(cube.sampleBatch([[0.5, 0.5, 0.5]])),
        false,
        cube.trainableVariables(),
      );
      const node = cube.getNode(2, 3, 2);
      expectClose(await node.data(), new Float32Array(12).fill(4), 0);
      node.dispose();
      optimizer.dispose();
      cube.dispose();
    }));

  it('a plain cube has no variables, and meanSquare of nothing is zero', () =>
    withoutLeaks(async () => {
      const { cube } = makeCube();
      expect(cube.trainableVariables()).to.deep.equal([]);
      cube.dispose();
      const empty = tf.zeros([0, 3]);
      const zero = meanSquare(empty);
      expect((await zero.data())[0]).to.equal(0);
      tf.dispose([empty, zero]);
    }));

  it('meanSquare equals mean(x²), with its first and second derivatives', () =>
    withoutLeaks(async () => {
      for (const n of [1, 3, 4, 1000, 70_001]) {
        const values = randomArray(n, random(n));
        const x = tf.tensor1d(values);
        const own = meanSquare(x);
        const want = values.reduce((s, v) => s + v * v, 0) / n;
        expect((await own.data())[0]).to.be.closeTo(want, 2e-6 * want);
        const g = tf.grad((y: tf.Tensor) => meanSquare(y))(x);
        expectClose(
          await g.data(),
          values.map((v) => (2 * v) / n),
          1e-6 / n,
        );
        const h = tf.grad((y: tf.Tensor) => tf.sum(tf.square(tf.grad((z: tf.Tensor) => meanSquare(z))(y))))(
          x,
        );
        expectClose(
          await h.data(),
          values.map((v) => (8 * v) / n / n),
          4e-6 / n / n,
        );
        tf.dispose([x, own, g, h]);
      }
    }));
});

describe('backends', () => {
  it('a cube outlives a change of backend through toBackend, and says so before it', async function () {
    this.timeout(60_000);
    const wasmPaths = (globalThis as { WAVECUBE_WASM_PATHS?: string }).WAVECUBE_WASM_PATHS;
    await ready({ backend: BACKENDS[0], wasmPaths });
    const { cube } = makeCube({ trainable: true, missingPart: 0.2, missing: 'renormalize' });
    const first = cube.sample(1.5, 1.5, 1.5);
    const want = await first.data();
    first.dispose();
    const variable = cube.trainableVariables()[0];
    for (const backend of [...BACKENDS.slice(1), BACKENDS[0]]) {
      await ready({ backend, wasmPaths });
      if (backend !== cube.backend) {
        expect(() => cube.sample(0, 0, 0)).to.throw(DeviceError, `toBackend('${backend}')`);
      }
      await cube.toBackend(backend);
      const out = cube.sample(1.5, 1.5, 1.5);
      expectClose(await out.data(), want, 1e-6);
      out.dispose();
      expect(cube.trainableVariables()[0]).to.equal(variable);
    }
    let refused: unknown;
    await cube.toBackend('abacus').catch((error) => {
      refused = error;
    });
    expect(refused).to.be.instanceOf(DeviceError);
    expect(cube.backend).to.equal(BACKENDS[0]);
    cube.dispose();
  });

  it('a backend that does not start leaves the one before active, and the cube where it was', async () => {
    tf.registerBackend('broken', () => {
      throw new Error('no');
    });
    await ready({ backend: 'cpu' });
    const { cube } = makeCube();
    for (const call of [() => cube.toBackend('broken'), () => ready({ backend: 'broken' })]) {
      let refused: unknown;
      await call().catch((error) => {
        refused = error;
      });
      expect(refused).to.be.instanceOf(DeviceError);
      expect(tf.getBackend()).to.equal('cpu');
    }
    cube.sample(0, 0, 0).dispose();
    cube.dispose();
    tf.removeBackend('broken');
  });

  it('a clone does not follow a cube to another backend, nor its writes', async function () {
    if (BACKENDS.length < 2) this.skip();
    const wasmPaths = (globalThis as { WAVECUBE_WASM_PATHS?: string }).WAVECUBE_WASM_PATHS;
    const [first, second] = [BACKENDS[0], BACKENDS[BACKENDS.length - 1]];
    await ready({ backend: second, wasmPaths });
    await ready({ backend: first, wasmPaths });
    const { cube, values } = makeCube();
    const twin = cube.clone();
    const moving = cube.toBackend(second);
    expect(() => cube.setNode(0, 0, 0, new Float32Array(12))).to.throw(DeviceError, 'moving');
    await moving;
    await ready({ backend: first, wasmPaths });
    twin.setNode(0, 0, 0, new Float32Array(12).fill(9));
    await ready({ backend: second, wasmPaths });
    const node = cube.getNode(0, 0, 0);
    expectClose(await node.data(), values.get(0)!, 0);
    node.dispose();
    cube.dispose();
    await ready({ backend: first, wasmPaths });
    twin.dispose();
  });

  it('ready refuses a backend that nobody registered', async () => {
    let refused: unknown;
    await ready({ backend: 'abacus' }).catch((error) => {
      refused = error;
    });
    expect(String(refused)).to.contain("got 'abacus'");
    for (const wrong of ['wasm', { bakend: 'cpu' }]) {
      let said = '';
      await ready(wrong as never).catch((error) => {
        said = error.message;
      });
      expect(said).to.match(/^ready: (options must be an object|no option is called 'bakend')/);
    }
  });

  it('a cube of more bytes than the device can bind is refused with the limit', async () => {
    await ready({ backend: 'cpu' });
    expect(() => new WavetableMatrix(2, 2, 2, { resolution: 20_000, channels: 4 })).to.throw(
      DeviceError,
      'can bind',
    );
    const cube = new WavetableMatrix(2, 2, 2, { resolution: 1024, channels: 4, sparse: true });
    const many = new Float32Array(3 * 300);
    expect(() => cube.sampleBatch(many)).to.throw(DeviceError, 'sampleChunks');
    cube.dispose();
  });
});
