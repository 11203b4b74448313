/** The laws of methods of interpolation in cubes: gradients, and training. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { type InterpolationMethod, METHODS, meanSquare, type WavetableMatrix } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { giveTangents, makeCube, place, smoothCoords, type TestCube } from '../support/cubes.js';
import { type MethodField, methodOracle } from '../support/methods.js';
import { expectClose, GRADIENT_TOLERANCE, magnitude, random, randomArray } from '../support/numbers.js';

/** What all backends have kernels for. */
const BACKENDS = ['cpu', 'wasm', 'webgpu'];

const DIMS: [number, number, number] = [4, 3, 4];
const N = 6;
const PAYLOAD = 2;

interface Made extends TestCube {
  field: MethodField;
  coords: Float32Array;
  v: Float32Array;
}

function make(options = {}): Made {
  const made = makeCube({ dims: DIMS, resolution: [1, 2], channels: 1, trainable: true, ...options });
  const tangents = giveTangents(made);
  const coords = smoothCoords(DIMS, N);
  return { ...made, field: { ...made.field, tangents }, coords, v: randomArray(N * PAYLOAD, random(8)) };
}

/** Σ v · sample², in float64. */
function lossOf(
  { v }: Made,
  method: InterpolationMethod,
  field: MethodField,
  coords: ArrayLike<number>,
): number {
  let sum = 0;
  for (let i = 0; i < N; i++) {
    const s = methodOracle(field, method, [coords[3 * i], coords[3 * i + 1], coords[3 * i + 2]]);
    for (let f = 0; f < PAYLOAD; f++) sum += v[i * PAYLOAD + f] * s[f] ** 2;
  }
  return sum;
}

/** The same of the cube. */
const loss = ({ cube, v }: Made, method: InterpolationMethod, coords: tf.Tensor) =>
  tf.sum(tf.mul(tf.square(cube.sampleBatch(coords, { method })), tf.tensor4d(v, [N, 1, 2, 1]))) as tf.Scalar;

/** The field with `by` added to one element of one node, or of one tangent. */
function nudged(field: MethodField, cell: number, f: number, by: number, axis?: number): MethodField {
  const moved = (node: MethodField['node']): MethodField['node'] => {
    const values = Float64Array.from(node(cell)!);
    values[f] += by;
    return (c) => (c === cell ? values : node(c));
  };
  if (axis === undefined) return { ...field, node: moved(field.node) };
  return { ...field, tangents: field.tangents!.map((node, j) => (j === axis ? moved(node) : node)) };
}

/** [F] at each cell: central differences of g by the elements of nodes, or of tangents along an axis. */
function differences(made: Made, g: (field: MethodField) => number, axis?: number): number[] {
  const h = 1e-4;
  return [...made.values.keys()].flatMap((cell) =>
    Array.from({ length: PAYLOAD }, (_, f) => {
      const up = g(nudged(made.field, cell, f, h, axis));
      return (up - g(nudged(made.field, cell, f, -h, axis))) / (2 * h);
    }),
  );
}

function byCoords(g: (coords: Float64Array) => number, coords: ArrayLike<number>, h = 1e-4): number[] {
  return Array.from(coords, (_, i) => {
    const at = (by: number) => g(Float64Array.from(coords, (r, k) => r + (k === i ? by : 0)));
    return (at(h) - at(-h)) / (2 * h);
  });
}

/** The rows of nodes, or of tangents along an axis, in tensors shaped as trainableVariables(). */
async function rowsOf({ cube, values }: Made, pages: tf.Tensor[], tangent?: 'x' | 'y' | 'z') {
  const data = await Promise.all(pages.map((page) => page.data()));
  return [...values.keys()].flatMap((cell) => {
    const { page, row } = cube.rowOf(...place(DIMS, cell), tangent);
    return [...data[page].subarray(row * PAYLOAD, (row + 1) * PAYLOAD)];
  });
}

