import { expect } from 'chai';
import {
  axisStencil,
  BOUNDARIES,
  type Boundary,
  boundaryCode,
  tapNode,
} from '../../src/interpolation/stencil.js';
import { hugeFloat, random } from '../support/numbers.js';
import { axisWeights } from '../support/oracle.js';
import fc from '../support/properties.js';

const stencil = (r: number, n: number, boundary: Boundary) => {
  const s = { base: 0, fraction: 0, slope: 0 };
  axisStencil(r, n, boundaryCode(boundary), s);
  return s;
};

/** Weight of each node, and its derivative. */
function nodeWeights(r: number, n: number, boundary: Boundary): { w: Float64Array; d: Float64Array } {
  const { base, fraction, slope } = stencil(r, n, boundary);
  const w = new Float64Array(n);
  const d = new Float64Array(n);
  for (const [tap, weight, change] of [
    [base, 1 - fraction, -slope],
    [base + 1, fraction, slope],
  ]) {
    const node = tapNode(tap, n, boundaryCode(boundary));
    if (node < 0) continue;
    w[node] += weight;
    d[node] += change;
  }
  return { w, d };
}

const axis = fc.record({
  n: fc.integer({ min: 1, max: 9 }),
  r: fc.oneof(
    fc.float({ min: -40, max: 40, noNaN: true }),
    fc.integer({ min: -20, max: 20 }),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
  ),
  boundary: fc.constantFrom(...BOUNDARIES),
});

describe('the stencil of an axis', () => {
  it('weights the nodes as the boundary’s extension of the grid does', () => {
    fc.assert(
      fc.property(axis, ({ n, r, boundary }) => {
        fc.pre(Math.abs(r) < 1e4);
        const want = new Float64Array(n);
        for (const [node, w] of axisWeights(r, n, boundary)) if (node >= 0) want[node] += w;
        const { w } = nodeWeights(r, n, boundary);
        for (let i = 0; i < n; i++) expect(w[i]).to.be.closeTo(want[i], 1e-9 * Math.max(1, Math.abs(r)));
      }),
    );
  });

  it('partitions unity, except where zeros stand outside', () => {
    fc.assert(
      fc.property(axis, ({ n, r, boundary }) => {
        const sum = nodeWeights(r, n, boundary).w.reduce((a, b) => a + b, 0);
        if (boundary !== 'zero' || (r >= 0 && r <= n - 1))
          expect(sum).to.be.closeTo(1, 1e-9 * Math.max(1, Math.abs(r)));
        else expect(sum).to.be.within(0, 1);
      }),
    );
  });

  for (const boundary of ['wrap', 'reflect'] as const) {
    it(`is exact for every float32 coordinate, ${boundary}`, () => {
      const next = random(11);
      for (let i = 0; i < 20_000; i++) {
        const n = [1, 2, 3, 7, 13, 21, 22, 1021][i % 8];
        const r = hugeFloat(next);
        const whole = Math.floor(r);
        const period = BigInt(boundary === 'wrap' ? n : Math.max(1, 2 * (n - 1)));
        const nodeAt = (t: bigint) => {
          const m = Number(((t % period) + period) % period);
          return m < n ? m : Number(period) - m;
        };
        const want = new Float64Array(n);
        want[nodeAt(BigInt(whole))] += 1 - (r - whole);
        want[nodeAt(BigInt(whole) + 1n)] += r - whole;
        const { w, d } = nodeWeights(r, n, boundary);
        expect([...w], `${r} of ${n}`).to.deep.equal([...want]);
        expect(Math.abs(d.reduce((a, b) => a + b, 0))).to.equal(0);
      }
    });
  }

  it('forms no index outside the grid, however far the coordinate', () => {
    fc.assert(
      fc.property(axis, ({ n, r, boundary }) => {
        const { base, fraction, slope } = stencil(r, n, boundary);
        expect(Number.isInteger(base) && base >= -1 && base <= n - 1).to.equal(true);
        expect(Number.isFinite(fraction)).to.equal(true);
        if (boundary !== 'extrapolate') expect(fraction).to.be.within(0, 1);
        expect([-1, 0, 1]).to.include(slope);
      }),
    );
  });

  it('reproduces polynomials of degree 1 inside, and beyond when extrapolating', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.double({ min: -3, max: 12, noNaN: true }), (n, r) => {
        const inside = r >= 0 && r <= n - 1;
        for (const boundary of BOUNDARIES) {
          if (boundary !== 'extrapolate' && !inside) continue;
          const { w, d } = nodeWeights(r, n, boundary);
          expect(w.reduce((sum, v, i) => sum + v * (3 * i - 2), 0)).to.be.closeTo(3 * r - 2, 1e-9);
          if (boundary !== 'wrap')
            expect(d.reduce((sum, v, i) => sum + v * (3 * i - 2), 0)).to.be.closeTo(3, 1e-9);
        }
      }),
    );
  });

  it('gives the whole weight to a node it sits on', () => {
    for (const boundary of BOUNDARIES) {
      for (let n = 1; n < 6; n++) {
        for (let i = 0; i < n; i++) expect(nodeWeights(i, n, boundary).w[i]).to.equal(1);
      }
    }
  });
});
