/**
 * The stencil of one axis for methods of up to four taps: from a coordinate to four nodes and their weights. Pure, in float64,
 * and the one definition that the kernels of every backend repeat (kernels/wasm/stencils.ts, kernels/webgpu/stencils.wgsl).
 *
 * A finite coordinate r on an axis of n nodes is brought to a place c with a slope s = dc/dr ∈ {−1, 0, 1}, as
 * interpolation/stencil.ts says of each boundary (zero: c = r), then to a base g and a fraction f:
 *
 *   g = min(⌊c⌋, n − 2) where c ≤ n − 1, ⌊c⌋ beyond (zero) and on wrapped axes;   f = c − g
 *   taps     g − 1, g, g + 1, g + 2 in slots 0 … 3; of the bases of two taps, linear and hermite, slots 0 and 3 have none
 *   weights  W(f) of the axis's basis (below); their derivative of order m with respect to r is s^m · W⁽ᵐ⁾(f)
 *
 *   boundary      the node of a tap outside 0 … n − 1
 *   clamp, error  the outermost node
 *   wrap          tap mod n
 *   reflect       mirrored about the outermost nodes, period 2(n − 1)
 *   zero          none; so a sample fades out within the basis's support
 *   extrapolate   none: nodes go on along the line through the outermost two, so that tap −1 counts as 2·(node 0) − (node 1),
 *                 and tap n as 2·(node n−1) − (node n−2): its weight is folded onto them. Beyond the axis, f outside [0, 1], the
 *                 sample goes on along its tangent at the outermost node, which is that line, −2a times as steep where cardinal;
 *                 of the hermite bases along the outermost tangent that is given.
 *
 *   basis            W(f), slots 0 … 3
 *   linear           0, 1 − f, f, 0
 *   cardinal         Keys' kernel with parameter a ∈ [−1, 0]; Catmull-Rom is a = −1/2 (R. Keys, "Cubic convolution interpolation
 *                    for digital image processing", 1981)
 *   bspline          the uniform cubic B-spline: ((1−f)³, 3f³ − 6f² + 4, −3f³ + 3f² + 3f + 1, f³)/6
 *   hermite          of values: 0, 2f³ − 3f² + 1, −2f³ + 3f², 0
 *   hermite-tangent  of derivatives by the coordinate: 0, f³ − 2f² + f, f³ − f², 0
 *   place            f, 1, 1, 0: no weights, but the place in the cell, and the lengths of the cells below and above it as parts
 *                    of its own; for methods that are not linear in the nodes
 *
 * An axis of one node has it in slot 1 with weight 1 (hermite-tangent: 0) and no derivative; not so where it is wrapped (all
 * taps are that node) or zero (the basis stands around it).
 */
import { boundaryCode } from './stencil.js';

export const BASES = ['linear', 'cardinal', 'bspline', 'hermite', 'hermite-tangent', 'place'] as const;
export type Basis = (typeof BASES)[number];
/** What kernels are given: the place of the name in BASES. */
export const basisCode = (basis: Basis): number => BASES.indexOf(basis);

const LINEAR = 0;
const CARDINAL = 1;
const BSPLINE = 2;
const HERMITE = 3;
const HERMITE_TANGENT = 4;
const PLACE = 5;

const WRAP = boundaryCode('wrap');
const REFLECT = boundaryCode('reflect');
const ZERO = boundaryCode('zero');
const EXTRAPOLATE = boundaryCode('extrapolate');

/** The derivative of order `order` of c0 + c1 f + c2 f² + c3 f³. */
function cubic(f: number, order: number, c0: number, c1: number, c2: number, c3: number): number {
  if (order === 0) return ((c3 * f + c2) * f + c1) * f + c0;
  if (order === 1) return (3 * c3 * f + 2 * c2) * f + c1;
  if (order === 2) return 6 * c3 * f + 2 * c2;
  return order === 3 ? 6 * c3 : 0;
}

