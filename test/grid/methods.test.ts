/** The laws of methods of interpolation in cubes: values. */
import * as tf from '@tensorflow/tfjs';
import { BOUNDARIES, type InterpolationMethod, METHODS, WavetableMatrix } from '../../src/index.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import {
  type CubeOptions,
  giveTangents,
  makeCube,
  place,
  smoothCoords,
  type TestCube,
} from '../support/cubes.js';
import { type MethodField, methodOracle } from '../support/methods.js';
import { expectClose, random } from '../support/numbers.js';

/** What all backends have kernels for. */
const BACKENDS = ['cpu'];

/** Three weights of four float32 taps, 64 products; of B-splines coefficients of nodes up to 1 reach 27. */
const METHOD_TOLERANCE = 5e-6;
const toleranceOf = (method: InterpolationMethod) => (method === 'bspline' ? 1e-5 : METHOD_TOLERANCE);

/** Coordinates in the grid, at nodes, and beyond. */
function coordsOf(dims: readonly number[], n: number, seed = 5): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: 3 * n }, (_, i) => {
    const size = dims[i % 3];
    const kind = next();
    if (kind < 0.2) return Math.floor(next() * size);
    return kind < 0.6 ? next() * (size - 1) : -2 + next() * (size + 3);
  });
}

interface MethodCube extends TestCube {
  field: MethodField;
}

function methodCube(options: CubeOptions = {}): MethodCube {
  const made = makeCube(options);
  const tangents = giveTangents(made);
  return { ...made, field: { ...made.field, tangents } };
}

const oracleOf = ({ field }: MethodCube, method: InterpolationMethod, coords: Float32Array, a?: number) =>
  Array.from({ length: coords.length / 3 }, (_, i) => [
    ...methodOracle(field, method, coords.subarray(3 * i, 3 * i + 3), a),
  ]).flat();

const valuesOf = async (t: tf.Tensor) => {
  const values = (await t.data()).slice();
  t.dispose();
  return values;
};

