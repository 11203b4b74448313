import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { BOUNDARIES, boundaryCode } from '../../src/interpolation/stencil.js';
import { packHalves } from '../../src/ops/half.js';
import { splatTapRows, stencilOf, tapRows } from '../../src/ops/taps.js';
import {
  STENCIL,
  TAPS_GRAD,
  TAPS_GRAD_TANGENT,
  TAPS_SPLAT_TANGENT,
  TAPS_TANGENT,
} from '../../src/ops/tapscontract.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import {
  expectClose,
  GRADIENT_TOLERANCE,
  hugeFloat,
  magnitude,
  random,
  randomArray,
  TAPS_TOLERANCE,
} from '../support/numbers.js';
import {
  makeTapsCase,
  oracleTaps,
  oracleTapsCurvature,
  oracleTapsSlopes,
  oracleTapsSplat,
  SAMPLED,
  specOf,
  type TapsCase,
  type TapsCaseOptions,
  tapsForm,
  tapsSpan,
} from '../support/tapscases.js';
import { axisNodeWeights } from '../support/tapsoracle.js';

async function using(options: TapsCaseOptions, body: (c: TapsCase) => Promise<void>): Promise<void> {
  await withoutLeaks(async () => {
    const c = makeTapsCase(options);
    await body(c);
    c.dispose();
  });
}

const SHAPES: [number, number, number][] = [
  [1, 2, 3],
  [4, 7, 1],
  [7, 1, 2],
  [3, 4, 2],
  [2, 3, 4],
];
const PAYLOADS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 1030];

/** Every basis with every boundary; shapes and payloads take turns. */
function sweep(extra: Partial<TapsCaseOptions> = {}): [string, TapsCaseOptions][] {
  const out: [string, TapsCaseOptions][] = [];
  const add = (name: string, o: TapsCaseOptions) => {
    const payload = o.payload;
    const samples = payload > 100 ? 9 : payload > 10 ? 24 : 40;
    out.push([name, { ...o, samples, ...extra, seed: out.length + 1 }]);
  };
  let turn = 0;
  for (const basis of SAMPLED) {
    for (const boundary of BOUNDARIES) {
      const dims = SHAPES[turn % SHAPES.length];
      const payload = PAYLOADS[turn++ % (PAYLOADS.length - 2)];
      const margin = boundary === 'extrapolate' ? 0.9 : 2.6;
      const a = -0.75;
      add(`${basis}, ${boundary}, ${dims.join('×')} nodes of ${payload}`, {
        dims,
        payload,
        samples: 0,
        basis,
        boundary,
        margin,
        a,
      });
    }
  }
  for (const payload of PAYLOADS) {
    const shape = { dims: [3, 4, 3] as [number, number, number], payload, samples: 0 };
    add(`payload ${payload}, missing nodes`, { ...shape, basis: 'bspline', missing: 0.3 });
    add(`payload ${payload}, rows not in cell order`, { ...shape, basis: 'cardinal', shuffled: true });
    add(`payload ${payload}, a page`, { ...shape, basis: 'cardinal', page: [7, 20] });
  }
  add('bases and boundaries mixed', {
    dims: [4, 3, 5],
    payload: 6,
    samples: 0,
    basis: ['bspline', 'hermite-tangent', 'cardinal'],
    boundary: ['wrap', 'reflect', 'zero'],
    missing: 0.2,
    margin: 2,
  });
  return out;
}

const EMPTY: [string, Partial<TapsCaseOptions>][] = [
  ['no samples', { samples: 0 }],
  ['no payload', { payload: 0 }],
  ['no rows', { page: [5, 0] }],
  ['one sample', { samples: 1 }],
];

const toleranceOf = (c: TapsCase) => tapsSpan(c) * TAPS_TOLERANCE * Math.max(1e-3, magnitude(c.rows));
const bits = (x: Float32Array | Int32Array | Uint8Array) => new Uint32Array(x.slice().buffer);
const scalarOf = (x: tf.Tensor, y: tf.Tensor) => tf.sum(tf.mul(x, y)) as tf.Scalar;

