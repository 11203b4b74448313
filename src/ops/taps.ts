/** Stencils of four taps an axis, and sampling with them, as functions on tensors. Contract: ops/tapscontract.ts. */
import * as tf from '@tensorflow/tfjs';
import { activeBackend } from './device.js';
import { type Rules, registerRules } from './rules.js';
import {
  FUSED_PAYLOAD,
  type FusedAttrs,
  STENCIL,
  STENCIL_TAPS,
  type StencilAttrs,
  TAPS,
  TAPS_FUSED,
  TAPS_GRAD,
  TAPS_GRAD_TANGENT,
  TAPS_SPLAT,
  TAPS_SPLAT_TANGENT,
  TAPS_TANGENT,
  type TapsAttrs,
  type TapsInputs,
} from './tapscontract.js';

/** Where a batch of samples reads, and with what weights: both [N, 3, 4]. */
export interface Stencil {
  /** int32 nodes of each axis's four taps, −1 for none. */
  taps: tf.Tensor3D;
  /** float32, differentiable. */
  weights: tf.Tensor3D;
}

const run = (kernel: string, inputs: Partial<TapsInputs>, attrs: TapsAttrs): tf.Tensor =>
  tf.engine().runKernel(kernel, inputs as tf.NamedTensorMap, attrs) as tf.Tensor;

/** Nodes that arise as gradients are float32 pages, whatever the bank's storage is. */
const dense = (attrs: TapsAttrs): TapsAttrs => ({ ...attrs, half: false });

const rules: Rules<TapsInputs, TapsAttrs> = [
  [
    TAPS,
    ['nodes', 'grid', 'taps', 'weights'],
    (dy, { nodes, ...at }, attrs) => ({
      nodes: () => run(TAPS_SPLAT, { ...at, values: dy }, dense(attrs)),
      weights: () => run(TAPS_GRAD, { ...at, nodes, values: dy }, attrs),
    }),
  ],
  [
    TAPS_TANGENT,
    ['nodes', 'grid', 'taps', 'weights', 'tangent'],
    (dy, { nodes, tangent, ...at }, attrs) => ({
      nodes: () => run(TAPS_SPLAT_TANGENT, { ...at, values: dy, tangent }, dense(attrs)),
      weights: () => run(TAPS_GRAD_TANGENT, { ...at, nodes, values: dy, tangent }, attrs),
      tangent: () => run(TAPS_GRAD, { ...at, nodes, values: dy }, attrs),
    }),
  ],
  [
    TAPS_SPLAT,
    ['values', 'grid', 'taps', 'weights'],
    (u, { values, ...at }, attrs) => ({
      // Values of a sample without weights do not count, where TAPS would say NaN.
      values: () => run(TAPS, { ...at, weights: withoutBlanks(at.weights), nodes: u }, attrs),
      weights: () => run(TAPS_GRAD, { ...at, nodes: u, values }, attrs),
    }),
  ],
  [
    TAPS_SPLAT_TANGENT,
    ['values', 'grid', 'taps', 'weights', 'tangent'],
    (u, { values, tangent, ...at }, attrs) => ({
      values: () => run(TAPS_TANGENT, { ...at, nodes: u, tangent }, attrs),
      weights: () => run(TAPS_GRAD_TANGENT, { ...at, nodes: u, values, tangent }, attrs),
      tangent: () => run(TAPS_GRAD, { ...at, nodes: u, values }, attrs),
    }),
  ],
  [
    TAPS_GRAD,
    ['nodes', 'grid', 'taps', 'weights', 'values'],
    (h, { nodes, values, ...at }, attrs) => ({
      nodes: () => run(TAPS_SPLAT_TANGENT, { ...at, values, tangent: h }, dense(attrs)),
      values: () => run(TAPS_TANGENT, { ...at, nodes, tangent: h }, attrs),
      weights: () => run(TAPS_GRAD_TANGENT, { ...at, nodes, values, tangent: h }, attrs),
    }),
  ],
];

/** weights [N, 3, 4] with zeros for those of a sample of which one is NaN. Gradients: weights. */
function withoutBlanks(weights: tf.Tensor): tf.Tensor {
  const [n] = weights.shape;
  if (n === 0) return weights;
  const present = untaped(() => tf.logicalNot(tf.isNaN(tf.sum(weights, [1, 2], true))));
  return tf.where(
    untaped(() => tf.broadcastTo(present, weights.shape)),
    weights,
    untaped(() => tf.zerosLike(weights)),
  );
}

let registered = false;

