/** The laws of compressed cubes with each of Wavecube's own codecs: 2×2×2 nodes of 8×8×2, cell 5 absent. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { OWN_CODECS } from '../../src/codecs/own.js';
import {
  type CompressedWavetable,
  DeviceError,
  type MatrixOptions,
  ready,
  type WavetableCodec,
  WavetableMatrix,
} from '../../src/index.js';
import { BACKENDS, eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, magnitude, random, randomArray } from '../support/numbers.js';

const SHAPE = [8, 8, 2] as const;
const DIMS = [2, 2, 2] as const;
const CELLS = [0, 1, 2, 3, 4, 6, 7];
const RESOLUTIONS = [8, [5, 12]] as const;
const IDS = OWN_CODECS.map(({ id }) => id);

const placeOf = (cell: number) => [cell >> 2, (cell >> 1) & 1, cell & 1] as const;

/** Two bumps, in other places in each node. */
function nodeOf(cell: number): Float32Array {
  return Float32Array.from({ length: 128 }, (_, i) => {
    const [h, w, c] = [i >> 4, (i >> 1) & 7, i & 1];
    const bump = (y: number, x: number) => Math.exp(-((h - y) ** 2 + (w - x) ** 2) / 5);
    return (1 + c) * bump(2 + 0.3 * cell, 3) - bump(5, 5 - 0.3 * cell);
  });
}

/** Each node of each codec, as cubes compress. */
const encoded = new Map<string, CompressedWavetable[]>();

function cubeOf(ids: readonly (string | null)[], options: MatrixOptions = {}): WavetableMatrix {
  const cube = new WavetableMatrix(...DIMS, { resolution: 8, channels: 2, ...options });
  CELLS.forEach((cell, i) => {
    const id = ids[i % ids.length];
    cube.setNode(...placeOf(cell), id === null ? nodeOf(cell) : encoded.get(id)![cell]);
  });
  return cube;
}

const coordinates = (n: number, seed: number) => {
  const next = random(seed);
  return Float32Array.from({ length: 3 * n }, () => 0.1 + 0.8 * next());
};

/** [N, H, W, 2] float64: the decoded nodes, blended by trilinear weights. */
async function blendOf(cube: WavetableMatrix, coords: Float32Array, resolution: number | readonly number[]) {
  const sums: Float64Array[] = [];
  const asked = { resolution: resolution as number };
  for (const cell of CELLS) {
    const place = placeOf(cell);
    const id = cube.getCodec(...place);
    const codec = OWN_CODECS.find((c) => c.id === id);
    const node = codec
      ? codec.decode(encoded.get(id!)![cell], asked)
      : tf.tidy(() => {
          const dense = new WavetableMatrix(1, 1, 1, { resolution: 8, channels: 2 });
          const own = cube.getNode(...place);
          dense.setNode(0, 0, 0, own);
          own.dispose();
          const out = dense.sample(0, 0, 0, asked);
          dense.dispose();
          return out;
        });
    const values = await node.data<'float32'>();
    node.dispose();
    for (let i = 0; i * 3 < coords.length; i++) {
      const weight = place.reduce((w, up, j) => w * (up ? coords[3 * i + j] : 1 - coords[3 * i + j]), 1);
      sums[i] ??= new Float64Array(values.length);
      for (let k = 0; k < values.length; k++) sums[i][k] += weight * values[k];
    }
  }
  return sums.flatMap((sum) => [...sum]);
}

async function valuesOf(tensor: tf.Tensor): Promise<Float32Array> {
  const values = await tensor.data<'float32'>();
  tensor.dispose();
  return values.slice();
}

type Mixture = [name: string, ids: readonly (string | null)[]];
const OPAQUE = ['quantized', 'predictive', 'lossless'];
const BLENDING = IDS.filter((id) => !OPAQUE.includes(id));
const MIXED: readonly Mixture[] = [
  ['blending codecs and dense nodes', [...BLENDING, null]],
  ['opaque codecs and dense nodes', [...OPAQUE, null]],
];
const MIXTURES: readonly Mixture[] = [
  ...IDS.map((id): Mixture => [id, [id]]),
  ...IDS.map((id): Mixture => [`${id} and dense nodes`, [id, null]]),
  ...MIXED,
];
/** Each kernel is compiled for WebGPU at some tenths of a second. */
const mixturesOn = (backend: string) => (backend === 'webgpu' ? MIXED : MIXTURES);

