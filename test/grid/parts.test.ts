/** What sampleChunks keeps to between two of its parts, and what a policy that cannot be kept says. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { DeviceError, DisposedError, type MatrixOptions, WavetableMatrix } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';

const COORDS = [
  [0, 0, 0],
  [1, 0, 0],
];

const line = (options: MatrixOptions = {}) => {
  const cube = new WavetableMatrix(3, 1, 1, { resolution: 1, channels: 1, ...options });
  for (const x of [0, 1, 2]) cube.setNode(x, 0, 0, [x + 1]);
  return cube;
};

eachBackend('sampleChunks', () => {
  it('ends with its cube: no zeros for the nodes that are gone', () =>
    withoutLeaks(() => {
      const cube = line();
      const parts = cube.sampleChunks(COORDS, { maxBytes: 4 });
      (parts.next().value as { values: tf.Tensor4D }).values.dispose();
      cube.dispose();
      expect(() => parts.next()).to.throw(DisposedError, 'sampleChunks');
    }));

  it('leaves coordinates on the host for policies that read them', () =>
    withoutLeaks(async () => {
      const cube = line({ missing: 'error', boundary: 'error' });
      const got: number[] = [];
      for (const { values } of cube.sampleChunks(COORDS, { maxBytes: 4 })) {
        got.push(...(await values.data()));
        values.dispose();
      }
      expect(got).to.deep.equal([1, 2]);
      cube.dispose();
    }));
});

eachBackend('missing: error on trained axes', (backend) => {
  it('is kept where positions can be read, and elsewhere says what does help', () =>
    withoutLeaks(() => {
      const cube = line({ missing: 'error', axes: { x: { positions: [0, 1, 5], trainable: true } } });
      const sample = () => cube.sampleBatch(COORDS).dispose();
      if (backend === 'webgpu') expect(sample).to.throw(DeviceError, /trained axes.*missing 'zero'/);
      else sample();
      cube.dispose();
    }));
});

eachBackend('positions trained to their least gap', () => {
  it('can be saved, loaded and trained on', () =>
    withoutLeaks(async () => {
      const axes = { x: { positions: [0, 1e-6, 1], trainable: true } };
      let cube = line({ axes, trainable: true });
      for (let round = 0; round < 3; round++) {
        for (const variable of cube.axisVariables()) tf.tidy(() => variable.assign(tf.tensor1d([-60, 60])));
        const read = await WavetableMatrix.fromBytes(await cube.toBytes());
        cube.dispose();
        cube = read;
        const positions = cube.axisPositions('x');
        const [first, second] = await positions.data();
        expect(second).to.be.greaterThan(first);
        positions.dispose();
      }
      cube.dispose();
    }));
});

eachBackend('trained axes of different lengths', () => {
  it('each have the gradients of their own length', () =>
    withoutLeaks(async () => {
      for (const n of [4, 9, 6]) {
        const positions = Array.from({ length: n }, (_, i) => i);
        const cube = new WavetableMatrix(n, 1, 1, {
          resolution: 1,
          channels: 1,
          axes: { x: { positions, trainable: true } },
        });
        const [variable] = cube.axisVariables();
        const { value, grads } = tf.variableGrads(
          () => tf.sum(tf.square(cube.axisPositions('x'))),
          [variable],
        );
        // Σ t² of t_i = span · (g_0 + … + g_{i−1}) with g = softmax, at even gaps; the floor takes 1e-4 of it.
        const gaps = n - 1;
        const byGap = Array.from({ length: gaps }, (_, k) =>
          positions.reduce((sum, t, i) => sum + (i > k && i < gaps ? 2 * t * gaps : 0), 0),
        );
        const mean = byGap.reduce((a, b) => a + b) / gaps;
        const got = await grads[variable.name].data();
        byGap.forEach((g, k) => {
          expect(got[k]).to.be.closeTo((g - mean) / gaps, 1e-3 * mean);
        });
        tf.dispose([value, grads]);
        cube.dispose();
      }
    }));
});
