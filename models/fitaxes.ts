/** Optimising where the nodes sit. */
import { ArgumentError, type WavetableMatrix } from '../src/index.js';
import type { Samples } from './data.js';
import { type FitNodesOptions, fitGroups } from './fitnodes.js';
import { checkRate, groupOf, type TrainingResult } from './loop.js';

export interface FitAxesOptions extends FitNodesOptions {
  /** Train the nodes along with the positions; default true. */
  nodes?: boolean;
  /** Of the positions' own optimiser, Adam; a number, or of the step. Default 0.01. */
  axisLearningRate?: FitNodesOptions['learningRate'];
}

/**
 * Fits the positions of a cube's axes, and its nodes with them, so that its samples at coords are the values: nodes move to where
 * the data need them. Positions stay in order, and the first and last of each axis where they are.
 *
 *     const axes = { x: { positions: [0, 0.25, 0.5, 0.75, 1], trainable: true } }
 *     const cube = new WavetableMatrix(5, 1, 1, { axes, resolution: 1, channels: 1, sparse: false, trainable: true })
 *     await fitAxes(cube, { coords, values }, { steps: 2000 })
 *     cube.axisPositions('x').print()
 *
 * @param cube has an axis with `trainable: true`; itself trainable unless `nodes: false`.
 * @returns how it went; positions and nodes are trained in place.
 * @throws as fitNodes; ArgumentError if no axis is trainable, or for method 'nearest', which has no gradient to positions.
 */
export async function fitAxes(
  cube: WavetableMatrix,
  samples: Samples,
  options: FitAxesOptions = {},
): Promise<TrainingResult> {
  const { nodes = true, axisLearningRate } = options;
  checkRate('fitAxes', 'axisLearningRate', axisLearningRate);
  if (options.method === 'nearest') {
    throw new ArgumentError(
      "fitAxes: method 'nearest' has no gradient to positions; use 'linear' or a cubic one",
    );
  }
  const knots = cube.axisVariables();
  if (knots.length === 0) {
    throw new ArgumentError(
      'fitAxes: no axis of the cube is trainable; make it with axes: { x: { positions, trainable: true } }',
    );
  }
  const rows = nodes ? cube.trainableVariables() : [];
  if (nodes && rows.length === 0) {
    throw new ArgumentError(
      'fitAxes: the cube has no nodes to train; make it with trainable: true, or pass nodes: false',
    );
  }
  const own = [groupOf(knots, { learningRate: axisLearningRate })];
  if (nodes || options.variables) own.push(groupOf([...rows, ...(options.variables ?? [])], options));
  try {
    return await fitGroups('fitAxes', cube, samples, options, own, ['nodes', 'axisLearningRate']);
  } finally {
    for (const group of own) if (group.own) group.optimizer.dispose();
  }
}
