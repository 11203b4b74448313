/** The eight kernels of ops/tapscontract.ts composed from stock tfjs ops; as ops/composition.ts, and within its limits. */
import * as tf from '@tensorflow/tfjs';
import { boundaryCode } from '../interpolation/stencil.js';
import { basisCode, isNarrow } from '../interpolation/taps.js';
import { axisStencils, modulo } from './stencilcomposition.js';
import {
  registerTaps,
  type StencilAttrs,
  type TapsAttrs,
  type TapsCall,
  type TapsInputs,
} from './tapscontract.js';

const WRAP = boundaryCode('wrap');
const REFLECT = boundaryCode('reflect');
const ZERO = boundaryCode('zero');
const EXTRAPOLATE = boundaryCode('extrapolate');

/** One axis of a stencil: its number of nodes, boundary, basis. */
interface Axis {
  n: number;
  code: number;
  basis: number;
  a: number;
}

/** One node, whatever the coordinate. */
const isConstant = ({ n, code }: Axis) => n === 1 && code !== WRAP && code !== ZERO;

/** placeOf of interpolation/taps.ts: (base, fraction, slope) of coordinates r [N]. */
function placesOf(r: tf.Tensor1D, { n, code }: Axis): tf.Tensor[] {
  if (code !== ZERO) return axisStencils(r, n, code);
  const inside = tf.logicalAnd(tf.greaterEqual(r, -2), tf.less(r, n + 1));
  const c = tf.where(inside, r, tf.where(tf.less(r, 0), tf.fill(r.shape, -4), tf.fill(r.shape, n + 2)));
  const last = n > 1 ? tf.equal(c, n - 1) : tf.zerosLike(inside);
  const base = tf.where(last, tf.fill(r.shape, n - 2), tf.floor(c));
  return [base, tf.sub(c, base), tf.cast(inside, 'float32')];
}

/** The derivative of order `order` of Σ c_k f^k. */
function polynomial(f: tf.Tensor, order: number, coefficients: number[]): tf.Tensor {
  let c = coefficients;
  for (let m = 0; m < order; m++) c = c.slice(1).map((v, k) => (k + 1) * v);
  return c.reduceRight<tf.Tensor>((sum, v) => tf.add(tf.mul(sum, f), v), tf.zerosLike(f));
}

/** basisWeights of interpolation/taps.ts. */
function basisWeights(f: tf.Tensor, basis: number, a: number, order: number): tf.Tensor[] {
  const e = tf.sub(1, f);
  const sign = order % 2 ? -1 : 1;
  const at = (...c: number[]) => polynomial(f, order, c);
  const mirrored = (...c: number[]) => tf.mul(sign, polynomial(e, order, c));
  const none = tf.zerosLike(f);
  switch (basis) {
    case basisCode('cardinal'): {
      if (order > 0) {
        const arm = [0, a, -2 * a, a];
        const inner = [1, 0, -(a + 3), a + 2];
        return [at(...arm), at(...inner), mirrored(...inner), mirrored(...arm)];
      }
      const arm = (x: tf.Tensor, y: tf.Tensor) => tf.mul(tf.mul(a, x), tf.square(y));
      const inner = (x: tf.Tensor, y: tf.Tensor) =>
        tf.mul(y, tf.add(1, tf.sub(x, tf.mul(a + 2, tf.square(x)))));
      return [arm(f, e), inner(f, e), inner(e, f), arm(e, f)];
    }
    case basisCode('bspline'):
      return [mirrored(0, 0, 0, 1 / 6), at(4 / 6, 0, -1, 0.5), at(1 / 6, 0.5, 0.5, -0.5), at(0, 0, 0, 1 / 6)];
    case basisCode('hermite'):
      return [none, at(1, 0, -3, 2), at(0, 0, 3, -2), none];
    case basisCode('hermite-tangent'):
      return [none, at(0, 1, -2, 1), at(0, 0, -1, 1), none];
    case basisCode('place'):
      return [at(0, 1), at(1), at(1), none];
    default:
      return [none, at(1, -1), at(0, 1), none];
  }
}

