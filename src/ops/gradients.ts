/**
 * Gradients of the sampling kernels, each by another of the six, so that the first and second order
 * run on the backend's own kernels; a third one throws. The pairs share what they save and differ in the tangent.
 */
import * as tf from '@tensorflow/tfjs';
import { constantOf } from './constant.js';
import {
  COORD_GRAD,
  COORD_GRAD_TANGENT,
  MEAN_SQUARE,
  MEAN_SQUARE_GRAD,
  SAMPLE,
  SAMPLE_TANGENT,
  type SamplingAttrs,
  type SamplingInputs,
  SPLAT,
  SPLAT_TANGENT,
} from './contract.js';
import { type Rule, type Rules, registerRules } from './rules.js';

type SamplingRule = Rule<SamplingInputs, SamplingAttrs>;

const run = (kernel: string, inputs: Partial<SamplingInputs>, attrs: SamplingAttrs): tf.Tensor =>
  tf.engine().runKernel(kernel, inputs as tf.NamedTensorMap, attrs) as tf.Tensor;

/** Nodes that arise as gradients are float32 pages, whatever the bank's storage is. */
const dense = (attrs: SamplingAttrs): SamplingAttrs => ({ ...attrs, half: false });

const sampleRule: SamplingRule = (dy, { nodes, grid, coords }, attrs) => ({
  nodes: () => run(SPLAT, { values: dy, grid, coords }, dense(attrs)),
  coords: () => run(COORD_GRAD, { nodes, grid, coords, values: dy }, attrs),
});

const sampleTangentRule: SamplingRule = (dy, { nodes, grid, coords, tangent }, attrs) => ({
  nodes: () => run(SPLAT_TANGENT, { values: dy, grid, coords, tangent }, dense(attrs)),
  coords: () => run(COORD_GRAD_TANGENT, { nodes, grid, coords, values: dy, tangent }, attrs),
  tangent: () => run(COORD_GRAD, { nodes, grid, coords, values: dy }, attrs),
});

/** samples [N, F] with zeros for those whose coordinate is not finite: their values did not count. Gradients: samples. */
function withoutBlanks(samples: tf.Tensor, coords: tf.Tensor): tf.Tensor {
  if (samples.size === 0) return samples;
  const finite = constantOf(coords, (r) => tf.cast(tf.all(tf.isFinite(r), 1, true), 'float32'));
  return tf.where(tf.cast(finite, 'bool'), samples, tf.zerosLike(samples));
}

const splatRule: SamplingRule = (u, { values, grid, coords }, attrs) => ({
  values: () => withoutBlanks(run(SAMPLE, { nodes: u, grid, coords }, attrs), coords),
  coords: () => run(COORD_GRAD, { nodes: u, grid, coords, values }, attrs),
});

const splatTangentRule: SamplingRule = (u, { values, grid, coords, tangent }, attrs) => ({
  values: () => run(SAMPLE_TANGENT, { nodes: u, grid, coords, tangent }, attrs),
  coords: () => run(COORD_GRAD_TANGENT, { nodes: u, grid, coords, values, tangent }, attrs),
  tangent: () => run(COORD_GRAD, { nodes: u, grid, coords, values }, attrs),
});

const coordGradRule: SamplingRule = (h, { nodes, grid, coords, values }, attrs) => ({
  nodes: () => run(SPLAT_TANGENT, { values, grid, coords, tangent: h }, dense(attrs)),
  values: () => run(SAMPLE_TANGENT, { nodes, grid, coords, tangent: h }, attrs),
  coords: () => run(COORD_GRAD_TANGENT, { nodes, grid, coords, values, tangent: h }, attrs),
});

const rules: Rules<SamplingInputs, SamplingAttrs> = [
  [SAMPLE, ['nodes', 'grid', 'coords'], sampleRule],
  [SAMPLE_TANGENT, ['nodes', 'grid', 'coords', 'tangent'], sampleTangentRule],
  [SPLAT, ['values', 'grid', 'coords'], splatRule],
  [SPLAT_TANGENT, ['values', 'grid', 'coords', 'tangent'], splatTangentRule],
  [COORD_GRAD, ['nodes', 'grid', 'coords', 'values'], coordGradRule],
];

let registered = false;

/** Registers the gradients with tfjs's engine; later calls do nothing. */
export function registerGradients(): void {
  if (registered) return;
  registered = true;
  registerRules(rules);
  tf.registerGradient({
    kernelName: MEAN_SQUARE,
    inputsToSave: ['x'],
    gradFunc: (dy, [x]) => ({
      x: () => tf.engine().runKernel(MEAN_SQUARE_GRAD, { x, dy: dy as tf.Tensor }) as tf.Tensor,
    }),
  });
  tf.registerGradient({
    kernelName: MEAN_SQUARE_GRAD,
    inputsToSave: ['x', 'dy'],
    gradFunc: (u, [x, dy]) => ({
      x: () => tf.engine().runKernel(MEAN_SQUARE_GRAD, { x: u as tf.Tensor, dy }) as tf.Tensor,
      dy: () => tf.mul(tf.sum(tf.mul(x, u as tf.Tensor)), 2 / x.size),
    }),
  });
}
