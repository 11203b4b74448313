/** What only the webgpu backend promises; the kernels' values are the concern of test/ops, on all backends. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { useWebGPU } from '../../src/backends/webgpu/index.js';
import type { SamplingAttrs } from '../../src/ops/contract.js';
import { type Device, findDevice } from '../../src/ops/device.js';
import { meanSquare } from '../../src/ops/meansquare.js';
import { coordGradRows, sampleRows, splatRows } from '../../src/ops/sample.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';
import { type Field, splatOracle } from '../support/oracle.js';

interface Backend {
  device: GPUDevice;
  numDataIds(): number;
}
const backend = (): Backend => tf.backend() as unknown as Backend;

/** Sums of up to thousands of float32 terms of one sign, relative to the largest sum. */
const CROWD_TOLERANCE = 2e-6;

function attrsOf(payload: number, rows: number, change: Partial<SamplingAttrs> = {}): SamplingAttrs {
  return { boundary: [0, 0, 0], payload, half: false, firstRow: 0, rows, ordered: false, ...change };
}

describe('webgpu backend', function () {
  this.timeout(120_000);
  let device: Device;

  before(async function () {
    try {
      await useWebGPU();
    } catch (error) {
      if (/no GPU adapter|npm install webgpu/.test((error as Error).message)) this.skip();
      throw error;
    }
    device = findDevice('webgpu')!;
  });
  beforeEach(() => backend().device.pushErrorScope('validation'));
  afterEach(async () => {
    if (tf.getBackend() !== 'webgpu') return;
    const error = await backend().device.popErrorScope();
    if (error) throw new Error(`WebGPU validation: ${error.message}`);
  });

  it('useWebGPU may be called again and keeps the backend', async () => {
    const first = tf.backend();
    await useWebGPU();
    expect(tf.backend()).to.equal(first);
    expect(device.readsSync).to.equal(false);
    expect(device.maxPageBytes() % 16).to.equal(0);
    expect(device.maxPageBytes()).to.be.within(2 ** 27 - 16, 2 ** 31 - 1);
  });

  describe('writes in place', () => {
    /** Two rows of four, sampled exactly at row 1. */
    const bank = () => {
      const nodes = tf.tensor2d([1, 1, 1, 1, 2, 2, 2, 2], [2, 4]);
      const grid = tf.tensor3d([0, 1], [2, 1, 1], 'int32');
      const coords = tf.tensor2d([1, 0, 0], [1, 3]);
      return {
        nodes,
        row1: () => sampleRows(nodes, grid, coords, attrsOf(4, 2)),
        dispose: () => tf.dispose([nodes, grid, coords]),
      };
    };

    it('an op queued before sees the old row, an op queued after the new one', async () => {
      const { nodes, row1, dispose } = bank();
      const old = row1();
      device.write(nodes, 4, Float32Array.of(5, 6, 7, 8));
      const next = row1();
      device.write(nodes, 5, Float32Array.of(60));
      const last = row1();
      expect([...(await old.data())]).to.deep.equal([2, 2, 2, 2]);
      expect([...(await next.data())]).to.deep.equal([5, 6, 7, 8]);
      expect([...(await last.data())]).to.deep.equal([5, 60, 7, 8]);
      tf.dispose([old, next, last]);
      dispose();
    });

    it('a copy keeps the order too, and its source may go at once', async () => {
      const { nodes, row1, dispose } = bank();
      const old = row1();
      const source = tf.tensor1d([9, 8, 7, 6]);
      device.copy(nodes, 4, source);
      source.dispose();
      const other = tf.mul(tf.fill([4], 3), 2); // would take the buffer of `source` if that were free
      const next = row1();
      device.write(nodes, 4, Float32Array.of(0));
      const last = row1();
      expect([...(await old.data())]).to.deep.equal([2, 2, 2, 2]);
      expect([...(await next.data())]).to.deep.equal([9, 8, 7, 6]);
      expect([...(await last.data())]).to.deep.equal([0, 8, 7, 6]);
      tf.dispose([old, next, last, other]);
      dispose();
    });

    it('reads see them: after a read, and where a read was under way', async () => {
      const x = tf.fill([6], 1);
      await x.data();
      device.write(x, 0, Float32Array.of(2));
      expect((await x.data())[0]).to.equal(2);
      const under = x.data();
      device.write(x, 0, Float32Array.of(3));
      expect((await under)[0]).to.equal(2);
      expect([...(await x.data())]).to.deep.equal([3, 1, 1, 1, 1, 1]);
      x.dispose();
    });

    it('data that is still on the host is uploaded first', async () => {
      const values = Int32Array.of(1, 2, 3);
      const x = tf.tensor1d(values.slice(), 'int32');
      device.write(x, 2, Int32Array.of(7));
      expect([...(await x.data())]).to.deep.equal([1, 2, 7]);
      expect([...values]).to.deep.equal([1, 2, 3]);
      x.dispose();
    });
  });

  describe('splat without atomics', () => {
    // 40,000 samples of one element: more chunks than a group holds.
    for (const [payload, samples] of [
      [1, 40_000],
      [3, 1500],
      [8, 1500],
      [17, 1500],
    ]) {
      it(`a cell of ${0.75 * samples} samples equals the oracle and repeats bit by bit, payload ${payload}`, async () => {
        const dims: [number, number, number] = [3, 2, 3];
        const cells = [...Array(18).keys()];
        const next = random(payload);
        const coords = new Float32Array(3 * samples);
        for (let i = 0; i < coords.length; i++) {
          // Three samples in four in one cell, so that chunks begin and end inside and beside it.
          coords[i] = Math.floor(i / 3) % 4 ? 0.2 + 0.7 * next() : next() * (dims[i % 3] - 1);
        }
        const values = randomArray(samples * payload, next, 0, 1);
        const grid = tf.tensor3d(cells, dims, 'int32');
        const points = tf.tensor2d(coords.slice(), [samples, 3]);
        const v = tf.tensor2d(values.slice(), [samples, payload]);
        const field: Field = { dims, payload, boundary: ['clamp', 'clamp', 'clamp'], node: () => null };
        const want = splatOracle(field, coords, values, (cell) => cell, 18);
        const runs: Uint32Array[] = [];
        for (const ordered of [true, false, true]) {
          const out = splatRows(v, grid, points, attrsOf(payload, 18, { ordered }));
          const got = (await out.data()) as Float32Array;
          expectClose(got, want, CROWD_TOLERANCE * magnitude(want));
          runs.push(new Uint32Array(got.slice().buffer));
          out.dispose();
        }
        expect(runs[1]).to.deep.equal(runs[0]);
        expect(runs[2]).to.deep.equal(runs[0]);
        tf.dispose([grid, points, v]);
      });
    }

    it('cells that share a row all add to it', async () => {
      const rowOfCell = [0, 1, 0, 1, 0, 0, 1, 0];
      const dims: [number, number, number] = [2, 2, 2];
      const next = random(4);
      const coords = randomArray(60, next, 0, 1);
      const values = randomArray(40, next, 0, 1);
      const grid = tf.tensor3d(rowOfCell, dims, 'int32');
      const points = tf.tensor2d(coords.slice(), [20, 3]);
      const v = tf.tensor2d(values.slice(), [20, 2]);
      const out = splatRows(v, grid, points, attrsOf(2, 2));
      const field: Field = { dims, payload: 2, boundary: ['clamp', 'clamp', 'clamp'], node: () => null };
      const want = splatOracle(field, coords, values, (cell) => rowOfCell[cell], 2);
      expectClose(await out.data(), want, CROWD_TOLERANCE * magnitude(want));
      tf.dispose([grid, points, v, out]);
    });
  });

  it('what does not fit a binding is a DeviceError that names the limit, before anything runs', () => {
    const limit = backend().device.limits.maxStorageBufferBindingSize;
    const samples = 65536;
    const payload = Math.ceil(limit / 4 / samples) + 1;
    const nodes = tf.zeros([1, payload]);
    const grid = tf.zeros([1, 1, 1], 'int32') as tf.Tensor3D;
    const coords = tf.zeros([samples, 3]) as tf.Tensor2D;
    const before = [tf.memory().numTensors, backend().numDataIds()];
    expect(() => sampleRows(nodes, grid, coords, attrsOf(payload, 1)))
      .to.throw(/maxStorageBufferBindingSize of \d+ bytes, got \d+ bytes/)
      .with.property('name', 'DeviceError');
    expect(() => splatRows(coords, grid, coords, attrsOf(3, Math.ceil(limit / 12) + 1)))
      .to.throw(/maxStorageBufferBindingSize/)
      .with.property('name', 'DeviceError');
    expect([tf.memory().numTensors, backend().numDataIds()]).to.deep.equal(before);
    tf.dispose([nodes, grid, coords]);
  });

  it('kernels leave no scratch behind on the device', async () => {
    const grid = tf.tensor3d([0, 1], [2, 1, 1], 'int32');
    const coords = tf.tensor2d([0.5, 0, 0], [1, 3]);
    const nodes = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    const values = tf.tensor2d([1, 1, 1], [1, 3]);
    const before = backend().numDataIds();
    const out = [
      sampleRows(nodes, grid, coords, attrsOf(3, 2)),
      splatRows(values, grid, coords, attrsOf(3, 2)),
      coordGradRows(nodes, grid, coords, values, attrsOf(3, 2)),
      meanSquare(nodes),
    ];
    expect(backend().numDataIds()).to.equal(before + out.length);
    expectClose(await out[3].data(), [91 / 6], 1e-5);
    tf.dispose([grid, coords, nodes, values, ...out]);
  });

  it('mean square of millions equals a float64 sum, and repeats bit by bit', async () => {
    const size = 1_048_583; // odd, and more than one workgroup a stage
    const values = randomArray(size, random(7), 0, 1);
    const x = tf.tensor1d(values.slice());
    const want = values.reduce((sum, v) => sum + v * v, 0) / size;
    const runs = [meanSquare(x), meanSquare(x)];
    const [a, b] = [(await runs[0].data())[0], (await runs[1].data())[0]];
    expectClose([a], [want], 1e-6);
    expect(a).to.equal(b);
    tf.dispose([x, ...runs]);
  });
});
