/** Random problems of sampling with four taps an axis, and what the oracle makes of them. */
import type * as tf from '@tensorflow/tfjs';
import { BOUNDARIES } from '../../src/interpolation/stencil.js';
import { type Basis, basisCode } from '../../src/interpolation/taps.js';
import { type Stencil, type StencilSpec, stencilOf } from '../../src/ops/taps.js';
import { withoutLeaks } from './backends.js';
import { type CaseOptions, makeCase, type SamplingCase } from './cases.js';
import { magnitude, TAPS_TOLERANCE } from './numbers.js';
import { axisNodeWeights, eachWeight, type Method, tapsOracle } from './tapsoracle.js';

export type SampledBasis = Method['basis'];
export const SAMPLED: SampledBasis[] = ['linear', 'cardinal', 'bspline', 'hermite', 'hermite-tangent'];

export interface TapsCaseOptions extends CaseOptions {
  basis: SampledBasis | [SampledBasis, SampledBasis, SampledBasis];
  a?: number;
}

export interface TapsCase extends SamplingCase {
  methods: Method[];
  spec: StencilSpec;
  stencil(coords?: tf.Tensor2D): Stencil;
}

export function makeTapsCase(options: TapsCaseOptions): TapsCase {
  const c = makeCase(options);
  const { a = -0.5 } = options;
  const bases = Array.isArray(options.basis) ? options.basis : Array(3).fill(options.basis);
  const spec = specOf(options.dims, c.attrs.boundary, bases as [Basis, Basis, Basis], a);
  return {
    ...c,
    methods: bases.map((basis) => ({ basis, a })),
    spec,
    stencil: (coords = c.coords) => stencilOf(coords, spec),
  };
}

export function specOf(
  dims: [number, number, number],
  boundary: [number, number, number],
  bases: [Basis, Basis, Basis],
  a: number,
): StencilSpec {
  return { dims, boundary, basis: bases.map(basisCode) as [number, number, number], a };
}

const at = (c: TapsCase, i: number) => c.positions.subarray(3 * i, 3 * i + 3);

/** [N, F]. */
export function oracleTaps(c: TapsCase): Float64Array {
  const F = c.field.payload;
  const out = new Float64Array((c.positions.length / 3) * F);
  for (let i = 0; i < c.positions.length / 3; i++) {
    out.set(tapsOracle(c.field, c.methods, at(c, i)), i * F);
  }
  return out;
}

/** [rows, F]. */
export function oracleTapsSplat(c: TapsCase, values: Float32Array): Float64Array {
  const F = c.field.payload;
  const rowOf = new Map(c.cellOfRow.map((cell, row) => [cell, row]));
  const out = new Float64Array(c.attrs.rows * F);
  for (let i = 0; i < c.positions.length / 3; i++) {
    eachWeight(c.field, c.methods, at(c, i), (cell, w) => {
      const row = rowOf.get(cell);
      if (row === undefined) return;
      for (let f = 0; f < F; f++) out[row * F + f] += w * values[i * F + f];
    });
  }
  return out;
}

/** ⟨sample(r), v⟩. */
function inner(c: TapsCase, r: ArrayLike<number>, v: ArrayLike<number>): number {
  return tapsOracle(c.field, c.methods, r).reduce((sum, s, f) => sum + s * v[f], 0);
}

const moved = (r: ArrayLike<number>, by: ArrayLike<number>, h: number) =>
  Float64Array.from(r, (x, j) => x + h * by[j]);
const UNIT = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

/** [N, 3] central differences of ⟨sample, values⟩. */
export function oracleTapsSlopes(c: TapsCase, values: Float32Array, step = 1e-5): Float64Array {
  const F = c.field.payload;
  return Float64Array.from(c.positions, (_, k) => {
    const i = Math.floor(k / 3);
    const v = values.subarray(i * F, (i + 1) * F);
    const g = (h: number) => inner(c, moved(at(c, i), UNIT[k % 3], h), v);
    return (g(step) - g(-step)) / (2 * step);
  });
}

/** [N, 3] differences of the slope of ⟨sample, values⟩ along `direction` [N, 3]. */
export function oracleTapsCurvature(
  c: TapsCase,
  values: Float32Array,
  direction: Float32Array,
): Float64Array {
  const F = c.field.payload;
  const step = 1e-3;
  return Float64Array.from(c.positions, (_, k) => {
    const i = Math.floor(k / 3);
    const v = values.subarray(i * F, (i + 1) * F);
    const d = direction.subarray(3 * i, 3 * i + 3);
    const g = (h: number) => {
      const r = moved(at(c, i), UNIT[k % 3], h);
      return (inner(c, moved(r, d, step), v) - inner(c, moved(r, d, -step), v)) / (2 * step);
    };
    return (g(step) - g(-step)) / (2 * step);
  });
}

