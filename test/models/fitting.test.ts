import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { fitCoordinates, fitNodes, type Progress, smoothness, totalVariation } from '../../models/index.js';
import { ArgumentError, ShapeError, WavecubeError, WavetableMatrix } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { random } from '../support/numbers.js';

const psnr = (loss: number, range: number) => -10 * Math.log10(loss / range ** 2);

/** A cube with random nodes, and samples of it. */
function truth(dims: [number, number, number], shape: [number, number, number], n: number) {
  const next = random(7);
  const [x, y, z] = dims;
  const nodes = tf.tidy(() =>
    tf.tensor(Float32Array.from({ length: x * y * z * shape[0] * shape[1] * shape[2] }, next), [
      ...dims,
      ...shape,
    ]),
  );
  const cube = WavetableMatrix.fromTensor(nodes);
  const coords = Float32Array.from({ length: 3 * n }, (_, i) => next() * (dims[i % 3] - 1));
  const values = cube.sampleBatch(coords);
  nodes.dispose();
  return { cube, coords, values };
}

const blank = (dims: [number, number, number], shape: [number, number, number]) =>
  new WavetableMatrix(...dims, {
    resolution: [shape[0], shape[1]],
    channels: shape[2],
    sparse: false,
    trainable: true,
  });

eachBackend('fitNodes', () => {
  it('finds the nodes of a cube from samples of it, and leaves no tensor behind', async () => {
    await withoutLeaks(async () => {
      const { cube, coords, values } = truth([4, 3, 3], [1, 2, 2], 600);
      const fitted = blank([4, 3, 3], [1, 2, 2]);
      const reports: Progress[] = [];
      const { loss, steps, stopped, history } = await fitNodes(
        fitted,
        { coords, values },
        {
          steps: 150,
          learningRate: (step) => (step < 100 ? 0.1 : 0.02),
          progressEvery: 30,
          onProgress: (p) => reports.push(p),
        },
      );
      expect(steps).to.equal(150);
      expect(stopped).to.equal('steps');
      expect(history).to.deep.equal(reports);
      expect(reports.map(({ step }) => step)).to.deep.equal([30, 60, 90, 120, 150]);
      expect(psnr(loss, 1)).to.be.above(50);
      const [a, b] = [cube.toTensor(), fitted.toTensor()];
      const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))));
      expect((await difference.data())[0]).to.be.below(0.05);
      tf.dispose([a, b, difference, values]);
      cube.dispose();
      fitted.dispose();
    });
  });

  it('draws the same batches for the same seed', async () => {
    const { cube, coords, values } = truth([3, 3, 2], [1, 1, 2], 200);
    const losses = await Promise.all(
      [3, 3, 4].map(async (seed) => {
        const fitted = blank([3, 3, 2], [1, 1, 2]);
        const { loss } = await fitNodes(fitted, { coords, values }, { steps: 5, batchSize: 16, seed });
        fitted.dispose();
        return loss;
      }),
    );
    expect(losses[0]).to.equal(losses[1]);
    expect(losses[0]).not.to.equal(losses[2]);
    tf.dispose(values);
    cube.dispose();
  });

  it('trains what stands behind the samples too, and its own variables', async () => {
    const { cube, coords, values } = truth([3, 2, 2], [1, 1, 3], 300);
    await withoutLeaks(async () => {
      const fitted = blank([3, 2, 2], [1, 1, 3]);
      const half = tf.scalar(0.5);
      const gain = tf.variable(half);
      half.dispose();
      const predict = (at: tf.Tensor2D) => tf.mul(fitted.sampleBatch(at), gain);
      const before = await gain.data().then((d) => d[0]);
      const { loss } = await fitNodes(
        fitted,
        { coords, values },
        { steps: 120, learningRate: 0.1, predict, variables: [gain] },
      );
      expect(psnr(loss, 1)).to.be.above(35);
      expect((await gain.data())[0]).not.to.equal(before);
      gain.dispose();
      fitted.dispose();
    });
    tf.dispose(values);
    cube.dispose();
  });

  it('stops early on validation data and puts the best nodes back', async () => {
    const { cube, coords, values } = truth([3, 3, 3], [1, 1, 1], 40);
    const fresh = truth([3, 3, 3], [1, 1, 1], 200);
    await withoutLeaks(async () => {
      const fitted = blank([3, 3, 3], [1, 1, 1]);
      // A rate so large that it gets worse after the first steps.
      const rate = (step: number) => (step < 60 ? 0.05 : 3);
      const { loss, steps, stopped, history } = await fitNodes(
        fitted,
        { coords, values },
        {
          steps: 2000,
          learningRate: rate,
          progressEvery: 10,
          patience: 4,
          validation: { coords: fresh.coords, values: fresh.values },
        },
      );
      expect(stopped).to.equal('early');
      expect(steps).to.be.below(2000);
      expect(loss).to.equal(Math.min(...history.map((p) => p.validationLoss!)));
      const now = tf.tidy(() => tf.mean(tf.square(tf.sub(fitted.sampleBatch(fresh.coords), fresh.values))));
      expect((await now.data())[0]).to.be.closeTo(loss, 1e-6);
      now.dispose();
      fitted.dispose();
    });
    tf.dispose([values, fresh.values]);
    cube.dispose();
    fresh.cube.dispose();
  });

  it('aborts between two steps with the signal’s reason, and the cube stays usable', async () => {
    const { cube, coords, values } = truth([2, 2, 2], [1, 1, 1], 50);
    await withoutLeaks(async () => {
      const fitted = blank([2, 2, 2], [1, 1, 1]);
      const stop = new AbortController();
      let caught: unknown;
      let steps = 0;
      await fitNodes(
        fitted,
        { coords, values },
        {
          steps: 10_000,
          progressEvery: 5,
          signal: stop.signal,
          onProgress({ step }) {
            steps = step;
            if (step === 20) stop.abort(new Error('enough'));
          },
        },
      ).catch((error) => {
        caught = error;
      });
      expect((caught as Error).message).to.equal('enough');
      expect(steps).to.equal(20);
      fitted.sample(0.5, 0.5, 0.5).dispose();
      fitted.dispose();
    });
    tf.dispose(values);
    cube.dispose();
  });

  it('says when the loss is not finite any more', async () => {
    const { cube, coords, values } = truth([2, 2, 2], [1, 1, 1], 50);
    const fitted = blank([2, 2, 2], [1, 1, 1]);
    let caught: unknown;
    await fitNodes(fitted, { coords, values }, { optimizer: tf.train.sgd(1e30), progressEvery: 1 }).catch(
      (e) => {
        caught = e;
      },
    );
    expect(caught).to.be.instanceOf(WavecubeError);
    expect((caught as Error).message).to.match(/^fitNodes: the loss is (NaN|Infinity)/);
    tf.dispose(values);
    cube.dispose();
    fitted.dispose();
  });

  it('refuses what it cannot fit, by type, before anything is trained', async () => {
    const { cube, coords, values } = truth([2, 2, 2], [1, 1, 1], 10);
    await withoutLeaks(async () => {
      const fitted = blank([2, 2, 2], [1, 1, 1]);
      const bad: [() => Promise<unknown>, new (...args: never[]) => Error, RegExp][] = [
        [() => fitNodes(cube, { coords, values }), ArgumentError, /no variables to train/],
        [() => fitNodes(fitted, { coords, values: new Float32Array(9) }), ShapeError, /values must be/],
        [() => fitNodes(fitted, { coords, values: new Float32Array(20) }), ShapeError, /of 1 a sample/],
        [() => fitNodes(fitted, { coords: [1, 2], values }), ShapeError, /coords must be/],
        [() => fitNodes(fitted, { coords, values }, { steps: 0 }), ArgumentError, /steps must be/],
        [() => fitNodes(fitted, { coords, values }, { batchSize: 1.5 }), ArgumentError, /batchSize must be/],
        [
          () => fitNodes(fitted, { coords, values }, { learningRate: -1 }),
          ArgumentError,
          /learningRate must be/,
        ],
        [
          () => fitNodes(fitted, { coords, values }, { smoothness: -1 }),
          ArgumentError,
          /must not be negative/,
        ],
      ];
      for (const [call, type, message] of bad) {
        let caught: unknown;
        await call().catch((error) => {
          caught = error;
        });
        expect(caught).to.be.instanceOf(type);
        expect((caught as Error).message).to.match(message);
      }
      fitted.dispose();
    });
    tf.dispose(values);
    cube.dispose();
  });
});

