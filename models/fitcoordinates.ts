/** Finding where in a cube a wavetable lies. */
import * as tf from '@tensorflow/tfjs';
import {
  ArgumentError,
  type InterpolationMethod,
  meanSquare,
  ShapeError,
  type WavetableMatrix,
} from '../src/index.js';
import { checkFloatTensor } from '../src/ops/tensors.js';
import { checkTraining, groupOf, type TrainingOptions, type TrainingResult, train } from './loop.js';

export interface FitCoordinatesOptions extends TrainingOptions {
  /** [N, 3] to start from; by default the nodes that are most like each target. */
  initial?: tf.Tensor2D;
  /** Without `initial`: so many of the nearest nodes are tried for each target, and the best end counts. Default 4. */
  starts?: number;
  /** How the cube is sampled: as sampleBatch's options. */
  method?: InterpolationMethod;
  a?: number;
}

export interface FitCoordinatesResult extends TrainingResult {
  /** [N, 3] where the targets lie, within the grid, along a wrapped axis within its first period; the caller's to dispose. */
  coords: tf.Tensor2D;
  /** [N] mean square error of each target there. */
  errors: Float32Array;
}

/**
 * Finds the coordinates whose samples are nearest to the targets, by gradient descent from the nearest nodes; `learningRate` is in
 * mean cells of an axis. The cube is not changed. The error may have several valleys: more starts find more of them.
 *
 *     const { coords, errors } = await fitCoordinates(cube, targets, { steps: 200 })
 *
 * @param targets [N, H, W, C] float32 at the cube's resolution.
 * @throws ShapeError, ArgumentError before anything is computed, for method 'nearest' too, which has no gradient; WavecubeError if the error is not finite any more; the reason of
 * options.signal.
 */
export async function fitCoordinates(
  cube: WavetableMatrix,
  targets: tf.Tensor4D,
  options: FitCoordinatesOptions = {},
): Promise<FitCoordinatesResult> {
  const where = 'fitCoordinates';
  checkTraining(where, options, ['initial', 'starts', 'method', 'a']);
  const [h, w] = cube.resolution;
  const shape = [h, w, cube.channels];
  checkFloatTensor(where, 'targets', targets);
  if (targets.rank !== 4 || !shape.every((n, i) => targets.shape[i + 1] === n) || targets.shape[0] === 0) {
    throw new ShapeError(where, 'targets', `[N, ${shape.join(', ')}] with N ≥ 1`, targets.shape);
  }
  const { method, a, starts = 4 } = options;
  if (!(Number.isInteger(starts) && starts >= 1)) {
    throw new ArgumentError(`${where}: starts must be a positive integer, got ${starts}`);
  }
  if (method === 'nearest') {
    throw new ArgumentError(
      `${where}: method 'nearest' has no gradient to coordinates; use 'linear' or a cubic one`,
    );
  }
  const { initial } = options;
  const count = targets.shape[0];
  if (initial) checkFloatTensor(where, 'initial', initial);
  if (initial && (initial.rank !== 2 || initial.shape[0] !== count || initial.shape[1] !== 3)) {
    throw new ShapeError(where, 'initial', `[${count}, 3]`, initial.shape);
  }
  const axes = await positionsOf(cube);
  // Every target has `tries` places, one after the other.
  const first = initial ? initial.clone() : await nearestNodes(cube, axes, targets, starts);
  const bounds = boundsOf(cube, axes);
  const tries = first.shape[0] / count;
  // In mean cells of each axis, so that a step is as large on an axis of thousands as on one of parts.
  const units = unitsOf(axes);
  const steps = tf.tidy(() => tf.div(first, units)) as tf.Tensor2D;
  const moved = tf.variable(steps) as tf.Variable<tf.Rank.R2>;
  tf.dispose([first, steps]);
  const coords = () => tf.mul(moved, units) as tf.Tensor2D;
  const repeated = tf.tidy(() => {
    const rows = Int32Array.from({ length: count * tries }, (_, i) => Math.floor(i / tries));
    return tf.gather(targets, tf.tensor1d(rows, 'int32'));
  });
  const group = groupOf([moved], options);
  try {
    const sample = () => cube.sampleBatch(coords(), { method, a });
    const result = await train(
      {
        where,
        groups: [group],
        // As many errors as targets add up: each place moves by its own.
        loss: () => tf.mul(meanSquare(tf.sub(sample(), repeated)), count * tries),
        afterStep: () => tf.tidy(() => moved.assign(tf.div(clipped(coords(), bounds), units))),
      },
      options,
    );
    const best = await bestOf(
      tf.tidy(() => errorsOf(sample(), repeated)),
      count,
      tries,
    );
    const which = tf.tensor1d(best.rows, 'int32');
    const found = tf.tidy(() => withinPeriods(tf.gather(coords(), which), bounds));
    which.dispose();
    return { ...result, loss: mean(best.errors), coords: found, errors: best.errors };
  } finally {
    tf.dispose([moved, units, repeated, bounds.low, bounds.high]);
    if (group.own) group.optimizer.dispose();
  }
}

const AXES = ['x', 'y', 'z'] as const;

const mean = (values: Float32Array) => values.reduce((sum, v) => sum + v, 0) / values.length;