/** Writes W⁽ᵐ⁾(f), m = order, into out[0 … 3]. */
export function basisWeights(f: number, basis: number, a: number, order: number, out: Float64Array): void {
  switch (basis) {
    case CARDINAL: {
      // Slots 0 and 3 are the outer arms of the kernel; the inner two are mirror images.
      const e = 1 - f;
      const sign = order % 2 ? -1 : 1;
      if (order === 0) {
        // Factored, so that on nodes (f or e = 1) all but one are exactly 0, also where a + 2 and a + 3 are rounded.
        out[0] = a * f * e * e;
        out[1] = e * (1 + f - (a + 2) * f * f);
        out[2] = f * (1 + e - (a + 2) * e * e);
        out[3] = a * e * f * f;
        break;
      }
      out[0] = cubic(f, order, 0, a, -2 * a, a);
      out[1] = cubic(f, order, 1, 0, -(a + 3), a + 2);
      out[2] = sign * cubic(e, order, 1, 0, -(a + 3), a + 2);
      out[3] = sign * cubic(e, order, 0, a, -2 * a, a);
      break;
    }
    case BSPLINE: {
      const sign = order % 2 ? -1 : 1;
      out[0] = sign * cubic(1 - f, order, 0, 0, 0, 1 / 6);
      out[1] = cubic(f, order, 4 / 6, 0, -1, 0.5);
      out[2] = cubic(f, order, 1 / 6, 0.5, 0.5, -0.5);
      out[3] = cubic(f, order, 0, 0, 0, 1 / 6);
      break;
    }
    case HERMITE:
      out[0] = 0;
      out[1] = cubic(f, order, 1, 0, -3, 2);
      out[2] = cubic(f, order, 0, 0, 3, -2);
      out[3] = 0;
      break;
    case HERMITE_TANGENT:
      out[0] = 0;
      out[1] = cubic(f, order, 0, 1, -2, 1);
      out[2] = cubic(f, order, 0, 0, -1, 1);
      out[3] = 0;
      break;
    case PLACE:
      out[0] = cubic(f, order, 0, 1, 0, 0);
      out[1] = order === 0 ? 1 : 0;
      out[2] = out[1];
      out[3] = 0;
      break;
    default:
      out[0] = 0;
      out[1] = cubic(f, order, 1, -1, 0, 0);
      out[2] = cubic(f, order, 0, 1, 0, 0);
      out[3] = 0;
  }
}

/** whole mod size, 0 … size − 1, exact for every integer. */
function remainder(whole: number, size: number): number {
  const m = whole >= 0 && whole < size ? whole : whole % size;
  return m < 0 ? m + size : m + 0;
}

/** The node of tap `tap`, −1 for none. `code` as of boundaryCode. */
export function nodeOfTap(tap: number, n: number, code: number): number {
  if (tap >= 0 && tap < n) return tap;
  if (code === WRAP) return remainder(tap, n);
  if (code === REFLECT) {
    const m = n === 1 ? 0 : remainder(tap, 2 * (n - 1));
    return m < n ? m : 2 * (n - 1) - m;
  }
  if (code === ZERO || code === EXTRAPOLATE) return -1;
  return tap < 0 ? 0 : n - 1;
}

/** Whether a basis has two taps only, in slots 1 and 2: the others name no node, whatever is there. */
export const isNarrow = (basis: number): boolean =>
  basis === LINEAR || basis === HERMITE || basis === HERMITE_TANGENT;

/** Writes the nodes of the four taps about a base into `nodes`, −1 for none. */
export function nodesOfTaps(base: number, n: number, code: number, narrow: boolean, nodes: Int32Array): void {
  for (let k = 0; k < 4; k++) {
    nodes[k] = narrow && (k === 0 || k === 3) ? -1 : nodeOfTap(base - 1 + k, n, code);
  }
}

export interface Place {
  /** Of tap 1. */
  base: number;
  fraction: number;
  /** dc/dr. */
  slope: number;
}