/** The largest sum of |weights| of a sample, at least one: what rounding is a part of. */
export function tapsSpan(c: TapsCase): number {
  let span = 1;
  for (let i = 0; i < c.positions.length / 3; i++) {
    let sum = 1;
    if (!at(c, i).every(Number.isFinite)) continue;
    for (let j = 0; j < 3; j++) {
      const w = axisNodeWeights(at(c, i)[j], c.field.dims[j], c.field.boundary[j], c.methods[j]);
      sum *= Math.max(
        w.reduce((s, x) => s + Math.abs(x), 0),
        1,
      );
    }
    span = Math.max(span, sum);
  }
  return span;
}

/** taps, and vectors [N, 3, 4]: weights, tangents. */
export interface HostStencil {
  taps: ArrayLike<number>;
  weights: ArrayLike<number>;
}

/**
 * What every kernel of weights is made of: the trilinear form Σ_abc p[a] q[b] s[c] · ⟨node_abc, v⟩ of sample i, for a choice of the
 * three vectors of its axes (a function of axis and slot).
 */
export function tapsForm(
  c: TapsCase,
  taps: ArrayLike<number>,
  i: number,
  vector: (axis: number, slot: number) => number,
  v: ArrayLike<number>,
): number {
  const { dims } = c.field;
  let sum = 0;
  for (let slots = 0; slots < 64; slots++) {
    const abc = [slots >> 4, (slots >> 2) & 3, slots & 3];
    const nodes = abc.map((slot, j) => taps[12 * i + 4 * j + slot]);
    if (nodes.some((node) => node < 0)) continue;
    const row = c.field.node((nodes[0] * dims[1] + nodes[1]) * dims[2] + nodes[2]);
    if (!row) continue;
    let dot = 0;
    for (let f = 0; f < v.length; f++) dot += row[f] * v[f];
    sum += dot * abc.reduce((product, slot, j) => product * vector(j, slot), 1);
  }
  return sum;
}

/** Runs body on a case, and sees that no tensor is left. */
export async function using(options: TapsCaseOptions, body: (c: TapsCase) => Promise<void>): Promise<void> {
  await withoutLeaks(async () => {
    const c = makeTapsCase(options);
    await body(c);
    c.dispose();
  });
}

const SHAPES: [number, number, number][] = [
  [1, 2, 3],
  [4, 7, 1],
  [7, 1, 2],
  [3, 4, 2],
  [2, 3, 4],
];
const PAYLOADS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 64, 1030];

/** Every basis with every boundary; shapes and payloads take turns. */
export function sweep(extra: Partial<TapsCaseOptions> = {}): [string, TapsCaseOptions][] {
  const out: [string, TapsCaseOptions][] = [];
  const add = (name: string, o: TapsCaseOptions) => {
    const payload = o.payload;
    const samples = payload > 100 ? 9 : payload > 10 ? 24 : 40;
    out.push([name, { ...o, samples, ...extra, seed: out.length + 1 }]);
  };
  let turn = 0;
  for (const basis of SAMPLED) {
    for (const boundary of BOUNDARIES) {
      const dims = SHAPES[turn % SHAPES.length];
      const payload = PAYLOADS[turn++ % (PAYLOADS.length - 2)];
      const margin = boundary === 'extrapolate' ? 0.9 : 2.6;
      const a = -0.75;
      add(`${basis}, ${boundary}, ${dims.join('×')} nodes of ${payload}`, {
        dims,
        payload,
        samples: 0,
        basis,
        boundary,
        margin,
        a,
      });
    }
  }
  for (const payload of PAYLOADS) {
    const shape = { dims: [3, 4, 3] as [number, number, number], payload, samples: 0 };
    add(`payload ${payload}, missing nodes`, { ...shape, basis: 'bspline', missing: 0.3 });
    add(`payload ${payload}, rows not in cell order`, { ...shape, basis: 'cardinal', shuffled: true });
    add(`payload ${payload}, a page`, { ...shape, basis: 'cardinal', page: [7, 20] });
  }
  add('bases and boundaries mixed', {
    dims: [4, 3, 5],
    payload: 6,
    samples: 0,
    basis: ['bspline', 'hermite-tangent', 'cardinal'],
    boundary: ['wrap', 'reflect', 'zero'],
    missing: 0.2,
    margin: 2,
  });
  return out;
}

/** Of samples. */
export const toleranceOf = (c: TapsCase) => tapsSpan(c) * TAPS_TOLERANCE * Math.max(1e-3, magnitude(c.rows));