interface Bounds {
  /** [3], ∓∞ of a wrapped axis. */
  low: tf.Tensor1D;
  high: tf.Tensor1D;
  /** Of each axis the first node, and the period of a wrapped one, else null. */
  folds: readonly { first: number; period: number | null }[];
}

/** Where the nodes of each axis lie, in the coordinates that sampleBatch takes. */
async function positionsOf(cube: WavetableMatrix): Promise<Float32Array[]> {
  return Promise.all(
    AXES.map(async (axis) => {
      const positions = cube.axisPositions(axis);
      const values = await positions.data<'float32'>();
      positions.dispose();
      return values;
    }),
  );
}

/** [3] the mean length of an axis's cells. */
function unitsOf(axes: readonly Float32Array[]): tf.Tensor1D {
  return tf.tensor1d(axes.map((at) => (at.length > 1 ? (at[at.length - 1] - at[0]) / (at.length - 1) : 1)));
}

/** The first and the last node of each axis; a wrapped axis has none. */
function boundsOf(cube: WavetableMatrix, axes: readonly Float32Array[]): Bounds {
  const { boundary, axes: stated } = cube.options;
  const rules = boundary as Record<(typeof AXES)[number], string>;
  const folds = AXES.map((axis, j) => {
    const option = stated[axis];
    const nodes = axes[j].length;
    // As axes take it: index space repeats after its nodes, what is spread evenly after one node more.
    const even =
      option && 'min' in option ? ((option.max - option.min) / Math.max(1, nodes - 1)) * nodes : nodes;
    const period = option && 'period' in option && option.period !== undefined ? option.period : even;
    return { first: axes[j][0], period: rules[axis] === 'wrap' ? period : null };
  });
  const ends = AXES.map((axis, j) => {
    if (rules[axis] === 'wrap') return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    return [axes[j][0], axes[j][axes[j].length - 1]];
  });
  return {
    low: tf.tensor1d(ends.map(([low]) => low)),
    high: tf.tensor1d(ends.map(([, high]) => high)),
    folds,
  };
}

/** Coordinates along wrapped axes brought to where their first period is. */
function withinPeriods(coords: tf.Tensor2D, { folds }: Bounds): tf.Tensor2D {
  if (folds.every(({ period }) => period === null)) return coords;
  const columns = tf.unstack(coords, 1).map((u, j) => {
    const { first, period } = folds[j];
    if (period === null) return u;
    return tf.sub(u, tf.mul(tf.floor(tf.div(tf.sub(u, first), period)), period));
  });
  return tf.stack(columns, 1) as tf.Tensor2D;
}

const clipped = (coords: tf.Tensor, { low, high }: Bounds) => tf.maximum(tf.minimum(coords, high), low);

/** [N] the mean square of each sample's difference. */
const errorsOf = (samples: tf.Tensor4D, targets: tf.Tensor4D) =>
  tf.mean(tf.square(tf.sub(samples, targets)), [1, 2, 3]) as tf.Tensor1D;

/** [N·starts, 3]: the places of the nodes that differ least from each target, best first. */
async function nearestNodes(
  cube: WavetableMatrix,
  axes: readonly Float32Array[],
  targets: tf.Tensor4D,
  starts: number,
): Promise<tf.Tensor2D> {
  const places = [...cube.positions()];
  if (places.length === 0) throw new ArgumentError('fitCoordinates: the cube has no nodes');
  const most = Math.min(starts, places.length);
  const nearest: { error: number; place: number }[][] = Array.from({ length: targets.shape[0] }, () => []);
  // Nodes are read in parts, so that a large cube need not be at hand twice.
  const step = 256;
  for (let from = 0; from < places.length; from += step) {
    const part = places.slice(from, from + step);
    const distances = tf.tidy(() => {
      const nodes = cube.sampleBatch(nodeCoordinates(axes, part)).reshape([part.length, -1]) as tf.Tensor2D;
      const flat = targets.reshape([targets.shape[0], -1]) as tf.Tensor2D;
      // |t|² is the same for all nodes of a target.
      const squares = tf.sum(tf.square(nodes), 1).expandDims(0);
      return tf.sub(squares, tf.mul(2, tf.matMul(flat, nodes, false, true)));
    });
    const values = await distances.data();
    distances.dispose();
    nearest.forEach((list, i) => {
      part.forEach((_, j) => {
        list.push({ error: values[i * part.length + j], place: from + j });
      });
      list.sort((p, q) => p.error - q.error);
      list.length = Math.min(list.length, most);
    });
  }
  return nodeCoordinates(
    axes,
    nearest.flatMap((list) => list.map(({ place }) => places[place])),
  );
}

/** [N, 3] coordinates of nodes. */
function nodeCoordinates(
  axes: readonly Float32Array[],
  places: readonly (readonly [number, number, number])[],
): tf.Tensor2D {
  const at = places.flatMap((place) => place.map((node, j) => axes[j][node]));
  return tf.tensor2d(at, [places.length, 3]);
}

/** For each target the best of its tries. */
async function bestOf(
  errors: tf.Tensor1D,
  count: number,
  tries: number,
): Promise<{ rows: Int32Array; errors: Float32Array }> {
  const all = await errors.data();
  errors.dispose();
  const rows = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    rows[i] = i * tries;
    for (let t = 1; t < tries; t++) if (all[i * tries + t] < all[rows[i]]) rows[i] = i * tries + t;
  }
  return { rows, errors: Float32Array.from(rows, (row) => all[row]) };
}
