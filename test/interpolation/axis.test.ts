import { expect } from 'chai';
import { ArgumentError, BOUNDARIES, type Boundary } from '../../src/index.js';
import { type AxisGeometry, checkAxis, geometryOf, indexOf, placeOn } from '../../src/interpolation/axis.js';
import { axisTapsAt } from '../../src/interpolation/axistaps.js';
import { boundaryCode } from '../../src/interpolation/stencil.js';
import { axisTaps, BASES, type Basis, basisCode } from '../../src/interpolation/taps.js';
import golden from '../golden/axis.json' with { type: 'json' };
import { expectClose, random } from '../support/numbers.js';
import fc from '../support/properties.js';

/** Seeded uneven positions whose gaps are 0.2 … 1.5. */
function uneven(n: number, seed: number): number[] {
  const next = random(seed);
  let t = 4 * next() - 2;
  return Array.from({ length: n }, () => {
    const here = t;
    t += 0.2 + 1.3 * next();
    return here;
  });
}

function geometry(positions: number[], boundary: Boundary, period = 0): AxisGeometry {
  const span = positions[positions.length - 1] - positions[0];
  const around = boundary === 'wrap' ? period || span + 0.7 : null;
  return geometryOf({ positions, spacing: null, period: around, trainable: false });
}

const nodes = new Int32Array(4);
const weights = new Float64Array(4);

/** Σ w · value of the taps at u. */
function at(
  u: number,
  axis: AxisGeometry,
  boundary: Boundary,
  basis: Basis,
  value: (node: number) => number,
  a = -0.5,
): number {
  axisTapsAt(u, axis, boundaryCode(boundary), basis, a, nodes, weights);
  return [0, 1, 2, 3].reduce((sum, k) => sum + (nodes[k] < 0 ? 0 : weights[k] * value(nodes[k])), 0);
}