eachBackend(
  'methods',
  () => {
    for (const boundary of BOUNDARIES) {
      it(`every method equals its oracle, boundary ${boundary}, axes of one node up to more than taps`, () =>
        withoutLeaks(async () => {
          for (const dims of [
            [5, 4, 6],
            [1, 2, 3],
            [2, 1, 2],
          ] as [number, number, number][]) {
            const made = methodCube({ dims, boundary, missing: 'zero' });
            const coords = boundary === 'error' ? smoothCoords(dims, 12) : coordsOf(dims, 40);
            // An axis of one node has but one place inside.
            if (boundary === 'error') coords.set(coords.map((r, i) => (dims[i % 3] === 1 ? 0 : r)));
            for (const method of METHODS) {
              const got = await valuesOf(made.cube.sampleBatch(coords, { method }));
              const what = `${method} [${dims}]`;
              // Beyond an extrapolated axis values grow with the distance.
              expectClose(got, oracleOf(made, method, coords), 8 * toleranceOf(method), what);
            }
            made.cube.dispose();
          }
        }));
    }

    it('cardinal takes a; catmull-rom is cardinal of −1/2', () =>
      withoutLeaks(async () => {
        const made = methodCube({ dims: [4, 5, 3] });
        const coords = coordsOf([4, 5, 3], 30);
        for (const a of [-1, -0.75, -0.5, 0]) {
          const got = await valuesOf(made.cube.sampleBatch(coords, { method: 'cardinal', a }));
          expectClose(got, oracleOf(made, 'cardinal', coords, a), METHOD_TOLERANCE, `a ${a}`);
        }
        const plain = await valuesOf(made.cube.sampleBatch(coords, { method: 'catmull-rom' }));
        expectClose(plain, await valuesOf(made.cube.sampleBatch(coords, { method: 'cardinal' })), 0);
        made.cube.dispose();
      }));

    it('on nodes every method gives the node exactly, bspline to 1e-5', () =>
      withoutLeaks(async () => {
        const dims: [number, number, number] = [5, 3, 4];
        const { cube, values } = methodCube({ dims });
        const cells = [...values.keys()];
        const coords = Float32Array.from(cells.flatMap((cell) => place(dims, cell)));
        const want = cells.flatMap((cell) => [...values.get(cell)!]);
        for (const method of METHODS) {
          const got = await valuesOf(cube.sampleBatch(coords, { method }));
          expectClose(got, want, method === 'bspline' ? 1e-5 : 0, method);
        }
        cube.dispose();
      }));

    for (const [name, options] of [
      ['float16', { dtype: 'float16' }],
      ['paged', { pageBytes: 200 }],
      ['sparse', { missingPart: 0.3 }],
      ['dense', { sparse: false }],
      ['trainable and paged', { trainable: true, pageBytes: 300, missingPart: 0.2 }],
    ] as const) {
      it(`every method equals its oracle, ${name} nodes`, () =>
        withoutLeaks(async () => {
          const dims: [number, number, number] = [4, 3, 5];
          const made = methodCube({ ...options, dims });
          const coords = coordsOf(dims, 20);
          for (const method of METHODS) {
            const got = await valuesOf(made.cube.sampleBatch(coords, { method }));
            // Halves are rounded by 2⁻¹¹; weights of cubics add up to 2 in magnitude, tangents to more.
            const tolerance = name === 'float16' ? 2 ** -8 : toleranceOf(method);
            expectClose(got, oracleOf(made, method, coords), tolerance, method);
          }
          made.cube.dispose();
        }));
    }

    it('at another resolution, or of some channels, every method is that of the resampled nodes', () =>
      withoutLeaks(async () => {
        const dims: [number, number, number] = [4, 3, 2];
        const { cube } = methodCube({ dims, resolution: [4, 6] });
        const small = new WavetableMatrix(...dims, { resolution: [3, 4], channels: 2 });
        for (const [x, y, z] of cube.positions()) {
          const one = cube.sample(x, y, z, { resolution: [3, 4] });
          small.setNode(x, y, z, one);
          one.dispose();
          const given = cube.getTangents(x, y, z);
          const lone = new WavetableMatrix(1, 1, 1, { resolution: [4, 6], channels: 2 });
          const [tx, ty, tz] = [given.x!, given.y!, given.z!].map((tangent) => {
            lone.setNode(0, 0, 0, tangent);
            return lone.sample(0, 0, 0, { resolution: [3, 4] });
          });
          small.setTangents(x, y, z, { x: tx, y: ty, z: tz });
          lone.dispose();
          tf.dispose([given, tx, ty, tz]);
        }
        const coords = coordsOf(dims, 12);
        for (const method of METHODS) {
          const got = await valuesOf(
            cube.sampleBatch(coords, { method, resolution: [3, 4], channels: [1, 0] }),
          );
          const want = await valuesOf(small.sampleBatch(coords, { method, channels: [1, 0] }));
          expectClose(got, want, 2 * toleranceOf(method), method);
        }
        small.dispose();
        cube.dispose();
      }));

    it('rows that are not finite are NaN, the others as without them', () =>
      withoutLeaks(async () => {
        const { cube } = methodCube({ dims: [4, 3, 4] });
        const good = coordsOf([4, 3, 4], 2);
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          const coords = Float32Array.from([...good.subarray(0, 3), 1, bad, 1, ...good.subarray(3)]);
          for (const method of METHODS) {
            const got = await valuesOf(cube.sampleBatch(coords, { method }));
            const want = await valuesOf(cube.sampleBatch(good, { method }));
            const row = new Float32Array(12).fill(Number.NaN);
            expectClose(got, [...want.subarray(0, 12), ...row, ...want.subarray(12)], 0, method);
          }
        }
        cube.dispose();
      }));
  },
  BACKENDS,
);