/** Weights at f outside [0, 1] of an extrapolated axis: along the tangent at its end. */
function beyondWeights(f: tf.Tensor, { basis, a }: Axis, order: number): tf.Tensor[] {
  const low = tf.less(f, 0);
  const distance = tf.where(low, f, tf.sub(f, 1));
  const ones = tf.onesLike(f);
  const none = tf.zerosLike(f);
  const value = order === 0 ? ones : none;
  const along = order === 0 ? distance : order === 1 ? ones : none;
  // What the end and the node beside it weigh.
  let end = value;
  let beside = none;
  if (basis === basisCode('hermite-tangent')) {
    end = along;
  } else if (basis !== basisCode('hermite')) {
    const steep = basis === basisCode('cardinal') ? -2 * a : 1;
    beside = tf.mul(tf.where(low, tf.fill(f.shape, steep), tf.fill(f.shape, -steep)), along);
    end = tf.sub(value, beside);
  }
  return [none, tf.where(low, end, beside), tf.where(low, beside, end), none];
}

/** [N, 4]. */
function axisWeights(r: tf.Tensor1D, axis: Axis, order: number): tf.Tensor {
  const { n, code, basis, a } = axis;
  const place = basis === basisCode('place');
  if (isConstant(axis)) {
    const tangent = basis === basisCode('hermite-tangent');
    const row = order > 0 || tangent ? [0, 0, 0, 0] : [0, 1, place ? 1 : 0, 0];
    return tf.tile(tf.tensor2d([row]), [r.shape[0], 1]);
  }
  const [base, f, slope] = placesOf(r, axis);
  let w: tf.Tensor[];
  if (code === EXTRAPOLATE && !place) {
    const outside = tf.logicalOr(tf.less(f, 0), tf.greater(f, 1));
    const inside = basisWeights(tf.clipByValue(f, 0, 1), basis, a, order);
    const beyond = beyondWeights(f, axis, order);
    w = inside.map((x, k) => tf.where(outside, beyond[k], x));
    const low = tf.mul(w[0], tf.cast(tf.equal(base, 0), 'float32'));
    const high = tf.mul(w[3], tf.cast(tf.equal(base, n - 2), 'float32'));
    w = [
      tf.sub(w[0], low),
      tf.sub(tf.add(w[1], tf.mul(2, low)), high),
      tf.sub(tf.add(w[2], tf.mul(2, high)), low),
      tf.sub(w[3], high),
    ];
  } else {
    w = basisWeights(f, basis, a, order);
  }
  const turned = order === 0 ? w : w.map((x) => tf.mul(x, order % 2 ? slope : tf.abs(slope)));
  return tf.stack(turned, 1);
}

/** [N, 4] float32. */
function axisNodes(r: tf.Tensor1D, axis: Axis): tf.Tensor {
  if (isConstant(axis)) return tf.tile(tf.tensor2d([[-1, 0, -1, -1]]), [r.shape[0], 1]);
  const taps = tf.add(tf.expandDims(placesOf(r, axis)[0], 1), tf.tensor2d([[-1, 0, 1, 2]]));
  const nodes = nodesOfTaps(taps, axis);
  if (!isNarrow(axis.basis)) return nodes;
  return tf.sub(tf.mul(nodes, tf.tensor2d([[0, 1, 1, 0]])), tf.tensor2d([[1, 0, 0, 1]]));
}

function nodesOfTaps(taps: tf.Tensor, { n, code }: Axis): tf.Tensor {
  if (code === WRAP) return modulo(taps, n);
  if (code === REFLECT) {
    const m = modulo(taps, 2 * (n - 1));
    return tf.where(tf.less(m, n), m, tf.sub(2 * (n - 1), m));
  }
  if (code !== ZERO && code !== EXTRAPOLATE) return tf.clipByValue(taps, 0, n - 1);
  const inside = tf.logicalAnd(tf.greaterEqual(taps, 0), tf.less(taps, n));
  return tf.where(inside, taps, tf.fill(taps.shape, -1));
}

