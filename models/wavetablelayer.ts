/** A grid of wavetables as a layer of tf.layers. */
import * as tf from '@tensorflow/tfjs';
import {
  ArgumentError,
  type Boundary,
  type InterpolationMethod,
  type SampleGridOptions,
  sampleGrid,
  WavetableMatrix,
} from '../src/index.js';
import {
  checkArgNames,
  checkCounts,
  checkInputCoordinates,
  coordinateInput,
  type InputCoordinates,
  indexCoordinates,
  type LayerArgs,
  nodesInitializer,
} from './layerargs.js';

export interface WavetableLayerArgs extends LayerArgs {
  /** Nodes along x, y and z. */
  width: number;
  height: number;
  depth: number;
  /** [H, W] of the nodes, or one number for both; default 1. */
  resolution?: number | [height: number, width: number];
  /** C; default 4. */
  channels?: number;
  /** As of sampleGrid; default 'linear'. */
  method?: InterpolationMethod;
  a?: number;
  boundary?: Boundary | { x?: Boundary; y?: Boundary; z?: Boundary };
  /** Default 'index'. */
  coordinates?: InputCoordinates;
  /** Standard deviation of the nodes before training; default 0: zeros. */
  stddev?: number;
  /** Of the random nodes. */
  seed?: number;
}

const ARG_NAMES = [
  ...['width', 'height', 'depth', 'resolution', 'channels', 'method', 'a', 'boundary'],
  ...['coordinates', 'stddev', 'seed'],
];

/**
 * A grid of wavetables that a model samples where its input says.
 *
 *     const model = tf.sequential({ layers: [
 *       new WavetableLayer({ inputShape: [3], width: 32, height: 32, depth: 1, channels: 8, coordinates: 'unit' }),
 *       tf.layers.flatten(), tf.layers.dense({ units: 3 }) ] })
 *
 * Input [batch, 3]: coordinates (x, y, z). Output [batch, H, W, C]. Weight: `nodes`, [X·Y·Z, H·W·C], x slowest.
 * Gradients: nodes, inputs. Saved and loaded by model.save and tf.loadLayersModel, once `wavecube/models` is imported.
 * @throws ArgumentError for sizes that are no positive integers, or options that sampleGrid does not take.
 */
export class WavetableLayer extends tf.layers.Layer {
  static readonly className = 'WavetableLayer';
  readonly dims: readonly [number, number, number];
  /** [H, W, C] of a node. */
  readonly shape: readonly [number, number, number];
  readonly #options: SampleGridOptions;
  readonly #coordinates: InputCoordinates;
  readonly #stddev: number;
  readonly #seed: number;
  #nodes: tf.LayerVariable | null = null;

  constructor(args: WavetableLayerArgs) {
    checkArgNames('WavetableLayer', args, ARG_NAMES);
    const { width, height, depth, resolution = 1, channels = 4, method = 'linear', a } = args;
    const boundary = structuredClone(args.boundary ?? 'clamp');
    const { coordinates = 'index', stddev = 0, seed = 1, ...rest } = args;
    super(rest);
    const [h, w] = typeof resolution === 'number' ? [resolution, resolution] : resolution;
    checkCounts('WavetableLayer', { width, height, depth, 'resolution[0]': h, 'resolution[1]': w, channels });
    checkInputCoordinates('WavetableLayer', coordinates);
    if (!(stddev >= 0 && Number.isFinite(stddev))) {
      throw new ArgumentError(`WavetableLayer: stddev must not be negative, got ${stddev}`);
    }
    this.dims = [width, height, depth];
    this.shape = [h, w, channels];
    this.#options = { method, boundary, ...(a === undefined ? {} : { a }) };
    this.#coordinates = coordinates;
    this.#stddev = stddev;
    this.#seed = seed;
    // What sampleGrid does not take, is said now and not at the first batch.
    tf.tidy(() => sampleGrid(tf.zeros([1, 1, 1, 1]), [0, 0, 0], this.#options));
  }

  override build(): void {
    const [x, y, z] = this.dims;
    const [h, w, c] = this.shape;
    const initializer = nodesInitializer(this.#stddev, this.#seed);
    this.#nodes = this.addWeight('nodes', [x * y * z, h * w * c], 'float32', initializer);
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [batch] = inputShape as tf.Shape;
    return [batch, ...this.shape];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const coords = indexCoordinates(
        coordinateInput('WavetableLayer', inputs),
        this.dims,
        this.#coordinates,
      );
      const nodes = this.#nodes!.read().reshape([...this.dims, this.shape.reduce((a, b) => a * b)]);
      return sampleGrid(nodes, coords, this.#options).reshape([coords.shape[0], ...this.shape]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const [width, height, depth] = this.dims;
    const [h, w, channels] = this.shape;
    return {
      ...super.getConfig(),
      ...{ width, height, depth, resolution: [h, w], channels },
      ...(this.#options as tf.serialization.ConfigDict),
      ...{ coordinates: this.#coordinates, stddev: this.#stddev, seed: this.#seed },
    };
  }

  /** Takes over the nodes of a cube of the same size, those that are missing as zeros. */
  setFromCube(cube: WavetableMatrix): void {
    const [h, w, c] = this.shape;
    const same =
      cube.width === this.dims[0] &&
      cube.height === this.dims[1] &&
      cube.depth === this.dims[2] &&
      cube.resolution[0] === h &&
      cube.resolution[1] === w &&
      cube.channels === c;
    if (!same) {
      throw new ArgumentError(
        `setFromCube: the cube must be ${this.dims.join(' × ')} of [${this.shape.join(', ')}], got ` +
          `${cube.width} × ${cube.height} × ${cube.depth} of [${[...cube.resolution, cube.channels].join(', ')}]`,
      );
    }
    this.#makeNodes();
    tf.tidy(() => {
      const rows = cube.toTensor().reshape([this.dims[0] * this.dims[1] * this.dims[2], h * w * c]);
      this.setWeights([rows]);
    });
  }

  /** A layer outside of a model has its weights from its first use on. */
  #makeNodes(): void {
    if (!this.built) tf.tidy(() => this.apply(tf.zeros([1, 3])) as tf.Tensor);
  }

  /** A cube with the layer's nodes, the caller's to dispose: to save, to compress, to sample outside of a model. */
  toCube(): WavetableMatrix {
    this.#makeNodes();
    const nodes = tf.tidy(() => this.#nodes!.read().reshape([...this.dims, ...this.shape]));
    try {
      return WavetableMatrix.fromTensor(nodes, { boundary: this.#options.boundary });
    } finally {
      nodes.dispose();
    }
  }
}

tf.serialization.registerClass(WavetableLayer);