describe('cubes of every codec', () => {
  before(async function () {
    this.timeout(20_000);
    await ready({ backend: 'cpu' });
    for (const codec of OWN_CODECS) {
      const method = codec.blending as WavetableCodec;
      const nodes: CompressedWavetable[] = [];
      for (let cell = 0; cell < 8; cell++) {
        const wavetable = { values: nodeOf(cell), shape: SHAPE };
        nodes.push(await method.encode(wavetable, codec.id === 'lossless' ? 1 : { maxAbs: 0.1 }));
      }
      encoded.set(codec.id, nodes);
    }
  });
  // Their tensors are of one backend.
  afterEach(() => {
    for (const nodes of encoded.values()) {
      for (const [i, node] of nodes.entries()) {
        node.dispose();
        nodes[i] = (node.constructor as typeof CompressedWavetable).read(node.bytes);
      }
    }
  });

  eachBackend('law', (backend) => {
    it('samples are blends of decoded nodes, at any resolution, however often they are taken', async () => {
      for (const [name, ids] of mixturesOn(backend)) {
        for (const dtype of ['float32', 'float16'] as const) {
          if (dtype === 'float16' && !ids.includes(null)) continue;
          const cube = cubeOf(ids, { dtype });
          const coords = coordinates(4, 1);
          for (const resolution of RESOLUTIONS) {
            const want = await blendOf(cube, coords, resolution);
            for (let time = 0; time < 3; time++) {
              const got = await valuesOf(cube.sampleBatch(coords, { resolution }));
              expectClose(got, want, 3e-6, `${name} ${dtype} ${resolution} #${time}`);
            }
          }
          cube.dispose();
        }
      }
    });

    it('gradients to coordinates are finite differences', async () => {
      const coords = coordinates(2, 2);
      for (const [name, ids] of mixturesOn(backend)) {
        const cube = cubeOf(ids);
        const weights = tf.tensor(randomArray(256, random(3)), [2, 8, 8, 2]);
        const loss = (c: tf.Tensor) => tf.sum(tf.mul(cube.sampleBatch(c as tf.Tensor2D), weights));
        const opaque = ids.some((id) => OPAQUE.includes(id!));
        if (backend === 'webgpu' && opaque) {
          expect(() => tf.grad(loss)(tf.tensor2d(coords, [2, 3])), name).to.throw(DeviceError, /as an array/);
          continue;
        }
        const got = await valuesOf(tf.grad(loss)(tf.tensor2d(coords, [2, 3])));
        // Samples are linear along an axis.
        const want: number[] = [];
        for (let i = 0; i < 6; i++) {
          const [low, high] = [coords.slice(), coords.slice()];
          low[i] = 0;
          high[i] = 1;
          const at = async (c: Float32Array) => (await valuesOf(loss(tf.tensor2d(c, [2, 3]))))[0];
          want.push((await at(high)) - (await at(low)));
        }
        expectClose(got, want, 2e-5 * Math.max(1, magnitude(want)), name);
        cube.dispose();
      }
    });

    it('gradients to variables are finite differences, along any direction', async () => {
      const coords = coordinates(3, 4);
      for (const [name, ids] of mixturesOn(backend).filter(([, [id]]) => id !== 'lossless')) {
        for (const resolution of RESOLUTIONS.slice(backend === 'webgpu' ? 1 : 0)) {
          const cube = cubeOf(ids, { trainable: true });
          const variables = cube.trainableVariables();
          const [h, w] = resolution === 8 ? [8, 8] : resolution;
          const weights = tf.tensor(randomArray(3 * h * w * 2, random(5)), [3, h, w, 2]);
          const loss = () =>
            tf.sum(tf.mul(cube.sampleBatch(coords, { resolution: [h, w] }), weights)) as tf.Scalar;
          const { grads } = tf.variableGrads(loss, variables);
          expect(Object.keys(grads).length, name).to.equal(variables.length);
          const step = 1e-3;
          const ways = variables.map((v, i) => tf.tensor(randomArray(v.size, random(6 + i)), v.shape));
          const slope = tf.addN(variables.map((v, i) => tf.sum(tf.mul(grads[v.name], ways[i])) as tf.Tensor));
          const starts = variables.map((v) => tf.clone(v));
          const at = async (t: number) => {
            variables.forEach((v, i) => {
              v.assign(tf.add(starts[i], tf.mul(ways[i], t)));
            });
            return (await valuesOf(loss()))[0];
          };
          const want = ((await at(step)) - (await at(-step))) / (2 * step);
          expectClose(
            await valuesOf(slope),
            [want],
            2e-2 * Math.max(0.5, Math.abs(want)),
            `${name} ${resolution}`,
          );
          expect(Math.abs(want), name).to.be.above(1e-3);
          cube.dispose();
        }
      }
    });

    it('a file gives back each node bit for bit, trained ones too', async () => {
      for (const trainable of [false, true]) {
        const cube = cubeOf([...IDS, null], { trainable });
        const coords = coordinates(3, 7);
        if (trainable) {
          const loss = () => tf.sum(tf.square(cube.sampleBatch(coords))) as tf.Scalar;
          tf.train.sgd(0.01).minimize(loss, false, cube.trainableVariables());
        }
        const bytes = await cube.toBytes();
        const back = await WavetableMatrix.fromBytes(bytes);
        expect([...back.getCodecMap()]).to.deep.equal([...cube.getCodecMap()]);
        const want = await valuesOf(cube.sampleBatch(coords));
        expectClose(await valuesOf(back.sampleBatch(coords)), want, trainable ? 1e-6 : 0);
        expect([...(await back.toBytes())]).to.deep.equal([...bytes]);
        back.dispose();
        cube.dispose();
      }
    });
  });

  it('move to another backend with their variables, and leave nothing behind', async function () {
    this.timeout(60_000);
    await ready({ backend: 'cpu' });
    await withoutLeaks(async () => {
      const cube = cubeOf(IDS, { trainable: true });
      const coords = coordinates(3, 8);
      const want = await valuesOf(cube.sampleBatch(coords));
      const variables = cube.trainableVariables();
      for (const backend of [...BACKENDS, 'cpu']) {
        await cube.toBackend(backend);
        expectClose(await valuesOf(cube.sampleBatch(coords)), want, 3e-6, backend);
        expect(cube.trainableVariables()).to.deep.equal(variables);
      }
      cube.dispose();
    });
  });
});
