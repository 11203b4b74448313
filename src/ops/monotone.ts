/** Monotone sampling as a function on tensors. Contract and definitions: ops/monotonecontract.ts. */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, WavecubeError } from '../errors.js';
import { activeBackend } from './device.js';
import {
  MONOTONE,
  MONOTONE_PLACE_GRAD,
  MONOTONE_SPLAT,
  type MonotoneAttrs,
  type MonotoneInputs,
} from './monotonecontract.js';

const SAVED = ['nodes', 'grid', 'taps', 'place'] as const;

let registered = false;

function registerGradients(): void {
  if (registered) return;
  registered = true;
  tf.registerGradient({
    kernelName: MONOTONE,
    inputsToSave: [...SAVED],
    gradFunc: (dy, saved, attrs) => {
      const inputs = Object.fromEntries(SAVED.map((name, i) => [name, saved[i]])) as Partial<MonotoneInputs>;
      const by = (kernel: string) => () =>
        tf
          .engine()
          .runKernel(
            kernel,
            { ...inputs, values: dy as tf.Tensor } as unknown as tf.NamedTensorMap,
            attrs,
          ) as tf.Tensor;
      return { nodes: by(MONOTONE_SPLAT), place: by(MONOTONE_PLACE_GRAD) };
    },
  });
  const none = () => {
    throw new WavecubeError(
      "monotone: must not be differentiated twice, got a second derivative; method 'monotone' has the first one only, " +
        "'linear' and the cubics have the second",
    );
  };
  for (const kernelName of [MONOTONE_SPLAT, MONOTONE_PLACE_GRAD]) {
    tf.registerGradient({
      kernelName,
      inputsToSave: [],
      gradFunc: () => ({ nodes: none, values: none, place: none }),
    });
  }
}

/**
 * Samples with monotone cubic interpolation along each axis: no value outside the range of the 4 × 4 × 4 nodes around it, and
 * along an axis no extremum between two nodes. Not linear in the nodes.
 * @param nodes [R, F] float32, or [R, ⌈F/2⌉] int32 of halves: all rows of the cube.
 * @param grid [X, Y, Z] int32 rows, −1 for a missing node, which counts as zeros.
 * @param taps [N, 3, 4] int32, as stencilOf gives them; a constant of the tape.
 * @param place [N, 3, 4] float32 (f, below, above, 0): the weights of a stencil whose bases are 'place'.
 * @returns [N, F] float32; rows whose place is not finite are NaN.
 * Gradients: nodes (float32 only), place; first order only, a second one throws WavecubeError.
 * @throws ArgumentError unless attrs.firstRow is 0: a page that holds some of the rows can't give its part.
 */
export function monotoneRows(
  nodes: tf.Tensor,
  grid: tf.Tensor3D,
  taps: tf.Tensor3D,
  place: tf.Tensor3D,
  attrs: MonotoneAttrs,
): tf.Tensor2D {
  check(
    attrs.firstRow === 0,
    () =>
      new ArgumentError(
        `monotone: one page must hold all nodes, got a page from row ${attrs.firstRow} on; method 'monotone' is not linear ` +
          'in the nodes, so that pages do not add up',
      ),
  );
  activeBackend();
  registerGradients();
  return tf.engine().runKernel(MONOTONE, { nodes, grid, taps, place }, attrs) as tf.Tensor2D;
}
