import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import fc from 'fast-check';
import { ArgumentError, BOUNDARIES, type Boundary, WavecubeError } from '../../src/index.js';
import { boundaryCode } from '../../src/interpolation/stencil.js';
import { basisCode } from '../../src/interpolation/taps.js';
import { monotoneRows } from '../../src/ops/monotone.js';
import type { MonotoneAttrs } from '../../src/ops/monotonecontract.js';
import { stencilOf } from '../../src/ops/taps.js';
import golden from '../golden/pchip.json' with { type: 'json' };
import { eachBackend, withoutLeaks } from '../support/backends.js';
import { type CaseOptions, makeCase, type SamplingCase } from '../support/cases.js';
import { hostStencil, monotoneAxes, monotoneOracle, type OracleAxis } from '../support/monotone.js';
import {
  expectClose,
  GRADIENT_TOLERANCE,
  hugeFloat,
  magnitude,
  random,
  randomArray,
} from '../support/numbers.js';

/** Three levels, each with a few float32 roundings and slopes at most thrice as steep as what they are made from. */
const MONOTONE_TOLERANCE = 3e-6;

type Triple = [number, number, number];

interface Problem {
  c: SamplingCase;
  taps: Int32Array;
  place: Float32Array;
  n: number;
}

/** A sampling case with its stencils made on the host. */
function makeProblem(options: CaseOptions): Problem {
  const c = makeCase(options);
  return { c, n: options.samples, ...hostStencil(c.positions, c.field.dims, c.attrs.boundary) };
}

/** Lengths of the neighbours as no uniform axis has them. */
function stretch({ place }: Problem, next: () => number): void {
  for (let k = 0; k < place.length; k++) if (k % 4 === 1 || k % 4 === 2) place[k] = 0.2 + 3 * next();
}

const spaceOf = (p: Problem) => ({
  taps: tf.tensor3d(p.taps.slice(), [p.n, 3, 4], 'int32'),
  place: tf.tensor3d(p.place.slice(), [p.n, 3, 4]),
});

async function sampleOf(p: Problem): Promise<Float32Array> {
  const { taps, place } = spaceOf(p);
  const out = monotoneRows(p.c.nodes, p.c.grid, taps, place, p.c.attrs);
  expect(out.shape).to.deep.equal([p.n, p.c.attrs.payload]);
  const values = ((await out.data()) as Float32Array).slice();
  tf.dispose([taps, place, out]);
  return values;
}

/** Gradients of ⟨sample, v⟩ to nodes and place. */
async function gradientsOf(
  p: Problem,
  v: Float32Array,
): Promise<{ nodes: Float32Array; place: Float32Array }> {
  const { taps, place } = spaceOf(p);
  const dy = tf.tensor2d(v.slice(), [p.n, p.c.attrs.payload]);
  const [byNodes, byPlace] = tf.grads((nodes: tf.Tensor, at: tf.Tensor) =>
    monotoneRows(nodes, p.c.grid, taps, at as tf.Tensor3D, p.c.attrs),
  )([p.c.nodes, place], dy);
  expect(byNodes.shape).to.deep.equal([p.c.attrs.rows, p.c.attrs.payload]);
  expect(byPlace.shape).to.deep.equal([p.n, 3, 4]);
  const out = {
    nodes: ((await byNodes.data()) as Float32Array).slice(),
    place: ((await byPlace.data()) as Float32Array).slice(),
  };
  tf.dispose([taps, place, dy, byNodes, byPlace]);
  return out;
}

/** The axes of sample i as the oracle takes them, from the host's stencil. */
function axesOf({ taps, place, c }: Problem, i: number): OracleAxis[] {
  return c.attrs.boundary.map((code, j) => {
    const at = 12 * i + 4 * j;
    const nodes = Array.from(taps.subarray(at, at + 4));
    const open = code === boundaryCode('extrapolate');
    // An axis of one node is level.
    if (open && nodes[2] < 0) nodes[2] = nodes[1];
    return {
      nodes,
      f: place[at],
      below: place[at + 1],
      above: place[at + 2],
      open: [open && nodes[0] < 0, open && nodes[3] < 0],
    };
  });
}

/** ⟨sample i, v_i⟩ in float64. */
function innerOf(p: Problem, i: number, v: ArrayLike<number>, axes = axesOf(p, i)): number {
  const { payload } = p.c.attrs;
  return monotoneOracle(p.c.field, axes).reduce((sum, s, f) => sum + s * v[i * payload + f], 0);
}

const MARGIN: Record<Boundary, number> = {
  clamp: 2.6,
  wrap: 2.6,
  reflect: 2.6,
  zero: 2.6,
  extrapolate: 0.9,
  error: 0,
};

function problems(): [string, CaseOptions][] {
  const out: [string, CaseOptions][] = [];
  const add = (name: string, o: CaseOptions) => out.push([name, { ...o, seed: out.length + 1 }]);
  for (const [dims, payload, samples] of [
    [[4, 5, 6], 1, 40],
    [[5, 4, 5], 2, 20],
    [[5, 6, 4], 3, 25],
    [[4, 4, 4], 4, 30],
    [[2, 3, 4], 5, 21],
    [[3, 3, 3], 8, 15],
    [[6, 2, 5], 35, 9],
    [[5, 5, 4], 1027, 3],
  ] as [Triple, number, number][]) {
    add(`${dims.join('×')} nodes of ${payload}`, { dims, payload, samples });
    add(`${dims.join('×')} nodes of ${payload}, missing nodes`, { dims, payload, samples, missing: 0.3 });
  }
  for (const boundary of BOUNDARIES) {
    const margin = MARGIN[boundary];
    add(boundary, { dims: [4, 5, 3], payload: 3, samples: 30, boundary, margin });
    add(`${boundary}, missing nodes`, {
      dims: [5, 4, 4],
      payload: 4,
      samples: 30,
      boundary,
      margin,
      missing: 0.3,
    });
    for (const dims of [
      [1, 3, 2],
      [2, 1, 1],
      [1, 1, 1],
    ] as Triple[]) {
      add(`${boundary}, axes of one node (${dims.join('×')})`, {
        dims,
        payload: 2,
        samples: 12,
        boundary,
        margin,
      });
    }
  }
  add('boundaries mixed', {
    dims: [4, 3, 5],
    payload: 2,
    samples: 30,
    boundary: ['wrap', 'extrapolate', 'zero'],
    margin: 0.9,
  });
  add('no samples', { dims: [3, 3, 3], payload: 3, samples: 0 });
  add('no payload', { dims: [3, 3, 3], payload: 0, samples: 5 });
  add('no rows', { dims: [3, 3, 3], payload: 3, samples: 5, missing: 1 });
  return out;
}

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
    for (const payload of [1, 4, 5, 12, 19]) {
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

  it('equal calls give equal bits', async () => {
    const p = makeProblem({ dims: [4, 4, 4], payload: 37, samples: 90, missing: 0.1 });
    const v = randomArray(90 * 37, random(6));
    expect(await sampleOf(p)).to.deep.equal(await sampleOf(p));
    expect(await gradientsOf(p, v)).to.deep.equal(await gradientsOf(p, v));
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
