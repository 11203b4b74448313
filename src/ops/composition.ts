/**
 * The kernels of ops/contract.ts composed from stock tfjs ops, for a backend that has none of its own (webgl, …).
 * Slow, and memory-hungry where F is large; float32 storage only. The stencils are float32 too: wrap and reflect find the
 * right node for coordinates below 2²⁴ in magnitude, and some node of the axis beyond.
 */
import * as tf from '@tensorflow/tfjs';
import { registerAddBoxComposition } from './addboxcontract.js';
import type { SamplingAttrs, SamplingInputs } from './contract.js';
import { registerEaseComposition } from './easecontract.js';
import { registerGaussiansComposition } from './gaussianscomposition.js';
import { registerMonotoneComposition } from './monotonecomposition.js';
import { type Op, registerOps } from './register.js';
import { registerSeparable, separableComposition } from './separablecontract.js';
import { axisStencils } from './stencilcomposition.js';
import { registerSumRowsComposition } from './sumrowscontract.js';
import { registerTapsComposition } from './tapscomposition.js';
import { registerTridiagonalComposition } from './tridiagonalcomposition.js';
import { registerWaveletComposition } from './waveletcomposition.js';
import { registerWavesComposition } from './wavescomposition.js';

export { axisStencils } from './stencilcomposition.js';

interface AxisTaps {
  /** [N] int32 nodes of the lower and upper tap, −1 for none. */
  nodes: [tf.Tensor1D, tf.Tensor1D];
  /** [N] weights and their derivatives. */
  w: [tf.Tensor1D, tf.Tensor1D];
  d: [tf.Tensor1D, tf.Tensor1D];
}

