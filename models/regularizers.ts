/** What keeps neighbouring nodes alike: penalties on the nodes of a cube, for the loss of a fit. */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError } from '../src/index.js';

/** [X, Y, Z, F] of nodes [X, Y, Z, …]. */
function flatNodes(where: string, nodes: tf.Tensor): tf.Tensor4D {
  if (nodes.rank < 3) throw new ArgumentError(`${where}: nodes must be [X, Y, Z, …], got rank ${nodes.rank}`);
  const [x, y, z] = nodes.shape;
  return nodes.reshape([x, y, z, nodes.size / (x * y * z)]);
}

/** Nodes first … first + size − n + … along one axis: the part that lies `shift` cells on, `by` shorter than the whole. */
function shifted(nodes: tf.Tensor4D, axis: number, shift: number, by: number): tf.Tensor4D {
  const begin = [0, 0, 0, 0];
  const size: [number, number, number, number] = [...nodes.shape];
  begin[axis] = shift;
  size[axis] -= by;
  return tf.slice(nodes, begin as [number, number, number, number], size);
}

/** The mean over the axes that have `taps` nodes or more; 0 if none has. */
function meanOverAxes(nodes: tf.Tensor4D, taps: number, penalty: (axis: number) => tf.Tensor): tf.Scalar {
  const axes = [0, 1, 2].filter((axis) => nodes.shape[axis] >= taps);
  if (axes.length === 0 || nodes.size === 0) return tf.scalar(0);
  return tf.div(
    axes.map(penalty).reduce((sum, part) => tf.add(sum, part)),
    axes.length,
  ) as tf.Scalar;
}

/**
 * Total variation: the mean |difference| of neighbouring nodes, over elements and axes. Keeps edges, levels what is between.
 * @param nodes [X, Y, Z, …] float32, as cube.toTensor() gives them.
 * @returns scalar in the nodes' units. Gradients: nodes, 0 where neighbours are equal.
 * Source: L. Rudin, S. Osher, E. Fatemi, "Nonlinear total variation based noise removal algorithms" (1992); anisotropic here.
 */
export function totalVariation(nodes: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const flat = flatNodes('totalVariation', nodes);
    return meanOverAxes(flat, 2, (axis) =>
      tf.mean(tf.abs(tf.sub(shifted(flat, axis, 1, 1), shifted(flat, axis, 0, 1)))),
    );
  });
}

/**
 * Smoothness: the mean square of the second difference of neighbouring nodes, over elements and axes. Straight lines are free.
 * @param nodes [X, Y, Z, …] float32, as cube.toTensor() gives them.
 * @returns scalar in the square of the nodes' units. Gradients: nodes.
 */
export function smoothness(nodes: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const flat = flatNodes('smoothness', nodes);
    return meanOverAxes(flat, 3, (axis) => {
      const ends = tf.add(shifted(flat, axis, 0, 2), shifted(flat, axis, 2, 2));
      return tf.mean(tf.square(tf.sub(ends, tf.mul(2, shifted(flat, axis, 1, 2)))));
    });
  });
}
