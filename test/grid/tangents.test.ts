/** Tangents of nodes: what sets, keeps, copies, saves and drops them. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import {
  ArgumentError,
  MissingNodeError,
  ready,
  ShapeError,
  type StoredNode,
  WavetableMatrix,
} from '../../src/index.js';
import { BACKENDS as ALL, eachBackend, withoutLeaks } from '../support/backends.js';
import { giveTangents, makeCube, place, smoothCoords } from '../support/cubes.js';
import { expectClose } from '../support/numbers.js';

/** What all backends have kernels for. */
const BACKENDS = ['cpu', 'wasm', 'webgpu'];

const SIX = [1, 2, 3, 4, 5, 6];
const small = (options = {}) => new WavetableMatrix(2, 1, 2, { resolution: [2, 3], channels: 1, ...options });

const valuesOf = async (t: tf.Tensor) => {
  const values = (await t.data()).slice();
  t.dispose();
  return values;
};

eachBackend(
  'tangents',
  () => {
    it('are read as they were set, axis by axis; a node that is set anew keeps them, a deleted one loses them', () =>
      withoutLeaks(async () => {
        const cube = small();
        cube.setNode(1, 0, 1, SIX);
        expect(cube.getTangents(1, 0, 1)).to.deep.equal({});
        cube.setTangents(1, 0, 1, { x: SIX });
        const tensor = tf.tensor3d(SIX, [2, 3, 1]);
        cube.setTangents(1, 0, 1, { z: tensor });
        tensor.dispose();
        cube.setNode(1, 0, 1, new Float32Array(6));
        const { x, y, z } = cube.getTangents(1, 0, 1);
        expect(y).to.equal(undefined);
        expectClose(await valuesOf(x!), SIX, 0);
        expectClose(await valuesOf(z!), SIX, 0);
        cube.deleteNode(1, 0, 1);
        expect(() => cube.getTangents(1, 0, 1)).to.throw(MissingNodeError);
        cube.setNode(1, 0, 1, SIX);
        expect(cube.getTangents(1, 0, 1)).to.deep.equal({});
        cube.dispose();
      }));

    it('refuses what is no tangent of the node, and sets none of several then', () =>
      withoutLeaks(() => {
        const cube = small();
        expect(() => cube.setTangents(0, 0, 0, { x: SIX })).to.throw(
          MissingNodeError,
          'no node at (0, 0, 0)',
        );
        cube.setNode(0, 0, 0, SIX);
        expect(() => cube.setTangents(0, 0, 0, { x: SIX, z: [1, 2] })).to.throw(ShapeError, 'setTangents: z');
        expect(() => cube.setTangents(0, 0, 0, {})).to.throw(ArgumentError, 'at least one of x, y, z');
        expect(() => cube.setTangents(0, 0, 0, { w: SIX } as never)).to.throw(ArgumentError, "'w'");
        expect(cube.getTangents(0, 0, 0)).to.deep.equal({});
        cube.dispose();
      }));

    it('hermite names the node and the axis that lack one; an axis of one node needs none', () =>
      withoutLeaks(() => {
        const cube = small();
        cube.setNode(0, 0, 0, SIX);
        cube.setNode(1, 0, 1, SIX);
        cube.setTangents(0, 0, 0, { x: SIX, z: SIX });
        cube.setTangents(1, 0, 1, { x: SIX });
        const values = tf.zeros([1, 2, 3, 1]);
        for (const call of [
          () => cube.sample(0, 0, 0, { method: 'hermite' }),
          () => cube.splat([[0, 0, 0]], values, { method: 'hermite' }),
        ]) {
          let error: MissingNodeError | undefined;
          try {
            call();
          } catch (e) {
            error = e as MissingNodeError;
          }
          expect(error).to.be.instanceOf(MissingNodeError);
          expect(error!.message).to.contain('node at (1, 0, 1) has no tangent along z');
          expect([error!.node, error!.tangent]).to.deep.equal([[1, 0, 1], 'z']);
        }
        values.dispose();
        cube.setTangents(1, 0, 1, { z: SIX });
        cube.sample(0.5, 0, 0.5, { method: 'hermite' }).dispose();
        cube.dispose();
      }));

    it('count as bytes of the cube, are variables of a trainable one, and are moved by an optimiser', () =>
      withoutLeaks(async () => {
        const made = makeCube({ trainable: true, dims: [2, 2, 2] });
        const before = made.cube.getMemoryUsage();
        const variables = made.cube.trainableVariables();
        giveTangents(made);
        const after = made.cube.getMemoryUsage();
        expect(after.storedBytes).to.equal(4 * before.storedBytes);
        expect(after.denseBytes).to.equal(4 * before.denseBytes);
        const all = made.cube.trainableVariables();
        expect(all.slice(0, variables.length)).to.deep.equal(variables);
        expect(all.length).to.equal(variables.length + 3);
        const places = (['x', 'y', 'z'] as const).map((axis) => made.cube.rowOf(1, 1, 1, axis).page);
        expect([...places].sort()).to.deep.equal([1, 2, 3]);
        expect(() => made.cube.rowOf(1, 1, 1, 'w' as never)).to.throw(ArgumentError);
        const { x: before0, ...others } = made.cube.getTangents(0, 0, 0);
        const [first] = await valuesOf(before0!);
        tf.dispose([others.y!, others.z!]);
        const optimizer = tf.train.sgd(0.1);
        optimizer.minimize(
          () => tf.sum(made.cube.sampleBatch([[0.5, 0.5, 0.5]], { method: 'hermite' })) as tf.Scalar,
        );
        const { x, y, z } = made.cube.getTangents(0, 0, 0);
        expect((await x!.data())[0]).to.be.closeTo(first - 0.1 * 0.125 * 0.25, 1e-6);
        tf.dispose([x!, y!, z!]);
        optimizer.dispose();
        made.cube.dispose();
      }));

    for (const options of [{}, { dtype: 'float16' }, { trainable: true }, { pageBytes: 100 }] as const) {
      it(`a clone, and a file, have them: ${JSON.stringify(options)}`, () =>
        withoutLeaks(async () => {
          const made = makeCube({ ...options, missingPart: 0.3, boundary: 'wrap' });
          giveTangents(made);
          const coords = smoothCoords(made.field.dims, 6);
          const sampled = (cube: WavetableMatrix) =>
            valuesOf(cube.sampleBatch(coords, { method: 'hermite' }));
          const want = await sampled(made.cube);
          const twin = made.cube.clone();
          expectClose(await sampled(twin), want, 0);
          twin.setTangents(...place(made.field.dims, [...made.values.keys()][0]), {
            x: new Float32Array(12),
          });
          expectClose(await sampled(made.cube), want, 0);
          const loaded = await WavetableMatrix.fromBytes(await made.cube.toBytes('npz'));
          expectClose(await sampled(loaded), want, 1e-6);
          for (const cube of [twin, loaded, made.cube]) cube.dispose();
        }));
    }

    it('stay dense and as they were where nodes are compressed or resized', () =>
      withoutLeaks(async () => {
        const made = makeCube({ dims: [2, 2, 1], resolution: 4 });
        giveTangents(made);
        const before = await valuesOf(made.cube.sample(0.5, 0.25, 0, { method: 'hermite' }));
        await made.cube.compressAll({ method: 'quantized', quality: 0.99 });
        const tangents = made.cube.getTangents(1, 1, 0);
        expect(tangents.x!.shape).to.deep.equal([4, 4, 2]);
        tf.dispose([tangents.x!, tangents.y!, tangents.z!]);
        expectClose(await valuesOf(made.cube.sample(0.5, 0.25, 0, { method: 'hermite' })), before, 0.05);
        made.cube.upscaleNode(1, 1, 0, 2);
        expectClose(await valuesOf(made.cube.sample(0.5, 0.25, 0, { method: 'hermite' })), before, 0.05);
        made.cube.dispose();
      }));

    it('restoreNodes takes none of a file whose tangent has no node, comes twice, or has another shape', () =>
      withoutLeaks(async () => {
        const cube = small();
        const node: StoredNode = { x: 0, y: 0, z: 0, shape: [2, 3, 1], values: Float32Array.from(SIX) };
        const tangent: StoredNode = { ...node, tangent: 'x' };
        for (const [nodes, error] of [
          [[tangent], MissingNodeError],
          [[node, tangent, tangent], ArgumentError],
          [[node, { ...tangent, values: new Float32Array(5) }], ShapeError],
          [[node, { ...tangent, tangent: 'w' as 'x' }], ArgumentError],
        ] as const) {
          expect(() => cube.restoreNodes(nodes)).to.throw(error);
          expect(cube.nodeCount).to.equal(0);
        }
        cube.restoreNodes([tangent, node]);
        const { x } = cube.getTangents(0, 0, 0);
        expectClose(await valuesOf(x!), SIX, 0);
        cube.dispose();
      }));

    it('storedNodes gives nodes and tangents of one moment', () =>
      withoutLeaks(async () => {
        const made = makeCube({ dims: [2, 1, 1] });
        giveTangents(made);
        const seen: (string | undefined)[] = [];
        for await (const node of made.cube.storedNodes()) {
          if (seen.length === 0) made.cube.deleteNode(0, 0, 0);
          seen.push('tangent' in node ? node.tangent : undefined);
        }
        expect(seen).to.deep.equal([undefined, undefined, 'x', 'x', 'y', 'y', 'z', 'z']);
        made.cube.dispose();
      }));
  },
  BACKENDS,
);

describe('tangents elsewhere', () => {
  it('a cube takes its tangents along to another backend', async function () {
    if (ALL.length < 2) this.skip();
    await ready({ backend: ALL[1] });
    await ready({ backend: 'cpu' });
    const made = makeCube({ dims: [2, 2, 2] });
    giveTangents(made);
    const before = await valuesOf(made.cube.sample(0.3, 0.4, 0.5, { method: 'hermite' }));
    made.cube.sample(0, 0, 0, { method: 'bspline' }).dispose();
    await made.cube.toBackend(ALL[1]);
    const { x } = made.cube.getTangents(1, 1, 1);
    expect((await valuesOf(x!)).length).to.equal(12);
    await made.cube.toBackend('cpu');
    expectClose(await valuesOf(made.cube.sample(0.3, 0.4, 0.5, { method: 'hermite' })), before, 0);
    made.cube.dispose();
  });
});
