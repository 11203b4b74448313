/** What fits and layers refuse, and what they leave behind where they fail. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { fitAxes, fitCoordinates, fitNodes, OctaveLayer } from '../../models/index.js';
import {
  ArgumentError,
  DisposedError,
  type MatrixOptions,
  WavecubeError,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';

const DATA = { coords: [[0.5, 0, 0]], values: new Float32Array([1]) };
const line = (options: MatrixOptions = {}) =>
  new WavetableMatrix(4, 1, 1, { resolution: 1, channels: 1, sparse: false, trainable: true, ...options });

async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not reject');
}

eachBackend('fits', () => {
  it('refuse options that there are not, and numbers that are none', () =>
    withoutLeaks(async () => {
      const cube = line({ axes: { x: { positions: [0, 1, 2, 3], trainable: true } } });
      const wrong: object[] = [
        { step: 3 },
        { learningRate: Number.NaN },
        { minDelta: Number.NaN },
        { onProgress: 3 },
      ];
      for (const options of wrong) {
        expect(await failure(fitNodes(cube, DATA, options as never))).to.be.instanceOf(ArgumentError);
      }
      for (const options of [{ axisLearningRate: -5 }, { method: 'nearest' }, { starts: 2 }]) {
        expect(await failure(fitAxes(cube, DATA, options as never))).to.be.instanceOf(ArgumentError);
      }
      expect(await failure(fitNodes(cube, { coords: DATA.coords } as never))).to.be.instanceOf(ArgumentError);
      const targets = tf.ones<tf.Rank.R4>([1, 1, 1, 1]);
      const ints = tf.ones<tf.Rank.R4>([1, 1, 1, 1], 'int32');
      for (const [target, options] of [
        [targets, { method: 'nearest' }],
        [targets, { batchSize: 3 }],
        [ints, {}],
        [[1], {}],
      ]) {
        const error = await failure(fitCoordinates(cube, target as never, options as never));
        expect(error).to.be.instanceOf(ArgumentError);
      }
      tf.dispose([targets, ints]);
      cube.dispose();
    }));

  it('leave nothing behind of a cube without nodes, or one that is disposed meanwhile', () =>
    withoutLeaks(async () => {
      const empty = line({ sparse: true });
      const targets = tf.ones<tf.Rank.R4>([1, 1, 1, 1]);
      expect(await failure(fitCoordinates(empty, targets))).to.be.instanceOf(ArgumentError);
      targets.dispose();
      empty.dispose();
      const cube = line();
      const onProgress = () => cube.dispose();
      const error = await failure(fitNodes(cube, DATA, { onProgress, progressEvery: 1, patience: 3 }));
      expect(error).to.be.instanceOf(DisposedError);
    }));

  it('stop where a loss below zero gets no better, and where one that is trained on is not finite', () =>
    withoutLeaks(async () => {
      const cube = line();
      const loss = (p: tf.Tensor) => tf.sub(tf.mul(tf.sum(p), 0), 1) as tf.Scalar;
      const result = await fitNodes(cube, DATA, { loss, patience: 2, progressEvery: 1, steps: 20 });
      expect([result.steps, result.stopped]).to.deep.equal([3, 'early']);
      const bad = { ...DATA, values: new Float32Array([Number.NaN]) };
      const validation = { coords: [[3, 0, 0]], values: DATA.values };
      const error = await failure(fitNodes(cube, bad, { validation, progressEvery: 1, steps: 3 }));
      expect(error).to.be.instanceOf(WavecubeError);
      expect(error.message).to.contain('NaN');
      cube.dispose();
    }));

  it('find coordinates of a wrapped axis in its first period', () =>
    withoutLeaks(async () => {
      const wrapped: [MatrixOptions['axes'], number, number][] = [
        [undefined, 0, 4],
        [{ x: { min: 10, max: 13 } }, 10, 4],
        [{ x: { positions: [10, 11, 12, 13], period: 5 } }, 10, 5],
      ];
      for (const [axes, first, period] of wrapped) {
        const cube = line({ axes, boundary: 'wrap', trainable: false });
        [0, 1, 0, -1].forEach((v, i) => {
          cube.setNode(i, 0, 0, [v]);
        });
        const targets = tf.fill([1, 1, 1, 1], -0.5) as tf.Tensor4D;
        // Down over the seam.
        const initial = tf.tensor2d([[first + 0.1, 0, 0]]);
        const { coords, errors } = await fitCoordinates(cube, targets, {
          initial,
          steps: 60,
          learningRate: 0.05,
        });
        const [x] = await coords.data();
        expect(x).to.be.within(first + 2, first + period);
        expect(errors[0]).to.be.below(1e-2);
        tf.dispose([targets, initial, coords]);
        cube.dispose();
      }
    }));
});

eachBackend('OctaveLayer', () => {
  const ARGS = { inputShape: [3], width: 2, height: 1, depth: 1, channels: 1, octaveLevels: [0, 4] };

  it('refuses what a layer’s nodes cannot have', () => {
    for (const own of [{ dtype: 'float16' }, { trainable: false }, { compression: 'dct' }]) {
      expect(() => new OctaveLayer({ ...ARGS, octaves: { 0: own } } as never)).to.throw(
        ArgumentError,
        'octaves[0]',
      );
    }
  });

  it('resamples its nodes as the hierarchy of the same options: periodic where it says so', async () => {
    const outputs: number[][] = [];
    for (const periodic of [undefined, { w: true }]) {
      const layer = new OctaveLayer({
        ...ARGS,
        baseResolution: [1, 4],
        periodic,
        stddev: 1,
        combine: 'concat',
      });
      const out = tf.tidy(() => layer.apply(tf.tensor2d([[0.3, 0, 0]])) as tf.Tensor);
      outputs.push([...(await out.data())]);
      out.dispose();
      layer.dispose();
    }
    expect(outputs[0]).to.not.deep.equal(outputs[1]);
  });
});
