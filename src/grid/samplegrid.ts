/** Sampling a tensor of nodes: what a cube does with nodes of one resolution, as a function. */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, checkOptionNames, ShapeError } from '../errors.js';
import type { Boundary } from '../interpolation/stencil.js';
import { monotoneRows } from '../ops/monotone.js';
import { splineCoefficients } from '../ops/spline.js';
import { checkFloatTensor } from '../ops/tensors.js';
import { type Coordinates, coordinateTensor } from './coordinates.js';
import { checkMethod, type InterpolationMethod } from './methods.js';
import { boundariesOf } from './options.js';
import { readingOf, readRows } from './sampling/reading.js';

export interface SampleGridOptions {
  /** Default 'linear'. All methods but 'hermite', whose tangents a cube holds. */
  method?: InterpolationMethod;
  /** Of method 'cardinal', in [−1, 0]; default −0.5. */
  a?: number;
  /** Outside the grid, for all axes or each of them; 'error' samples as 'clamp'. Default 'clamp'. */
  boundary?: Boundary | { x?: Boundary; y?: Boundary; z?: Boundary };
}

/**
 * Samples a grid of nodes at fractional coordinates.
 *
 *     const features = tf.variable(tf.randomNormal([32, 32, 1, 8]))
 *     sampleGrid(features, coords)                          // [N, 8]
 *
 * @param nodes [X, Y, Z, …] float32: a node of any shape at each place.
 * @param coords [N, 3] index-space (x, y, z); integers are nodes. N may be 0.
 * @returns [N, …]. A row whose coordinate is NaN or infinite is NaN, with zero gradients.
 * Gradients: nodes, coords if a tensor; second order of both, but of method 'monotone', which has the first only.
 * @throws ShapeError, ArgumentError or DisposedError for arguments that are not this.
 */
export function sampleGrid(
  nodes: tf.Tensor,
  coords: Coordinates,
  options: SampleGridOptions = {},
): tf.Tensor {
  const where = 'sampleGrid';
  checkFloatTensor(where, 'nodes', nodes);
  check(
    nodes.rank >= 3 && nodes.shape.slice(0, 3).every((n) => n >= 1),
    () => new ShapeError(where, 'nodes', '[X, Y, Z, …] with X, Y, Z ≥ 1', nodes.shape),
  );
  checkOptionNames(where, options, ['method', 'a', 'boundary']);
  const choice = checkMethod(where, options.method, options.a);
  check(
    choice.method !== 'hermite',
    () => new ArgumentError(`${where}: method 'hermite' needs tangents; make a cube, which holds them`),
  );
  const boundary = boundariesOf(where, options.boundary);
  const dims = nodes.shape.slice(0, 3) as [number, number, number];
  const cells = dims[0] * dims[1] * dims[2];
  const shape = nodes.shape.slice(3);
  const payload = nodes.size / cells;
  const { tensor, host, made } = coordinateTensor(where, coords);
  try {
    return tf.tidy(() => {
      const rows = nodes.reshape([cells, payload]) as tf.Tensor2D;
      const order = Int32Array.from({ length: cells }, (_, cell) => cell);
      const grid = tf.tensor3d(order, dims, 'int32');
      const page = { payload, half: false, firstRow: 0, rows: cells, ordered: true };
      const reading = readingOf({ tensor, host }, choice, { dims, boundary });
      const samples = () => {
        if (choice.method === 'monotone') {
          const { taps, weights } = reading.stencil!;
          return monotoneRows(rows, grid, taps, weights, { ...page, boundary: reading.boundary });
        }
        const spline = choice.method === 'bspline';
        const read = spline ? splineCoefficients(rows, dims, reading.boundary) : rows;
        return readRows(reading, read, grid, page);
      };
      return samples().reshape([tensor.shape[0], ...shape]);
    });
  } finally {
    if (made) tensor.dispose();
  }
}
