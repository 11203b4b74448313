import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { OctaveLayer, WavetableLayer } from '../../models/index.js';
import { ArgumentError, OctaveHierarchy, ShapeError, sampleGrid, WavetableMatrix } from '../../src/index.js';
import { eachBackend } from '../support/backends.js';
import { random, randomArray } from '../support/numbers.js';

/** What model.save hands over, and tf.loadLayersModel takes. */
async function savedAndLoaded(model: tf.LayersModel): Promise<tf.LayersModel> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  const saver = tf.io.withSaveHandler(async (given) => {
    artifacts = given;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  });
  await model.save(saver);
  // Through JSON and bytes, as a file would.
  const topology = JSON.parse(JSON.stringify(artifacts!.modelTopology));
  return tf.loadLayersModel(tf.io.fromMemory({ ...artifacts!, modelTopology: topology }));
}

const places = (n: number) => {
  const next = random(4);
  return tf.tensor2d(Float32Array.from({ length: 3 * n }, next), [n, 3]);
};

eachBackend('WavetableLayer', (backend) => {
  it('gives what a cube with its nodes gives, by every boundary and method that it takes', async () => {
    for (const boundary of ['clamp', 'wrap', { x: 'reflect', y: 'zero', z: 'extrapolate' }] as const) {
      const layer = new WavetableLayer({
        width: 4,
        height: 3,
        depth: 5,
        resolution: [2, 3],
        channels: 2,
        boundary,
      });
      const next = random(2);
      const nodes = tf.tensor(randomArray(4 * 3 * 5 * 12, next), [4, 3, 5, 2, 3, 2]);
      const cube = WavetableMatrix.fromTensor(nodes, { boundary });
      layer.setFromCube(cube);
      const coords = tf.tidy(() => tf.mul(places(9), 6).sub(1)) as tf.Tensor2D;
      const difference = tf.tidy(() =>
        tf.max(tf.abs(tf.sub(layer.apply(coords) as tf.Tensor, cube.sampleBatch(coords)))),
      );
      expect((await difference.data())[0]).to.be.below(1e-6);
      const back = layer.toCube();
      const same = tf.tidy(() => tf.max(tf.abs(tf.sub(back.toTensor(), nodes))));
      expect((await same.data())[0]).to.equal(0);
      tf.dispose([nodes, coords, difference, same]);
      cube.dispose();
      back.dispose();
      layer.dispose();
    }
  });

  it('trains in a model, and survives save and load with its nodes and settings', async () => {
    const model = tf.sequential({
      layers: [
        new WavetableLayer({
          inputShape: [3],
          width: 5,
          height: 4,
          depth: 1,
          channels: 3,
          coordinates: 'unit',
          stddev: 0.1,
          boundary: { y: 'reflect' },
        }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 1 }),
      ],
    });
    expect(model.outputs[0].shape).to.deep.equal([null, 1]);
    const x = places(200);
    const y = tf.tidy(() => tf.mul(tf.slice(x, [0, 0], [-1, 1]), tf.slice(x, [0, 1], [-1, 1])));
    model.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
    // SwiftShader takes long for a step.
    const [epochs, part] = backend === 'webgpu' ? [5, 0.4] : [12, 0.1];
    const { history } = await model.fit(x, y, { epochs, batchSize: 50, verbose: 0 });
    const losses = history.loss as number[];
    expect(losses[losses.length - 1]).to.be.below(part * losses[0]);
    const loaded = await savedAndLoaded(model);
    const difference = tf.tidy(() =>
      tf.max(tf.abs(tf.sub(model.predict(x) as tf.Tensor, loaded.predict(x) as tf.Tensor))),
    );
    expect((await difference.data())[0]).to.equal(0);
    expect(loaded.layers[0].getConfig()).to.deep.equal(model.layers[0].getConfig());
    tf.dispose([x, y, difference]);
    model.dispose();
    loaded.dispose();
  });

  it('passes gradients on to what makes its coordinates', async () => {
    const dense = tf.layers.dense({ units: 3, inputShape: [2], kernelInitializer: 'glorotNormal' });
    const layer = new WavetableLayer({
      width: 4,
      height: 4,
      depth: 4,
      channels: 1,
      stddev: 1,
      boundary: 'wrap',
    });
    const model = tf.sequential({ layers: [dense, layer] });
    const x = tf.tensor2d([0.5, 1, 1.5, 2], [2, 2]);
    const { value, grads } = tf.variableGrads(() => tf.sum(model.apply(x) as tf.Tensor));
    for (const gradient of Object.values(grads)) {
      const size = tf.tidy(() => tf.sum(tf.abs(gradient)));
      expect((await size.data())[0]).to.be.above(0);
      size.dispose();
    }
    tf.dispose([value, grads, x]);
    model.dispose();
  });
});