eachBackend('stencils of four taps', () => {
  describe('nodes weigh what the oracle says; derivatives are differences of it', () => {
    for (const boundary of BOUNDARIES) {
      it(boundary, () =>
        withoutLeaks(async () => {
          const sizes: [number, number, number][] = [
            [1, 2, 3],
            [4, 7, 1],
          ];
          for (const dims of sizes) {
            for (let b = 0; b < SAMPLED.length; b++) {
              const bases = [0, 1, 2].map((j) => SAMPLED[(b + j) % SAMPLED.length]);
              await checkStencil(dims, boundary, bases as [never, never, never]);
            }
          }
        }),
      );
    }
  });

  async function checkStencil(
    dims: [number, number, number],
    boundary: (typeof BOUNDARIES)[number],
    bases: [(typeof SAMPLED)[number], (typeof SAMPLED)[number], (typeof SAMPLED)[number]],
  ): Promise<void> {
    const a = -0.7;
    const next = random(3);
    const n = 60;
    // Half of them whole, half amid a cell, some far out.
    const positions = Float32Array.from({ length: 3 * n }, (_, k) => {
      const r = -6 + (dims[k % 3] + 12) * next();
      return k % 2 ? Math.round(r) : Math.floor(r) + 0.1 + 0.8 * next();
    });
    const coords = tf.tensor2d(positions, [n, 3]);
    const spec = specOf(dims, Array(3).fill(boundaryCode(boundary)) as never, bases, a);
    const { taps, weights } = stencilOf(coords, spec);
    expect(taps.dtype).to.equal('int32');
    expect([taps.shape, weights.shape]).to.deep.equal([
      [n, 3, 4],
      [n, 3, 4],
    ]);
    const nodes = await taps.data();
    const slopes = [1, 2, 3].map((order) => {
      return tf.engine().runKernel(STENCIL, { coords }, { ...spec, order }) as tf.Tensor;
    });
    const values = [await weights.data(), ...(await Promise.all(slopes.map((s) => s.data())))];
    for (let k = 0; k < 3 * n; k++) {
      const j = k % 3;
      const r = positions[k];
      const dense = (w: ArrayLike<number>) => {
        const out = new Float64Array(dims[j]);
        for (let s = 4 * k; s < 4 * k + 4; s++) if (nodes[s] >= 0) out[nodes[s]] += w[s];
        return out;
      };
      const oracle = (at: number) => axisNodeWeights(at, dims[j], boundary, { basis: bases[j], a });
      const want = oracle(r);
      const scale = Math.max(1, magnitude(want));
      const what = `${bases[j]}, n ${dims[j]}, r ${r}`;
      expectClose(dense(values[0]), want, 6e-7 * scale, what);
      if (k % 2) continue;
      const h = 0.01;
      const around = [-3, -2, -1, 0, 1, 2, 3].map((s) => oracle(r + s * h));
      const difference = (factors: number[], by: number) =>
        want.map((_, i) => factors.reduce((sum, f, s) => sum + f * around[s][i], 0) / by);
      // Exact for cubics.
      expectClose(dense(values[1]), difference([0, 1, -8, 0, 8, -1, 0], 12 * h), 3e-6, `${what}, order 1`);
      expectClose(dense(values[2]), difference([0, 0, 1, -2, 1, 0, 0], h * h), 1e-5, `${what}, order 2`);
      expectClose(
        dense(values[3]),
        difference([0, -1, 2, 0, -2, 1, 0], 2 * h ** 3),
        2e-5,
        `${what}, order 3`,
      );
    }
    tf.dispose([coords, taps, weights, slopes]);
  }

  it('sum to one with every boundary but zero, also far out', () =>
    withoutLeaks(async () => {
      const far = [3.5, -1e4, 2 ** 24, 2 ** 24 + 2, -(2 ** 26), 3e9, -3e9, 1e20, -3e38];
      const coords = tf.tensor2d(far.map((r, i) => [r, far[(i + 3) % far.length], 0.25]));
      for (const boundary of ['clamp', 'wrap', 'reflect', 'error'] as const) {
        for (const basis of ['linear', 'cardinal', 'bspline', 'hermite'] as const) {
          const spec = specOf(
            [3, 5, 1],
            Array(3).fill(boundaryCode(boundary)) as never,
            [basis, basis, basis],
            -0.3,
          );
          const { taps, weights } = stencilOf(coords, spec);
          const [nodes, w] = [await taps.data(), await weights.data()];
          for (let k = 0; k < w.length; k += 4) {
            let sum = 0;
            for (let s = k; s < k + 4; s++) {
              expect(nodes[s]).to.be.within(-1, [3, 5, 1][(k / 4) % 3] - 1);
              if (nodes[s] >= 0) sum += w[s];
            }
            expect(sum).to.be.closeTo(1, 4e-7);
          }
          tf.dispose([taps, weights]);
        }
      }
      coords.dispose();
    }));

  it('place has the fraction, and its derivative the slope', () =>
    withoutLeaks(async () => {
      const coords = tf.tensor2d([
        [0.25, -0.25, 1],
        [2, 2.75, -1.5],
        [-1, 4.5, 1e9],
      ]);
      const codes = ['clamp', 'reflect', 'zero'].map((b) => boundaryCode(b as 'clamp'));
      const spec = specOf([3, 4, 1], codes as never, ['place', 'place', 'place'], -0.5);
      const { taps, weights } = stencilOf(coords, spec);
      const slopes = tf.engine().runKernel(STENCIL, { coords }, { ...spec, order: 1 }) as tf.Tensor;
      const first = (x: ArrayLike<number>) => Array.from(x).filter((_, k) => k % 4 === 0);
      expectClose(first(await weights.data()), [0.25, 0.25, 0, 1, 0.75, 0.5, 0, 0.5, 0], 1e-6);
      expectClose(first(await slopes.data()), [1, -1, 1, 1, 1, 1, 0, -1, 0], 0);
      tf.dispose([coords, taps, weights, slopes]);
    }));

  it('of coordinates that are not finite have no taps, NaN for weights and zero for derivatives', () =>
    withoutLeaks(async () => {
      const rows = [
        [Number.NaN, 1, 1],
        [1, Number.POSITIVE_INFINITY, 1],
        [1, 1, Number.NEGATIVE_INFINITY],
        [1, 1, 1],
      ];
      const coords = tf.tensor2d(rows);
      for (const boundary of BOUNDARIES) {
        for (const basis of [...SAMPLED, 'place'] as const) {
          const spec = specOf(
            [3, 3, 3],
            Array(3).fill(boundaryCode(boundary)) as never,
            [basis, basis, basis],
            -0.5,
          );
          const { taps, weights } = stencilOf(coords, spec);
          const slopes = tf.engine().runKernel(STENCIL, { coords }, { ...spec, order: 1 }) as tf.Tensor;
          expect(Array.from((await taps.data()).slice(0, 36))).to.deep.equal(Array(36).fill(-1));
          const w = await weights.data();
          expect(w.slice(0, 36).every(Number.isNaN) && w.slice(36).every(Number.isFinite)).to.equal(true);
          expect((await slopes.data()).slice(0, 36).every((s) => s === 0)).to.equal(true);
          tf.dispose([taps, weights, slopes]);
        }
      }
      coords.dispose();
    }));

  it('of no coordinates are empty', () =>
    withoutLeaks(() => {
      const coords = tf.tensor2d([], [0, 3]);
      const { taps, weights } = stencilOf(
        coords,
        specOf([2, 2, 2], [0, 0, 0], ['bspline', 'bspline', 'bspline'], 0),
      );
      expect([taps.shape, weights.shape]).to.deep.equal([
        [0, 3, 4],
        [0, 3, 4],
      ]);
      tf.dispose([coords, taps, weights]);
    }));
});

