import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { BOUNDARIES } from '../../src/interpolation/stencil.js';
import { packHalves } from '../../src/ops/half.js';
import { splatTapRows, tapRows } from '../../src/ops/taps.js';
import {
  TAPS_GRAD,
  TAPS_GRAD_TANGENT,
  TAPS_SPLAT_TANGENT,
  TAPS_TANGENT,
} from '../../src/ops/tapscontract.js';
import { eachBackend } from '../support/backends.js';
import { expectClose, hugeFloat, magnitude, random, randomArray } from '../support/numbers.js';
import {
  oracleTaps,
  oracleTapsSplat,
  SAMPLED,
  sweep,
  type TapsCaseOptions,
  tapsSpan,
  toleranceOf,
  using,
} from '../support/tapscases.js';

const EMPTY: [string, Partial<TapsCaseOptions>][] = [
  ['no samples', { samples: 0 }],
  ['no payload', { payload: 0 }],
  ['no rows', { page: [5, 0] }],
  ['one sample', { samples: 1 }],
];

const bits = (x: Float32Array | Int32Array | Uint8Array) => new Uint32Array(x.slice().buffer);

eachBackend('sampling with four taps an axis', (backend) => {
  // Each width is a pipeline on a GPU, and takes SwiftShader longer to compile than to run.
  const slow = backend === 'webgpu';

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
          for (const payload of slow ? [4, 7] : [1, 4, 7, 64]) {
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

  describe('not-finite coordinates', () => {
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const payload of slow ? [9, 64] : [1, 9, 64]) {
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
    for (const payload of slow ? [half ? 64 : 9] : [1, 9, 64]) {
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
    for (const payload of [3, 64]) {
      const n = 300;
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
