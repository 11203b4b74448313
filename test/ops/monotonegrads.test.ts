import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { BOUNDARIES, WavecubeError } from '../../src/index.js';
import { basisCode } from '../../src/interpolation/taps.js';
import { monotoneRows } from '../../src/ops/monotone.js';
import type { MonotoneAttrs } from '../../src/ops/monotonecontract.js';
import { stencilOf } from '../../src/ops/taps.js';
import { eachBackend, withoutLeaks } from '../support/backends.js';
import type { CaseOptions } from '../support/cases.js';
import { hostStencil, monotoneAxes } from '../support/monotone.js';
import {
  axesOf,
  gradientsOf,
  innerOf,
  MARGIN,
  makeProblem,
  spaceOf,
  stretch,
  type Triple,
} from '../support/monotonecases.js';
import { expectClose, GRADIENT_TOLERANCE, magnitude, random, randomArray } from '../support/numbers.js';

eachBackend('gradients of monotone sampling', (backend) => {
  describe('gradients to nodes and place equal finite differences in float64', () => {
    const cases: [string, CaseOptions, boolean][] = [
      ['uniform', { dims: [4, 5, 4], payload: 2, samples: 12 }, false],
      ['stretched', { dims: [4, 5, 4], payload: 2, samples: 12 }, true],
      ['missing nodes', { dims: [4, 4, 4], payload: 3, samples: 10, missing: 0.3 }, true],
      ['one element', { dims: [5, 4, 3], payload: 1, samples: 12 }, true],
      ['five elements', { dims: [3, 4, 3], payload: 5, samples: 8 }, true],
      ['few nodes', { dims: [2, 3, 2], payload: 4, samples: 15 }, false],
      ...BOUNDARIES.map((boundary): [string, CaseOptions, boolean] => [
        boundary,
        { dims: [3, 4, 3], payload: 2, samples: 14, boundary, margin: MARGIN[boundary] },
        boundary !== 'wrap',
      ]),
      ...BOUNDARIES.map((boundary): [string, CaseOptions, boolean] => [
        `${boundary}, axes of one node`,
        { dims: [1, 4, 1], payload: 2, samples: 14, boundary, margin: MARGIN[boundary] },
        false,
      ]),
    ];
    for (const [name, options, stretched] of cases) {
      it(name, () =>
        withoutLeaks(async () => {
          const p = makeProblem({ ...options, smooth: true, seed: options.dims[0] + 7 });
          if (stretched) stretch(p, random(4));
          const { payload } = p.c.attrs;
          const v = randomArray(p.n * payload, random(3));
          const got = await gradientsOf(p, v);

          const total = () =>
            Array.from({ length: p.n }, (_, i) => innerOf(p, i, v)).reduce((a, b) => a + b, 0);
          // The oracle reads the rows of the case's own arrays.
          const values = Float64Array.from(p.c.rows);
          const { field } = p.c;
          const rowOf = new Map(p.c.cellOfRow.map((cell, row) => [cell, row]));
          const node = field.node;
          field.node = (cell) =>
            node(cell) && values.subarray(rowOf.get(cell)! * payload, (rowOf.get(cell)! + 1) * payload);
          const step = 1e-6;
          const byNodes = Array.from(values, (value, k) => {
            values[k] = value + step;
            const up = total();
            values[k] = value - step;
            const down = total();
            values[k] = value;
            return (up - down) / (2 * step);
          });
          expectClose(got.nodes, byNodes, GRADIENT_TOLERANCE * Math.max(1, magnitude(byNodes)), 'by nodes');

          const byPlace = Array.from(p.place, (_, k) => {
            const [i, j, slot] = [Math.floor(k / 12), Math.floor(k / 4) % 3, k % 4];
            if (slot === 3) return 0;
            const shifted = (by: number) => {
              const axes = axesOf(p, i);
              axes[j][(['f', 'below', 'above'] as const)[slot]] += by;
              return innerOf(p, i, v, axes);
            };
            // At the ends of a cell, inwards.
            const down = slot === 0 && p.place[k] === 0 ? 0 : step;
            const up = slot === 0 && p.place[k] === 1 ? 0 : step;
            return (shifted(up) - shifted(-down)) / (up + down);
          });
          expectClose(got.place, byPlace, GRADIENT_TOLERANCE * Math.max(1, magnitude(byPlace)), 'by place');
          p.c.dispose();
        }),
      );
    }
  });

  it('gradients to coords, through the stencil, equal finite differences', async () => {
    for (const boundary of BOUNDARIES) {
      const p = makeProblem({
        dims: [4, 3, 5],
        payload: 3,
        samples: 12,
        boundary,
        smooth: true,
        margin: MARGIN[boundary],
      });
      const v = randomArray(36, random(8));
      const { c } = p;
      const step = 1e-6;
      const want = Array.from(c.positions, (_, k) => {
        const i = Math.floor(k / 3);
        const at = (by: number) => {
          const r = Array.from(c.positions.subarray(3 * i, 3 * i + 3));
          r[k % 3] += by;
          return innerOf(p, i, v, monotoneAxes(c.field, r));
        };
        return (at(step) - at(-step)) / (2 * step);
      });
      const tolerance = GRADIENT_TOLERANCE * Math.max(1, magnitude(want));
      const { place } = await gradientsOf(p, v);
      const slopes = hostStencil(c.positions, c.field.dims, c.attrs.boundary, 1).place;
      const chained = want.map((_, k) =>
        [0, 1, 2, 3].reduce((s, m) => s + place[4 * k + m] * slopes[4 * k + m], 0),
      );
      expectClose(chained, want, tolerance, boundary);
      if (!tf.getKernel('WavecubeStencil', backend)) continue;
      const spec = {
        dims: c.field.dims,
        boundary: c.attrs.boundary,
        basis: Array(3).fill(basisCode('place')) as Triple,
        a: 0,
      };
      const dy = tf.tensor2d(v, [12, 3]);
      const byCoords = tf.tidy(() =>
        tf.grad((coords: tf.Tensor) => {
          const { taps, weights } = stencilOf(coords as tf.Tensor2D, spec);
          return monotoneRows(c.nodes, c.grid, taps, weights, c.attrs as MonotoneAttrs);
        })(c.coords, dy),
      );
      expectClose(await byCoords.data(), want, tolerance, `${boundary}, on the tape`);
      tf.dispose([dy, byCoords]);
      c.dispose();
    }
  });

  it('gradients are finite at kinks, and level data has slope zero', async () => {
    const p = makeProblem({ dims: [4, 4, 4], payload: 4, samples: 30, onNode: 0.5 });
    const level = tf.fill([64, 4], 0.5) as tf.Tensor2D;
    const steps = tf.tensor2d(
      Float32Array.from({ length: 256 }, (_, k) => Math.floor(k / 4) % 2),
      [64, 4],
    );
    const zeros = tf.zeros([64, 4]) as tf.Tensor2D;
    const v = randomArray(120, random(8));
    for (const nodes of [level, steps, zeros]) {
      const got = await gradientsOf({ ...p, c: { ...p.c, nodes } }, v);
      for (const x of [...got.nodes, ...got.place]) expect(Number.isFinite(x)).to.equal(true);
      if (nodes !== steps) expectClose(got.place, new Float32Array(360), 0);
      // Constants pass through unchanged, so each element's weights sum to one.
      for (let f = 0; f < 4; f++) {
        const sum = (x: Float32Array) => x.reduce((s, y, k) => s + (k % 4 === f ? y : 0), 0);
        expect(sum(got.nodes)).to.be.closeTo(sum(v), 1e-4);
      }
    }
    tf.dispose([level, steps, zeros]);
    p.c.dispose();
  });

  it('rows that no sample touched have a gradient of exactly zero', async () => {
    const p = makeProblem({ dims: [9, 9, 9], payload: 6, samples: 1, boundary: 'zero', margin: 0 });
    const { nodes } = await gradientsOf(p, new Float32Array(6).fill(1));
    const touched = p.taps.map((t) => t);
    for (let row = 0; row < 729; row++) {
      const at = [Math.floor(row / 81), Math.floor(row / 9) % 9, row % 9];
      const near = at.every((t, j) => touched.subarray(4 * j, 4 * j + 4).includes(t));
      if (!near) expectClose(nodes.subarray(6 * row, 6 * row + 6), new Float32Array(6), 0);
    }
    p.c.dispose();
  });

  it('many samples of few rows sum as their parts do', async () => {
    const p = makeProblem({ dims: [2, 2, 3], payload: 3, samples: 700 });
    const v = randomArray(2100, random(1));
    const all = await gradientsOf(p, v);
    const sums = new Float64Array(36);
    for (let first = 0; first < 700; first += 70) {
      const part = {
        ...p,
        n: 70,
        taps: p.taps.slice(12 * first, 12 * first + 840),
        place: p.place.slice(12 * first, 12 * first + 840),
      };
      const { nodes } = await gradientsOf(part, v.slice(3 * first, 3 * first + 210));
      nodes.forEach((x, k) => {
        sums[k] += x;
      });
    }
    expectClose(all.nodes, sums, 1e-5 * magnitude(sums));
    p.c.dispose();
  });

  it('a second derivative throws and says that there is none', () => {
    const p = makeProblem({ dims: [3, 3, 3], payload: 2, samples: 4 });
    const { taps, place } = spaceOf(p);
    const by = (f: (x: tf.Tensor) => tf.Tensor) =>
      tf.grad((x: tf.Tensor) => tf.sum(tf.square(tf.grad(f)(x))));
    const { nodes, grid, attrs } = p.c;
    const second = [
      () => by((x) => monotoneRows(x, grid, taps, place, attrs))(nodes),
      () => by((x) => monotoneRows(nodes, grid, taps, x as tf.Tensor3D, attrs))(place),
    ];
    for (const body of second) expect(() => tf.tidy(body)).to.throw(WavecubeError, 'second derivative');
    tf.dispose([taps, place]);
    p.c.dispose();
  });
});
