/**
 * The float64 reference that every kernel is held against, written from the definition of each boundary as an
 * extension of the grid to all integers, not from the stencil that the kernels share.
 */
import type { Boundary } from '../../src/index.js';

export interface Field {
  dims: [number, number, number];
  payload: number;
  boundary: [Boundary, Boundary, Boundary];
  /** Node of a cell, or null where it is missing. Cells in bulk order (x slowest). */
  node(cell: number): ArrayLike<number> | null;
}

/** The node that stands at integer t of an extended axis, or −1 for none. */
function extended(t: number, n: number, boundary: Boundary): number {
  switch (boundary) {
    case 'wrap':
      return ((t % n) + n) % n;
    case 'reflect': {
      if (n === 1) return 0;
      const period = 2 * (n - 1);
      const m = ((t % period) + period) % period;
      return m < n ? m : period - m;
    }
    case 'zero':
      return t >= 0 && t < n ? t : -1;
    default:
      return Math.min(Math.max(t, 0), n - 1);
  }
}

/** [node, weight] pairs of coordinate r on one axis. */
export function axisWeights(r: number, n: number, boundary: Boundary): [number, number][] {
  if (boundary === 'extrapolate' && n > 1) {
    const base = r < 0 ? 0 : r > n - 1 ? n - 2 : Math.min(Math.floor(r), n - 2);
    return [
      [base, base + 1 - r],
      [base + 1, r - base],
    ];
  }
  if (boundary === 'clamp' || boundary === 'error' || boundary === 'extrapolate')
    r = Math.min(Math.max(r, 0), n - 1);
  const t = Math.floor(r);
  // 1 − (r − t), as t + 1 is t beyond 2⁵³.
  return [
    [extended(t, n, boundary), 1 - (r - t)],
    [extended(t + 1, n, boundary), r - t],
  ];
}

/** [cell, weight] pairs of a sample; absent nodes are left out. */
export function weights(field: Field, x: number, y: number, z: number): [number, number][] {
  const { dims, boundary } = field;
  const out: [number, number][] = [];
  for (const [i, u] of axisWeights(x, dims[0], boundary[0])) {
    for (const [j, v] of axisWeights(y, dims[1], boundary[1])) {
      for (const [k, w] of axisWeights(z, dims[2], boundary[2])) {
        if (i < 0 || j < 0 || k < 0) continue;
        out.push([(i * dims[1] + j) * dims[2] + k, u * v * w]);
      }
    }
  }
  return out;
}

/** Σ w · node in float64; NaN where a coordinate is not finite. */
export function sampleOracle(field: Field, r: ArrayLike<number>): Float64Array {
  const out = new Float64Array(field.payload);
  if (!Number.isFinite(r[0] + r[1] + r[2])) return out.fill(Number.NaN);
  for (const [cell, w] of weights(field, r[0], r[1], r[2])) {
    const node = field.node(cell);
    if (node) for (let f = 0; f < field.payload; f++) out[f] += w * node[f];
  }
  return out;
}

/** [rows, F] in float64: values [N, F] spread over the weights of their samples at coords [N, 3]. −1 is no row. */
export function splatOracle(
  field: Field,
  coords: ArrayLike<number>,
  values: ArrayLike<number>,
  rowOf: (cell: number) => number,
  rows: number,
): Float64Array {
  const F = field.payload;
  const out = new Float64Array(rows * F);
  for (let i = 0; i < coords.length / 3; i++) {
    for (const [cell, w] of weights(field, coords[3 * i], coords[3 * i + 1], coords[3 * i + 2])) {
      const row = rowOf(cell);
      if (row < 0) continue;
      for (let f = 0; f < F; f++) out[row * F + f] += w * values[i * F + f];
    }
  }
  return out;
}

/** ⟨sample(r), v⟩ in float64: what coordinate gradients are differences of. */
export function inner(field: Field, r: ArrayLike<number>, v: ArrayLike<number>): number {
  const s = sampleOracle(field, r);
  let sum = 0;
  for (let f = 0; f < s.length; f++) sum += s[f] * v[f];
  return sum;
}
