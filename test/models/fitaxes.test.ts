import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { fitAxes, fitCoordinates, fitNodes } from '../../models/index.js';
import { ArgumentError, WavetableMatrix } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { random } from '../support/numbers.js';

type Field = (x: number, y: number, z: number) => number;

function samplesOf(field: Field, n: number, seed: number) {
  const next = random(seed);
  const coords = Float32Array.from({ length: 3 * n }, next);
  const values = Float32Array.from({ length: n }, (_, i) =>
    field(coords[3 * i], coords[3 * i + 1], coords[3 * i + 2]),
  );
  return { coords, values };
}

/** A cube over the unit cube, of scalars, all zero. */
function unitCube(dims: [number, number, number], trainable: boolean) {
  const axis = (n: number) =>
    n === 1 ? undefined : { positions: Array.from({ length: n }, (_, i) => i / (n - 1)), trainable };
  const [x, y, z] = dims.map(axis);
  const axes = { ...(x && { x }), ...(y && { y }), ...(z && { z }) };
  return new WavetableMatrix(...dims, { resolution: 1, channels: 1, sparse: false, trainable: true, axes });
}

async function psnrOf(cube: WavetableMatrix, { coords, values }: ReturnType<typeof samplesOf>) {
  const error = tf.tidy(() =>
    tf.mean(tf.square(tf.sub(cube.sampleBatch(coords).flatten(), tf.tensor1d(values)))),
  );
  const [mean] = await error.data();
  error.dispose();
  const range = Math.max(...values) - Math.min(...values);
  return 10 * Math.log10(range ** 2 / mean);
}

/** Falling to almost nothing over the last half. */
const rate = (steps: number) => (step: number) => 0.1 * Math.min(1, 2 * (1 - step / steps)) + 1e-4;

eachBackend('fitAxes', (backend) => {
  it('moves nodes to where the field bends, in order and within the ends', async () => {
    const field: Field = (x) => Math.tanh(40 * (x - 0.3));
    const data = samplesOf(field, 1500, 1);
    const fresh = samplesOf(field, 1500, 2);
    await withoutLeaks(async () => {
      // SwiftShader takes long for a step.
      const steps = backend === 'webgpu' ? 100 : 250;
      const uniform = unitCube([9, 1, 1], false);
      await fitNodes(uniform, data, { steps, learningRate: rate(steps), batchSize: 512 });
      const moved = unitCube([9, 1, 1], true);
      await fitAxes(moved, data, {
        steps,
        learningRate: rate(steps),
        axisLearningRate: 0.05,
        batchSize: 512,
      });
      expect((await psnrOf(moved, fresh)) - (await psnrOf(uniform, fresh))).to.be.above(6);
      const positions = moved.axisPositions('x');
      const at = Array.from(await positions.data());
      positions.dispose();
      expect([at[0], at[8]]).to.deep.equal([0, 1]);
      for (let i = 1; i < at.length; i++) expect(at[i]).to.be.above(at[i - 1]);
      uniform.dispose();
      moved.dispose();
    });
  });

  it('refuses a cube whose axes, or nodes, are not to be trained', async () => {
    const data = samplesOf((x) => x, 10, 5);
    const fixed = unitCube([3, 1, 1], false);
    const sparse = new WavetableMatrix(3, 1, 1, {
      resolution: 1,
      channels: 1,
      axes: { x: { positions: [0, 0.5, 1], trainable: true } },
    });
    for (const x of [0, 1, 2]) sparse.setNode(x, 0, 0, [x]);
    for (const [cube, message] of [
      [fixed, /no axis of the cube is trainable/],
      [sparse, /no nodes to train/],
    ] as const) {
      let caught: unknown;
      await fitAxes(cube, data).catch((error) => {
        caught = error;
      });
      expect(caught).to.be.instanceOf(ArgumentError);
      expect((caught as Error).message).to.match(message);
    }
    // The positions alone.
    await fitAxes(sparse, data, { nodes: false, steps: 3 });
    fixed.dispose();
    sparse.dispose();
  });
});

// It takes its time: one backend is enough.
eachBackend('fitAxes on three axes', () => {
  it('gains 6 dB on a field of three axes with one steep wall', async () => {
    const field: Field = (x, y, z) =>
      Math.tanh(40 * (x - 0.3)) + 0.2 * Math.sin(2 * Math.PI * y) * Math.cos(2 * Math.PI * z);
    const data = samplesOf(field, 8000, 3);
    const fresh = samplesOf(field, 4000, 4);
    const steps = 200;
    const options = { steps, learningRate: rate(steps), batchSize: 512 };
    const uniform = unitCube([9, 5, 5], false);
    await fitNodes(uniform, data, options);
    const moved = unitCube([9, 5, 5], true);
    await fitAxes(moved, data, { ...options, axisLearningRate: 0.05 });
    const [before, after] = [await psnrOf(uniform, fresh), await psnrOf(moved, fresh)];
    expect(after - before).to.be.above(6);
    // Not because the other is badly fitted: the least squares of even knots are at 28.2 dB.
    expect(before).to.be.above(26);
    uniform.dispose();
    moved.dispose();
  });
}, ['wasm']);

eachBackend('fitCoordinates on axes of their own', (backend) => {
  it('finds and bounds coordinates in the user’s units', async () => {
    const cube = new WavetableMatrix(3, 2, 1, {
      resolution: 1,
      channels: 2,
      axes: { x: [-10, 0, 40], y: { min: 100, max: 200 } },
    });
    for (const x of [0, 1, 2]) for (const y of [0, 1]) cube.setNode(x, y, 0, [x * x + 1, x + 2 * y]);
    const at = [
      [20, 130, 0],
      [-5, 180, 0],
    ];
    const targets = cube.sampleBatch(at);
    const { coords } = await fitCoordinates(cube, targets, {
      steps: backend === 'webgpu' ? 120 : 300,
      learningRate: (step) => 3 * (backend === 'webgpu' ? 0.96 : 0.98) ** step,
    });
    const found = await coords.array();
    found.forEach((place, i) => {
      place.forEach((u, j) => {
        expect(u).to.be.closeTo(at[i][j], 1);
      });
    });
    tf.dispose([coords, targets]);
    cube.dispose();
  });
});
