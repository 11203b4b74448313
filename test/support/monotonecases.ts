/** Monotone sampling problems at the level of the op, with stencils made on the host. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'chai';
import { BOUNDARIES, type Boundary } from '../../src/index.js';
import { boundaryCode } from '../../src/interpolation/stencil.js';
import { monotoneRows } from '../../src/ops/monotone.js';
import { type CaseOptions, makeCase, type SamplingCase } from './cases.js';
import { hostStencil, monotoneOracle, type OracleAxis } from './monotone.js';

/** Three levels, each with a few float32 roundings and slopes at most thrice as steep as what they are made from. */
export const MONOTONE_TOLERANCE = 3e-6;

export type Triple = [number, number, number];

export interface Problem {
  c: SamplingCase;
  taps: Int32Array;
  place: Float32Array;
  n: number;
}

/** A sampling case with its stencils made on the host. */
export function makeProblem(options: CaseOptions): Problem {
  const c = makeCase(options);
  return { c, n: options.samples, ...hostStencil(c.positions, c.field.dims, c.attrs.boundary) };
}

/** Lengths of the neighbours as no uniform axis has them. */
export function stretch({ place }: Problem, next: () => number): void {
  for (let k = 0; k < place.length; k++) if (k % 4 === 1 || k % 4 === 2) place[k] = 0.2 + 3 * next();
}

export const spaceOf = (p: Problem) => ({
  taps: tf.tensor3d(p.taps.slice(), [p.n, 3, 4], 'int32'),
  place: tf.tensor3d(p.place.slice(), [p.n, 3, 4]),
});

export async function sampleOf(p: Problem): Promise<Float32Array> {
  const { taps, place } = spaceOf(p);
  const out = monotoneRows(p.c.nodes, p.c.grid, taps, place, p.c.attrs);
  expect(out.shape).to.deep.equal([p.n, p.c.attrs.payload]);
  const values = ((await out.data()) as Float32Array).slice();
  tf.dispose([taps, place, out]);
  return values;
}

/** Gradients of ⟨sample, v⟩ to nodes and place. */
export async function gradientsOf(
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
export function axesOf({ taps, place, c }: Problem, i: number): OracleAxis[] {
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
export function innerOf(p: Problem, i: number, v: ArrayLike<number>, axes = axesOf(p, i)): number {
  const { payload } = p.c.attrs;
  return monotoneOracle(p.c.field, axes).reduce((sum, s, f) => sum + s * v[i * payload + f], 0);
}

export const MARGIN: Record<Boundary, number> = {
  clamp: 2.6,
  wrap: 2.6,
  reflect: 2.6,
  zero: 2.6,
  extrapolate: 0.9,
  error: 0,
};

/** A sweep over shapes, boundaries, missing nodes, one-node axes and empty sizes. */
export function problems(): [string, CaseOptions][] {
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
