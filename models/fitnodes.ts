/** Fitting the nodes of a cube to values at coordinates. */
import * as tf from '@tensorflow/tfjs';
import {
  ArgumentError,
  type InterpolationMethod,
  meanSquare,
  ShapeError,
  type WavetableMatrix,
} from '../src/index.js';
import { batchOf, type Data, dataOf, type Samples, seededRandom } from './data.js';
import {
  checkTraining,
  type Group,
  groupOf,
  type Training,
  type TrainingOptions,
  type TrainingResult,
  train,
} from './loop.js';
import { smoothness, totalVariation } from './regularizers.js';

/** What has nodes to train: a trainable cube, an octave hierarchy, or what a caller makes of several. */
export interface Trainable {
  trainableVariables(): tf.Variable[];
}

export interface FitNodesOptions extends TrainingOptions {
  /** Samples a step, drawn at random; all of them where there are fewer. Default 4,096. */
  batchSize?: number;
  /** Of the random batches; default 1. */
  seed?: number;
  /** How a cube is sampled: as sampleBatch's options. */
  method?: InterpolationMethod;
  a?: number;
  /**
   * What is compared with the values at coords [N, 3]; by default cube.sampleBatch(coords, { method, a }). A read-out, a blend of
   * octaves, a decoder stand here; what they train themselves is named in `variables`.
   */
  predict?: (coords: tf.Tensor2D) => tf.Tensor;
  /** Trained along with the nodes. */
  variables?: tf.Variable[];
  /** Of predictions and values, both [batch, F]; default: the mean square of their difference. */
  loss?: (predicted: tf.Tensor2D, values: tf.Tensor2D) => tf.Scalar;
  /** Weight of totalVariation(nodes) in the loss; default 0. */
  totalVariation?: number;
  /** Weight of smoothness(nodes) in the loss; default 0. */
  smoothness?: number;
  /** Values that are never trained on: what `patience` watches. */
  validation?: Samples;
}

/**
 * Fits the nodes of a trainable cube so that its samples at coords are the values.
 *
 *     const cube = new WavetableMatrix(32, 32, 1, { resolution: 1, channels: 3, sparse: false, trainable: true })
 *     await fitNodes(cube, { coords, values }, { steps: 500, learningRate: 0.05 })
 *
 * @param cube a trainable WavetableMatrix; with `predict` anything that has trainable variables.
 * @returns how it went; the nodes are trained in place.
 * @throws ArgumentError, ShapeError before anything is trained; WavecubeError if the loss is not finite any more; the reason of
 * options.signal.
 */
export async function fitNodes(
  cube: Trainable | WavetableMatrix,
  samples: Samples,
  options: FitNodesOptions = {},
): Promise<TrainingResult> {
  const variables = [...cube.trainableVariables(), ...(options.variables ?? [])];
  if (variables.length === 0) {
    throw new ArgumentError(
      'fitNodes: the cube has no variables to train; make it with trainable: true, and nodes',
    );
  }
  const group = groupOf(variables, options);
  try {
    return await fitGroups('fitNodes', cube, samples, options, [group]);
  } finally {
    if (group.own) group.optimizer.dispose();
  }
}

/** Names of FitNodesOptions besides those of TrainingOptions. */
const NAMES = [
  ...[
    'batchSize',
    'seed',
    'method',
    'a',
    'predict',
    'variables',
    'loss',
    'totalVariation',
    'smoothness',
    'validation',
  ],
];

/** The loop of fitNodes over any groups of variables. @param names of options besides those of fitNodes. */
export async function fitGroups(
  where: string,
  cube: Trainable | WavetableMatrix,
  samples: Samples,
  options: FitNodesOptions,
  groups: Group[],
  names: readonly string[] = [],
): Promise<TrainingResult> {
  checkTraining(where, options, [...NAMES, ...names]);
  const { batchSize = 4096, seed = 1 } = options;
  if (!(Number.isInteger(batchSize) && batchSize >= 1)) {
    throw new ArgumentError(`${where}: batchSize must be a positive integer, got ${batchSize}`);
  }
  const predict = options.predict ?? sampler(where, cube, options);
  const penalty = regularizer(where, cube, options);
  const lossOf = options.loss ?? ((predicted, values) => meanSquare(tf.sub(predicted, values)));
  const compare = (coords: tf.Tensor2D, values: tf.Tensor2D) =>
    lossOf(predict(coords).reshape(values.shape), values);
  const random = seededRandom(seed);
  const data = dataOf(where, samples);
  let validation: Data | null = null;
  try {
    checkPrediction(where, predict, data);
    validation = options.validation ? dataOf(`${where}: validation`, options.validation) : null;
    const training: Training = {
      where,
      groups,
      loss() {
        const { coords, values } = batchOf(data, batchSize, random);
        const loss = compare(coords, values);
        return penalty ? tf.add(loss, penalty()) : loss;
      },
    };
    if (validation) {
      const { coords, values } = validation;
      training.validationLoss = () => compare(coords, values);
    }
    return await train(training, options);
  } finally {
    data.dispose();
    validation?.dispose();
  }
}

/** @throws ShapeError unless what is predicted of a coordinate has as many elements as its values. */
function checkPrediction(
  where: string,
  predict: (coords: tf.Tensor2D) => tf.Tensor,
  { coords, values }: Data,
): void {
  const wanted = values.shape[1];
  const size = tf.tidy(() => predict(tf.slice(coords, [0, 0], [1, 3])).size);
  if (size !== wanted) {
    throw new ShapeError(where, 'values', `[N, …] of ${size} a sample, as predicted`, `${wanted} a sample`);
  }
}

function isCube(cube: Trainable): cube is WavetableMatrix {
  return 'sampleBatch' in cube && 'toTensor' in cube;
}

function sampler(
  where: string,
  cube: Trainable,
  { method, a }: FitNodesOptions,
): (coords: tf.Tensor2D) => tf.Tensor {
  if (!isCube(cube)) throw new ArgumentError(`${where}: what is no cube needs options.predict`);
  return (coords) => cube.sampleBatch(coords, { method, a });
}

/** The sum of the weighted penalties, or null without any. */
function regularizer(where: string, cube: Trainable, options: FitNodesOptions): (() => tf.Scalar) | null {
  const weights = [
    [options.totalVariation ?? 0, totalVariation],
    [options.smoothness ?? 0, smoothness],
  ] as const;
  for (const [weight] of weights) {
    if (!(weight >= 0 && Number.isFinite(weight))) {
      throw new ArgumentError(
        `${where}: the weights of totalVariation and smoothness must not be negative, got ${weight}`,
      );
    }
  }
  const used = weights.filter(([weight]) => weight > 0);
  if (used.length === 0) return null;
  if (!isCube(cube))
    throw new ArgumentError(`${where}: totalVariation and smoothness need a cube, whose nodes they are of`);
  return () => {
    const nodes = cube.toTensor();
    return used.map(([weight, of]) => tf.mul(weight, of(nodes))).reduce((a, b) => tf.add(a, b)) as tf.Scalar;
  };
}
