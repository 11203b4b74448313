/** Bases of two taps, linear and the hermites, read the nodes of a coordinate's own cell and no others. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { BOUNDARIES, type Boundary, boundaryCode } from '../../src/interpolation/stencil.js';
import { packHalves } from '../../src/ops/half.js';
import { fuses, stencilOf, tapRows, tapRowsAt } from '../../src/ops/taps.js';
import {
  stencilComposition,
  stencilTapsComposition,
  tapsComposition,
  tapsGradComposition,
} from '../../src/ops/tapscomposition.js';
import { type StencilAttrs, TAPS_GRAD, type TapsInputs } from '../../src/ops/tapscontract.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, GRADIENT_TOLERANCE, magnitude, random, randomArray } from '../support/numbers.js';
import {
  oracleTaps,
  oracleTapsCurvature,
  oracleTapsSlopes,
  oracleTapsSplat,
  type SampledBasis,
  specOf,
  type TapsCase,
  toleranceOf,
  using,
} from '../support/tapscases.js';
import { axisNodeWeights } from '../support/tapsoracle.js';

const NARROW = ['linear', 'hermite', 'hermite-tangent'] as const;

type Three<T> = [T, T, T];
const three = <T>(x: T): Three<T> => [x, x, x];

const DIMS: Three<number> = [5, 4, 6];
/** Cells amid the axes, at their ends, across a seam, and beyond: the whole parts of coordinates. */
const CELLS: Record<Boundary, Three<number>[]> = {
  clamp: [
    [1, 1, 2],
    [0, 2, 4],
  ],
  error: [[2, 1, 3]],
  wrap: [
    [2, 1, 1],
    [4, -1, 11],
  ],
  reflect: [[-2, 3, 2]],
  zero: [[-1, 3, 2]],
  extrapolate: [[0, 1, 4]],
};

const N = 6;
/** Sets the coordinates of a case into a cell; there only its nodes stay numbers. @returns rows with NaN elsewhere. */
function isolate(c: TapsCase, cell: Three<number>): Float32Array {
  const next = random(31);
  for (let k = 0; k < 3 * N; k++) c.positions[k] = cell[k % 3] + 0.1 + 0.8 * next();
  const { dims, boundary, payload } = c.field;
  const near = [0, 1, 2].map((j) =>
    axisNodeWeights(c.positions[j], dims[j], boundary[j], { basis: 'linear', a: 0 }),
  );
  const rows = c.rows.slice();
  c.cellOfRow.forEach((at, row) => {
    const [x, y, z] = [
      Math.floor(at / (dims[1] * dims[2])),
      Math.floor(at / dims[2]) % dims[1],
      at % dims[2],
    ];
    if (near[0][x] * near[1][y] * near[2][z] === 0) rows.fill(Number.NaN, row * payload, (row + 1) * payload);
  });
  expect(rows.some(Number.isNaN) && !rows.every(Number.isNaN)).to.equal(true);
  return rows;
}