/** [N, 3, 4] of `make` on each axis, and `blank` where a coordinate is not finite. */
function stencils(
  coords: tf.Tensor,
  { dims, boundary, basis, a }: StencilAttrs,
  make: (r: tf.Tensor1D, axis: Axis) => tf.Tensor,
  blank: number,
): tf.Tensor {
  const count = coords.shape[0];
  if (count === 0) return tf.zeros([0, 3, 4]);
  const finite = tf.all(tf.isFinite(coords), 1);
  const safe = tf.where(finite.expandDims(1), coords, tf.zerosLike(coords));
  const axes = dims.map((n, j) =>
    make(tf.slice(safe, [0, j], [count, 1]).flatten(), { n, code: boundary[j], basis: basis[j], a }),
  );
  const found = tf.stack(axes, 1);
  return tf.where(finite.reshape([count, 1, 1]), found, tf.fill(found.shape, blank));
}

export const stencilComposition = (coords: tf.Tensor, attrs: StencilAttrs): tf.Tensor =>
  stencils(coords, attrs, (r, axis) => axisWeights(r, axis, attrs.order), attrs.order === 0 ? Number.NaN : 0);

export const stencilTapsComposition = (coords: tf.Tensor, attrs: StencilAttrs): tf.Tensor =>
  tf.cast(stencils(coords, attrs, axisNodes, -1), 'int32');

/** One of the 64 taps of all samples. */
interface Tap {
  slots: [number, number, number];
  /** [N] rows in the page, 0 where there is none, and whether there is one. */
  row: tf.Tensor1D;
  present: tf.Tensor1D;
}

/** [3][4] columns [N] of a tensor [N, 3, 4]. */
const columns = (x: tf.Tensor): tf.Tensor[][] => tf.unstack(x, 1).map((axis) => tf.unstack(axis, 1));

function eachTap({ grid, taps }: TapsInputs, attrs: TapsAttrs, found: (tap: Tap) => void): void {
  const [, ny, nz] = grid.shape;
  const cells = tf.reshape(grid, [grid.size]);
  const nodes = columns(taps);
  for (let slots = 0; slots < 64; slots++) {
    const abc: Tap['slots'] = [slots >> 4, (slots >> 2) & 3, slots & 3];
    const [x, y, z] = abc.map((slot, j) => nodes[j][slot]);
    const inGrid = tf.greaterEqual(tf.minimum(tf.minimum(x, y), z), 0);
    const cell = tf.add(tf.mul(tf.add(tf.mul(x, ny), y), nz), z);
    const row = tf.sub(
      tf.gather(cells, tf.where(inGrid, cell, tf.zerosLike(cell)).cast('int32')),
      attrs.firstRow,
    );
    const inPage = tf.logicalAnd(tf.greaterEqual(row, 0), tf.less(row, attrs.rows));
    const present = tf.logicalAnd(inGrid, inPage) as tf.Tensor1D;
    found({
      slots: abc,
      present,
      row: tf.where(present, row, tf.zerosLike(row)).cast('int32') as tf.Tensor1D,
    });
  }
}

/** The columns of weights (zeros where one of a sample is NaN) and of the tangent. */
function factorsOf({ weights, tangent }: TapsInputs) {
  const valid = tf.logicalNot(tf.any(tf.isNaN(weights), [1, 2])) as tf.Tensor1D;
  const u = columns(tf.where(valid.reshape([-1, 1, 1]), weights, tf.zerosLike(weights)));
  return { valid, u, h: tangent && columns(tangent) };
}

type Factors = ReturnType<typeof factorsOf>;

const product = (...factors: tf.Tensor[]) => factors.reduce((a, b) => tf.mul(a, b));

/** [N] w_abc, or D_h w_abc where there is a tangent. */
function weightOf({ u, h }: Factors, { slots: [a, b, c] }: Tap): tf.Tensor {
  if (!h) return product(u[0][a], u[1][b], u[2][c]);
  return tf.addN([
    product(h[0][a], u[1][b], u[2][c]),
    product(u[0][a], h[1][b], u[2][c]),
    product(u[0][a], u[1][b], h[2][c]),
  ]);
}

/** [N] each: ∂w_abc/∂u_j, or that of D_h w_abc. */
function slopesOf({ u, h }: Factors, { slots }: Tap): tf.Tensor[] {
  const [x, y, z] = slots.map((slot, j) => u[j][slot]);
  if (!h) return [tf.mul(y, z), tf.mul(x, z), tf.mul(x, y)];
  const [p, q, r] = slots.map((slot, j) => h[j][slot]);
  return [
    tf.add(tf.mul(q, z), tf.mul(y, r)),
    tf.add(tf.mul(p, z), tf.mul(x, r)),
    tf.add(tf.mul(p, y), tf.mul(x, q)),
  ];
}

