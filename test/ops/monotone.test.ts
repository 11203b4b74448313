import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { ArgumentError, BOUNDARIES, type Boundary } from '../../src/index.js';
import { monotoneRows } from '../../src/ops/monotone.js';
import golden from '../golden/pchip.json' with { type: 'json' };
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { makeCase } from '../support/cases.js';
import { hostStencil, monotoneAxes, monotoneOracle } from '../support/monotone.js';
import {
  axesOf,
  gradientsOf,
  MONOTONE_TOLERANCE,
  makeProblem,
  type Problem,
  problems,
  sampleOf,
  spaceOf,
  stretch,
  type Triple,
} from '../support/monotonecases.js';
import { expectClose, hugeFloat, magnitude, random, randomArray } from '../support/numbers.js';
import fc from '../support/properties.js';

eachBackend('monotone sampling', (backend) => {
  describe('equals the float64 oracle on coordinates', () => {
    for (const [name, options] of problems()) {
      it(name, () =>
        withoutLeaks(async () => {
          const p = makeProblem(options);
          const got = await sampleOf(p);
          const want = Array.from({ length: p.n }, (_, i) =>
            Array.from(
              monotoneOracle(p.c.field, monotoneAxes(p.c.field, p.c.positions.subarray(3 * i, 3 * i + 3))),
            ),
          ).flat();
          // Beyond an extrapolated axis results grow over the nodes.
          const scale = Math.max(magnitude(p.c.rows), magnitude(want));
          expectClose(got, want, MONOTONE_TOLERANCE * scale);
          p.c.dispose();
        }),
      );
    }
  });

  it('equals the oracle on halves', async () => {
    for (const payload of [1, 4, 13, 20]) {
      const p = makeProblem({ dims: [4, 3, 5], payload, samples: 15, half: true, missing: 0.2 });
      const want = Array.from({ length: 15 }, (_, i) =>
        Array.from(monotoneOracle(p.c.field, axesOf(p, i))),
      ).flat();
      expectClose(await sampleOf(p), want, MONOTONE_TOLERANCE, `payload ${payload}`);
      const v = randomArray(15 * payload, random(2));
      const { taps, place } = spaceOf(p);
      const byPlace = tf.tidy(() =>
        tf.grad((at: tf.Tensor) => monotoneRows(p.c.nodes, p.c.grid, taps, at as tf.Tensor3D, p.c.attrs))(
          place,
          tf.tensor2d(v, [15, payload]),
        ),
      );
      // The same rows as floats.
      const floats = tf.tensor2d(p.c.rows.slice(), [p.c.attrs.rows, payload]);
      const dense = { ...p, c: { ...p.c, nodes: floats, attrs: { ...p.c.attrs, half: false } } };
      const { place: same } = await gradientsOf(dense, v);
      expectClose(await byPlace.data(), same, 1e-5 * magnitude(same));
      tf.dispose([taps, place, byPlace, floats]);
      p.c.dispose();
    }
  });

  it("equals SciPy's PchipInterpolator in cells with two neighbours, uniform knots and others", () =>
    withoutLeaks(async () => {
      for (const { name, knots, values, cells, fractions, want, slopes } of golden) {
        const [n, samples] = [knots.length, cells.length];
        const c = makeCase({ dims: [1, 1, n], payload: 1, samples });
        const nodes = tf.tensor2d(values, [n, 1]);
        const p: Problem = {
          c: { ...c, nodes },
          n: samples,
          taps: new Int32Array(12 * samples).fill(-1),
          place: new Float32Array(12 * samples),
        };
        cells.forEach((cell, i) => {
          const length = (k: number) => (knots[k + 1] - knots[k]) / (knots[cell + 1] - knots[cell]);
          p.taps.set([-1, 0, -1, -1, -1, 0, -1, -1, cell - 1, cell, cell + 1, cell + 2], 12 * i);
          const lengths = [length(cell - 1), length(cell + 1)];
          p.place.set([0, 1, 1, 0, 0, 1, 1, 0, fractions[i], ...lengths, 0], 12 * i);
        });
        expectClose(await sampleOf(p), want, 1e-6, name);
        const { place } = await gradientsOf(p, new Float32Array(samples).fill(1));
        expectClose(
          cells.map((_, i) => place[12 * i + 8]),
          slopes,
          1e-5,
          `${name}, derivative`,
        );
        nodes.dispose();
        c.dispose();
      }
    }));

  it('is the node on a node, however large its neighbours', () =>
    withoutLeaks(async () => {
      for (const boundary of BOUNDARIES) {
        const c = makeCase({ dims: [4, 5, 3], payload: 7, samples: 60, boundary });
        const next = random(5);
        const rows = Float32Array.from({ length: 60 * 7 }, () => hugeFloat(next));
        const nodes = tf.tensor2d(rows.slice(), [60, 7]);
        const positions = Float32Array.from({ length: 180 }, (_, k) => {
          const cell = Math.floor(k / 3);
          return [Math.floor(cell / 15), Math.floor(cell / 3) % 5, cell % 3][k % 3];
        });
        const p: Problem = {
          c: { ...c, nodes },
          n: 60,
          ...hostStencil(positions, [4, 5, 3], c.attrs.boundary),
        };
        expectClose(await sampleOf(p), rows, 0, boundary);
        nodes.dispose();
        c.dispose();
      }
    }));

  it('stays within the range of the nodes, of any size, and of the cell along an axis', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noDefaultInfinity: true, noNaN: true }), { minLength: 64, maxLength: 64 }),
        fc.constantFrom<Boundary>('clamp', 'wrap', 'reflect', 'extrapolate'),
        fc.integer(),
        async (nodes, boundary, seed) => {
          const next = random(seed);
          const samples = 40;
          const c = makeCase({ dims: [4, 4, 4], payload: 1, samples, boundary, margin: 0, seed });
          const rows = tf.tensor2d(nodes, [64, 1]);
          const p: Problem = {
            c: { ...c, nodes: rows },
            n: samples,
            ...hostStencil(c.positions, [4, 4, 4], c.attrs.boundary),
          };
          if (seed % 2) stretch(p, next);
          // A GPU may take subnormals for zero.
          const slack = backend === 'webgpu' ? 1.2e-38 : 0;
          const [low, high] = [Math.min(...nodes) - slack, Math.max(...nodes) + slack];
          const got = await sampleOf(p);
          for (const v of got) expect(v).to.be.within(low, high);
          // Along z, on nodes of x and y.
          for (let i = 0; i < samples; i++) {
            for (const at of [12 * i, 12 * i + 4]) p.place[at] = Math.round(p.place[at]);
          }
          const lines = await sampleOf(p);
          for (let i = 0; i < samples; i++) {
            const [x, y] = [0, 4].map((j) => p.taps[12 * i + j + 1 + p.place[12 * i + j]]);
            const ends = [1, 2].map((j) => Math.fround(nodes[16 * x + 4 * y + p.taps[12 * i + 8 + j]]));
            expect(lines[i]).to.be.within(Math.min(...ends) - slack, Math.max(...ends) + slack);
          }
          rows.dispose();
          c.dispose();
        },
      ),
      { numRuns: backend === 'webgpu' ? 8 : 25 },
    ));

  it('rises along an axis where the nodes rise', async () => {
    const samples = 600;
    const steps = Float32Array.from(
      { length: 12 },
      (_, k) => [0, 0, 1e-6, 1, 1, 5, 1e3, 1e3, 1001, 1e6, 3e38, 3.1e38][k],
    );
    const c = makeCase({ dims: [1, 1, 12], payload: 1, samples });
    const nodes = tf.tensor2d(steps.slice(), [12, 1]);
    const positions = Float32Array.from({ length: 3 * samples }, (_, k) =>
      k % 3 === 2 ? (11 * Math.floor(k / 3)) / (samples - 1) : 0,
    );
    const p: Problem = {
      c: { ...c, nodes },
      n: samples,
      ...hostStencil(positions, [1, 1, 12], c.attrs.boundary),
    };
    const got = await sampleOf(p);
    // Neighbouring results may each be rounded the other way.
    for (let i = 1; i < samples; i++) expect(got[i]).to.be.at.least(got[i - 1] * (1 - 4e-7));
    tf.dispose(nodes);
    c.dispose();
  });

  it('keeps planes in the interior and beyond extrapolated axes', async () => {
    const samples = 50;
    const c = makeCase({ dims: [4, 3, 5], payload: 1, samples, boundary: 'extrapolate', margin: 3 });
    const plane = (x: number, y: number, z: number) => 0.25 + 0.5 * x - 0.75 * y + 0.125 * z;
    const rows = Float32Array.from({ length: 60 }, (_, k) =>
      plane(Math.floor(k / 15), Math.floor(k / 5) % 3, k % 5),
    );
    const nodes = tf.tensor2d(rows, [60, 1]);
    const p: Problem = {
      c: { ...c, nodes },
      n: samples,
      ...hostStencil(c.positions, [4, 3, 5], c.attrs.boundary),
    };
    const want = Array.from({ length: samples }, (_, i) =>
      plane(...(Array.from(c.positions.subarray(3 * i, 3 * i + 3)) as Triple)),
    );
    expectClose(await sampleOf(p), want, 1e-5);
    nodes.dispose();
    c.dispose();
  });

  it('a sample whose place is not finite is a row of NaN and has no part in gradients', () =>
    withoutLeaks(async () => {
      for (const [bad, payload] of [
        [Number.NaN, 5],
        [Number.POSITIVE_INFINITY, 4],
      ]) {
        const p = makeProblem({ dims: [3, 4, 4], payload, samples: 6 });
        const v = randomArray(6 * payload, random(3));
        const whole = await sampleOf(p);
        for (const i of [1, 4]) v.fill(0, i * payload, (i + 1) * payload);
        const want = await gradientsOf(p, v);
        p.place[12 + 9] = bad;
        p.place[48] = bad;
        for (const i of [1, 4]) {
          v.fill(Number.NaN, i * payload, (i + 1) * payload);
          whole.fill(Number.NaN, i * payload, (i + 1) * payload);
          want.place.fill(0, 12 * i, 12 * i + 12);
        }
        expectClose(await sampleOf(p), whole, 0);
        const got = await gradientsOf(p, v);
        expectClose(got.nodes, want.nodes, 0, 'by nodes');
        expectClose(got.place, want.place, 0, 'by place');
        p.c.dispose();
      }
    }));

  it('equal calls give equal bits', async () => {
    const p = makeProblem({ dims: [4, 4, 4], payload: 37, samples: 90, missing: 0.1 });
    const v = randomArray(90 * 37, random(6));
    expect(await sampleOf(p)).to.deep.equal(await sampleOf(p));
    expect(await gradientsOf(p, v)).to.deep.equal(await gradientsOf(p, v));
    p.c.dispose();
  });

  it('refuses a page that holds only some of the rows', () => {
    const p = makeProblem({ dims: [3, 3, 3], payload: 2, samples: 4, page: [7, 12] });
    const { taps, place } = spaceOf(p);
    expect(() => monotoneRows(p.c.nodes, p.c.grid, taps, place, p.c.attrs)).to.throw(
      ArgumentError,
      'one page',
    );
    tf.dispose([taps, place]);
    p.c.dispose();
  });
});