function registerGradients(): void {
  if (registered) return;
  registered = true;
  registerRules(rules);
  tf.registerGradient({
    kernelName: STENCIL,
    inputsToSave: ['coords'],
    gradFunc: (dy, [coords], attrs) => ({
      coords: () => stencilGradient(coords, dy as tf.Tensor, attrs as StencilAttrs),
    }),
  });
  tf.registerGradient({
    kernelName: TAPS_FUSED,
    inputsToSave: ['nodes', 'grid', 'coords'],
    gradFunc: (dy, [nodes, grid, coords], attrs) => {
      const { dims, boundary, basis, a, ...rest } = attrs as FusedAttrs;
      const spec = { dims, boundary, basis, a };
      const values = dy as tf.Tensor;
      const at = () => ({ grid, ...stencilOf(coords as tf.Tensor2D, spec) });
      return {
        nodes: () => run(TAPS_SPLAT, { ...at(), values }, rest as TapsAttrs),
        coords: () => {
          const weights = run(TAPS_GRAD, { ...at(), nodes, values }, rest as TapsAttrs);
          return stencilGradient(coords, weights, { ...spec, order: 0 });
        },
      };
    },
  });
}

/** d⟨weights, dy⟩/d(coords). */
function stencilGradient(coords: tf.Tensor, dy: tf.Tensor, attrs: StencilAttrs): tf.Tensor {
  const up = { ...attrs, order: attrs.order + 1 };
  const slopes = tf.engine().runKernel(STENCIL, { coords }, up) as tf.Tensor;
  return tf.sum(tf.mul(slopes, dy), 2);
}

/** The part of a call that says how coordinates are read. */
export type StencilSpec = Omit<StencilAttrs, 'order'>;

/**
 * The stencils of coordinates on three uniform axes.
 * @param coords [N, 3] float32, index space.
 * Gradients: the weights', to coords, of the first three orders; right-hand at nodes, left-hand at the last.
 */
export function stencilOf(coords: tf.Tensor2D, spec: StencilSpec): Stencil {
  activeBackend();
  registerGradients();
  const attrs = { ...spec, order: 0 } as StencilAttrs;
  return {
    taps: untaped(() => tf.engine().runKernel(STENCIL_TAPS, { coords }, attrs) as tf.Tensor3D),
    weights: tf.engine().runKernel(STENCIL, { coords }, attrs) as tf.Tensor3D,
  };
}

/** What f makes, as constants of the tape. */
export function untaped<T extends tf.Tensor>(f: () => T): T {
  // An input-less customGrad is no node of the tape, and hides what runs inside it.
  return tf.customGrad(() => ({ value: f() as tf.Tensor, gradFunc: () => [] }))() as unknown as T;
}

/**
 * out_i = Σ w_abc · node_abc.
 * @param nodes [R, F] float32, or [R, ⌈F/2⌉] int32 of halves.
 * @returns [N, F] float32; rows whose weights are NaN are NaN.
 * Gradients: nodes (float32 only), weights; second order of both.
 */
export function tapRows(
  nodes: tf.Tensor,
  grid: tf.Tensor3D,
  { taps, weights }: Stencil,
  attrs: TapsAttrs,
): tf.Tensor2D {
  activeBackend();
  registerGradients();
  return run(TAPS, { nodes, grid, taps, weights }, attrs) as tf.Tensor2D;
}

/**
 * The adjoint of tapRows.
 * @param values [N, F] float32. @returns [attrs.rows, F] float32; untouched rows are exactly zero.
 * Gradients: values, weights; second order of both.
 */
export function splatTapRows(
  values: tf.Tensor2D,
  grid: tf.Tensor3D,
  { taps, weights }: Stencil,
  attrs: TapsAttrs,
): tf.Tensor2D {
  activeBackend();
  registerGradients();
  return run(TAPS_SPLAT, { values, grid, taps, weights }, attrs) as tf.Tensor2D;
}

/** Whether the active backend samples such a page straight from coordinates, faster than with a stencil. */
export function fuses({ payload, half, ordered }: TapsAttrs): boolean {
  return (
    ordered && !half && payload <= FUSED_PAYLOAD && tf.getKernel(TAPS_FUSED, tf.getBackend()) !== undefined
  );
}

/**
 * tapRows with the stencil at coords, without making it; of a page that `fuses`.
 * Gradients: nodes, coords; second order of both.
 */
export function tapRowsAt(
  nodes: tf.Tensor,
  grid: tf.Tensor3D,
  coords: tf.Tensor2D,
  spec: StencilSpec,
  attrs: TapsAttrs,
): tf.Tensor2D {
  activeBackend();
  registerGradients();
  const all = { ...attrs, ...spec, order: 0 } as FusedAttrs;
  return tf.engine().runKernel(TAPS_FUSED, { nodes, grid, coords }, all) as tf.Tensor2D;
}
