import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import type { SamplingAttrs } from '../../src/ops/contract.js';
import { splatRows } from '../../src/ops/sample.js';
import { type StencilSpec, splatTapRows, stencilOf, tapRows } from '../../src/ops/taps.js';
import {
  TAPS_GRAD,
  TAPS_GRAD_TANGENT,
  TAPS_SPLAT_TANGENT,
  TAPS_TANGENT,
} from '../../src/ops/tapscontract.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { expectClose, GRADIENT_TOLERANCE, magnitude, random, randomArray } from '../support/numbers.js';
import {
  oracleTaps,
  oracleTapsCurvature,
  oracleTapsSlopes,
  oracleTapsSplat,
  SAMPLED,
  sweep,
  type TapsCase,
  type TapsCaseOptions,
  tapsForm,
  toleranceOf,
  using,
} from '../support/tapscases.js';

const scalarOf = (x: tf.Tensor, y: tf.Tensor) => tf.sum(tf.mul(x, y)) as tf.Scalar;

eachBackend('gradients of sampling with four taps an axis', (backend) => {
  // A GPU's pipelines differ by width, and take SwiftShader longer to compile than to run.
  const slow = backend === 'webgpu';

  describe('gradients by weights, and all tangents, equal the trilinear form in float64', () => {
    const of = (half: boolean, payloads: number[]) =>
      sweep({ half }).filter(([, { payload }]) => payloads.includes(payload));
    const picked = of(false, slow ? [4, 64] : [1, 4, 9, 64]);
    const halves = of(true, slow ? [9] : [9, 64]);
    for (const [name, options] of [...picked, ...halves]) {
      it(`${name}${options.half ? ', float16' : ''}`, () => using(options, (c) => checkForms(c, options)));
    }
  });

  it('values of a sample that has no place get no gradient from the splat, linear or of four taps', () =>
    withoutLeaks(async () => {
      const [n, F, boundary] = [5, 6, [0, 1, 4] as [number, number, number]];
      const places = randomArray(3 * n, random(7), 0, 2);
      places[4] = Number.NaN;
      places[11] = Number.POSITIVE_INFINITY;
      const coords = tf.tensor2d(places, [n, 3]);
      const values = tf.tensor2d(randomArray(n * F, random(8)), [n, F]);
      const dy = tf.tensor2d(randomArray(27 * F, random(9)), [27, F]);
      const grid = tf.tidy(() => tf.range(0, 27, 1, 'int32').reshape<tf.Tensor3D>([3, 3, 3]));
      const attrs = { payload: F, half: false, firstRow: 0, rows: 27, ordered: true };
      const spec = { dims: [3, 3, 3], boundary, basis: [1, 1, 1], a: -0.5 } as StencilSpec;
      const linear = (v: tf.Tensor) =>
        splatRows(v as tf.Tensor2D, grid, coords, { ...attrs, boundary } as SamplingAttrs);
      const cubic = (v: tf.Tensor) => splatTapRows(v as tf.Tensor2D, grid, stencilOf(coords, spec), attrs);
      for (const splat of [linear, cubic]) {
        const by = tf.grad(splat)(values, dy);
        const got = await by.data();
        for (let i = 0; i < n; i++) {
          const row = got.slice(i * F, i * F + F);
          if (i === 1 || i === 3) expect([...row]).to.deep.equal(Array(F).fill(0));
          else expect(row.every((v) => Number.isFinite(v) && v !== 0)).to.equal(true);
        }
        by.dispose();
      }
      tf.dispose([coords, values, dy, grid]);
    }));

  async function checkForms(c: TapsCase, { samples: n, payload: F }: TapsCaseOptions): Promise<void> {
    const stencil = c.stencil();
    const v = tf.tensor2d(randomArray(n * F, random(5)), [n, F]);
    const tangent = tf.tensor3d(randomArray(n * 12, random(6)), [n, 3, 4]);
    const at = { grid: c.grid, ...stencil };
    const kernel = (name: string, inputs: Record<string, tf.Tensor>, attrs = c.attrs) =>
      tf.engine().runKernel(name, inputs, attrs) as tf.Tensor;
    const gradient = kernel(TAPS_GRAD, { ...at, nodes: c.nodes, values: v });
    const second = kernel(TAPS_GRAD_TANGENT, { ...at, nodes: c.nodes, values: v, tangent });
    const along = kernel(TAPS_TANGENT, { ...at, nodes: c.nodes, tangent });
    const splat = kernel(TAPS_SPLAT_TANGENT, { ...at, values: v, tangent }, { ...c.attrs, half: false });
    expect([gradient.shape, second.shape, along.shape, splat.shape]).to.deep.equal([
      [n, 3, 4],
      [n, 3, 4],
      [n, F],
      [c.attrs.rows, F],
    ]);

    const [taps, w, h, values] = await Promise.all(
      [stencil.taps, stencil.weights, tangent, v].map((t) => t.data()),
    );
    const grad = new Float64Array(12 * n);
    const gradTangent = new Float64Array(12 * n);
    const D = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const own = values.subarray(i * F, (i + 1) * F);
      const u = (axis: number, slot: number) => w[12 * i + 4 * axis + slot];
      const d = (axis: number, slot: number) => h[12 * i + 4 * axis + slot];
      for (let j = 0; j < 3; j++) {
        D[i] += tapsForm(c, taps, i, (axis, slot) => (axis === j ? d : u)(axis, slot), own);
        for (let k = 0; k < 4; k++) {
          const unit = (slot: number) => (slot === k ? 1 : 0);
          grad[12 * i + 4 * j + k] = tapsForm(
            c,
            taps,
            i,
            (axis, s) => (axis === j ? unit(s) : u(axis, s)),
            own,
          );
          for (let l = 0; l < 3; l++) {
            if (l === j) continue;
            const vector = (axis: number, s: number) =>
              axis === j ? unit(s) : axis === l ? d(axis, s) : u(axis, s);
            gradTangent[12 * i + 4 * j + k] += tapsForm(c, taps, i, vector, own);
          }
        }
      }
    }
    const near = (got: ArrayLike<number>, want: ArrayLike<number>, what: string) =>
      expectClose(got, want, 1e-5 * Math.max(1, magnitude(want)), what);
    near(await gradient.data(), grad, 'gradient');
    near(await second.data(), gradTangent, 'gradient, tangent');
    const a = await along.data();
    const dots = Float64Array.from({ length: n }, (_, i) => {
      let sum = 0;
      for (let f = 0; f < F; f++) sum += a[i * F + f] * values[i * F + f];
      return sum;
    });
    near(dots, D, 'sample, tangent');
    // ⟨S_h x, v⟩ = ⟨x, S_hᵀ v⟩; halves are what they were rounded to.
    const s = await splat.data();
    let inner = 0;
    for (let i = 0; i < s.length; i++) inner += s[i] * c.rows[i];
    const sum = (x: ArrayLike<number>) => Array.from(x).reduce((p, q) => p + q, 0);
    expect(Math.abs(inner - sum(D))).to.be.below(
      2e-5 *
        Math.max(
          1,
          D.reduce((p, q) => p + Math.abs(q), 0),
        ),
    );
    tf.dispose([stencil.taps, stencil.weights, v, tangent, gradient, second, along, splat]);
  }

  describe('gradients to nodes, weights and coordinates', () => {
    for (const basis of SAMPLED) {
      for (const boundary of ['clamp', 'wrap', 'reflect', 'zero', 'extrapolate'] as const) {
        const widths = { clamp: 3, wrap: 8, reflect: 5, zero: 20, extrapolate: 1 };
        const payload = slow ? 8 : widths[boundary];
        const margin = boundary === 'extrapolate' ? 0.9 : 2;
        const options: TapsCaseOptions = {
          dims: [4, 3, 2],
          payload,
          samples: 11,
          basis,
          boundary,
          margin,
          smooth: true,
          a: -0.6,
          missing: 0.1,
        };
        it(`equal differences of the oracle, and differences of those, ${basis}, ${boundary}`, () =>
          using(options, async (c) => {
            const values = randomArray(11 * payload, random(12));
            const direction = randomArray(33, random(13));
            const v = tf.tensor2d(values, [11, payload]);
            const h = tf.tensor2d(direction, [11, 3]);
            const f = (nodes: tf.Tensor, coords: tf.Tensor) =>
              scalarOf(tapRows(nodes, c.grid, c.stencil(coords as tf.Tensor2D), c.attrs), v);
            const slope = (coords: tf.Tensor) => tf.grad((r: tf.Tensor) => f(c.nodes, r))(coords);
            const [toNodes, toCoords] = tf.grads(f)([c.nodes, c.coords]);
            const curvature = tf.grad((r: tf.Tensor) => scalarOf(slope(r), h))(c.coords);
            // The slope's own gradient to the nodes is what the tangent splats.
            const mixed = tf.grad((nodes: tf.Tensor) =>
              scalarOf(tf.grad((r: tf.Tensor) => f(nodes, r))(c.coords), h),
            )(c.nodes);
            const near = (got: ArrayLike<number>, want: ArrayLike<number>, what: string) =>
              expectClose(got, want, GRADIENT_TOLERANCE * Math.max(1, magnitude(want)), what);
            near(await toNodes.data(), oracleTapsSplat(c, values), 'nodes');
            near(await toCoords.data(), oracleTapsSlopes(c, values), 'coords');
            near(await curvature.data(), oracleTapsCurvature(c, values, direction), 'curvature');
            // ⟨mixed, nodes⟩ = ⟨slope, h⟩, as both are linear in the nodes.
            const m = Array.from(await mixed.data());
            const s = oracleTapsSlopes(c, values);
            const left = m.reduce((sum, x, i) => sum + x * c.rows[i], 0);
            const right = s.reduce((sum, x, i) => sum + x * direction[i], 0);
            expect(left).to.be.closeTo(right, 2e-4 * Math.max(1, magnitude(s)));
            tf.dispose([v, h, toNodes, toCoords, curvature, mixed]);
          }));
      }
    }

    it('of splat, to values and coordinates, equal those of its inner product', () =>
      using(
        { dims: [3, 4, 3], payload: 6, samples: 9, basis: ['bspline', 'cardinal', 'hermite'], smooth: true },
        async (c) => {
          const values = randomArray(54, random(2));
          const v = tf.tensor2d(values, [9, 6]);
          const u = c.nodes;
          const f = (x: tf.Tensor, r: tf.Tensor) =>
            scalarOf(splatTapRows(x as tf.Tensor2D, c.grid, c.stencil(r as tf.Tensor2D), c.attrs), u);
          const [toValues, toCoords] = tf.grads(f)([v, c.coords]);
          expectClose(await toValues.data(), oracleTaps(c), toleranceOf(c));
          const slopes = oracleTapsSlopes(c, values);
          expectClose(await toCoords.data(), slopes, GRADIENT_TOLERANCE * Math.max(1, magnitude(slopes)));
          tf.dispose([v, toValues, toCoords]);
        },
      ));
  });
});
