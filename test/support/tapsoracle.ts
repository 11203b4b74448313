/**
 * The float64 reference of methods of up to four taps an axis, written from the two halves of their meaning: a boundary is an
 * extension of the axis to all integers, a basis is a kernel function of the distance from a node. Not from interpolation/taps.ts.
 */
import type { Boundary } from '../../src/interpolation/stencil.js';
import type { Basis } from '../../src/interpolation/taps.js';
import type { Field } from './oracle.js';

export interface Method {
  basis: Exclude<Basis, 'place'>;
  a: number;
}

/** What a node at distance x weighs. */
export function kernel({ basis, a }: Method, x: number): number {
  const d = Math.abs(x);
  if (d >= 2) return 0;
  switch (basis) {
    case 'cardinal':
      return d < 1 ? (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1 : a * (d ** 3 - 5 * d ** 2 + 8 * d - 4);
    case 'bspline':
      return d < 1 ? 2 / 3 - d ** 2 + d ** 3 / 2 : (2 - d) ** 3 / 6;
    case 'hermite':
      return d < 1 ? (1 - d) ** 2 * (1 + 2 * d) : 0;
    case 'hermite-tangent':
      return d < 1 ? x * (1 - d) ** 2 : 0;
    default:
      return d < 1 ? 1 - d : 0;
  }
}

/** What stands at integer t of an extended axis: nodes and factors. */
function extended(t: number, n: number, boundary: Boundary): [number, number][] {
  if (t >= 0 && t < n) return [[t, 1]];
  switch (boundary) {
    case 'wrap':
      return [[((t % n) + n) % n, 1]];
    case 'reflect': {
      let at = t;
      while (at < 0 || at >= n) at = at < 0 ? -at : 2 * (n - 1) - at;
      return [[at, 1]];
    }
    case 'zero':
      return [];
    case 'extrapolate': {
      const [edge, next] = t < 0 ? [0, 1] : [n - 1, n - 2];
      const steps = Math.abs(t - edge);
      return [
        [edge, 1 + steps],
        [next, -steps],
      ];
    }
    default:
      return [[t < 0 ? 0 : n - 1, 1]];
  }
}

/** Σ over the integers near whole + f. */
function summed(whole: number, f: number, n: number, boundary: Boundary, method: Method): Float64Array {
  const out = new Float64Array(n);
  for (let t = -2; t <= 3; t++) {
    for (const [node, factor] of extended(whole + t, n, boundary))
      out[node] += factor * kernel(method, f - t);
  }
  return out;
}

const split = (r: number) => [Math.floor(r), r - Math.floor(r)] as const;

/** [n] what each node of an axis weighs at coordinate r. */
export function axisNodeWeights(r: number, n: number, boundary: Boundary, method: Method): Float64Array {
  if (boundary === 'wrap') {
    const [whole, f] = split(r);
    return summed(whole % n, f, n, boundary, method);
  }
  if (boundary === 'zero') {
    if (r < -3 || r > n + 2) return new Float64Array(n);
    return summed(...split(r), n, boundary, method);
  }
  if (n === 1) return Float64Array.of(method.basis === 'hermite-tangent' ? 0 : 1);
  const last = n - 1;
  if (boundary === 'reflect') {
    let [whole, f] = split(r);
    whole %= 2 * last;
    if (method.basis !== 'hermite-tangent') return summed(whole, f, n, boundary, method);
    // A mirrored tangent points the other way: fold the coordinate instead.
    let c = Math.abs(whole + f) % (2 * last);
    if (c > last) c = 2 * last - c;
    return summed(...split(c), n, boundary, method);
  }
  if (boundary === 'extrapolate' && (r < 0 || r > last)) {
    // Along the tangent at the edge; the four-point difference is exact for cubics.
    const [edge, h] = r < 0 ? [0, 0.25] : [last, -0.25];
    const [w0, w1, w2, w3] = [0, 1, 2, 3].map((k) => summed(...split(edge + k * h), n, boundary, method));
    return w0.map((w, i) => w + ((r - edge) * (-11 * w + 18 * w1[i] - 9 * w2[i] + 2 * w3[i])) / (6 * h));
  }
  const c = Math.min(Math.max(r, 0), last);
  return summed(...split(c), n, boundary, method);
}

/** Σ w · node in float64; NaN where a coordinate is not finite. */
export function tapsOracle(field: Field, methods: Method[], r: ArrayLike<number>): Float64Array {
  const out = new Float64Array(field.payload);
  if (!Number.isFinite(r[0] + r[1] + r[2])) return out.fill(Number.NaN);
  eachWeight(field, methods, r, (cell, w) => {
    const node = field.node(cell);
    if (node) for (let f = 0; f < field.payload; f++) out[f] += w * node[f];
  });
  return out;
}

/** Calls `found` with each cell of weight ≠ 0 of a sample at finite r. */
export function eachWeight(
  { dims, boundary }: Field,
  methods: Method[],
  r: ArrayLike<number>,
  found: (cell: number, weight: number) => void,
): void {
  const [u, v, w] = [0, 1, 2].map((j) => axisNodeWeights(r[j], dims[j], boundary[j], methods[j]));
  for (let i = 0; i < u.length; i++) {
    for (let j = 0; j < v.length; j++) {
      for (let k = 0; k < w.length; k++) {
        const weight = u[i] * v[j] * w[k];
        if (weight !== 0) found((i * dims[1] + j) * dims[2] + k, weight);
      }
    }
  }
}
