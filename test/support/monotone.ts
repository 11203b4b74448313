/**
 * Monotone interpolation in float64, from its definition as textbooks give it: Hermite's cubic with slopes that are weighted
 * harmonic means of secants, on an axis extended to all integers. Not the form that the kernels share.
 */
import { axisTaps, BASES } from '../../src/interpolation/taps.js';
import type { Field } from './oracle.js';

/** One of the three axes of a sample: the four nodes (−1: zeros), the place in the cell, and which sides are open. */
export interface OracleAxis {
  nodes: number[];
  f: number;
  below: number;
  above: number;
  open: [boolean, boolean];
}

/** The slope at the knot between two cells of lengths h0, h1 and secants d0, d1. */
function slope(h0: number, h1: number, d0: number, d1: number): number {
  if (d0 === 0 || d1 === 0 || d0 > 0 !== d1 > 0) return 0;
  const w1 = 2 * h1 + h0;
  const w2 = h1 + 2 * h0;
  return (w1 + w2) / (w1 / d0 + w2 / d1);
}

/** The interpolant of four values. */
export function monotoneLine([p0, p1, p2, p3]: number[], { f, below, above, open }: OracleAxis): number {
  const own = p2 - p1;
  if (f < 0 || f > 1) return p1 + f * own;
  const m1 = open[0] ? own : slope(below, 1, (p1 - p0) / below, own);
  const m2 = open[1] ? own : slope(1, above, own, (p3 - p2) / above);
  const square = f * f;
  const cube = square * f;
  return (
    (2 * cube - 3 * square + 1) * p1 +
    (cube - 2 * square + f) * m1 +
    (3 * square - 2 * cube) * p2 +
    (cube - square) * m2
  );
}

/** The axis of coordinate r, uniform, from what each boundary means. */
function axisAt(r: number, n: number, boundary: Field['boundary'][number]): OracleAxis {
  const uniform = { below: 1, above: 1, open: [false, false] as [boolean, boolean] };
  if (n === 1 && boundary !== 'zero') return { ...uniform, nodes: [0, 0, 0, 0], f: 0 };
  if (boundary === 'extrapolate') {
    const base = Math.min(Math.max(Math.floor(r), 0), n - 2);
    const nodes = [base - 1, base, base + 1, base + 2];
    return { ...uniform, nodes, f: r - base, open: [base === 0, base === n - 2] };
  }
  if (boundary === 'clamp' || boundary === 'error') r = Math.min(Math.max(r, 0), n - 1);
  const base = Math.floor(r);
  const nodes = [base - 1, base, base + 1, base + 2].map((t) => {
    if (boundary === 'wrap') return ((t % n) + n) % n;
    if (boundary === 'zero') return t >= 0 && t < n ? t : -1;
    if (boundary === 'reflect') {
      const m = ((t % (2 * n - 2)) + 2 * n - 2) % (2 * n - 2);
      return Math.min(m, 2 * n - 2 - m);
    }
    return Math.min(Math.max(t, 0), n - 1);
  });
  return { ...uniform, nodes, f: r - base };
}

export const monotoneAxes = ({ dims, boundary }: Field, r: ArrayLike<number>): OracleAxis[] =>
  dims.map((n, j) => axisAt(r[j], n, boundary[j]));

/** [F]: a sample of the field. */
export function monotoneOracle({ dims, payload, node }: Field, [x, y, z]: OracleAxis[]): Float64Array {
  const at = (a: number, b: number, c: number, f: number): number =>
    Math.min(a, b, c) < 0 || Math.max(a - dims[0], b - dims[1], c - dims[2]) >= 0
      ? 0
      : (node((a * dims[1] + b) * dims[2] + c)?.[f] ?? 0);
  return Float64Array.from({ length: payload }, (_, f) =>
    monotoneLine(
      x.nodes.map((a) =>
        monotoneLine(
          y.nodes.map((b) =>
            monotoneLine(
              z.nodes.map((c) => at(a, b, c, f)),
              z,
            ),
          ),
          y,
        ),
      ),
      x,
    ),
  );
}

/** Taps and places [N, 3, 4] of coordinates [N, 3], as the stencil's definition has them. */
export function hostStencil(
  positions: ArrayLike<number>,
  dims: readonly number[],
  boundary: readonly number[],
  order = 0,
): { taps: Int32Array; place: Float32Array } {
  const taps = new Int32Array(positions.length * 4);
  const place = new Float32Array(positions.length * 4);
  const nodes = new Int32Array(4);
  const weights = new Float64Array(4);
  for (let k = 0; k < positions.length; k++) {
    const first = k - (k % 3);
    if (Number.isFinite(positions[first] + positions[first + 1] + positions[first + 2])) {
      axisTaps(positions[k], dims[k % 3], boundary[k % 3], BASES.indexOf('place'), 0, order, nodes, weights);
    } else {
      nodes.fill(-1);
      weights.fill(order === 0 ? Number.NaN : 0);
    }
    taps.set(nodes, 4 * k);
    place.set(weights, 4 * k);
  }
  return { taps, place };
}