/** Gradients of `f` to the cube's variables, in their order; every one must be there. */
function gradientsOf(cube: WavetableMatrix, f: () => tf.Scalar): tf.Tensor[] {
  const variables = cube.trainableVariables();
  const { value, grads } = tf.variableGrads(f, variables);
  value.dispose();
  return variables.map(({ name }) => {
    expect(grads[name], `gradient of ${name}`).to.be.instanceOf(tf.Tensor);
    return grads[name];
  });
}

const expectGradient = (got: ArrayLike<number>, want: number[], what: string) =>
  expectClose(got, want, GRADIENT_TOLERANCE * Math.max(1, magnitude(want)), what);

const AXES = ['x', 'y', 'z'] as const;
/** First and second derivatives. */
const SMOOTH: InterpolationMethod[] = ['linear', 'smoothstep', 'cardinal', 'bspline', 'hermite'];

eachBackend(
  'gradients of methods',
  (backend) => {
    // SwiftShader takes a third of a second for a kernel that is new, and long for each step.
    const slow = backend === 'webgpu';

    for (const method of METHODS) {
      for (const boundary of slow ? (['clamp'] as const) : (['clamp', 'extrapolate'] as const)) {
        it(`gradients to nodes, tangents and coords equal finite differences, ${method}, ${boundary}`, () =>
          withoutLeaks(async () => {
            const made = make({ boundary });
            // One sample is beyond the grid.
            if (boundary === 'extrapolate') made.coords[0] = -0.4;
            const r = tf.tensor2d(made.coords, [N, 3]);
            const g = (field: MethodField) => lossOf(made, method, field, made.coords);
            const pages = gradientsOf(made.cube, () => loss(made, method, r));
            expectGradient(await rowsOf(made, pages), differences(made, g), 'nodes');
            for (const [axis, name] of AXES.entries()) {
              const want = differences(made, g, axis);
              expectGradient(await rowsOf(made, pages, name), want, `tangents along ${name}`);
              if (method === 'hermite') expect(magnitude(want)).to.be.greaterThan(0.01);
            }
            const slopes = tf.grad((x: tf.Tensor) => loss(made, method, x))(r);
            const want = byCoords((x) => lossOf(made, method, made.field, x), made.coords);
            expectGradient(await slopes.data(), method === 'nearest' ? want.map(() => 0) : want, 'coords');
            tf.dispose([r, slopes, ...pages]);
            made.cube.dispose();
          }));
      }
    }

    for (const method of slow ? (['cardinal', 'bspline'] as const) : SMOOTH) {
      it(`second derivatives by coords, and by coords and nodes, equal finite differences, ${method}`, () =>
        withoutLeaks(async () => {
          const made = make();
          const r = tf.tensor2d(made.coords, [N, 3]);
          const h = randomArray(3 * N, random(9));
          const direction = tf.tensor2d(h, [N, 3]);
          // The slope of the loss along the direction, and its gradients.
          const along = (x: tf.Tensor) =>
            tf.sum(tf.mul(tf.grad((y: tf.Tensor) => loss(made, method, y))(x), direction)) as tf.Scalar;
          const slope = (field: MethodField, coords: ArrayLike<number>) => {
            const at = (t: number) =>
              lossOf(
                made,
                method,
                field,
                Float64Array.from(coords, (c, i) => c + t * h[i]),
              );
            return (at(1e-3) - at(-1e-3)) / 2e-3;
          };
          const second = tf.grad(along)(r);
          const want = byCoords((x) => slope(made.field, x), made.coords, 1e-3);
          // The differences are true to the square of their step.
          expectClose(await second.data(), want, 1e-4 * magnitude(want), 'coords');
          const pages = gradientsOf(made.cube, () => along(r));
          const mixed = differences(made, (field) => slope(field, made.coords));
          expectClose(await rowsOf(made, pages), mixed, 1e-4 * magnitude(mixed), 'nodes');
          tf.dispose([r, direction, second, ...pages]);
          made.cube.dispose();
        }));
    }

    it('splat is the adjoint of sampleBatch, of every linear method; monotone has none', () =>
      withoutLeaks(async () => {
        const kinds = [{ missing: 'renormalize', missingPart: 0.3 }, { pageBytes: 100 }, {}] as const;
        for (const options of slow ? kinds.slice(0, 2) : kinds) {
          const made = make(options);
          const values = tf.tensor4d(made.v, [N, 1, 2, 1]);
          for (const method of METHODS) {
            if (method === 'monotone' || (method === 'bspline' && 'missing' in options)) continue;
            const splats = made.cube.splat(made.coords, values, { method });
            const f = () =>
              tf.sum(tf.mul(made.cube.sampleBatch(made.coords, { method }), values)) as tf.Scalar;
            const pages = gradientsOf(made.cube, f);
            for (const [i, page] of pages.entries()) {
              expect(splats[i].shape).to.deep.equal(page.shape);
              const want = await page.data();
              expectClose(
                await splats[i].data(),
                want,
                2e-6 * Math.max(1, magnitude(want)),
                `${method} ${i}`,
              );
            }
            tf.dispose([...splats, ...pages]);
          }
          expect(() => made.cube.splat(made.coords, values, { method: 'monotone' })).to.throw(
            'not linear in the nodes',
          );
          values.dispose();
          made.cube.dispose();
        }
      }));

    it('rows that are not finite get zero gradients, whatever the upstream gradient', () =>
      withoutLeaks(async () => {
        const made = make();
        const coords = tf.tensor2d(
          [...made.coords.subarray(0, 3), 1.5, Number.NaN, 1, 1.2, 1.1, -1 / 0],
          [3, 3],
        );
        for (const method of METHODS) {
          const [g] = tf.grads((x: tf.Tensor) =>
            tf.sum(tf.square(made.cube.sampleBatch(x as tf.Tensor2D, { method }))),
          )([coords]);
          const values = await g.data();
          expect([...values.subarray(3)], method).to.deep.equal([0, 0, 0, 0, 0, 0]);
          if (method !== 'nearest') expect(magnitude(values), method).to.be.within(1e-4, 1e4);
          const pages = gradientsOf(made.cube, () => tf.sum(made.cube.sampleBatch(coords, { method })));
          for (const page of pages) expect(magnitude(await page.data()), method).to.be.within(0, 1e4);
          tf.dispose([g, ...pages]);
        }
        coords.dispose();
        made.cube.dispose();
      }));

    for (const method of slow ? (['bspline', 'hermite'] as const) : METHODS) {
      it(`20 Adam steps on nodes, tangents and coordinates lower the loss and leave nothing behind, ${method}`, () =>
        withoutLeaks(async () => {
          const made = make();
          const initial = tf.tensor2d(made.coords, [N, 3]);
          const coords = tf.variable(initial);
          initial.dispose();
          const target = tf.tensor4d(randomArray(N * PAYLOAD, random(3)), [N, 1, 2, 1]);
          const optimizer = tf.train.adam(0.02);
          const losses: number[] = [];
          let warm = { numTensors: 0, numBytes: 0 };
          for (let i = 0; i < 20; i++) {
            const cost = optimizer.minimize(
              () => meanSquare(tf.sub(made.cube.sampleBatch(coords, { method }), target)),
              true,
            )!;
            losses.push((await cost.data())[0]);
            cost.dispose();
            if (i === 1) warm = { ...tf.memory() };
          }
          const { numTensors, numBytes } = tf.memory();
          expect({ numTensors, numBytes }).to.deep.equal({
            numTensors: warm.numTensors,
            numBytes: warm.numBytes,
          });
          expect(losses[19]).to.be.below(0.9 * losses[0]);
          optimizer.dispose();
          tf.dispose([coords, target]);
          made.cube.dispose();
        }));
    }
  },
  BACKENDS,
);