/** Writes where finite r lies. Beyond an extrapolated axis the fraction is outside [0, 1]. */
export function placeOf(r: number, n: number, code: number, out: Place): void {
  let c = r;
  let slope = 1;
  if (code === ZERO) {
    // So far out that no tap is a node, the base is kept small, and the fraction finite.
    if (r < -2 || r >= n + 1) {
      c = r < 0 ? -4 : n + 2;
      slope = 0;
    }
  } else if (code === WRAP) {
    const whole = Math.floor(r);
    out.base = remainder(whole, n);
    out.fraction = r - whole;
    out.slope = 1;
    return;
  } else if (n === 1) {
    out.base = 0;
    out.fraction = 0;
    out.slope = 0;
    return;
  } else if (code === REFLECT) {
    const whole = Math.floor(r);
    const m = remainder(whole, 2 * (n - 1));
    const f = r - whole;
    if (m < n - 1 || (m === n - 1 && f === 0)) {
      out.base = Math.min(m, n - 2);
      out.fraction = m - out.base + f;
      out.slope = 1;
    } else {
      out.base = 2 * n - 3 - m;
      out.fraction = 1 - f;
      out.slope = -1;
    }
    return;
  } else if (code !== EXTRAPOLATE) {
    c = Math.min(Math.max(r, 0), n - 1);
    slope = c === r ? 1 : 0;
  }
  let base = Math.floor(c);
  if (code === EXTRAPOLATE) base = Math.min(Math.max(base, 0), n - 2);
  else if (c === n - 1 && n > 1) base = n - 2;
  out.base = base;
  out.fraction = c - base;
  out.slope = slope;
}

const place: Place = { base: 0, fraction: 0, slope: 0 };

/**
 * Writes the nodes of the four taps of finite coordinate `r` into `nodes` (−1: none) and the derivative of order `order` of
 * their weights with respect to r into `weights`.
 */
export function axisTaps(
  r: number,
  n: number,
  code: number,
  basis: number,
  a: number,
  order: number,
  nodes: Int32Array,
  weights: Float64Array,
): void {
  placeOf(r, n, code, place);
  const { base, fraction, slope } = place;
  if (n === 1 && code !== WRAP && code !== ZERO) {
    nodes.fill(-1);
    nodes[1] = 0;
    weights.fill(0);
    if (order > 0) return;
    if (basis === PLACE) weights[1] = weights[2] = 1;
    else if (basis !== HERMITE_TANGENT) weights[1] = 1;
    return;
  }
  nodesOfTaps(base, n, code, isNarrow(basis), nodes);
  const outside = code === EXTRAPOLATE && (fraction < 0 || fraction > 1);
  if (!outside) {
    basisWeights(fraction, basis, a, order, weights);
  } else if (basis === HERMITE || basis === HERMITE_TANGENT) {
    // Along the outermost tangent.
    const slot = fraction < 0 ? 1 : 2;
    const distance = fraction < 0 ? fraction : fraction - 1;
    weights.fill(0);
    if (basis === HERMITE) weights[slot] = order === 0 ? 1 : 0;
    else weights[slot] = order === 0 ? distance : order === 1 ? 1 : 0;
  } else if (basis === CARDINAL) {
    // ±(slope −2a) · distance on the outermost node and the one beside it.
    const edge = fraction < 0 ? 1 : 2;
    const distance = fraction < 0 ? fraction : 1 - fraction;
    const rise = order === 0 ? -2 * a * distance : order === 1 ? (edge === 1 ? -2 * a : 2 * a) : 0;
    weights.fill(0);
    weights[edge] = (order === 0 ? 1 : 0) - rise;
    weights[3 - edge] = rise;
  } else {
    basisWeights(fraction, basis === PLACE ? PLACE : LINEAR, a, order, weights);
  }
  if (order % 2) for (let k = 0; k < 4; k++) weights[k] *= slope;
  else if (order > 0 && slope === 0) weights.fill(0);
  if (code !== EXTRAPOLATE || basis === PLACE) return;
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
