/** What the layers have in common: the arguments of tf.layers, and how inputs become coordinates. */
import * as tf from '@tensorflow/tfjs';
import { checkOptionNames } from '../src/errors.js';
import { ArgumentError, ShapeError } from '../src/index.js';

/** name, trainable, inputShape, batchInputShape … of tf.layers. */
export type LayerArgs = NonNullable<ConstructorParameters<typeof tf.layers.Layer>[0]>;

/** What inputs are: 'index': integers are nodes. 'unit': 0 is the first node of an axis, 1 the last. */
export type InputCoordinates = 'index' | 'unit';

const LAYER_NAMES = [
  ...['inputShape', 'batchInputShape', 'batchSize', 'dtype', 'inputDType', 'name', 'trainable', 'weights'],
  // What tf.layers writes into every config.
  ...['updatable', 'inputDtype', 'batch_input_shape', 'input_dtype', 'customObjects'],
];

/** @throws ArgumentError for a name that neither the layer nor tf.layers has: a misspelt one would be passed over in silence. */
export function checkArgNames(where: string, args: object, names: readonly string[]): void {
  checkOptionNames(where, args, [...names, ...LAYER_NAMES]);
}

/** @throws ArgumentError unless each is a positive integer. */
export function checkCounts(where: string, counts: Record<string, number>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new ArgumentError(`${where}: ${name} must be a positive integer, got ${value}`);
    }
  }
}

export function checkInputCoordinates(where: string, coordinates: InputCoordinates): void {
  if (coordinates !== 'index' && coordinates !== 'unit') {
    throw new ArgumentError(`${where}: coordinates must be 'index' or 'unit', got ${coordinates}`);
  }
}

/** The one input of a call, [batch, 3]. */
export function coordinateInput(where: string, inputs: tf.Tensor | tf.Tensor[]): tf.Tensor2D {
  const [input] = Array.isArray(inputs) ? inputs : [inputs];
  if (input.rank !== 2 || input.shape[1] !== 3) {
    throw new ShapeError(where, 'its input', '[batch, 3]', input.shape);
  }
  return input as tf.Tensor2D;
}

/** Index-space coordinates of inputs. Gradients: inputs. */
export function indexCoordinates(
  inputs: tf.Tensor2D,
  dims: readonly number[],
  coordinates: InputCoordinates,
): tf.Tensor2D {
  if (coordinates === 'index') return inputs;
  return tf.mul(inputs, tf.tensor1d(dims.map((n) => n - 1))) as tf.Tensor2D;
}

/** The initializer of nodes: normal numbers, or zeros where their deviation is 0. */
export function nodesInitializer(stddev: number, seed: number): ReturnType<typeof tf.initializers.zeros> {
  return stddev === 0 ? tf.initializers.zeros() : tf.initializers.randomNormal({ mean: 0, stddev, seed });
}