eachBackend('OctaveLayer', () => {
  const levels = { octaveLevels: [-1, 0, 1], gridScale: 2, offset: 'half-cell', channels: 2 } as const;

  it('blends its octaves as a hierarchy with its nodes does', async () => {
    for (const basis of ['levels', 'laplacian'] as const) {
      const layer = new OctaveLayer({ width: 6, height: 4, depth: 1, ...levels, basis, stddev: 1 });
      const coords = tf.tidy(() => tf.mul(places(12), tf.tensor1d([5, 3, 0]))) as tf.Tensor2D;
      const octaves = tf.tidy(() => tf.linspace(-1.5, 1.5, 12).reshape([12, 1]));
      const got = layer.apply([coords, octaves]) as tf.Tensor;
      const hierarchy = new OctaveHierarchy(6, 4, 1, { ...levels, basis, baseResolution: 1, sparse: false });
      const weights = layer.getWeights();
      for (const [j, octave] of [-1, 0, 1].entries()) {
        const cube = hierarchy.getMatrix(octave);
        const rows = (await weights[j].array()) as number[][];
        cube.setNodes([...cube.positions()].map(([x, y, z], i) => [x, y, z, rows[i]] as const));
      }
      const at = octaves.flatten();
      const difference = tf.tidy(() =>
        tf.max(tf.abs(tf.sub(got, hierarchy.sampleBatchBlended(coords, at as tf.Tensor1D)))),
      );
      expect((await difference.data())[0]).to.be.below(1e-5);
      tf.dispose([coords, octaves, got, at, difference]);
      hierarchy.dispose();
      layer.dispose();
    }
  });

  it('trains all octaves side by side in a model that survives save and load', async () => {
    const model = tf.sequential({
      layers: [
        new OctaveLayer({
          inputShape: [3],
          width: 6,
          height: 6,
          depth: 1,
          ...levels,
          octaves: { [-1]: { channels: 3 } },
          coordinates: 'unit',
          combine: 'concat',
          stddev: 0.1,
        }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 1 }),
      ],
    });
    expect(model.layers[0].outputShape).to.deep.equal([null, 1, 1, 7]);
    const x = places(150);
    const y = tf.tidy(() => tf.sin(tf.mul(6, tf.slice(x, [0, 0], [-1, 1]))));
    model.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
    const { history } = await model.fit(x, y, { epochs: 8, batchSize: 50, verbose: 0 });
    const losses = history.loss as number[];
    expect(losses[losses.length - 1]).to.be.below(losses[0] / 5);
    const loaded = await savedAndLoaded(model);
    const difference = tf.tidy(() =>
      tf.max(tf.abs(tf.sub(model.predict(x) as tf.Tensor, loaded.predict(x) as tf.Tensor))),
    );
    expect((await difference.data())[0]).to.equal(0);
    tf.dispose([x, y, difference]);
    model.dispose();
    loaded.dispose();
  });
});

eachBackend('sampleGrid', () => {
  it('has the gradients of a cube’s samples to nodes of any rank and to coords', async () => {
    const nodes = tf.tensor(randomArray(3 * 2 * 2 * 6, random(9)), [3, 2, 2, 6]);
    const coords = tf.tensor2d([0.3, 0.6, 0.2, 1.7, 0.1, 0.9], [2, 3]);
    const [byNodes, byCoords] = tf.grads((n: tf.Tensor, c: tf.Tensor) =>
      tf.sum(tf.square(sampleGrid(n, c as tf.Tensor2D, { method: 'linear' }))),
    )([nodes, coords]);
    const cube = WavetableMatrix.fromTensor(nodes.reshape([3, 2, 2, 1, 1, 6]), { trainable: true });
    const loss = (c: tf.Tensor) => tf.sum(tf.square(cube.sampleBatch(c as tf.Tensor2D)));
    const expected = tf.grad(loss)(coords);
    const { grads } = tf.variableGrads(() => loss(coords) as tf.Scalar);
    const differences = tf.tidy(() => [
      tf.max(tf.abs(tf.sub(byCoords, expected))),
      tf.max(tf.abs(tf.sub(byNodes.flatten(), Object.values(grads)[0].flatten()))),
    ]);
    for (const difference of differences) expect((await difference.data())[0]).to.be.below(1e-5);
    tf.dispose([nodes, coords, byNodes, byCoords, expected, grads, differences]);
    cube.dispose();
  });
});

describe('layers', () => {
  it('refuse what they cannot be made with', () => {
    const size = { width: 2, height: 2, depth: 2 };
    expect(() => new WavetableLayer({ ...size, width: 0 })).to.throw(ArgumentError, /width must be/);
    expect(() => new WavetableLayer({ ...size, method: 'cubic' as 'linear' })).to.throw(
      ArgumentError,
      /method must be/,
    );
    expect(() => new WavetableLayer({ ...size, boundary: 'mirror' as 'wrap' })).to.throw(
      ArgumentError,
      /boundary must be/,
    );
    expect(() => new WavetableLayer({ ...size, coordinates: 'px' as 'unit' })).to.throw(
      ArgumentError,
      /coordinates must/,
    );
    expect(() => new WavetableLayer({ ...size, stddev: -1 })).to.throw(ArgumentError, /stddev/);
    expect(() => new OctaveLayer({ ...size, combine: 'sum' as 'blend' })).to.throw(
      ArgumentError,
      /combine must be/,
    );
    expect(() => new OctaveLayer({ ...size, octaveLevels: [0, 0] })).to.throw(
      ArgumentError,
      /octaveLevels must be/,
    );
    expect(
      () => new OctaveLayer({ ...size, octaveLevels: [0, 1], octaves: { 1: { channels: 2 } } }),
    ).to.throw(ArgumentError, /do not blend/);
    expect(() => new WavetableLayer({ ...size, channel: 3 } as typeof size)).to.throw(
      ArgumentError,
      /no option is called 'channel'/,
    );
    expect(() => new OctaveLayer({ ...size, octaveLevel: [0] } as typeof size)).to.throw(
      ArgumentError,
      /'octaveLevel'/,
    );
    const layer = new WavetableLayer(size);
    expect(() => layer.apply(tf.zeros([2, 4]))).to.throw(ShapeError, /its input must be/);
  });
});
