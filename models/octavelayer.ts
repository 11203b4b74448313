/** Grids of wavetables at several scales as a layer of tf.layers. */
import * as tf from '@tensorflow/tfjs';
import { checkOptionNames } from '../src/errors.js';
import { type Blending, blendAt, blendEach } from '../src/grid/octaves/blend.js';
import { LevelCoords } from '../src/grid/octaves/coords.js';
import { checkHierarchy, type HierarchySettings } from '../src/grid/octaves/levels.js';
import {
  ArgumentError,
  type InterpolationMethod,
  type OctaveHierarchyOptions,
  type OctaveOptions,
  resample,
  type SampleGridOptions,
  ShapeError,
  sampleGrid,
} from '../src/index.js';
import {
  checkArgNames,
  checkInputCoordinates,
  coordinateInput,
  type InputCoordinates,
  indexCoordinates,
  type LayerArgs,
  nodesInitializer,
} from './layerargs.js';

type LevelOptions = Pick<
  OctaveHierarchyOptions,
  'octaveLevels' | 'baseResolution' | 'basis' | 'gridScale' | 'offset' | 'channels' | 'boundary' | 'periodic'
> & {
  /** By octave, what it has otherwise. */
  octaves?: Readonly<Record<number, Pick<OctaveOptions, (typeof OCTAVE_NAMES)[number]>>>;
};

export interface OctaveLayerArgs extends LayerArgs, LevelOptions {
  /** Nodes along x, y and z of octave 0. */
  width: number;
  height: number;
  depth: number;
  /** As of sampleGrid; default 'linear'. */
  method?: InterpolationMethod;
  a?: number;
  /** Default 'index': the index space of octave 0. */
  coordinates?: InputCoordinates;
  /**
   * 'blend' (default): what OctaveHierarchy.sampleBatchBlended gives, at the octave of the second input. 'concat': the channels of all
   * octaves beside each other, from coarse to fine.
   */
  combine?: 'blend' | 'concat';
  /** Standard deviation of the nodes before training; default 0: zeros. */
  stddev?: number;
  seed?: number;
}

const LEVEL_NAMES = [
  'octaveLevels',
  'baseResolution',
  'basis',
  'gridScale',
  'offset',
  'octaves',
  'channels',
  'boundary',
  'periodic',
] as const;
/** A feature pyramid. */
const DEFAULTS = { octaveLevels: [-2, -1, 0], gridScale: 2, baseResolution: 1, basis: 'laplacian' } as const;
const ARG_NAMES = [
  ...LEVEL_NAMES,
  ...['width', 'height', 'depth', 'method', 'a', 'coordinates', 'combine', 'stddev', 'seed'],
];
/** What a layer's nodes, which are weights of the model, can have by octave. */
const OCTAVE_NAMES = ['resolution', 'channels', 'periodic', 'grid', 'offset'] as const;

/**
 * Grids of several octaves that a model samples where its input says; the levels, grids and offsets are those of OctaveHierarchy,
 * but by default they are a feature pyramid: `octaveLevels` [-2, -1, 0], `gridScale` 2, `baseResolution` 1, `basis` 'laplacian'.
 *
 *     new OctaveLayer({ inputShape: [3], width: 64, height: 64, depth: 1, channels: 4, coordinates: 'unit', combine: 'concat' })
 *
 * Input [batch, 3]: coordinates (x, y, z); with 'blend' it may be a list, of these and of octaves [batch, 1], the finest by default.
 * Output [batch, H, W, C]. Weights: one [X·Y·Z, H·W·C] an octave, from coarse to fine. Gradients: nodes, inputs.
 * Saved and loaded by model.save and tf.loadLayersModel, once `wavecube/models` is imported.
 * @throws ArgumentError for options that OctaveHierarchy or sampleGrid do not take, or octaves of different channels with 'blend' of
 * basis 'levels'.
 */
export class OctaveLayer extends tf.layers.Layer {
  static readonly className = 'OctaveLayer';
  readonly #dims: readonly [number, number, number];
  readonly #given: LevelOptions;
  readonly #levels: HierarchySettings;
  readonly #options: SampleGridOptions;
  readonly #coordinates: InputCoordinates;
  readonly #combine: 'blend' | 'concat';
  readonly #stddev: number;
  readonly #seed: number;
  #nodes: tf.LayerVariable[] = [];

