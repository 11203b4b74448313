import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { BOUNDARIES, boundaryCode } from '../../src/interpolation/stencil.js';
import {
  stencilComposition,
  stencilTapsComposition,
  tapsComposition,
  tapsGradComposition,
  tapsSplatComposition,
} from '../../src/ops/tapscomposition.js';
import {
  STENCIL,
  STENCIL_TAPS,
  type StencilAttrs,
  TAPS,
  TAPS_GRAD,
  TAPS_GRAD_TANGENT,
  TAPS_SPLAT,
  TAPS_SPLAT_TANGENT,
  TAPS_TANGENT,
  type TapsInputs,
} from '../../src/ops/tapscontract.js';
import { eachBackend } from '../support/backends.js';
import { expectClose, random, randomArray } from '../support/numbers.js';
import { makeTapsCase, SAMPLED, specOf, sweep } from '../support/tapscases.js';

const kernel = (name: string, inputs: Partial<TapsInputs> | { coords: tf.Tensor }, attrs: tf.NamedAttrMap) =>
  tf.engine().runKernel(name, inputs as unknown as tf.NamedTensorMap, attrs) as tf.Tensor;

/** The stock-op composition must equal the kernels, tangents included: they are one contract. */
eachBackend('the stock-op composition of taps equals the kernels', () => {
  // The kernels do not know bases and boundaries: stencils do, below.
  const cases = sweep().filter(([, { payload }], i) => payload < 10 && i % 6 === 4);
  const empty = [{ samples: 0 }, { payload: 0 }, { page: [5, 0] as [number, number] }].map(
    (o) => [JSON.stringify(o), { ...cases[0][1], ...o }] as (typeof cases)[number],
  );
  for (const [name, options] of [...cases, ...empty]) {
    it(name, async () => {
      const c = makeTapsCase(options);
      const n = options.samples;
      const positions = c.positions.slice();
      if (n > 3) positions[4] = Number.NaN;
      const coords = tf.tensor2d(positions, [n, 3]);
      const { taps, weights } = c.stencil(coords);
      const values = tf.tensor2d(randomArray(n * options.payload, random(7)), [n, options.payload]);
      const tangent = tf.tensor3d(randomArray(n * 12, random(8)), [n, 3, 4]);
      const inputs = { nodes: c.nodes, grid: c.grid, taps, weights, values } as unknown as TapsInputs;
      const along = { ...inputs, tangent };
      const pairs: [tf.Tensor, tf.Tensor][] = [
        [tf.tidy(() => tapsComposition(inputs, c.attrs)), kernel(TAPS, inputs, c.attrs)],
        [tf.tidy(() => tapsComposition(along, c.attrs)), kernel(TAPS_TANGENT, along, c.attrs)],
        [tf.tidy(() => tapsSplatComposition(inputs, c.attrs)), kernel(TAPS_SPLAT, inputs, c.attrs)],
        [tf.tidy(() => tapsSplatComposition(along, c.attrs)), kernel(TAPS_SPLAT_TANGENT, along, c.attrs)],
        [tf.tidy(() => tapsGradComposition(inputs, c.attrs)), kernel(TAPS_GRAD, inputs, c.attrs)],
        [tf.tidy(() => tapsGradComposition(along, c.attrs)), kernel(TAPS_GRAD_TANGENT, along, c.attrs)],
      ];
      for (const [stock, own] of pairs) {
        expect(stock.shape).to.deep.equal(own.shape);
        const want = await own.data();
        let scale = 1;
        for (const v of want) if (Math.abs(v) > scale) scale = Math.abs(v);
        expectClose(await stock.data(), want, 2e-5 * scale);
      }
      tf.dispose([coords, taps, weights, values, tangent, ...pairs.flat()]);
      c.dispose();
    });
  }

  for (const boundary of BOUNDARIES) {
    it(`stencils, orders 0 to 3, ${boundary}`, async () => {
      const next = random(4);
      const coords = tf.tensor2d(
        Float32Array.from({ length: 300 }, (_, k) => {
          if (k === 4) return Number.NaN;
          const r = -7 + 20 * next();
          return k % 4 === 0 ? Math.round(r) : r;
        }),
        [100, 3],
      );
      for (const dims of [
        [1, 2, 3],
        [4, 7, 1],
      ] as [number, number, number][]) {
        for (const basis of [...SAMPLED, 'place'] as const) {
          const codes = Array(3).fill(boundaryCode(boundary)) as [number, number, number];
          const spec = specOf(dims, codes, [basis, basis, basis], -0.7);
          for (const order of [0, 1, 2, 3]) {
            const attrs = { ...spec, order } as StencilAttrs;
            const own = kernel(STENCIL, { coords }, attrs);
            const stock = tf.tidy(() => stencilComposition(coords, attrs));
            const want = await own.data();
            expectClose(await stock.data(), want, 1e-5, `${basis}, order ${order}`);
            tf.dispose([own, stock]);
          }
          const attrs = { ...spec, order: 0 } as StencilAttrs;
          const own = kernel(STENCIL_TAPS, { coords }, attrs);
          const stock = tf.tidy(() => stencilTapsComposition(coords, attrs));
          expect(stock.dtype).to.equal('int32');
          expect(await stock.data()).to.deep.equal(await own.data());
          tf.dispose([own, stock]);
        }
      }
      coords.dispose();
    });
  }
}, ['cpu']);