function axisTaps(r: tf.Tensor1D, n: number, code: number): AxisTaps {
  const [base, f, s] = axisStencils(r, n, code) as [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
  const node = (tap: tf.Tensor1D): tf.Tensor1D => {
    const wrapped = code === 1 ? tf.where(tf.equal(tap, n), tf.zerosLike(tap), tap) : tap;
    const inside = tf.logicalAnd(tf.greaterEqual(wrapped, 0), tf.less(wrapped, n));
    return tf.where(inside, wrapped, tf.fill(tap.shape, -1)).cast('int32') as tf.Tensor1D;
  };
  return {
    nodes: [node(base), node(tf.add(base, 1) as tf.Tensor1D)],
    w: [tf.sub(1, f) as tf.Tensor1D, f],
    d: [tf.neg(s), s],
  };
}

/** The eight taps of every sample: page rows (0 where absent), presence, and the per-axis weights. */
function allTaps({ grid, coords }: SamplingInputs, attrs: SamplingAttrs) {
  const [nx, ny, nz] = grid.shape;
  const finite = tf.all(tf.isFinite(coords), 1);
  const safe = tf.where(finite.expandDims(1), coords, tf.zerosLike(coords));
  const axes = [nx, ny, nz].map((n, j) =>
    axisTaps(tf.slice(safe, [0, j], [-1, 1]).flatten(), n, attrs.boundary[j]),
  );
  const cells = tf.reshape(grid, [nx * ny * nz]);
  const corners = Array.from({ length: 8 }, (_, k) => {
    const pick = [k >> 2, (k >> 1) & 1, k & 1];
    const [x, y, z] = axes.map((axis, j) => axis.nodes[pick[j]]);
    const inGrid = tf.logicalAnd(finite, tf.greaterEqual(tf.minimum(tf.minimum(x, y), z), 0));
    const cell = tf.add(tf.mul(tf.add(tf.mul(x, ny), y), nz), z);
    const row = tf.sub(
      tf.gather(cells, tf.where(inGrid, cell, tf.zerosLike(cell)).cast('int32')),
      attrs.firstRow,
    );
    const inPage = tf.logicalAnd(tf.greaterEqual(row, 0), tf.less(row, attrs.rows));
    const present = tf.logicalAnd(inGrid, inPage) as tf.Tensor1D;
    return {
      present,
      row: tf.where(present, row, tf.zerosLike(row)).cast('int32') as tf.Tensor1D,
      w: axes.map((axis, j) => axis.w[pick[j]]),
      d: axes.map((axis, j) => axis.d[pick[j]]),
    };
  });
  return { finite: finite as tf.Tensor1D, corners };
}

type Corner = ReturnType<typeof allTaps>['corners'][number];

const product = (...factors: tf.Tensor[]) => factors.reduce((a, b) => tf.mul(a, b));

/** [N] w_k, or D_h w_k where there is a tangent. */
function weight({ w, d }: Corner, tangent?: tf.Tensor): tf.Tensor {
  if (!tangent) return product(w[0], w[1], w[2]);
  const [hx, hy, hz] = tf.unstack(tangent, 1);
  return tf.addN([
    product(hx, d[0], w[1], w[2]),
    product(hy, w[0], d[1], w[2]),
    product(hz, w[0], w[1], d[2]),
  ]);
}

/** [N, 3] ∂w_k/∂r, or ∂(D_h w_k)/∂r where there is a tangent. */
function weightGrad({ w, d }: Corner, tangent?: tf.Tensor): tf.Tensor {
  if (!tangent) {
    return tf.stack([product(d[0], w[1], w[2]), product(w[0], d[1], w[2]), product(w[0], w[1], d[2])], 1);
  }
  const [hx, hy, hz] = tf.unstack(tangent, 1);
  const xy = product(d[0], d[1], w[2]);
  const xz = product(d[0], w[1], d[2]);
  const yz = product(w[0], d[1], d[2]);
  return tf.stack(
    [
      tf.add(tf.mul(hy, xy), tf.mul(hz, xz)),
      tf.add(tf.mul(hx, xy), tf.mul(hz, yz)),
      tf.add(tf.mul(hx, xz), tf.mul(hy, yz)),
    ],
    1,
  );
}

/** A tap without a node must add nothing, even where the row it points at holds NaN. */
const mask = (present: tf.Tensor1D, x: tf.Tensor, all: boolean) =>
  all ? x : tf.where(present.expandDims(1), x, tf.zerosLike(x));

const isWhole = (attrs: SamplingAttrs) => attrs.ordered && !attrs.boundary.includes(3);

export function sampleComposition(inputs: SamplingInputs, attrs: SamplingAttrs): tf.Tensor {
  const n = inputs.coords.shape[0];
  if (n === 0 || attrs.payload === 0 || attrs.rows === 0) return emptySample(inputs, attrs);
  const { finite, corners } = allTaps(inputs, attrs);
  const whole = isWhole(attrs);
  let out: tf.Tensor = tf.zeros([n, attrs.payload]);
  for (const corner of corners) {
    const rows = mask(corner.present, tf.gather(inputs.nodes, corner.row), whole);
    out = tf.add(out, tf.mul(rows, weight(corner, inputs.tangent).expandDims(1)));
  }
  const invalid = tf.fill(out.shape, inputs.tangent ? 0 : Number.NaN);
  return tf.where(finite.expandDims(1), out, invalid);
}

/** Nothing to gather from: zeros, but for rows whose coordinates are not finite. */
function emptySample({ coords, tangent }: SamplingInputs, attrs: SamplingAttrs): tf.Tensor {
  const shape = [coords.shape[0], attrs.payload];
  if (shape[0] === 0 || shape[1] === 0 || tangent) return tf.zeros(shape);
  const finite = tf.all(tf.isFinite(coords), 1).expandDims(1);
  return tf.where(finite, tf.zeros(shape), tf.fill(shape, Number.NaN));
}

export function splatComposition(inputs: SamplingInputs, attrs: SamplingAttrs): tf.Tensor {
  const n = inputs.coords.shape[0];
  const shape = [attrs.rows, attrs.payload];
  if (n === 0 || attrs.payload === 0 || attrs.rows === 0) return tf.zeros(shape);
  const { finite, corners } = allTaps(inputs, attrs);
  const values = mask(finite, inputs.values, false);
  let out: tf.Tensor = tf.zeros(shape);
  for (const corner of corners) {
    const weighted = mask(
      corner.present,
      tf.mul(values, weight(corner, inputs.tangent).expandDims(1)),
      false,
    );
    out = tf.add(out, tf.unsortedSegmentSum(weighted as tf.Tensor2D, corner.row, attrs.rows));
  }
  return out;
}

export function coordGradComposition(inputs: SamplingInputs, attrs: SamplingAttrs): tf.Tensor {
  const n = inputs.coords.shape[0];
  if (n === 0 || attrs.payload === 0 || attrs.rows === 0) return tf.zeros([n, 3]);
  const { finite, corners } = allTaps(inputs, attrs);
  const values = mask(finite, inputs.values, false);
  const whole = isWhole(attrs);
  let out: tf.Tensor = tf.zeros([n, 3]);
  for (const corner of corners) {
    const rows = mask(corner.present, tf.gather(inputs.nodes, corner.row), whole);
    const dot = tf.sum(tf.mul(rows, values), 1, true);
    out = tf.add(out, tf.mul(dot, weightGrad(corner, inputs.tangent)));
  }
  return mask(finite, out, false);
}

type Composition = (inputs: SamplingInputs, attrs: SamplingAttrs) => tf.Tensor;

/** Registers the compositions as the kernels of a backend. */
export function registerComposition(backendName: string): void {
  registerWavesComposition(backendName);
  registerAddBoxComposition(backendName);
  registerSumRowsComposition(backendName);
  registerWaveletComposition(backendName);
  registerGaussiansComposition(backendName);
  registerTapsComposition(backendName);
  registerTridiagonalComposition(backendName);
  registerEaseComposition(backendName);
  registerMonotoneComposition(backendName);
  // The engine hands a kernel its input tensors themselves, and takes a tensor back.
  const on =
    (compose: Composition): Op =>
    ({ inputs, attrs }) =>
      tf.tidy(() => compose(inputs as unknown as SamplingInputs, attrs));
  registerOps(backendName, {
    sample: on(sampleComposition),
    splat: on(splatComposition),
    coordGrad: on(coordGradComposition),
    meanSquare({ inputs }) {
      const x = inputs.x as tf.Tensor;
      return tf.tidy(() => (x.size ? tf.mean(tf.square(x)) : tf.scalar(0)));
    },
    meanSquareGrad({ inputs }) {
      const { x, dy } = inputs as { x: tf.Tensor; dy: tf.Tensor };
      return tf.tidy(() => tf.mul(x, tf.mul(dy, 2 / Math.max(1, x.size))));
    },
  });
  registerSeparable(backendName, separableComposition);
}