describe('an axis with positions', () => {
  it('takes the places of index space where its positions are 0 … n − 1, for all boundaries', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(...BOUNDARIES),
        fc.double({ min: -9, max: 14, noNaN: true }),
        (n, boundary, u) => {
          const axis = geometry([...Array(n).keys()], boundary, n);
          const r = indexOf(u, axis, boundaryCode(boundary));
          // The folds of wrap and reflect are done already.
          const want =
            boundary === 'wrap'
              ? u - n * Math.floor(u / n)
              : n === 1 && boundary !== 'zero'
                ? 0
                : boundary === 'reflect'
                  ? n - 1 - Math.abs(n - 1 - (u - 2 * (n - 1) * Math.floor(u / (2 * (n - 1)))))
                  : boundary === 'extrapolate'
                    ? u
                    : Math.min(Math.max(u, -4), Math.max(1, n - 1) + 4);
          expect(r).to.be.closeTo(want, 1e-12);
        },
      ),
    );
  });

  it('has the taps and weights of uniform axes at positions first + spacing · i, tangents times the spacing', () => {
    const want = { nodes: new Int32Array(4), weights: new Float64Array(4) };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom(...BOUNDARIES),
        fc.constantFrom(...BASES),
        fc.double({ min: -7, max: 11, noNaN: true }),
        (n, boundary, basis, r) => {
          // On nodes of folded axes the two may be in neighbouring cells, by a rounding.
          fc.pre(
            Math.abs(r - Math.round(r)) > 1e-6 && (n > 1 || boundary === 'clamp' || boundary === 'error'),
          );
          const [first, spacing, a] = [-3, 0.375, -0.75];
          const axis = geometry(
            Array.from({ length: n }, (_, i) => first + spacing * i),
            boundary,
            n * spacing,
          );
          const code = boundaryCode(boundary);
          axisTapsAt(first + spacing * r, axis, code, basis, a, nodes, weights);
          axisTaps(r, n, code, basisCode(basis), a, 0, want.nodes, want.weights);
          const unit = basis === 'hermite-tangent' ? spacing : 1;
          // By node: a reflected coordinate may come from the other side, and what weighs nothing may be any node.
          const sums = (ns: Int32Array, ws: Float64Array, scale: number) => {
            const total = new Float64Array(n);
            ns.forEach((node, k) => {
              if (node >= 0) total[node] += ws[k] * scale;
            });
            return total;
          };
          if (basis === 'place') {
            // Where no tap has a node the place means nothing: the two may round into different cells there.
            if (want.nodes[1] < 0 && want.nodes[2] < 0) return;
            expectClose(weights, want.weights, 1e-9);
            return;
          }
          expectClose(sums(nodes, weights, 1), sums(want.nodes, want.weights, unit), 1e-9);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is piecewise linear between nodes, right-hand at them and left-hand at the last', () => {
    const positions = uneven(5, 3);
    const axis = geometry(positions, 'clamp');
    positions.forEach((t, i) => {
      const { cell, fraction } = placeOn(t, axis, 0);
      expect([cell, fraction]).to.deep.equal(i < 4 ? [i, 0] : [3, 1]);
    });
    for (let i = 0; i < 4; i++) {
      expect(indexOf(positions[i] + 0.3 * (positions[i + 1] - positions[i]), axis, 0)).to.be.closeTo(
        i + 0.3,
        1e-12,
      );
    }
  });

  it('wraps by its period, mirrors about its ends, and fades over a cell as long as the outermost', () => {
    const positions = uneven(4, 5);
    const period = positions[3] - positions[0] + 0.9;
    const value = (node: number) => [1, -2, 0.5, 3][node];
    const around = geometry(positions, 'wrap', period);
    const mirrored = geometry(positions, 'reflect');
    const next = random(6);
    for (let i = 0; i < 50; i++) {
      const u = positions[0] + next() * (positions[3] - positions[0]);
      for (const basis of ['linear', 'cardinal', 'bspline'] as const) {
        expect(at(u + 3 * period, around, 'wrap', basis, value)).to.be.closeTo(
          at(u, around, 'wrap', basis, value),
          1e-9,
        );
        expect(at(2 * positions[0] - u, mirrored, 'reflect', basis, value)).to.be.closeTo(
          at(u, mirrored, 'reflect', basis, value),
          1e-9,
        );
      }
    }
    // Half way through the cell that the period leaves.
    expect(at(positions[3] + 0.45, around, 'wrap', 'linear', value)).to.be.closeTo(2, 1e-12);
    const fading = geometry(positions, 'zero');
    expect(
      at(positions[0] - 0.25 * (positions[1] - positions[0]), fading, 'zero', 'linear', value),
    ).to.be.closeTo(0.75, 1e-12);
    expect(
      at(positions[3] + 0.5 * (positions[3] - positions[2]), fading, 'zero', 'linear', value),
    ).to.be.closeTo(1.5, 1e-12);
  });

  it('reproduces parabolas by Catmull-Rom on any positions, and cubics by hermite with their slopes', () => {
    for (let seed = 1; seed < 20; seed++) {
      const positions = uneven(6, seed);
      const axis = geometry(positions, 'clamp');
      const next = random(seed);
      const [c0, c1, c2, c3] = [0, 1, 2, 3].map(() => 2 * next() - 1);
      const parabola = (u: number) => c0 + c1 * u + c2 * u * u;
      const cubic = (u: number) => parabola(u) + c3 * u ** 3;
      const slope = (u: number) => c1 + 2 * c2 * u + 3 * c3 * u * u;
      for (let i = 0; i < 20; i++) {
        const u = positions[1] + next() * (positions[4] - positions[1]);
        expect(at(u, axis, 'clamp', 'cardinal', (k) => parabola(positions[k]))).to.be.closeTo(
          parabola(u),
          1e-10,
        );
        const v = positions[0] + next() * (positions[5] - positions[0]);
        const values = at(v, axis, 'clamp', 'hermite', (k) => cubic(positions[k]));
        const tangents = at(v, axis, 'clamp', 'hermite-tangent', (k) => slope(positions[k]));
        expect(values + tangents).to.be.closeTo(cubic(v), 1e-9);
      }
    }
  });

  it('has B-splines of its knots: of the coefficients of Marsden’s identity they make every cubic', () => {
    for (let seed = 1; seed < 20; seed++) {
      const positions = uneven(8, seed);
      const axis = geometry(positions, 'clamp');
      const next = random(seed);
      const knots = (k: number) => [positions[k - 1], positions[k], positions[k + 1]];
      for (let i = 0; i < 20; i++) {
        const u = positions[2] + next() * (positions[5] - positions[2]);
        expect(at(u, axis, 'clamp', 'bspline', () => 1)).to.be.closeTo(1, 1e-12);
        expect(at(u, axis, 'clamp', 'bspline', (k) => knots(k).reduce((x, y) => x + y) / 3)).to.be.closeTo(
          u,
          1e-12,
        );
        const pairs = (k: number) => {
          const [p, q, r] = knots(k);
          return (p * q + q * r + p * r) / 3;
        };
        expect(at(u, axis, 'clamp', 'bspline', pairs)).to.be.closeTo(u * u, 1e-10);
        expect(at(u, axis, 'clamp', 'bspline', (k) => knots(k).reduce((x, y) => x * y))).to.be.closeTo(
          u ** 3,
          1e-10,
        );
      }
    }
  });

  it('goes on along straight lines beyond an extrapolated axis', () => {
    const positions = uneven(5, 9);
    const axis = geometry(positions, 'extrapolate');
    const line = (u: number) => 0.3 - 1.7 * u;
    for (const u of [positions[0] - 2, positions[0] - 0.1, positions[4] + 0.1, positions[4] + 3]) {
      for (const basis of ['linear', 'cardinal'] as const) {
        expect(at(u, axis, 'extrapolate', basis, (k) => line(positions[k]))).to.be.closeTo(line(u), 1e-10);
      }
      const values = at(u, axis, 'extrapolate', 'hermite', (k) => line(positions[k]));
      expect(values + at(u, axis, 'extrapolate', 'hermite-tangent', () => -1.7)).to.be.closeTo(
        line(u),
        1e-10,
      );
    }
  });

  it('agrees with SciPy’s CubicHermiteSpline', () => {
    const axis = geometry(golden.positions, 'clamp');
    const value = (k: number) => golden.values[k];
    const of = (coords: number[], f: (u: number) => number) => coords.map(f);
    expectClose(
      of(golden.inner, (u) => at(u, axis, 'clamp', 'cardinal', value)),
      golden.catmullRom,
      1e-12,
    );
    expectClose(
      of(golden.inner, (u) => at(u, axis, 'clamp', 'cardinal', value, -0.75)),
      golden.cardinal075,
      1e-12,
    );
    const hermite = (u: number) =>
      at(u, axis, 'clamp', 'hermite', value) +
      at(u, axis, 'clamp', 'hermite-tangent', (k) => golden.tangents[k]);
    expectClose(of(golden.whole, hermite), golden.hermite, 1e-12);
  });

  it('refuses what is no axis, and says what must hold', () => {
    const bad: [option: unknown, message: RegExp, boundary?: Boundary][] = [
      [[0, 2, 1], /increase/],
      [[0, 1, 1], /increase/],
      [[0, 1, 1 + 1e-12], /increase/],
      [[0, Number.NaN, 1], /finite/],
      [[0, 1, Number.POSITIVE_INFINITY], /finite/],
      [[0, 1, 1e39], /finite/],
      [[0, 1], /3 positions/],
      [[0, 1, 2, 3], /3 positions/],
      [['0', 1, 2], /finite/],
      ['uniform', /list of 3 positions/],
      [null, /list of 3 positions/],
      [{ min: 1, max: 1 }, /min must be below max/],
      [{ min: 0 }, /min must be below max/],
      [{ min: 0, max: Number.NaN }, /min must be below max/],
      [{ min: 0, max: 1, positions: [0, 1, 2] }, /no option is called 'positions'/],
      [{ positions: [0, 1, 2], step: 1 }, /no option is called 'step'/],
      [{ positions: [0, 1, 2], trainable: 1 }, /trainable/],
      [{ trainable: true }, /3 positions/],
      [{ positions: [0, 1, 2], period: 4 }, /wrapped axis/],
      [[0, 1, 2], /period above 2/, 'wrap'],
      [{ positions: [0, 1, 2], period: 2 }, /period above 2/, 'wrap'],
      [{ positions: [0, 1, 2], period: Number.NaN }, /period above 2/, 'wrap'],
      [{ min: 0, max: 2, period: 1.5 }, /period above 2/, 'wrap'],
    ];
    for (const [option, message, boundary = 'clamp'] of bad) {
      expect(() => checkAxis('x', 3, option, boundary), JSON.stringify(option)).to.throw(
        ArgumentError,
        message,
      );
    }
    expect(() => checkAxis('x', 2, { positions: [0, 1], trainable: true }, 'clamp')).to.throw(
      ArgumentError,
      /three nodes/,
    );
    expect(checkAxis('x', 3, { min: 0, max: 2 }, 'wrap')).to.include({ period: 3, spacing: 1 });
    expect(checkAxis('x', 3, { min: 0, max: 2, period: 5 }, 'wrap')).to.include({ period: 5, spacing: null });
  });
});
