import { expect } from 'chai';
import { BOUNDARIES, type Boundary, boundaryCode } from '../../src/interpolation/stencil.js';
import { axisTaps, type Basis, basisCode } from '../../src/interpolation/taps.js';
import { expectClose } from '../support/numbers.js';
import fc from '../support/properties.js';
import { SAMPLED } from '../support/tapscases.js';
import { axisNodeWeights } from '../support/tapsoracle.js';

const SIZES = [1, 2, 3, 4, 7];
const A = -0.75;
/** Of a basis: beyond so many cells a node counts for nothing. */
const REACH = { linear: 1, cardinal: 2, bspline: 2, hermite: 1, 'hermite-tangent': 1 } as const;

function taps(r: number, n: number, boundary: Boundary, basis: Basis, a = A, order = 0) {
  const nodes = new Int32Array(4);
  const weights = new Float64Array(4);
  axisTaps(r, n, boundaryCode(boundary), basisCode(basis), a, order, nodes, weights);
  return { nodes: [...nodes], weights: [...weights] };
}

/** [n] what each node weighs. */
function dense(r: number, n: number, boundary: Boundary, basis: Basis, a = A, order = 0): Float64Array {
  const out = new Float64Array(n);
  const { nodes, weights } = taps(r, n, boundary, basis, a, order);
  nodes.forEach((node, k) => {
    if (node >= 0) out[node] += weights[k];
  });
  return out;
}

const total = (x: Iterable<number>) => [...x].reduce((a, b) => a + b, 0);

/** Coordinates of all kinds about an axis of n nodes; fractions are multiples of 1/8 shifted by `by`. */
function places(n: number, by = 0): number[] {
  const out = [];
  for (let r = -2 * n - 3; r <= 3 * n + 3; r += 0.125) out.push(r + by);
  return out;
}

