/** Nodes that are set in bulk, or come from files: all or none, and no more memory than they take. */
import { expect } from 'chai';
import {
  ArgumentError,
  DCTCodec,
  DeviceError,
  FormatError,
  LosslessCodec,
  QuantizedCodec,
  ready,
  WavetableMatrix,
} from '../../src/index.js';
import { findDevice, registerDevice } from '../../src/ops/device.js';
import { random, randomArray } from '../support/numbers.js';

const node = (seed: number, size = 8) => randomArray(size * size, random(seed));
const wavetable = (seed: number, size = 8) => ({
  values: node(seed, size),
  shape: [size, size, 1] as [number, number, number],
});
const cubeOf = (options: object = {}) =>
  new WavetableMatrix(2, 2, 1, { resolution: 8, channels: 1, ...options });

class ForeignCodec extends QuantizedCodec {
  // @ts-expect-error another id than that of the codec it extends
  override readonly id = 'test-foreign';
}

/** Runs `body` on a cpu device that binds no more than `bytes`. */
function bindingAtMost(bytes: number, body: () => void): void {
  const device = findDevice('cpu')!;
  registerDevice({ ...device, maxPageBytes: () => bytes });
  try {
    body();
  } finally {
    registerDevice(device);
  }
}

describe('nodes in bulk', () => {
  before(() => ready({ backend: 'cpu' }));

  it('are all set or none: of a codec that is not provided, or a row that the device cannot bind', async () => {
    const cube = cubeOf();
    const foreign = await new ForeignCodec().encode(wavetable(1), 0.9);
    const dense = [0, 0, 0, node(2)] as const;
    expect(() => cube.setNodes([dense, [1, 0, 0, foreign]])).to.throw(ArgumentError, /test-foreign/);
    expect(cube.nodeCount).to.equal(0);

    const many = await new DCTCodec({ residual: false }).encode(wavetable(3), 0.999);
    bindingAtMost(200, () => {
      expect(() => cube.setNode(0, 0, 0, many)).to.throw(DeviceError, /has 256 bytes.*can bind 200/);
    });
    expect(cube.nodeCount).to.equal(0);
  });

  it('are all restored or none, and a message names the node', async () => {
    const good = await new LosslessCodec().encode(wavetable(1), 1);
    const bad = good.bytes.slice();
    bad[bad.length - 1] ^= 1;
    const cube = cubeOf();
    const values = node(2);
    const stored = { x: 0, y: 0, z: 0, shape: [8, 8, 1], values } as const;
    expect(() => cube.restoreNodes([stored, { x: 1, y: 1, z: 0, compressed: bad }])).to.throw(
      FormatError,
      /restoreNodes: node \(1, 1, 0\): is damaged/,
    );
    const large = { x: 1, y: 0, z: 0, shape: [16, 16, 1], values: node(3, 16) } as const;
    bindingAtMost(600, () => {
      expect(() => cube.restoreNodes([stored, { x: 1, y: 1, z: 0, compressed: good.bytes }, large])).to.throw(
        DeviceError,
        /node \(1, 0, 0\)/,
      );
    });
    expect(() => cube.restoreNodes([stored, { x: 0, y: 0, z: 0, compressed: good.bytes }])).to.throw(
      ArgumentError,
      /two nodes at \(0, 0, 0\)/,
    );
    expect(cube.nodeCount).to.equal(0);
  });

  it('of a dense cube are not made dense to be loaded', async () => {
    const cube = cubeOf({ sparse: false });
    for (const [x, y, z] of cube.positions()) cube.setNode(x, y, z, new Float32Array(64).fill(x + y));
    await cube.compressAll({ method: 'dct' });
    const bytes = await cube.toBytes();
    const device = findDevice('cpu')!;
    // Less than four dense nodes.
    registerDevice({ ...device, maxTotalBytes: 500 });
    try {
      const back = await WavetableMatrix.fromBytes(bytes);
      expect([back.sparse, back.nodeCount]).to.deep.equal([false, 4]);
      expect([...back.getCodecMap().values()]).to.deep.equal(Array(4).fill('dct'));
      expect(() => back.deleteNode(0, 0, 0)).to.throw(ArgumentError, /a dense cube has all its nodes/);
    } finally {
      registerDevice(device);
    }
  });

  it('of a dense cube are zeros where a file has none', () => {
    const options = { resolution: 8, channels: 1, sparse: false };
    const nodes = [{ x: 1, y: 0, z: 0, shape: [8, 8, 1] as const, values: node(1) }];
    const cube = WavetableMatrix.fromStored(2, 1, 1, options, nodes);
    expect(cube.nodeCount).to.equal(2);
    expect([...cube.getNode(0, 0, 0).dataSync()]).to.deep.equal(Array(64).fill(0));
    expect([...cube.getNode(1, 0, 0).dataSync()]).to.deep.equal([...node(1)]);
  });
});
