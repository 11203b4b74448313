/**
 * The four taps of a coordinate on an axis with positions (interpolation/axis.ts), and their weights in the user's units: what
 * interpolation/taps.ts is to uniform axes. Pure, in float64; ops/axistaps.ts is the same on tensors.
 */
import { type AxisGeometry, lengthCell, placeOn } from './axis.js';
import { boundaryCode } from './stencil.js';
import { type Basis, basisCode, basisWeights, isNarrow, nodesOfTaps } from './taps.js';

const WRAP = boundaryCode('wrap');
const REFLECT = boundaryCode('reflect');
const ZERO = boundaryCode('zero');
const EXTRAPOLATE = boundaryCode('extrapolate');

/** What a basis needs to know of an axis: a cell's length, and those of its neighbours as parts of its own. */
export interface CellParts {
  length: number;
  /** Of the two cells below and the two above, the nearer first. */
  below: readonly [number, number];
  above: readonly [number, number];
}

export function partsOf(lengths: ArrayLike<number>, cell: number, code: number): CellParts {
  const at = (k: number) => lengths[lengthCell(k, lengths.length, code)];
  const own = at(cell);
  return {
    length: own,
    below: [at(cell - 1) / own, at(cell - 2) / own],
    above: [at(cell + 1) / own, at(cell + 2) / own],
  };
}

/**
 * Writes the weights of the four taps about a cell, at fraction f ∈ [0, 1] of it, into `out`:
 *
 *   cardinal         the hermite cubic with the slopes −2a · (slope of the parabola through a node and its two neighbours)
 *   bspline          the cubic B-splines of these knots (C. de Boor, "On calculating with B-splines", 1972)
 *   hermite-tangent  of derivatives by u
 *   place            f, and the lengths of the cells below and above as parts of the own one
 *
 * Between equal cells of length 1 they are those of interpolation/taps.ts.
 */
export function axisWeights(f: number, parts: CellParts, basis: Basis, a: number, out: Float64Array): void {
  const [p, p2] = parts.below;
  const [q, q2] = parts.above;
  if (basis === 'cardinal') {
    const [h0, h1, m0, m1] = hermite(f).map((w, k) => (k < 2 ? w : -2 * a * w));
    out[0] = -m0 / (p * (1 + p));
    out[1] = h0 + (m0 * (1 - p)) / p - (m1 * q) / (1 + q);
    out[2] = h1 + (m0 * p) / (1 + p) + (m1 * (q - 1)) / q;
    out[3] = m1 / (q * (1 + q));
    return;
  }
  if (basis === 'bspline') {
    const [left1, left2, left3] = [f, f + p, f + p + p2];
    const [right1, right2, right3] = [1 - f, 1 + q - f, 1 + q + q2 - f];
    const v0 = right1 / (1 + p);
    const v1 = f / (1 + q);
    const [n0, n1, n2] = [right1 * v0, left2 * v0 + right2 * v1, left1 * v1];
    const w0 = n0 / (1 + p + p2);
    const w1 = n1 / (1 + p + q);
    const w2 = n2 / (1 + q + q2);
    out[0] = right1 * w0;
    out[1] = left3 * w0 + right2 * w1;
    out[2] = left2 * w1 + right3 * w2;
    out[3] = left1 * w2;
    return;
  }
  basisWeights(f, basisCode(basis), a, 0, out);
  if (basis === 'hermite-tangent') for (let k = 0; k < 4; k++) out[k] *= parts.length;
  if (basis === 'place') {
    out[1] = p;
    out[2] = q;
  }
}

function hermite(f: number): [number, number, number, number] {
  const f2 = f * f;
  const f3 = f2 * f;
  return [2 * f3 - 3 * f2 + 1, 3 * f2 - 2 * f3, f3 - 2 * f2 + f, f3 - f2];
}

/** The tap in slot 1 of a place, and the fraction from there. */
export function baseOf(cell: number, fraction: number, n: number, code: number): { base: number; f: number } {
  const folded = code === WRAP || code === REFLECT;
  if (code === ZERO && (fraction < 0 || fraction >= 1)) {
    // At the last node the left-hand cell; so far out that no tap is a node, anywhere there.
    if (n > 1 && cell === n - 2 && fraction === 1) return { base: cell, f: 1 };
    const base = cell + Math.floor(fraction);
    if (base < -4 || base > n + 2) return { base: base < 0 ? -4 : n + 2, f: 0 };
    return { base, f: fraction - Math.floor(fraction) };
  }
  if (folded || code !== EXTRAPOLATE) return { base: cell, f: Math.min(Math.max(fraction, 0), 1) };
  return { base: cell, f: fraction };
}

/** Writes the nodes of the four taps of finite u into `nodes` (−1: none) and their weights into `weights`. */
export function axisTapsAt(
  u: number,
  axis: AxisGeometry,
  code: number,
  basis: Basis,
  a: number,
  nodes: Int32Array,
  weights: Float64Array,
): void {
  const n = axis.positions.length;
  if (n === 1 && code !== WRAP && code !== ZERO) {
    nodes.fill(-1);
    nodes[1] = 0;
    weights.fill(0);
    if (basis === 'place') weights[1] = weights[2] = 1;
    else if (basis !== 'hermite-tangent') weights[1] = 1;
    return;
  }
  const place = placeOn(u, axis, code);
  const { base, f } = baseOf(place.cell, place.fraction, n, code);
  const parts = partsOf(axis.lengths, base, code);
  nodesOfTaps(base, n, code, isNarrow(basisCode(basis)), nodes);
  const outside = code === EXTRAPOLATE && (f < 0 || f > 1);
  if (outside && (basis === 'hermite' || basis === 'hermite-tangent')) {
    weights.fill(0);
    const slot = f < 0 ? 1 : 2;
    weights[slot] = basis === 'hermite' ? 1 : (f < 0 ? f : f - 1) * parts.length;
  } else if (outside && basis === 'cardinal') {
    // Along its tangent, −2a times as steep as the line through the outermost two.
    const rise = -2 * a * (f < 0 ? f : 1 - f);
    const edge = f < 0 ? 1 : 2;
    weights.fill(0);
    weights[edge] = 1 - rise;
    weights[3 - edge] = rise;
  } else {
    axisWeights(f, parts, outside && basis !== 'place' ? 'linear' : basis, a, weights);
  }
  if (code !== EXTRAPOLATE || basis === 'place') return;
  if (nodes[0] < 0) {
    weights[1] += 2 * weights[0];
    weights[2] -= weights[0];
    weights[0] = 0;
  }
  if (nodes[3] < 0) {
    weights[2] += 2 * weights[3];
    weights[1] -= weights[3];
    weights[3] = 0;
  }
}