eachBackend('bases of two taps', (backend) => {
  const slow = backend === 'webgpu';

  it('name no node in the outer slots, and the nodes that wider bases name in the inner ones', () =>
    withoutLeaks(async () => {
      const next = random(5);
      const dims: Three<number> = [1, 4, 7];
      const positions = Float32Array.from({ length: 300 }, (_, k) => {
        const r = -5 + (dims[k % 3] + 9) * next();
        return k % 4 ? r : Math.round(r);
      });
      const coords = tf.tensor2d(positions, [100, 3]);
      for (const boundary of BOUNDARIES) {
        const codes = three(boundaryCode(boundary));
        const wide = stencilOf(coords, specOf(dims, codes, three('cardinal'), -0.5));
        const all = await wide.taps.data();
        // Each basis on each axis, beside one that is wide.
        for (let turn = 0; turn < 4; turn++) {
          const bases = [0, 1, 2].map((j) => [...NARROW, 'bspline' as const][(turn + j) % 4]);
          const { taps, weights } = stencilOf(
            coords,
            specOf(dims, codes, bases as Three<SampledBasis>, -0.5),
          );
          const want = all.map((node, k) => {
            const outer = k % 4 === 0 || k % 4 === 3;
            return outer && bases[Math.floor(k / 4) % 3] !== 'bspline' ? -1 : node;
          });
          expect(await taps.data(), `${boundary}, ${bases}`).to.deep.equal(want);
          tf.dispose([taps, weights]);
        }
        tf.dispose([wide.taps, wide.weights]);
      }
      coords.dispose();
    }));

  describe('NaN in nodes that are not of the cell leaves values and gradients of every order finite', () => {
    const bases: Three<SampledBasis>[] = [
      three('hermite'),
      ['hermite', 'hermite-tangent', 'hermite'],
      ['hermite-tangent', 'hermite', 'linear'],
    ];
    // Rows in order up to 64 floats are read as pairs on wasm, and straight from coordinates; others by lists.
    const ways = [
      { payload: 8 },
      { payload: slow ? 8 : 5, half: true },
      ...(slow ? [] : [{ payload: 1 }, { payload: 7 }, { payload: 7, shuffled: true }, { payload: 66 }]),
    ];
    for (const boundary of BOUNDARIES) {
      for (const cell of CELLS[boundary]) {
        it(`${boundary}, from ${cell}`, async () => {
          for (const [i, way] of ways.entries()) {
            const options = { dims: DIMS, samples: N, boundary, basis: bases[i % 3], ...way };
            await using(options, (c) => checkIsolated(c, cell));
          }
        });
      }
    }
  });

  async function checkIsolated(c: TapsCase, cell: Three<number>): Promise<void> {
    const { payload, half } = c.attrs;
    const rows = isolate(c, cell);
    const nodes = half
      ? tf.tensor2d(packHalves(rows, payload), c.nodes.shape, 'int32')
      : tf.tensor2d(rows, c.nodes.shape);
    const coords = tf.tensor2d(c.positions, [N, 3]);
    const values = randomArray(N * payload, random(32));
    const direction = randomArray(3 * N, random(33));
    const v = tf.tensor2d(values, [N, payload]);
    const h = tf.tensor2d(direction, [N, 3]);
    const what = `payload ${payload}`;
    const near = (got: ArrayLike<number>, want: ArrayLike<number>, order: string) =>
      expectClose(got, want, GRADIENT_TOLERANCE * Math.max(1, magnitude(want)), `${what}, ${order}`);
    const read = [(x: tf.Tensor, r: tf.Tensor) => tapRows(x, c.grid, c.stencil(r as tf.Tensor2D), c.attrs)];
    if (fuses(c.attrs)) {
      read.push((x: tf.Tensor, r: tf.Tensor) => tapRowsAt(x, c.grid, r as tf.Tensor2D, c.spec, c.attrs));
    }
    for (const sample of read) {
      const f = (x: tf.Tensor, r: tf.Tensor) => tf.sum(tf.mul(sample(x, r), v)) as tf.Scalar;
      const out = tf.tidy(() => sample(nodes, coords));
      expectClose(await out.data(), oracleTaps(c), toleranceOf(c), what);
      const slope = tf.grad((r: tf.Tensor) => f(nodes, r));
      const toCoords = slope(coords);
      near(await toCoords.data(), oracleTapsSlopes(c, values), 'slopes');
      const curvature = tf.grad((r: tf.Tensor) => tf.sum(tf.mul(slope(r), h)) as tf.Scalar)(coords);
      near(await curvature.data(), oracleTapsCurvature(c, values, direction), 'curvature');
      tf.dispose([out, toCoords, curvature]);
      if (half) continue;
      const [toNodes, mixed] = [
        tf.grad((x: tf.Tensor) => f(x, coords))(nodes),
        tf.grad((x: tf.Tensor) => tf.sum(tf.mul(tf.grad((r: tf.Tensor) => f(x, r))(coords), h)) as tf.Scalar)(
          nodes,
        ),
      ];
      near(await toNodes.data(), oracleTapsSplat(c, values), 'nodes');
      const m = await mixed.data();
      expect(m.every((x, i) => Number.isFinite(x) && (x === 0 || !Number.isNaN(rows[i])))).to.equal(true);
      tf.dispose([toNodes, mixed]);
    }
    const { taps, weights } = c.stencil(coords);
    const byWeights = tf
      .engine()
      .runKernel(TAPS_GRAD, { nodes, grid: c.grid, taps, weights, values: v }, c.attrs) as tf.Tensor;
    expect((await byWeights.data()).every(Number.isFinite), `${what}, weights`).to.equal(true);
    tf.dispose([nodes, coords, v, h, taps, weights, byWeights]);
  }
});

eachBackend('bases of two taps, composed from stock ops', () => {
  for (const boundary of BOUNDARIES) {
    it(`NaN in nodes that are not of the cell leaves values and gradients by weights finite, ${boundary}`, async () => {
      for (const cell of CELLS[boundary]) {
        for (const basis of ['hermite', 'hermite-tangent'] as const) {
          await using({ dims: DIMS, payload: 3, samples: N, boundary, basis }, async (c) => {
            const rows = isolate(c, cell);
            const [out, slopes] = tf.tidy(() => {
              const coords = tf.tensor2d(c.positions, [N, 3]);
              const attrs = { ...c.spec, order: 0 } as StencilAttrs;
              const inputs = {
                nodes: tf.tensor2d(rows, c.nodes.shape) as tf.Tensor,
                grid: c.grid as tf.Tensor,
                taps: stencilTapsComposition(coords, attrs),
                weights: stencilComposition(coords, attrs),
                values: tf.ones([N, 3]),
              } as TapsInputs;
              return [tapsComposition(inputs, c.attrs), tapsGradComposition(inputs, c.attrs)];
            });
            expectClose(await out.data(), oracleTaps(c), toleranceOf(c));
            expect((await slopes.data()).every(Number.isFinite)).to.equal(true);
            tf.dispose([out, slopes]);
          });
        }
      }
    });
  }
}, ['cpu']);