eachBackend('sampling with four taps an axis', () => {
  for (const half of [false, true]) {
    describe(`samples equal the float64 oracle, ${half ? 'float16' : 'float32'} nodes`, () => {
      for (const [name, options] of sweep({ half })) {
        it(name, () =>
          using(options, async (c) => {
            const { taps, weights } = c.stencil();
            const out = tapRows(c.nodes, c.grid, { taps, weights }, c.attrs);
            expect(out.shape).to.deep.equal([options.samples, options.payload]);
            expectClose(await out.data(), oracleTaps(c), toleranceOf(c));
            tf.dispose([taps, weights, out]);
          }),
        );
      }
    });
  }

  describe('splat is the adjoint, row by row, and leaves untouched rows at zero', () => {
    for (const [name, options] of sweep()) {
      it(name, () =>
        using(options, async (c) => {
          const values = randomArray(options.samples * options.payload, random(99));
          const v = tf.tensor2d(values, [options.samples, options.payload]);
          const { taps, weights } = c.stencil();
          const out = splatTapRows(v, c.grid, { taps, weights }, c.attrs);
          expect(out.shape).to.deep.equal([c.attrs.rows, options.payload]);
          const want = oracleTapsSplat(c, values);
          const got = await out.data();
          expectClose(got, want, 5e-6 * tapsSpan(c) * Math.max(1, magnitude(want)));
          const touched = new Set<number>();
          const [nodes, { dims }] = [await taps.data(), c.field];
          for (let i = 0; i < nodes.length; i += 12) {
            for (let s = 0; s < 64; s++) {
              const [x, y, z] = [nodes[i + (s >> 4)], nodes[i + 4 + ((s >> 2) & 3)], nodes[i + 8 + (s & 3)]];
              if (x >= 0 && y >= 0 && z >= 0) touched.add((x * dims[1] + y) * dims[2] + z);
            }
          }
          for (let i = 0; i < got.length; i++) {
            if (!touched.has(c.cellOfRow[Math.floor(i / options.payload)])) expect(got[i]).to.equal(0);
          }
          tf.dispose([v, taps, weights, out]);
        }),
      );
    }
  });

  describe('gradients by weights, and all tangents, equal the trilinear form in float64', () => {
    const picked = sweep({ half: false }).filter((_, i) => i % 2 === 0);
    const halves = sweep({ half: true }).filter((_, i) => i % 5 === 3);
    for (const [name, options] of [...picked, ...halves]) {
      it(`${name}${options.half ? ', float16' : ''}`, () => using(options, (c) => checkForms(c, options)));
    }
  });

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

  describe('nothing in, nothing out', () => {
    for (const [name, options] of EMPTY) {
      it(name, () =>
        using({ dims: [3, 4, 2], payload: 5, samples: 6, basis: 'bspline', ...options }, async (c) => {
          const [n, F, rows] = [c.coords.shape[0], c.field.payload, c.attrs.rows];
          const stencil = c.stencil();
          const v = tf.tensor2d(randomArray(n * F, random(1)), [n, F]);
          const out = tapRows(c.nodes, c.grid, stencil, c.attrs);
          const splat = splatTapRows(v, c.grid, stencil, c.attrs);
          const inputs = { nodes: c.nodes, grid: c.grid, ...stencil, values: v };
          const gradient = tf.engine().runKernel(TAPS_GRAD, inputs, c.attrs) as tf.Tensor;
          expect([out.shape, splat.shape, gradient.shape]).to.deep.equal([
            [n, F],
            [rows, F],
            [n, 3, 4],
          ]);
          const zero = (x: ArrayLike<number>) => Array.from(x).every((e) => e === 0);
          if (n * F * rows === 0) {
            for (const t of [out, splat, gradient]) expect(zero(await t.data())).to.equal(true);
          } else {
            expectClose(await out.data(), oracleTaps(c), toleranceOf(c));
          }
          tf.dispose([stencil.taps, stencil.weights, v, out, splat, gradient]);
        }),
      );
    }
  });

  describe('a node is itself, however large its neighbours', () => {
    for (const basis of ['linear', 'cardinal', 'hermite'] as const) {
      for (const boundary of BOUNDARIES) {
        it(`${basis}, ${boundary}`, async () => {
          for (const payload of [1, 4, 7, 64]) {
            const dims: [number, number, number] = [3, 4, 2];
            await using({ dims, payload, samples: 24, basis, boundary, a: -0.3 }, async (c) => {
              const next = random(payload);
              const rows = Float32Array.from({ length: 24 * payload }, () => hugeFloat(next));
              const nodes = tf.tensor2d(rows, [24, payload]);
              // Sample i sits on node i; a period on where there is one.
              const by = { wrap: [3, -8, 20], reflect: [-4, 6, 20] }[boundary as 'wrap'] ?? [0, 0, 0];
              const coords = tf.tensor2d(
                [...Array(24).keys()].flatMap((i) => [
                  (i >> 3) + by[0],
                  ((i >> 1) & 3) + by[1],
                  (i & 1) + by[2],
                ]),
                [24, 3],
              );
              const stencil = c.stencil(coords);
              const out = tapRows(nodes, c.grid, stencil, c.attrs);
              expectClose(await out.data(), rows, 0);
              tf.dispose([nodes, coords, stencil.taps, stencil.weights, out]);
            });
          }
        });
      }
    }
  });

  describe('gradients to nodes, weights and coordinates', () => {
    for (const basis of SAMPLED) {
      for (const boundary of ['clamp', 'wrap', 'reflect', 'zero', 'extrapolate'] as const) {
        const payload = { clamp: 3, wrap: 8, reflect: 5, zero: 20, extrapolate: 1 }[boundary];
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

  describe('not-finite coordinates', () => {
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const payload of [1, 4, 9, 64, 1030]) {
      it(`give NaN rows, zero gradients, and let no value through, payload ${payload}`, () =>
        using({ dims: [3, 4, 2], payload, samples: 9, basis: 'cardinal', margin: 0 }, async (c) => {
          for (let j = 0; j < 3; j++) c.positions[3 * (2 * j + 1) + j] = bad[j];
          const coords = tf.tensor2d(c.positions, [9, 3]);
          const stencil = c.stencil(coords);
          const tangent = tf.ones([9, 3, 4]);
          const out = tapRows(c.nodes, c.grid, stencil, c.attrs);
          expectClose(await out.data(), oracleTaps(c), toleranceOf(c));
          const at = { grid: c.grid, ...stencil };
          const run = (name: string, inputs: Record<string, tf.Tensor>) =>
            tf.engine().runKernel(name, { ...at, ...inputs }, c.attrs) as tf.Tensor;
          const splat = splatTapRows(out, c.grid, stencil, c.attrs);
          const perSample = [
            run(TAPS_GRAD, { nodes: c.nodes, values: out }),
            run(TAPS_GRAD_TANGENT, { nodes: c.nodes, values: out, tangent }),
            run(TAPS_TANGENT, { nodes: c.nodes, tangent }),
          ];
          const splatTangent = run(TAPS_SPLAT_TANGENT, { values: out, tangent });
          for (const t of [splat, splatTangent]) {
            expect((await t.data()).every(Number.isFinite)).to.equal(true);
          }
          for (const t of perSample) {
            const data = await t.data();
            const width = data.length / 9;
            expect(data.every(Number.isFinite)).to.equal(true);
            for (const i of [1, 3, 5]) {
              expect(data.slice(i * width, (i + 1) * width).every((x) => x === 0)).to.equal(true);
            }
          }
          const gradient = tf.grad((r: tf.Tensor) =>
            tf.sum(tapRows(c.nodes, c.grid, c.stencil(r as tf.Tensor2D), c.attrs)),
          )(coords);
          const g = await gradient.data();
          for (const i of [1, 3, 5]) expect(Array.from(g.slice(3 * i, 3 * i + 3))).to.deep.equal([0, 0, 0]);
          expect(g.every(Number.isFinite)).to.equal(true);
          tf.dispose([
            coords,
            stencil.taps,
            stencil.weights,
            tangent,
            out,
            splat,
            splatTangent,
            perSample,
            gradient,
          ]);
        }));
    }
  });

  for (const half of [false, true]) {
    for (const payload of [1, 3, 4, 9, 64, 1030]) {
      it(`a node of NaN and ∞ does not reach samples without it among their taps, payload ${payload}, ${half ? 'float16' : 'float32'}`, () =>
        using(
          { dims: [6, 2, 6], payload, samples: 24, missing: 0.3, half, basis: 'cardinal', margin: 0 },
          async (c) => {
            const row = c.attrs.rows >> 1;
            const rows = c.rows.slice();
            for (let f = 0; f < payload; f++) {
              rows[row * payload + f] = f % 2 ? Number.POSITIVE_INFINITY : Number.NaN;
            }
            const nodes = half
              ? tf.tensor2d(packHalves(rows, payload), c.nodes.shape, 'int32')
              : tf.tensor2d(rows, c.nodes.shape);
            const stencil = c.stencil();
            const v = tf.tensor2d(randomArray(24 * payload, random(6)), [24, payload]);
            const out = tapRows(nodes, c.grid, stencil, c.attrs);
            const inputs = { nodes, grid: c.grid, ...stencil, values: v };
            const gradient = tf.engine().runKernel(TAPS_GRAD, inputs, c.attrs) as tf.Tensor;
            const [got, slopes, taps] = [await out.data(), await gradient.data(), await stencil.taps.data()];
            const want = oracleTaps(c);
            const [x, y, z] = [
              Math.floor(c.cellOfRow[row] / 12),
              Math.floor(c.cellOfRow[row] / 6) % 2,
              c.cellOfRow[row] % 6,
            ];
            let clean = 0;
            for (let i = 0; i < 24; i++) {
              const has = (axis: number, node: number) =>
                taps.slice(12 * i + 4 * axis, 12 * i + 4 * axis + 4).includes(node);
              if (has(0, x) && has(1, y) && has(2, z)) continue;
              clean++;
              const part = [i * payload, (i + 1) * payload] as const;
              expectClose(got.slice(...part), want.slice(...part), toleranceOf(c));
              expect(slopes.slice(12 * i, 12 * i + 12).every(Number.isFinite)).to.equal(true);
            }
            expect(clean).to.be.above(4);
            tf.dispose([nodes, stencil.taps, stencil.weights, v, out, gradient]);
          },
        ));
    }
  }

  it('repeated calls are bitwise equal, a crowded cell included', async () => {
    for (const payload of [1, 3, 8, 20, 1030]) {
      const n = payload > 1000 ? 100 : 700;
      await using({ dims: [4, 4, 4], payload, samples: n, basis: 'bspline' }, async (c) => {
        for (let i = 0; i < n; i++) c.positions[i] = 1 + 0.999 * Math.abs(c.positions[i] % 1);
        const coords = tf.tensor2d(c.positions, [n, 3]);
        const values = randomArray(n * payload, random(3));
        const v = tf.tensor2d(values, [n, payload]);
        const results = [];
        for (const _ of [0, 1]) {
          const stencil = c.stencil(coords);
          const inputs = { nodes: c.nodes, grid: c.grid, ...stencil, values: v };
          const tensors = [
            tapRows(c.nodes, c.grid, stencil, c.attrs),
            splatTapRows(v, c.grid, stencil, c.attrs),
            tf.engine().runKernel(TAPS_GRAD, inputs, c.attrs) as tf.Tensor,
          ];
          results.push(await Promise.all(tensors.map((t) => t.data())));
          tf.dispose([tensors, stencil.taps, stencil.weights]);
        }
        for (let k = 0; k < 3; k++) {
          expect(bits(results[0][k] as Float32Array)).to.deep.equal(bits(results[1][k] as Float32Array));
        }
        const want = oracleTapsSplat(c, values);
        expectClose(results[0][1], want, 1e-5 * Math.max(1, magnitude(want)));
        tf.dispose([coords, v]);
      });
    }
  });
});

const long = typeof process !== 'undefined' && process.env?.WAVECUBE_LONG === '1';
const SEEDS = long ? 300 : 8;

/** Any shape, bases, boundaries, gaps, page and storage. */
function anyCase(seed: number): TapsCaseOptions {
  const next = random(seed * 6151 + 7);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)];
  const dims = [0, 1, 2].map(() => 1 + Math.floor(next() * 7)) as [number, number, number];
  const cells = dims[0] * dims[1] * dims[2];
  const payload = pick([1, 2, 3, 4, 5, 7, 8, 12, 16, 33, 64, 100, 1023, 1024, 1025]);
  const missing = next() < 0.5 ? 0 : 0.6 * next();
  const first = Math.floor(next() * cells);
  return {
    dims,
    payload,
    samples: Math.ceil((next() * 1500) / payload) + 1,
    basis: [pick(SAMPLED), pick(SAMPLED), pick(SAMPLED)],
    a: -next(),
    boundary: [pick(BOUNDARIES), pick(BOUNDARIES), pick(BOUNDARIES)],
    missing,
    half: next() < 0.3,
    page: missing === 0 && next() < 0.3 ? [first, cells - first] : undefined,
    margin: next() < 0.5 ? 0 : 3 * next(),
    seed,
  };
}

eachBackend('any problem of sampling with four taps an axis', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const options = anyCase(seed);
    it(`equals the oracle, value and adjoint, seed ${seed}`, () =>
      using(options, async (c) => {
        const values = randomArray(options.samples * options.payload, random(seed));
        const v = tf.tensor2d(values, [options.samples, options.payload]);
        const stencil = c.stencil();
        const out = tapRows(c.nodes, c.grid, stencil, c.attrs);
        expectClose(await out.data(), oracleTaps(c), toleranceOf(c), 'samples');
        const splat = splatTapRows(v, c.grid, stencil, { ...c.attrs, half: false });
        const want = oracleTapsSplat(c, values);
        expectClose(await splat.data(), want, 5e-6 * tapsSpan(c) * Math.max(1, magnitude(want)), 'splat');
        tf.dispose([v, stencil.taps, stencil.weights, out, splat]);
      }));
  }
});
