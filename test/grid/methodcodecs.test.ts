/** The laws of methods of interpolation in cubes of compressed nodes: 3×3×2 nodes of 8×8×2, cell 5 absent. */
import * as tf from '@tensorflow/tfjs';
import { OWN_CODECS } from '../../src/codecs/own.js';
import {
  type CompressedWavetable,
  type InterpolationMethod,
  type MatrixOptions,
  METHODS,
  ready,
  type WavetableCodec,
  WavetableMatrix,
} from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { place } from '../support/cubes.js';
import { expectClose, magnitude, random } from '../support/numbers.js';

/** What all backends have kernels for. */
const BACKENDS = ['cpu', 'wasm', 'webgpu'];

const SHAPE = [8, 8, 2] as const;
const DIMS = [3, 3, 2] as const;
const CELLS = Array.from({ length: 18 }, (_, cell) => cell).filter((cell) => cell !== 5);
const IDS = OWN_CODECS.map(({ id }) => id);

/** Two bumps, in other places in each node. */
function nodeOf(cell: number): Float32Array {
  return Float32Array.from({ length: 128 }, (_, i) => {
    const [h, w, c] = [i >> 4, (i >> 1) & 7, i & 1];
    const bump = (y: number, x: number) => Math.exp(-((h - y) ** 2 + (w - x) ** 2) / 5);
    return (1 + c) * bump(2 + 0.2 * cell, 3) - bump(5, 6 - 0.2 * cell);
  });
}

const encoded = new Map<string, CompressedWavetable[]>();

function cubeOf(ids: readonly (string | null)[], options: MatrixOptions = {}): WavetableMatrix {
  const cube = new WavetableMatrix(...DIMS, { resolution: 8, channels: 2, ...options });
  CELLS.forEach((cell, i) => {
    const id = ids[i % ids.length];
    cube.setNode(...place(DIMS, cell), id === null ? nodeOf(cell) : encoded.get(id)![cell]);
    const tangent = nodeOf(cell + 1).map((v) => v / 3);
    cube.setTangents(...place(DIMS, cell), { x: tangent, y: nodeOf(cell + 2), z: tangent });
  });
  return cube;
}

/** The same nodes, decoded. */
function decodedOf(cube: WavetableMatrix): WavetableMatrix {
  const twin = cube.clone();
  twin.decompressAll();
  return twin;
}

const coordinates = (n: number, seed: number) => {
  const next = random(seed);
  return Float32Array.from({ length: 3 * n }, (_, i) => -0.3 + (DIMS[i % 3] - 0.4) * next());
};

async function valuesOf(tensor: tf.Tensor): Promise<Float32Array> {
  const values = await tensor.data<'float32'>();
  tensor.dispose();
  return values.slice();
}

const OPAQUE = ['quantized', 'predictive', 'lossless'];
const MIXTURES: readonly [name: string, ids: readonly (string | null)[]][] = [
  ...IDS.map((id): [string, string[]] => [id, [id]]),
  ['blending codecs and dense nodes', [...IDS.filter((id) => !OPAQUE.includes(id)), null]],
  ['opaque codecs and dense nodes', [...OPAQUE, null]],
];

describe('methods of compressed nodes', () => {
  before(async function () {
    this.timeout(20_000);
    await ready({ backend: 'cpu' });
    for (const codec of OWN_CODECS) {
      const method = codec.blending as WavetableCodec;
      const nodes: CompressedWavetable[] = [];
      for (let cell = 0; cell < 18; cell++) {
        const wavetable = { values: nodeOf(cell), shape: SHAPE };
        nodes.push(await method.encode(wavetable, codec.id === 'lossless' ? 1 : { maxAbs: 0.2 }));
      }
      encoded.set(codec.id, nodes);
    }
  });

  after(() => {
    for (const nodes of encoded.values()) for (const node of nodes) node.dispose();
  });

  eachBackend(
    'cubes',
    (backend) => {
      // SwiftShader takes a third of a second for a kernel that is new.
      const slow = backend === 'webgpu';

      for (const [name, ids] of slow ? MIXTURES.slice(-2) : MIXTURES) {
        it(`every method gives what it gives of the decoded nodes, ${name}`, () =>
          withoutLeaks(async () => {
            // Small caches, so that opaque nodes are sampled in parts; the second time hot nodes are at hand.
            for (const options of slow ? [{}] : [{ cacheBytes: 6000 }, {}, { trainable: true }]) {
              const cube = cubeOf(ids, options);
              const decoded = decodedOf(cube);
              const coords = coordinates(7, 3);
              for (const method of slow
                ? (['nearest', 'cardinal', 'bspline', 'hermite', 'monotone'] as const)
                : METHODS) {
                const want = await valuesOf(decoded.sampleBatch(coords, { method }));
                for (let again = 0; again < 2; again++) {
                  const got = await valuesOf(cube.sampleBatch(coords, { method }));
                  expectClose(got, want, 1e-5 * magnitude(want), `${method}, ${again}`);
                }
              }
              decoded.dispose();
              cube.dispose();
            }
          }));
      }

      it('gradients to coords, in a trainable cube too, are those of the decoded nodes', () =>
        withoutLeaks(async () => {
          const n = 4;
          const weights = tf.randomUniform([n, 8, 8, 2], -1, 1, 'float32', 4);
          const at = tf.tensor2d(coordinates(n, 6), [n, 3]);
          for (const trainable of slow ? [true] : [false, true]) {
            // Opaque nodes are decoded as coordinates need them, which must be read for that.
            for (const [, ids] of MIXTURES.slice(-2, slow ? -1 : undefined)) {
              const cube = cubeOf(ids, { trainable });
              const decoded = decodedOf(cube);
              const slopes = (of: WavetableMatrix, method: InterpolationMethod) =>
                valuesOf(
                  tf.grad((x: tf.Tensor) => tf.sum(tf.mul(of.sampleBatch(x, { method }), weights)))(at),
                );
              for (const method of slow ? (['cardinal'] as const) : METHODS) {
                const want = await slopes(decoded, method);
                expectClose(await slopes(cube, method), want, 1e-5 * Math.max(1, magnitude(want)), method);
              }
              decoded.dispose();
              cube.dispose();
            }
          }
          tf.dispose([weights, at]);
        }));

      it('every variable of a trainable cube gets a gradient by every method', () =>
        withoutLeaks(async () => {
          for (const [name, ids] of MIXTURES) {
            if (name === 'lossless') continue;
            if (slow && name !== 'blending codecs and dense nodes') continue;
            const cube = cubeOf(ids, { trainable: true, pageBytes: 2000 });
            const variables = cube.trainableVariables();
            for (const method of slow ? (['nearest', 'bspline'] as const) : METHODS) {
              const f = () => tf.sum(cube.sampleBatch([[0.5, 1.25, 0.5]], { method })) as tf.Scalar;
              const { value, grads } = tf.variableGrads(f, variables);
              for (const variable of variables) {
                if (!grads[variable.name]) throw new Error(`${name}, ${method}: ${variable.shape} has none`);
              }
              tf.dispose([value, grads]);
            }
            cube.dispose();
          }
        }));
    },
    BACKENDS,
  );
});