eachBackend('regularisers', (backend) => {
  it('are what they say of a ramp and of a zigzag, along every axis', async () => {
    for (const axis of [0, 1, 2]) {
      const dims = [1, 1, 1];
      dims[axis] = 5;
      const of = async (values: number[], f: (nodes: tf.Tensor) => tf.Scalar) => {
        const result = tf.tidy(() => f(tf.tensor(values, [...dims, 1, 1, 1].slice(0, 4))));
        const [value] = await result.data();
        result.dispose();
        return value;
      };
      expect(await of([0, 2, 4, 6, 8], totalVariation)).to.be.closeTo(2, 1e-6);
      expect(await of([0, 2, 4, 6, 8], smoothness)).to.be.closeTo(0, 1e-6);
      expect(await of([0, 1, 0, 1, 0], totalVariation)).to.be.closeTo(1, 1e-6);
      expect(await of([0, 1, 0, 1, 0], smoothness)).to.be.closeTo(4, 1e-6);
    }
  });

  it('pull a noisy fit towards smooth nodes', async () => {
    const next = random(3);
    const n = 60;
    const coords = Float32Array.from({ length: 3 * n }, (_, i) => (i % 3 === 0 ? next() * 11 : 0));
    const values = Float32Array.from({ length: n }, (_, i) => coords[3 * i] / 11 + 0.3 * (next() - 0.5));
    const roughness = async (penalty: (nodes: tf.Tensor) => tf.Scalar, options: object) => {
      const cube = blank([12, 1, 1], [1, 1, 1]);
      const learningRate = (step: number) => 0.1 * (1 - step / 80) + 1e-3;
      await fitNodes(cube, { coords, values }, { steps: 80, learningRate, ...options });
      const rough = tf.tidy(() => penalty(cube.toTensor()));
      const [value] = await rough.data();
      rough.dispose();
      cube.dispose();
      return value;
    };
    const bent = await roughness(smoothness, {});
    expect(await roughness(smoothness, { smoothness: 1 })).to.be.below(bent / 4);
    // The loop is the same, and SwiftShader slow.
    if (backend === 'webgpu') return;
    const varied = await roughness(totalVariation, {});
    expect(await roughness(totalVariation, { totalVariation: 0.3 })).to.be.below(varied / 1.5);
  });
});