/** x [N, F] with zeros where a tap has no node, or a sample no stencil, whatever stands there. */
const masked = (present: tf.Tensor1D, x: tf.Tensor) =>
  tf.where(present.expandDims(1), x, tf.zerosLike(x)) as tf.Tensor2D;

const isEmpty = (n: number, { payload, rows }: TapsAttrs) => n === 0 || payload === 0 || rows === 0;

export function tapsComposition(inputs: TapsInputs, attrs: TapsAttrs): tf.Tensor {
  const n = inputs.weights.shape[0];
  const shape = [n, attrs.payload];
  let out: tf.Tensor = tf.zeros(shape);
  if (n === 0 || attrs.payload === 0) return out;
  const factors = factorsOf(inputs);
  if (attrs.rows > 0) {
    eachTap(inputs, attrs, (tap) => {
      const rows = masked(tap.present, tf.gather(inputs.nodes, tap.row));
      out = tf.add(out, tf.mul(rows, weightOf(factors, tap).expandDims(1)));
    });
  }
  return tf.where(factors.valid.expandDims(1), out, tf.fill(shape, inputs.tangent ? 0 : Number.NaN));
}

export function tapsSplatComposition(inputs: TapsInputs, attrs: TapsAttrs): tf.Tensor {
  let out: tf.Tensor = tf.zeros([attrs.rows, attrs.payload]);
  if (isEmpty(inputs.weights.shape[0], attrs)) return out;
  const factors = factorsOf(inputs);
  const values = masked(factors.valid, inputs.values);
  eachTap(inputs, attrs, (tap) => {
    const weighted = masked(tap.present, tf.mul(values, weightOf(factors, tap).expandDims(1)));
    out = tf.add(out, tf.unsortedSegmentSum(weighted, tap.row, attrs.rows));
  });
  return out;
}

export function tapsGradComposition(inputs: TapsInputs, attrs: TapsAttrs): tf.Tensor {
  const n = inputs.weights.shape[0];
  if (isEmpty(n, attrs)) return tf.zeros([n, 3, 4]);
  const factors = factorsOf(inputs);
  const values = masked(factors.valid, inputs.values);
  const sums = [0, 1, 2].map(() => [0, 1, 2, 3].map(() => tf.zeros([n])));
  eachTap(inputs, attrs, (tap) => {
    const dot = tf.sum(tf.mul(masked(tap.present, tf.gather(inputs.nodes, tap.row)), values), 1);
    slopesOf(factors, tap).forEach((slope, j) => {
      const slot = tap.slots[j];
      sums[j][slot] = tf.add(sums[j][slot], tf.mul(dot, slope));
    });
  });
  const out = tf.stack(
    sums.map((axis) => tf.stack(axis, 1)),
    1,
  );
  return tf.where(factors.valid.reshape([n, 1, 1]), out, tf.zerosLike(out));
}

/** Registers the compositions as the kernels of a backend. */
export function registerTapsComposition(backendName: string): void {
  // The engine hands a kernel its input tensors themselves, and takes a tensor back.
  const on =
    (compose: (inputs: TapsInputs, attrs: TapsAttrs) => tf.Tensor) =>
    ({ inputs, attrs }: TapsCall) =>
      tf.tidy(() => compose(inputs as unknown as TapsInputs, attrs));
  const stencilBy =
    (compose: (coords: tf.Tensor, attrs: StencilAttrs) => tf.Tensor) =>
    ({ inputs, attrs }: TapsCall<StencilAttrs>) =>
      tf.tidy(() => compose(inputs.coords as tf.Tensor, attrs));
  registerTaps(backendName, {
    stencil: stencilBy(stencilComposition),
    stencilTaps: stencilBy(stencilTapsComposition),
    sample: on(tapsComposition),
    splat: on(tapsSplatComposition),
    weightGrad: on(tapsGradComposition),
  });
}