  constructor(args: OctaveLayerArgs) {
    checkArgNames('OctaveLayer', args, ARG_NAMES);
    const { width, height, depth, method = 'linear', a, coordinates = 'index', combine = 'blend' } = args;
    const { stddev = 0, seed = 1, ...rest } = args;
    super(rest);
    checkInputCoordinates('OctaveLayer', coordinates);
    if (combine !== 'blend' && combine !== 'concat') {
      throw new ArgumentError(`OctaveLayer: combine must be 'blend' or 'concat', got ${combine}`);
    }
    if (!(stddev >= 0 && Number.isFinite(stddev))) {
      throw new ArgumentError(`OctaveLayer: stddev must not be negative, got ${stddev}`);
    }
    this.#dims = [width, height, depth];
    const stated = LEVEL_NAMES.filter((name) => args[name] !== undefined).map((name) => [name, args[name]]);
    this.#given = structuredClone({ ...DEFAULTS, ...Object.fromEntries(stated) });
    this.#levels = checkHierarchy(width, height, depth, this.#given);
    for (const [octave, own] of Object.entries(this.#given.octaves ?? {})) {
      checkOptionNames(`OctaveLayer: octaves[${octave}]`, own ?? {}, OCTAVE_NAMES);
    }
    const channels = this.#levels.levels.map(({ options }) => options.channels ?? 4);
    if (combine === 'blend' && new Set(channels).size > 1) {
      throw new ArgumentError(
        `OctaveLayer: octaves of ${channels.join(', ')} channels do not blend; give them as many, or combine: 'concat'`,
      );
    }
    const boundary = this.#given.boundary ?? 'clamp';
    this.#options = { method, boundary, ...(a === undefined ? {} : { a }) };
    this.#coordinates = coordinates;
    this.#combine = combine;
    this.#stddev = stddev;
    this.#seed = seed;
    tf.tidy(() => sampleGrid(tf.zeros([1, 1, 1, 1]), [0, 0, 0], this.#options));
  }

  /** [X, Y, Z, H, W, C] of each octave, from coarse to fine. */
  get shapes(): number[][] {
    return this.#levels.levels.map(({ axes, options }) => {
      const { resolution = 1, channels = 4 } = options;
      const [h, w] = typeof resolution === 'number' ? [resolution, resolution] : resolution;
      return [...axes.map(({ nodes }) => nodes), h, w, channels];
    });
  }

  override build(): void {
    this.#nodes = this.shapes.map(([x, y, z, h, w, c], j) => {
      const name = `nodes_${j}`;
      const initializer = nodesInitializer(this.#stddev, this.#seed + j);
      return this.addWeight(name, [x * y * z, h * w * c], 'float32', initializer);
    });
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [first] = inputShape as (number | null | tf.Shape)[];
    const batch = Array.isArray(first) ? first[0] : first;
    const channels = this.shapes.map((shape) => shape[5]);
    const all = this.#combine === 'concat' ? channels.reduce((a, b) => a + b) : Math.max(...channels);
    return [batch as number | null, ...this.#levels.resolution, all];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const given = coordinateInput('OctaveLayer', inputs);
      const octaves = this.#octavesOf(inputs, given.shape[0]);
      const coords = new LevelCoords(indexCoordinates(given, this.#dims, this.#coordinates));
      const level = (j: number, at: LevelCoords) => this.#sampleLevel(j, at);
      if (this.#combine === 'concat') {
        return tf.concat(
          this.#levels.levels.map((_, j) => level(j, coords)),
          3,
        );
      }
      const { basis, levels } = this.#levels;
      const blending: Blending = { basis, octaves: levels.map(({ octave }) => octave), level };
      const finest = levels[levels.length - 1].octave;
      return octaves ? blendEach(blending, coords, octaves) : blendAt(blending, coords, finest);
    });
  }

  /** [batch] of the second input, if there is one. */
  #octavesOf(inputs: tf.Tensor | tf.Tensor[], batch: number): tf.Tensor1D | null {
    if (!Array.isArray(inputs) || inputs.length < 2) return null;
    if (this.#combine === 'concat') {
      throw new ArgumentError(
        "OctaveLayer: octaves are an input of combine 'blend'; 'concat' gives all of them",
      );
    }
    const [, octaves] = inputs;
    if (octaves.size !== batch)
      throw new ShapeError('OctaveLayer', 'octaves', `[${batch}, 1]`, octaves.shape);
    return octaves.flatten();
  }

  #sampleLevel(j: number, coords: LevelCoords): tf.Tensor4D {
    const [x, y, z, ...shape] = this.shapes[j];
    const nodes = this.#nodes[j].read().reshape([x, y, z, shape.reduce((a, b) => a * b)]);
    const at = coords.at(this.#levels.levels[j]);
    const rows = sampleGrid(nodes, at, this.#options);
    const [h, w] = this.#levels.resolution;
    const { periodic } = this.#levels.levels[j].options;
    return resample(rows.reshape([coords.count, ...shape]) as tf.Tensor4D, h, w, periodic);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const [width, height, depth] = this.#dims;
    const { method, a } = this.#options;
    return {
      ...super.getConfig(),
      ...{ width, height, depth },
      ...(structuredClone(this.#given) as tf.serialization.ConfigDict),
      ...{ method: method ?? 'linear', ...(a === undefined ? {} : { a }) },
      ...{ coordinates: this.#coordinates, combine: this.#combine, stddev: this.#stddev, seed: this.#seed },
    };
  }
}

tf.serialization.registerClass(OctaveLayer);
