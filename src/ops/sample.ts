/**
 * The sampling ops over one page of a bank, as functions on tensors. Contract and definitions: ops/contract.ts.
 * The arguments are trusted: the grid checks them once for all its pages.
 */
import * as tf from '@tensorflow/tfjs';
import { COORD_GRAD, SAMPLE, type SamplingAttrs, SPLAT } from './contract.js';
import { activeBackend } from './device.js';
import { registerGradients } from './gradients.js';

function run(kernel: string, inputs: tf.NamedTensorMap, attrs: SamplingAttrs): tf.Tensor2D {
  activeBackend();
  registerGradients();
  return tf.engine().runKernel(kernel, inputs, attrs) as tf.Tensor2D;
}

/**
 * out_i = Σ_k w_k(r_i) · node_k.
 * @param nodes [R, F] float32, or [R, ⌈F/2⌉] int32 of halves.
 * @returns [N, F] float32; rows of not-finite coordinates are NaN.
 * Gradients: nodes (float32 only), coords; second order of both.
 */
export function sampleRows(
  nodes: tf.Tensor,
  grid: tf.Tensor3D,
  coords: tf.Tensor2D,
  attrs: SamplingAttrs,
): tf.Tensor2D {
  return run(SAMPLE, { nodes, grid, coords }, attrs);
}

/**
 * The adjoint of sampleRows: out_row = Σ w_k(r_i) · values_i over all taps that name the row.
 * @param values [N, F] float32.
 * @returns [attrs.rows, F] float32; untouched rows are exactly zero.
 * Gradients: values, coords; second order of both.
 */
export function splatRows(
  values: tf.Tensor2D,
  grid: tf.Tensor3D,
  coords: tf.Tensor2D,
  attrs: SamplingAttrs,
): tf.Tensor2D {
  return run(SPLAT, { values, grid, coords }, attrs);
}

/**
 * d⟨sampleRows, values⟩/d(coords).
 * @returns [N, 3] float32.
 * Gradients: nodes (float32 only), values, coords.
 */
export function coordGradRows(
  nodes: tf.Tensor,
  grid: tf.Tensor3D,
  coords: tf.Tensor2D,
  values: tf.Tensor2D,
  attrs: SamplingAttrs,
): tf.Tensor2D {
  return run(COORD_GRAD, { nodes, grid, coords, values }, attrs);
}