eachBackend('fitCoordinates', (backend) => {
  it('finds where samples of a cube were taken', async () => {
    const next = random(5);
    const cube = new WavetableMatrix(4, 4, 3, { resolution: [2, 3], channels: 2 });
    // Nodes that change steadily: each place has its own wavetable.
    for (let x = 0; x < 4; x++) {
      for (let y = 0; y < 4; y++) {
        for (let z = 0; z < 3; z++) {
          cube.setNode(
            x,
            y,
            z,
            Float32Array.from(
              { length: 12 },
              (_, i) => Math.sin(x + 0.3 * i) + y * Math.cos(i) + z * i * 0.1,
            ),
          );
        }
      }
    }
    const at = Array.from({ length: 6 }, () => [next() * 3, next() * 3, next() * 2]);
    const targets = cube.sampleBatch(at);
    await withoutLeaks(async () => {
      const { coords, errors, loss } = await fitCoordinates(cube, targets, {
        steps: backend === 'webgpu' ? 160 : 250,
        learningRate: (step) => 0.1 * (backend === 'webgpu' ? 0.97 : 0.98) ** step,
      });
      const found = await coords.array();
      found.forEach((place, i) => {
        place.forEach((r, j) => {
          expect(r).to.be.closeTo(at[i][j], 0.02);
        });
      });
      expect(Math.max(...errors)).to.be.below(1e-3);
      expect(loss).to.be.below(1e-3);
      coords.dispose();
    });
    targets.dispose();
    cube.dispose();
  });

  it('stays within the grid, and refuses targets of another shape', async () => {
    const cube = new WavetableMatrix(3, 1, 1, { resolution: 1, channels: 1, boundary: 'extrapolate' });
    for (const x of [0, 1, 2]) cube.setNode(x, 0, 0, [x]);
    const target = tf.tensor4d([9], [1, 1, 1, 1]);
    cube.sample(0, 0, 0).dispose(); // makes the index that the cube keeps
    await withoutLeaks(async () => {
      const { coords } = await fitCoordinates(cube, target, { steps: 80, learningRate: 0.1 });
      const [[x, y, z]] = await coords.array();
      expect([x, y, z]).to.deep.equal([2, 0, 0]);
      coords.dispose();
      let caught: unknown;
      const wide = tf.zeros<tf.Rank.R4>([1, 1, 2, 1]);
      await fitCoordinates(cube, wide).catch((error) => {
        caught = error;
      });
      wide.dispose();
      expect(caught).to.be.instanceOf(ShapeError);
    });
    target.dispose();
    cube.dispose();
  });
});
