/**
 * One Gaussian on a lattice, row by row within κ of its centre (κ in standard deviations), and its derivatives to its shape.
 * Along a row exp of a parabola is a product of two factors a step: no exponential a point.
 */
import type { Lattice } from './lattice.js';
import { SHAPE_SIZE } from './mixture.js';

/** G and its derivatives to cx, cy, p, q, r. */
export const FUNCTIONS = 1 + SHAPE_SIZE;
/** Beyond this many standard deviations a Gaussian is left out of normal equations: 4e-6 of its peak. */
export const FIT_REACH = 5;
/** And out of values, as in the op: 1.5e-8. */
export const VALUE_REACH = 6;

/** Values of up to six functions on spans of rows. */
export interface Basis {
  top: number;
  /** Row top + i covers points start[i] … end[i] − 1; its values lie from offset[i] on. */
  start: Int32Array;
  end: Int32Array;
  offset: Int32Array;
  functions: Float64Array[];
}

/** Calls `each` for the rows that the Gaussian reaches: span, u at its start, u's step, dy, v. */
export function eachRow(
  lattice: Lattice,
  shapes: Float64Array,
  k: number,
  reach: number,
  each: (row: number, start: number, end: number, u: number, uStep: number, dy: number, v: number) => void,
): void {
  const at = k * SHAPE_SIZE;
  const cx = shapes[at];
  const cy = shapes[at + 1];
  const a = Math.exp(shapes[at + 2]);
  const q = shapes[at + 3];
  const b = Math.exp(shapes[at + 4]);
  const { height, width, x0, stepX, y0, stepY } = lattice;
  const tall = reach / b;
  const first = Math.max(0, Math.ceil((cy - tall - y0) / stepY));
  const last = Math.min(height - 1, Math.floor((cy + tall - y0) / stepY));
  const uStep = a * stepX;
  for (let i = first; i <= last; i++) {
    const dy = y0 + i * stepY - cy;
    const v = b * dy;
    const half = Math.sqrt(Math.max(0, reach * reach - v * v)) / a;
    const middle = cx - (q * dy) / a;
    const start = Math.max(0, Math.ceil((middle - half - x0) / stepX));
    const end = Math.min(width - 1, Math.floor((middle + half - x0) / stepX)) + 1;
    if (end > start) each(i, start, end, a * (x0 + start * stepX - cx) + q * dy, uStep, dy, v);
  }
}

/** The Gaussian's values along a row's span, into `out` from `at` on. */
export function fillRow(
  out: Float64Array,
  at: number,
  count: number,
  u: number,
  uStep: number,
  v: number,
): void {
  let g = Math.exp(-0.5 * (u * u + v * v));
  let ratio = Math.exp(-uStep * (u + 0.5 * uStep));
  const bend = Math.exp(-uStep * uStep);
  for (let j = at; j < at + count; j++) {
    out[j] = g;
    g *= ratio;
    ratio *= bend;
  }
}

/** @param derivatives whether the functions after the first are wanted; they are empty otherwise. */
export function basisOf(lattice: Lattice, shapes: Float64Array, k: number, derivatives = true): Basis {
  const rows: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const offsets: number[] = [];
  const spans: number[][] = [];
  let size = 0;
  eachRow(lattice, shapes, k, FIT_REACH, (row, start, end, u, uStep, dy, v) => {
    // Rows between two that are reached are reached too, if by no point.
    while (rows.length > 0 && rows[rows.length - 1] < row - 1) {
      rows.push(rows[rows.length - 1] + 1);
      starts.push(0);
      ends.push(0);
      offsets.push(size);
      spans.push([0, 0, 0, 0]);
    }
    rows.push(row);
    starts.push(start);
    ends.push(end);
    offsets.push(size);
    spans.push([u, uStep, dy, v]);
    size += end - start;
  });
  const functions = Array.from(
    { length: FUNCTIONS },
    (_, m) => new Float64Array(m === 0 || derivatives ? size : 0),
  );
  const [g, gx, gy, gp, gq, gr] = functions;
  const a = Math.exp(shapes[k * SHAPE_SIZE + 2]);
  const q = shapes[k * SHAPE_SIZE + 3];
  const b = Math.exp(shapes[k * SHAPE_SIZE + 4]);
  rows.forEach((_, i) => {
    const count = ends[i] - starts[i];
    if (count === 0) return;
    const [u0, uStep, dy, v] = spans[i];
    const at = offsets[i];
    fillRow(g, at, count, u0, uStep, v);
    if (!derivatives) return;
    for (let j = 0; j < count; j++) {
      const u = u0 + j * uStep;
      const gu = g[at + j] * u;
      const gv = g[at + j] * v;
      gx[at + j] = gu * a;
      gy[at + j] = gu * q + gv * b;
      gp[at + j] = gu * (q * dy - u);
      gq[at + j] = -gu * dy;
      gr[at + j] = -gv * v;
    }
  });
  return {
    top: rows[0] ?? 0,
    start: Int32Array.from(starts),
    end: Int32Array.from(ends),
    offset: Int32Array.from(offsets),
    functions,
  };
}

/** ⟨function, plane⟩ of all functions of a basis: [FUNCTIONS]. */
export function projectionsOf(basis: Basis, plane: Float64Array, width: number): Float64Array {
  const out = new Float64Array(FUNCTIONS);
  const [g, gx, gy, gp, gq, gr] = basis.functions;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let s4 = 0;
  let s5 = 0;
  for (let i = 0; i < basis.start.length; i++) {
    const shift = (basis.top + i) * width + basis.start[i] - basis.offset[i];
    const to = basis.offset[i] + basis.end[i] - basis.start[i];
    for (let j = basis.offset[i]; j < to; j++) {
      const r = plane[shift + j];
      s0 += g[j] * r;
      s1 += gx[j] * r;
      s2 += gy[j] * r;
      s3 += gp[j] * r;
      s4 += gq[j] * r;
      s5 += gr[j] * r;
    }
  }
  out.set([s0, s1, s2, s3, s4, s5]);
  return out;
}

/** plane += factor · G. */
export function addTo(plane: Float64Array, width: number, basis: Basis, factor: number): void {
  const g = basis.functions[0];
  for (let i = 0; i < basis.start.length; i++) {
    const shift = (basis.top + i) * width + basis.start[i] - basis.offset[i];
    const to = basis.offset[i] + basis.end[i] - basis.start[i];
    for (let j = basis.offset[i]; j < to; j++) plane[shift + j] += factor * g[j];
  }
}

/** ⟨G, plane⟩. */
export function valueOn(basis: Basis, plane: Float64Array, width: number): number {
  const g = basis.functions[0];
  let sum = 0;
  for (let i = 0; i < basis.start.length; i++) {
    const shift = (basis.top + i) * width + basis.start[i] - basis.offset[i];
    const to = basis.offset[i] + basis.end[i] - basis.start[i];
    for (let j = basis.offset[i]; j < to; j++) sum += g[j] * plane[shift + j];
  }
  return sum;
}