describe('stencils of four taps', () => {
  for (const basis of SAMPLED) {
    for (const boundary of BOUNDARIES) {
      it(`${basis}, ${boundary}: nodes weigh what the kernel function on the extended axis says`, () => {
        for (const n of SIZES) {
          for (const a of basis === 'cardinal' ? [-1, -0.75, -0.5, -0.3, 0] : [A]) {
            for (const r of [...places(n), ...places(n, 0.03)]) {
              const want = axisNodeWeights(r, n, boundary, { basis, a });
              const scale = Math.max(1, ...want.map(Math.abs));
              expectClose(dense(r, n, boundary, basis, a), want, 1e-13 * scale, `n ${n}, r ${r}, a ${a}`);
            }
          }
        }
      });

      it(`${basis}, ${boundary}: derivatives of order 1 to 3 equal differences of the order below, those above are zero`, () => {
        const h = 1e-6;
        for (const n of SIZES) {
          for (const r of places(n, 0.06)) {
            for (let order = 1; order <= 3; order++) {
              const up = dense(r + h, n, boundary, basis, A, order - 1);
              const down = dense(r - h, n, boundary, basis, A, order - 1);
              const want = up.map((v, i) => (v - down[i]) / (2 * h));
              expectClose(
                dense(r, n, boundary, basis, A, order),
                want,
                1e-7,
                `n ${n}, r ${r}, order ${order}`,
              );
            }
            expectClose(dense(r, n, boundary, basis, A, 4), new Float64Array(n), 0);
          }
        }
      });

      it(`${basis}, ${boundary}: taps are nodes or −1, those of every order the same, and of every basis as far as it reaches`, () => {
        for (const n of SIZES) {
          for (const r of [
            ...places(n).filter((_, i) => i % 3 === 0),
            1e-40,
            -1e-40,
            -0,
            3e38,
            -3e38,
            2 ** 24 + 2,
            -(2 ** 30),
          ]) {
            const { nodes, weights } = taps(r, n, boundary, basis);
            expect(nodes.every((node) => node >= -1 && node < n)).to.equal(true);
            expect(weights.every(Number.isFinite)).to.equal(true);
            for (let order = 1; order <= 3; order++) {
              const other = taps(r, n, boundary, basis, A, order);
              expect(other.nodes).to.deep.equal(nodes);
              expect(other.weights.every(Number.isFinite)).to.equal(true);
            }
            const all = taps(r, n, boundary, 'place').nodes;
            expect(nodes).to.deep.equal(REACH[basis] === 1 ? [-1, all[1], all[2], -1] : all);
          }
        }
      });
    }
  }

  for (const boundary of ['clamp', 'wrap', 'reflect', 'extrapolate', 'error'] as const) {
    it(`weights of values sum to one and their derivatives to zero, ${boundary}`, () => {
      fc.assert(
        fc.property(
          fc.constantFrom('linear', 'cardinal', 'bspline', 'hermite' as const),
          fc.integer({ min: 1, max: 9 }),
          fc.float({ min: -40, max: 40, noNaN: true }),
          fc.float({ min: -1, max: 0, noNaN: true }),
          (basis, n, r, a) => {
            const sums = [0, 1, 2, 3].map((order) => total(dense(r, n, boundary, basis as Basis, a, order)));
            expectClose(sums, [1, 0, 0, 0], 2e-13);
          },
        ),
      );
    });
  }

  it('at a node all but that node weigh exactly nothing, whatever a: linear, cardinal, hermite', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...BOUNDARIES),
        fc.constantFrom('linear', 'cardinal', 'hermite' as const),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        fc.double({ min: -1, max: 0, noNaN: true }),
        (boundary, basis, n, k, a) => {
          const node = k % n;
          const want = new Float64Array(n);
          want[node] = 1;
          const offsets = boundary === 'wrap' ? [0, -7 * n, n * 2 ** 20] : [0];
          if (boundary === 'reflect') offsets.push(-6 * (n - 1), (n - 1) * 2 ** 20);
          for (const by of offsets) expectClose(dense(node + by, n, boundary, basis as Basis, a), want, 0);
          // Just below a node a fraction rounds to 1: that node all the same.
          if (node === 0 && boundary !== 'extrapolate') {
            const { weights } = taps(-1e-40, n, boundary, basis as Basis, a);
            expect(weights.filter((w) => w !== 0)).to.deep.equal([1]);
          }
        },
      ),
    );
  });

  it('the derivative at a node is the right-hand one, at the last node the left-hand one', () => {
    for (const boundary of ['clamp', 'zero', 'extrapolate', 'reflect'] as const) {
      for (const basis of SAMPLED) {
        for (const n of [2, 3, 4, 7]) {
          for (let node = 0; node < n; node++) {
            const side = node === n - 1 ? -1e-9 : 1e-9;
            for (let order = 1; order <= 3; order++) {
              const want = dense(node + side, n, boundary, basis, A, order);
              expectClose(dense(node, n, boundary, basis, A, order), want, 1e-7);
            }
          }
        }
      }
    }
  });

  describe('values, slopes (and curvatures, bspline) run on across nodes and edges', () => {
    const orders = { linear: 0, cardinal: 1, bspline: 2, hermite: 1, 'hermite-tangent': 1 } as const;
    // Clamp is flat beyond the edge and mirrors have a crease there, in value alone they run on.
    const inside = { clamp: 0, error: 0, reflect: 0, wrap: 3, zero: 3, extrapolate: 3 } as const;
    for (const boundary of BOUNDARIES) {
      for (const basis of SAMPLED) {
        it(`${basis}, ${boundary}`, () => {
          const h = 1e-9;
          for (const n of [2, 3, 4, 7]) {
            for (let r = -5; r <= n + 4; r++) {
              const within = r > 0 && r < n - 1;
              for (
                let order = 0;
                order <= (within ? orders[basis] : Math.min(orders[basis], inside[boundary]));
                order++
              ) {
                const below = dense(r - h, n, boundary, basis, A, order);
                expectClose(
                  dense(r + h, n, boundary, basis, A, order),
                  below,
                  1e-7,
                  `n ${n}, r ${r}, order ${order}`,
                );
              }
            }
          }
        });
      }
    }

    it('a mirrored cardinal or B-spline has no crease at its edge', () => {
      for (const basis of ['cardinal', 'bspline'] as const) {
        for (const n of [2, 3, 7]) {
          for (const edge of [0, n - 1]) {
            const slopes = [-1e-9, 1e-9].map((h) => dense(edge + h, n, 'reflect', basis, A, 1));
            expectClose(slopes[0], slopes[1], 1e-7);
            expectClose(slopes[0], new Float64Array(n), 1e-7);
          }
        }
      }
    });
  });

  it('reflect is the same on both sides of its edges, wrap the same a period on', () => {
    for (const basis of SAMPLED) {
      for (const n of SIZES) {
        for (const r of places(n)) {
          const here = dense(r, n, 'reflect', basis);
          expectClose(dense(-r, n, 'reflect', basis), here, 1e-14);
          expectClose(dense(2 * (n - 1) - r, n, 'reflect', basis), here, 1e-14);
          expectClose(dense(r + n, n, 'wrap', basis), dense(r, n, 'wrap', basis), 1e-14);
        }
      }
    }
  });

  it('zero has nothing beyond its support: one cell for linear and hermite, two for cardinal and bspline', () => {
    for (const basis of SAMPLED) {
      const reach = REACH[basis];
      for (const n of SIZES) {
        for (const r of [-reach, -reach - 0.5, -1e30, n - 1 + reach, n + reach, 1e30]) {
          expectClose(dense(r, n, 'zero', basis), new Float64Array(n), 0);
        }
        for (const r of [-reach + 0.25, n - 1 + reach - 0.25]) {
          expect(dense(r, n, 'zero', basis).some((w) => w !== 0)).to.equal(true);
        }
      }
    }
  });

  describe('polynomials are reproduced between inner nodes', () => {
    const cases: [string, Basis, number, number][] = [
      ['linear: degree 1', 'linear', 1, 0],
      ['Catmull-Rom: degree 2', 'cardinal', 2, -0.5],
      ['B-spline: degree 1, of the nodes themselves as coefficients', 'bspline', 1, 0],
    ];
    for (const [name, basis, degree, a] of cases) {
      it(name, () => {
        for (let r = 1; r <= 5; r += 0.07) {
          const w = dense(r, 7, 'clamp', basis, a);
          for (let d = 0; d <= degree; d++)
            expect(total(w.map((v, i) => v * i ** d))).to.be.closeTo(r ** d, 1e-12);
        }
      });
    }

    it('Hermite with the true tangents: degree 3', () => {
      for (let r = 0; r <= 6; r += 0.07) {
        const values = dense(r, 7, 'clamp', 'hermite');
        const tangents = dense(r, 7, 'clamp', 'hermite-tangent');
        const sum = total(values.map((v, i) => v * i ** 3 + tangents[i] * 3 * i ** 2));
        expect(sum).to.be.closeTo(r ** 3, 1e-11);
      }
    });

    it('extrapolated lines go on: linear, Catmull-Rom, B-spline', () => {
      for (const n of [2, 3, 7]) {
        for (const r of places(n)) {
          for (const basis of ['linear', 'cardinal', 'bspline'] as const) {
            const w = dense(r, n, 'extrapolate', basis, -0.5);
            expect(total(w.map((v, i) => v * i))).to.be.closeTo(r, 1e-12);
          }
        }
      }
    });
  });

  it('place is the fraction and two cells of one, its derivative the slope', () => {
    for (const n of [2, 3, 7]) {
      for (let r = 0; r <= n - 1; r += 0.125) {
        const base = Math.min(Math.floor(r), n - 2);
        for (const boundary of BOUNDARIES) {
          const top = boundary === 'wrap' && r === n - 1;
          const { nodes, weights } = taps(r, n, boundary, 'place');
          expect(nodes[1]).to.equal(top ? n - 1 : base);
          expect(weights).to.deep.equal([top ? 0 : r - base, 1, 1, 0]);
          expect(taps(r, n, boundary, 'place', A, 1).weights.map((w) => w + 0)).to.deep.equal([1, 0, 0, 0]);
        }
      }
    }
    expect(taps(-0.25, 4, 'reflect', 'place', A, 1).weights[0]).to.equal(-1);
    expect(taps(0.25, 1, 'clamp', 'place').weights).to.deep.equal([0, 1, 1, 0]);
  });
});
