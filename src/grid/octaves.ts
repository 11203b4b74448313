import * as tf from '@tensorflow/tfjs';
import {
  ArgumentError,
  CoordinateError,
  check,
  checkOptionNames,
  DeviceError,
  DisposedError,
  FormatError,
  ShapeError,
  shown,
} from '../errors.js';
import { findDevice } from '../ops/device.js';
import { resample } from '../ops/resample.js';
import { onTape } from '../ops/tape.js';
import type { CompressAllOptions, NodeReport } from './compression.js';
import { type Coordinates, cellOf, checkScalar, coordinateTensor } from './coordinates.js';
import type { Contents, LostNode, OctavesContents } from './files/contents.js';
import { plainMetadata } from './files/json.js';
import { cubeOf, formatFor, type Opened, openedCubeOf, type ReadOptions } from './files/persistence.js';
import { checkKind, contentsBytes, loadBytes, loadPath, savePath } from './files/saving.js';
import {
  type PrefetchOctavesOptions,
  prefetchOctaves,
  type SampledLevels,
  sampleOctavesAsync,
  shareResidency,
} from './lazy/octavesampling.js';
import { checkOpenedKind, type Openable, type OpeningOf, type OpenOptions, openWith } from './lazy/open.js';
import { type MemoryUsage, WavetableMatrix } from './matrix.js';
import { checkMethod } from './methods.js';
import { isOwnSpace } from './octaves/axis.js';
import { type Blending, blendAt, blendEach, checkOctaves, type Octaves } from './octaves/blend.js';
import { firstChannels, withChannels } from './octaves/channels.js';
import { checkEnds, LevelCoords } from './octaves/coords.js';
import {
  checkHierarchy,
  checkOctaveLevels,
  gridOf,
  type HierarchySettings,
  type OctaveBasis,
  type OctaveHierarchyOptions,
  type OctaveLevel,
  octaveRatio,
} from './octaves/levels.js';
import { nodePlaces, placeOfNode } from './octaves/places.js';
import { checkStored, type StoredHierarchy, storedSettings } from './octaves/stored.js';
import { withVariables } from './octaves/untouched.js';
import { resolutionPair } from './options.js';
import { channelsOf, normalizeQuaternions, type SampleOptions } from './sampling/sampling.js';
import { checkWavetable, type Wavetable } from './wavetable.js';

/**
 * Cubes at several scales, octaves, over one domain: sampled at one of them, or between them.
 *
 * Coordinates are those of a grid of width × height × depth nodes, whatever grid a level has: the ends of the axes meet. Levels
 * either hold a whole signal each, at a node resolution that grows with the octave (audio, text), or, with `gridScale` and
 * `resolution: 1`, grids that grow (pyramids of features).
 *
 *     const notes = new OctaveHierarchy(4, 4, 4, { octaveLevels: [-2, 0, 4], baseResolution: [1, 512], channels: 1 })
 *     notes.getMatrix(0).setNode(0, 0, 0, sine)                 // [1, 512, 1]; octave 4 has [1, 1024, 1]
 *     const table = notes.sampleBlended(0.3, 0, 1, -0.5)        // Tensor3D [1, 512, 1]
 *
 *     const features = new OctaveHierarchy(16, 16, 1, { octaveLevels: [0, 1, 2, 3], gridScale: 2, resolution: 1,
 *                                                       basis: 'laplacian', sparse: false, trainable: true })
 */
export class OctaveHierarchy {
  /** The user's own JSON, saved with the hierarchy. */
  metadata: Record<string, unknown>;
  #settings: HierarchySettings;
  #matrices: Record<number, WavetableMatrix> = {};
  #disposed = false;

  /**
   * @param width nodes of the shared index space along x. @param height along y. @param depth along z.
   * @param options every option of WavetableMatrix, for all octaves, and those of OctaveHierarchyOptions.
   * @throws ArgumentError for options that are not what OctaveHierarchyOptions says; DeviceError if a grid does not fit.
   */
  constructor(width: number, height: number, depth: number, options: OctaveHierarchyOptions = {}) {
    this.#settings = checkHierarchy(width, height, depth, options);
    this.metadata = { ...options.metadata };
    try {
      for (const level of this.#settings.levels) {
        this.#matrices[level.octave] = new WavetableMatrix(...gridOf(level), level.options);
      }
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  get width(): number {
    return this.#settings.dims[0];
  }
  get height(): number {
    return this.#settings.dims[1];
  }
  get depth(): number {
    return this.#settings.dims[2];
  }
  /** The octaves, from coarse to fine. */
  get octaves(): number[] {
    return this.#settings.levels.map(({ octave }) => octave);
  }
  /** octave → its cube. They are the hierarchy's own: set and compress nodes there, leave dispose and toBackend to the hierarchy. */
  get matrices(): Readonly<Record<number, WavetableMatrix>> {
    return { ...this.#matrices };
  }
  get basis(): OctaveBasis {
    return this.#settings.basis;
  }
  /** [H, W] of samples between octaves: that of octave 0's nodes, or baseResolution. */
  get resolution(): readonly [height: number, width: number] {
    return this.#settings.resolution;
  }
  /** Of samples: the most that a level has. */
  get channels(): number {
    return this.#settings.channels;
  }
  /** The tfjs backend that holds the nodes. */
  get backend(): string {
    return this.#finest.backend;
  }
  get disposed(): boolean {
    return this.#disposed;
  }
  /** What the file that the hierarchy came from holds no more, where it was read with { recover: true }. */
  get lost(): readonly LostNode[] {
    return this.#settings.levels.flatMap(({ octave }) =>
      (this.#matrices[octave]?.lost ?? []).map((one) => ({ ...one, octave })),
    );
  }

  /** The cube of an octave. @throws ArgumentError for an octave that the hierarchy has not, naming those it has. */
  getMatrix(octave: number): WavetableMatrix {
    this.#alive('getMatrix');
    return this.#matrices[this.#levelOf('getMatrix', octave).octave];
  }

  /**
   * Where a node of an octave lies, in the coordinates that samples are taken at (index space, or of the octave's `axes`; trained
   * positions as WavetableMatrix.options has them); of a shifted grid the outermost lie beyond the ends.
   */
  nodePosition(octave: number, x: number, y: number, z: number): [x: number, y: number, z: number] {
    this.#alive('nodePosition', false);
    const level = this.#levelOf('nodePosition', octave);
    cellOf('nodePosition', gridOf(level), x, y, z);
    return placeOfNode(level, this.#matrices[octave], [x, y, z]);
  }

  // --- sampling

  /**
   * The hierarchy at one octave: of basis 'levels' that octave's cube, of 'laplacian' the sum of all levels up to it.
   * @returns [H, W, C] at the octave's resolution, or the one asked for. Gradients: nodes.
   * @throws ArgumentError for an octave that the hierarchy has not; CoordinateError for coordinates that are not finite.
   */
  sampleAtOctave(octave: number, x: number, y: number, z: number, options: SampleOptions = {}): tf.Tensor3D {
    this.#alive('sampleAtOctave');
    checkScalar('sampleAtOctave', x, y, z);
    return tf.tidy(() => this.#at('sampleAtOctave', octave, [x, y, z], options).squeeze([0]) as tf.Tensor3D);
  }

  /**
   * sampleAtOctave of N coordinates.
   * @param coords [N, 3] in the hierarchy's index space.
   * @returns [N, H, W, C]. Gradients: nodes, coords if a tensor. @throws as WavetableMatrix.sampleBatch.
   */
  sampleBatchAtOctave(octave: number, coords: Coordinates, options: SampleOptions = {}): tf.Tensor4D {
    this.#alive('sampleBatchAtOctave');
    return this.#at('sampleBatchAtOctave', octave, coords, options);
  }

  /**
   * sampleAtOctave at several octaves.
   * @param range [lowest, highest], both included; all octaves by default.
   * @returns octave → [H, W, C], each at its octave's resolution or the one asked for; empty if the range holds none.
   */
  sampleMultiOctave(
    x: number,
    y: number,
    z: number,
    range?: readonly [lowest: number, highest: number],
    options: SampleOptions = {},
  ): Record<number, tf.Tensor3D> {
    this.#alive('sampleMultiOctave');
    checkScalar('sampleMultiOctave', x, y, z);
    const out: Record<number, tf.Tensor3D> = {};
    return tf.tidy(() => {
      for (const octave of this.#within('sampleMultiOctave', range)) {
        out[octave] = this.#at('sampleMultiOctave', octave, [x, y, z], options).squeeze([0]);
      }
      return out;
    });
  }

  /** sampleMultiOctave of N coordinates: octave → [N, H, W, C]. Gradients: nodes, coords if a tensor. */
  sampleBatchMultiOctave(
    coords: Coordinates,
    range?: readonly [lowest: number, highest: number],
    options: SampleOptions = {},
  ): Record<number, tf.Tensor4D> {
    this.#alive('sampleBatchMultiOctave');
    return tf.tidy(() => {
      const out: Record<number, tf.Tensor4D> = {};
      for (const octave of this.#within('sampleBatchMultiOctave', range)) {
        out[octave] = this.#at('sampleBatchMultiOctave', octave, coords, options);
      }
      return out;
    });
  }

  /**
   * The hierarchy between octaves: of basis 'levels' the two octaves around `octave`, blended by the fraction; of 'laplacian' the
   * sum of all levels up to it, and of the next one that fraction. Beyond the outermost octaves it is theirs.
   * @returns [H, W, C] at `resolution`, or the one asked for. Gradients: nodes.
   * @throws CoordinateError for an octave that is not finite; ArgumentError for levels of different channels in basis 'levels'.
   */
  sampleBlended(x: number, y: number, z: number, octave: number, options: SampleOptions = {}): tf.Tensor3D {
    this.#alive('sampleBlended');
    checkScalar('sampleBlended', x, y, z);
    checkNumber('sampleBlended', octave);
    return tf.tidy(() => {
      const { resolution } = this;
      const blend = (blending: Blending, coords: LevelCoords) => blendAt(blending, coords, octave);
      return this.#sample('sampleBlended', [x, y, z], options, resolution, blend).squeeze([0]) as tf.Tensor3D;
    });
  }

  /**
   * sampleBlended of N coordinates.
   * @param coords [N, 3] in the hierarchy's index space. @param octaves one for all, or [N]: a tensor or numbers.
   * @returns [N, H, W, C] at `resolution`, or the one asked for. A row whose coordinate or octave is NaN or infinite is NaN, with zero
   * gradients.
   * Gradients: nodes, coords and octaves if tensors. At an octave the derivative is the right-hand one, at the last the left-hand
   * one, beyond the outermost 0.
   * @throws ShapeError if coords is not [N, 3] or octaves not [N]; else as sampleBlended and WavetableMatrix.sampleBatch.
   */
  sampleBatchBlended(
    coords: Coordinates,
    octaves: number | Octaves,
    options: SampleOptions = {},
  ): tf.Tensor4D {
    const where = 'sampleBatchBlended';
    this.#alive(where);
    if (typeof octaves === 'number') checkNumber(where, octaves);
    return this.#sample(where, coords, options, this.resolution, (blending, given) => {
      if (typeof octaves === 'number') return blendAt(blending, given, octaves);
      checkOctaves(where, octaves, given.count);
      return blendEach(blending, given, octaves);
    });
  }

  /**
   * sampleBatchBlended of a hierarchy that was opened: reads the nodes that it needs of the octaves that it needs, and samples; see
   * WavetableMatrix.sampleBatchAsync.
   * @param coords, octaves as sampleBatchBlended's, as they are at the time of the call. @returns [N, H, W, C]. Not differentiable.
   * @throws as sampleBatchBlended; what reading nodes throws.
   */
  async sampleBatchBlendedAsync(
    coords: Coordinates,
    octaves: number | Octaves,
    options: SampleOptions & { signal?: AbortSignal } = {},
  ): Promise<tf.Tensor4D> {
    const where = 'sampleBatchBlendedAsync';
    this.#alive(where);
    if (typeof octaves === 'number') checkNumber(where, octaves);
    return this.#sampleAsync(where, coords, octaves, options, this.resolution, (at, from, how) =>
      this.sampleBatchBlended(at, from, how),
    );
  }

  /** sampleBatchAtOctave of a hierarchy that was opened; see sampleBatchBlendedAsync. @returns [N, H, W, C]. Not differentiable. */
  async sampleBatchAtOctaveAsync(
    octave: number,
    coords: Coordinates,
    options: SampleOptions & { signal?: AbortSignal } = {},
  ): Promise<tf.Tensor4D> {
    const where = 'sampleBatchAtOctaveAsync';
    this.#alive(where);
    const { resolution } = this.#matrices[this.#levelOf(where, octave).octave];
    return this.#sampleAsync(where, coords, octave, options, resolution, (at, _, how) =>
      this.sampleBatchAtOctave(octave, at, how),
    );
  }

  /**
   * Reads nodes of a hierarchy that was opened, so that they can be sampled at once; see WavetableMatrix.prefetch.
   * @param coords [N, 3] in the hierarchy's index space; by default all nodes. @param options.octaves where between the octaves samples
   * will be taken: one for all, or [N]; by default at all octaves.
   */
  async prefetch(coords?: Coordinates, options: PrefetchOctavesOptions = {}): Promise<void> {
    this.#alive('prefetch');
    await prefetchOctaves('prefetch', this.#sampledLevels, coords, options);
  }

  /**
   * The hierarchy's coordinates (index space, or of its `axes`) of coordinates in [0, 1]: 0 is the start of an axis, 1 its end.
   * @param coords [N, 3]. @returns [N, 3]. Gradients: coords.
   */
  normalized(coords: Coordinates): tf.Tensor2D {
    this.#alive('normalized');
    if (this.#isOneGrid) return this.#finest.normalized(coords);
    const { tensor, made } = coordinateTensor('normalized', coords);
    const out = tf.tidy(() => tf.mul(tensor, tf.tensor1d(this.#settings.dims.map((n) => n - 1))));
    if (made) tensor.dispose();
    return out as tf.Tensor2D;
  }

  // --- pyramids

  /**
   * Makes the pyramid of a wavetable at a node: each octave gets it band-limited to its resolution, in basis 'laplacian' less what
   * the coarser octaves add up to there. Their sum is the wavetable to a rounding of float32 (dtype 'float32', uncompressed).
   * @param wavetable [H, W, C] at the finest octave's resolution; an octave of fewer channels takes the first ones. Not differentiable.
   * @throws ArgumentError if the octaves' grids differ (use setFromField); ShapeError for another shape; CoordinateError outside the
   * grid.
   */
  setFromWavetable(x: number, y: number, z: number, wavetable: Wavetable): void {
    const where = 'setFromWavetable';
    this.#alive(where);
    check(
      this.#isOneGrid,
      () => new ArgumentError(`${where}: all octaves must have the hierarchy's own grid; use setFromField`),
    );
    cellOf(where, this.#settings.dims, x, y, z);
    const finest = this.#finest;
    const shape: [number, number, number] = [...finest.resolution, finest.channels] as never;
    checkWavetable(where, wavetable, shape, finest.dtype);
    tf.tidy(() => {
      const whole = (
        wavetable instanceof tf.Tensor ? wavetable : tf.tensor3d(Float32Array.from(wavetable), shape)
      ).expandDims(0) as tf.Tensor4D;
      const made: { cube: WavetableMatrix; node: tf.Tensor4D }[] = [];
      for (const { octave } of this.#settings.levels) {
        const cube = this.#matrices[octave];
        const [h, w] = cube.resolution;
        let node = firstChannels(resample(whole, h, w, cube.options.periodic), cube.channels);
        if (this.basis === 'laplacian' && made.length > 0) {
          // As sampling adds them up: in the same order, so that the rounding is the same.
          const below = made.map((level) =>
            withChannels(resample(level.node, h, w, level.cube.options.periodic), this.channels),
          );
          node = tf.sub(
            node,
            firstChannels(
              below.reduce((a, b) => tf.add(a, b)),
              cube.channels,
            ),
          );
        }
        made.push({ cube, node });
      }
      for (const { cube, node } of made) cube.setNode(x, y, z, node.squeeze([0]));
    });
  }

  /**
   * Sets all nodes of all octaves from a field over the hierarchy's coordinates, from coarse to fine: each node takes the field at its
   * own place, in basis 'laplacian' less what the coarser octaves give there. At nodes of the finest octave the sum is then the field.
   * @param field of [M, 3] coordinates, as samples are taken at them, and the octave's resolution, which wants [M, h, w, C] (the octave's channels, or more): values
   * as they stand at that octave, so band-limited to its cells where that matters. What it returns is disposed.
   * @param options.method as samples will be taken, default 'linear'.
   * @throws ShapeError for another shape; what `field` throws. Octaves set before stay set then.
   */
  async setFromField(
    field: (
      coords: tf.Tensor2D,
      level: { octave: number; resolution: readonly [number, number] },
    ) => tf.Tensor4D,
    options: Pick<SampleOptions, 'method' | 'a'> = {},
  ): Promise<void> {
    const where = 'setFromField';
    this.#alive(where);
    checkOptionNames(where, options, ['method', 'a']);
    checkMethod(where, options.method, options.a);
    for (const [j, level] of this.#settings.levels.entries()) {
      const cube = this.#matrices[level.octave];
      const places = await nodePlaces(level, cube);
      this.#alive(where);
      const nodesOf = allNodes(gridOf(level));
      const [h, w] = cube.resolution;
      const payload = h * w * cube.channels;
      const step = Math.max(1, Math.floor(CHUNK_FLOATS / (h * w * this.channels)));
      for (let first = 0; first < nodesOf.length; first += step) {
        const part = nodesOf.slice(first, first + step);
        const at = Float32Array.from(part.flatMap((node) => node.map((u, k) => places[k][u])));
        const nodes = tf.tidy(() => {
          const coords = tf.tensor2d(at, [part.length, 3]);
          const { octave } = level;
          let values = field(coords, { octave, resolution: [h, w] });
          const wanted = `[${part.length}, ${h}, ${w}, ${cube.channels} or more]`;
          check(
            values instanceof tf.Tensor &&
              values.rank === 4 &&
              [part.length, h, w].every((n, k) => values.shape[k] === n) &&
              values.shape[3] >= cube.channels,
            () => new ShapeError(where, "field's result", wanted, values?.shape ?? shown(values)),
          );
          values = firstChannels(values, cube.channels);
          if (this.basis === 'levels' || j === 0) return values;
          const below = this.#settings.levels[j - 1].octave;
          const sum = this.#at(where, below, coords, { ...options, resolution: [h, w] }, false);
          return tf.sub(values, firstChannels(sum, cube.channels));
        });
        const values = await nodes.data<'float32'>();
        nodes.dispose();
        this.#alive(where);
        cube.setNodes(part.map(([x, y, z], i) => [x, y, z, values.slice(i * payload, (i + 1) * payload)]));
      }
    }
  }

  /**
   * A hierarchy of one node, the pyramid of a wavetable: see setFromWavetable.
   * @param wavetable [H, W, C], a tensor. @param options as the constructor's; baseResolution is by default what makes the finest octave's
   * resolution that of the wavetable; channels are the wavetable's; basis is 'laplacian' by default.
   */
  static fromWavetable(wavetable: tf.Tensor3D, options: OctaveHierarchyOptions = {}): OctaveHierarchy {
    const where = 'fromWavetable';
    check(
      wavetable instanceof tf.Tensor && wavetable.rank === 3,
      () => new ShapeError(where, 'wavetable', 'a tensor [H, W, C]', wavetable?.shape ?? shown(wavetable)),
    );
    const { octaveLevels, baseResolution, resolution, octaves = {}, basis = 'laplacian', ...rest } = options;
    const sorted = checkOctaveLevels(where, octaveLevels);
    const own: Record<number, NonNullable<OctaveHierarchyOptions['octaves']>[number]> = {};
    const finest = octaveRatio(sorted[sorted.length - 1]);
    for (const octave of sorted) {
      const scaled = (n: number) =>
        n === 1 ? 1 : Math.max(1, Math.round((n * octaveRatio(octave)) / finest));
      const [h, w] = wavetable.shape;
      own[octave] = { resolution: [scaled(h), scaled(w)], ...octaves[octave] };
    }
    const given = baseResolution !== undefined || resolution !== undefined;
    const channels = options.channels ?? wavetable.shape[2];
    const hierarchy = new OctaveHierarchy(1, 1, 1, {
      ...rest,
      channels,
      basis,
      octaveLevels: sorted,
      // Without an octave 0, samples between octaves have the wavetable's own resolution.
      ...(given
        ? { baseResolution, resolution }
        : { baseResolution: [wavetable.shape[0], wavetable.shape[1]] }),
      octaves: given ? octaves : own,
    });
    try {
      hierarchy.setFromWavetable(0, 0, 0, wavetable);
      return hierarchy;
    } catch (error) {
      hierarchy.dispose();
      throw error;
    }
  }

  /**
   * The wavetable at a node, of all octaves together: what setFromWavetable was given.
   * @param x, y, z integers. @returns [H, W, C] at the finest octave's resolution. Gradients: nodes.
   */
  reconstruct(x: number, y: number, z: number): tf.Tensor3D {
    this.#alive('reconstruct');
    cellOf('reconstruct', this.#settings.dims, x, y, z);
    return this.sampleAtOctave(this.octaves[this.octaves.length - 1], x, y, z);
  }

  // --- all levels

  /**
   * The pages of all trainable octaves, oldest first: an optimiser knows its variables by their place, so that new pages come last,
   * whatever their octave. Of dense octaves that is from coarse to fine. See WavetableMatrix.trainableVariables.
   */
  trainableVariables(): tf.Variable[] {
    this.#alive('trainableVariables');
    return this.#cubes.flatMap((cube) => cube.trainableVariables()).sort((a, b) => a.id - b.id);
  }

  /** The variables of axes whose positions are trained, of all octaves: each has its own; see WavetableMatrix.axisVariables. */
  axisVariables(): tf.Variable[] {
    this.#alive('axisVariables');
    return this.#cubes.flatMap((cube) => cube.axisVariables());
  }

  /** WavetableMatrix.compressAll of each octave: octave → a report for each node. onProgress counts each octave by itself. */
  async compressAll(options: CompressAllOptions = {}): Promise<Record<number, NodeReport[]>> {
    this.#alive('compressAll');
    return this.#each((cube) => cube.compressAll(options));
  }

  /** Compresses what was set since the last time, by each octave's own `compression`; see WavetableMatrix.settle. */
  async settle(
    options: Pick<CompressAllOptions, 'signal' | 'onProgress'> = {},
  ): Promise<Record<number, NodeReport[]>> {
    this.#alive('settle');
    return this.#each((cube) => cube.settle(options));
  }

  /** Of all octaves together. */
  getMemoryUsage(): MemoryUsage {
    this.#alive('getMemoryUsage', false);
    const total: MemoryUsage = { nodes: 0, denseBytes: 0, storedBytes: 0, residentBytes: 0, indexBytes: 0 };
    for (const cube of this.#cubes) {
      const usage = cube.getMemoryUsage();
      for (const name of Object.keys(total) as (keyof MemoryUsage)[]) total[name] += usage[name];
    }
    return total;
  }

  /** Bytes of the nodes as dense float32 over their bytes as stored; 1 without nodes. */
  getCompressionRatio(): number {
    const { denseBytes, storedBytes } = this.getMemoryUsage();
    return storedBytes === 0 ? 1 : denseBytes / storedBytes;
  }

  /** A hierarchy with the same nodes; pages share memory until one side writes. `trainable` may be changed. */
  clone(options: { trainable?: boolean } = {}): OctaveHierarchy {
    this.#alive('clone');
    const { levels: own, ...rest } = this.stored();
    const levels: StoredHierarchy['levels'][number][] = [];
    try {
      for (const level of own) levels.push({ ...level, matrix: level.matrix.clone(options) });
      shareResidency(levels.map(({ matrix }) => matrix));
      return OctaveHierarchy.fromStored({ ...rest, metadata: structuredClone(this.metadata), levels });
    } catch (error) {
      for (const { matrix } of levels) matrix.dispose();
      throw error;
    }
  }

  /**
   * Moves all octaves to another tfjs backend, which becomes the active one.
   * @throws DeviceError if that backend cannot start; the hierarchy then stays where it is.
   */
  async toBackend(name: string): Promise<void> {
    this.#alive('toBackend', false);
    const before = tf.getBackend();
    const from = this.backend;
    const moved: WavetableMatrix[] = [];
    try {
      for (const cube of this.#cubes) {
        await cube.toBackend(name);
        moved.push(cube);
      }
    } catch (error) {
      for (const cube of moved) await cube.toBackend(from);
      await tf.setBackend(before);
      throw error;
    }
  }

  // --- files

  /**
   * Saves the hierarchy: a path in Node; in a browser `downloads://name` or `indexeddb://name`.
   * @param options.format default: by the path's ending, else 'npz'.
   */
  async save(path: string, options: { format?: string } & Record<string, unknown> = {}): Promise<void> {
    await savePath(path, options, () => this.#settledContents('save'));
  }

  /** Loads a hierarchy from a path or URL. @throws FormatError for a file that is damaged or of something else. */
  static async load(path: string, options: ReadOptions = {}): Promise<OctaveHierarchy> {
    return loadPath(path, options, onlyHierarchyOf);
  }

  /**
   * Opens a hierarchy whose nodes stay in the file until they are needed; see WavetableMatrix.open. `maxResidentBytes` is of all octaves
   * together.
   */
  static async open(source: Openable, options: OpenOptions = {}): Promise<OctaveHierarchy> {
    return openWith('open', source, options, onlyOpenedHierarchy);
  }

  /** The bytes of a file; nodes are settled first. */
  async toBytes(format = 'npz', options: Record<string, unknown> = {}): Promise<Uint8Array> {
    const how = formatFor('toBytes', format);
    return contentsBytes(await this.#settledContents('toBytes'), how, options);
  }

  /** @param source what errors call the bytes; may be left out before options. @throws FormatError. */
  static async fromBytes(
    bytes: Uint8Array,
    source: string | ReadOptions = 'bytes',
    options: ReadOptions = {},
  ): Promise<OctaveHierarchy> {
    // A name can be left out.
    if (typeof source !== 'string') return OctaveHierarchy.fromBytes(bytes, 'bytes', source);
    return loadBytes(bytes, source, options, onlyHierarchyOf);
  }

  /** What files hold of the hierarchy as it is now, for file formats; writes from now on do not show. To be disposed. */
  contents(): OctavesContents {
    const { levels, ...rest } = this.stored();
    const metadata = plainMetadata('save', rest.metadata);
    // Before a snapshot is taken of any.
    for (const { matrix } of levels) plainMetadata('save', matrix.metadata);
    const places = levels.map(({ octave, shifted, matrix }) => ({
      octave,
      shifted,
      cube: matrix.contents(),
    }));
    return { kind: 'octaves', ...rest, metadata, levels: places };
  }

  async #settledContents(where: string): Promise<OctavesContents> {
    this.#alive(where);
    for (const cube of this.#cubes) await cube.settle();
    return this.contents();
  }

  /** What a file keeps, for file formats; the cubes stay the hierarchy's. */
  stored(): StoredHierarchy {
    this.#alive('stored');
    const { dims, basis, blend, resolution, levels } = this.#settings;
    return {
      width: dims[0],
      height: dims[1],
      depth: dims[2],
      basis,
      blend,
      resolution,
      metadata: this.metadata,
      levels: levels.map(({ octave, axes }) => ({
        octave,
        shifted: axes.map(({ shifted }) => shifted),
        matrix: this.#matrices[octave],
      })),
    };
  }

  /**
   * A hierarchy of cubes that are there, as stored() gave them or made for it. The cubes are the hierarchy's from then on.
   * @throws ArgumentError for levels that cannot be one hierarchy; the cubes then stay the caller's.
   */
  static fromStored(stored: StoredHierarchy): OctaveHierarchy {
    const { width, height, depth, basis, blend, metadata } = stored;
    const { octaveLevels, resolution, boundary } = checkStored(stored);
    // An empty one checks what they have in common.
    const common = { octaveLevels, basis, blend, boundary, resolution, metadata };
    const out = new OctaveHierarchy(width, height, depth, common);
    for (const cube of out.#cubes) cube.dispose();
    out.#matrices = {};
    out.#settings = storedSettings(stored, out.#settings);
    for (const { octave, matrix } of stored.levels) out.#matrices[octave] = matrix;
    return out;
  }

  /** Frees all octaves. Every later call but this one throws DisposedError. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const cube of this.#cubes) cube.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** How Node's console shows a hierarchy. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const { dims, basis } = this.#settings;
    const state = this.#disposed ? 'disposed' : `octaves ${this.octaves.join(', ')} on ${this.backend}`;
    return `OctaveHierarchy ${dims.join(' × ')} of basis '${basis}', ${state}`;
  }

  // --- inside

  /** Whether all octaves have the hierarchy's own grid. */
  get #isOneGrid(): boolean {
    return this.#settings.levels.every(({ axes }) => axes.every(isOwnSpace));
  }

  /** From coarse to fine. */
  get #cubes(): WavetableMatrix[] {
    return this.#settings.levels.flatMap(({ octave }) => this.#matrices[octave] ?? []);
  }

  get #finest(): WavetableMatrix {
    const cubes = this.#cubes;
    return cubes[cubes.length - 1];
  }

  async #each<T>(of: (cube: WavetableMatrix) => Promise<T>): Promise<Record<number, T>> {
    const out: Record<number, T> = {};
    for (const { octave } of this.#settings.levels) out[octave] = await of(this.#matrices[octave]);
    return out;
  }

  get #sampledLevels(): SampledLevels {
    const { basis, levels } = this.#settings;
    const cubeOf = (octave: number) => this.#matrices[octave];
    return { basis, levels, cubeOf, alive: (where) => this.#alive(where) };
  }

  async #sampleAsync(
    where: string,
    coords: Coordinates,
    octaves: number | Octaves,
    { signal, ...options }: SampleOptions & { signal?: AbortSignal },
    byDefault: readonly [number, number],
    sample: (coords: Float32Array, octaves: number | Float32Array, options: SampleOptions) => tf.Tensor4D,
  ): Promise<tf.Tensor4D> {
    checkOptionNames(where, options, ['method', 'a', 'resolution', 'channels']);
    const given = options.resolution;
    const resolution: [number, number] =
      given === undefined ? [byDefault[0], byDefault[1]] : resolutionPair(where, given);
    const choice = checkMethod(where, options.method, options.a);
    const how = { choice, resolution, signal };
    return sampleOctavesAsync(where, this.#sampledLevels, coords, octaves, how, (at, from) =>
      sample(at, from, { ...options, resolution }),
    );
  }

  #at(
    where: string,
    octave: number,
    coords: Coordinates,
    options: SampleOptions,
    finished = true,
  ): tf.Tensor4D {
    const { octave: known } = this.#levelOf(where, octave);
    const { resolution, channels } = this.#matrices[known];
    const blend = (blending: Blending, given: LevelCoords) => blendAt(blending, given, known);
    // Of basis 'levels' that cube alone, with as many channels as it has.
    const own = this.basis === 'levels' ? channels : this.channels;
    return this.#sample(where, coords, options, resolution, blend, finished, own);
  }

  /** @param finished with quaternions normalised; false: what residuals are taken of. */
  #sample(
    where: string,
    coords: Coordinates,
    options: SampleOptions,
    byDefault: readonly [number, number],
    blend: (blending: Blending, coords: LevelCoords) => tf.Tensor4D,
    finished = true,
    channels = this.channels,
  ): tf.Tensor4D {
    checkOptionNames(where, options, ['method', 'a', 'resolution', 'channels']);
    const resolution =
      options.resolution === undefined ? byDefault : resolutionPair(where, options.resolution);
    const wanted = channelsOf(where, options, channels);
    const { method, a } = options;
    checkMethod(where, method, a);
    const { tensor, host, made } = coordinateTensor(where, coords);
    try {
      this.#checkSize(where, tensor.shape[0], resolution);
      const given = new LevelCoords(host ?? tensor);
      checkEnds(where, given, this.#settings);
      return tf.tidy(() => {
        const { levels, basis } = this.#settings;
        const unread = new Set(this.#cubes);
        const level = (j: number, at: LevelCoords) => {
          const cube = this.#matrices[levels[j].octave];
          unread.delete(cube);
          const part = cube.sampleBatch(at.at(levels[j]), { method, a, resolution });
          if (cube.channels === channels) return part;
          check(
            basis === 'laplacian',
            () =>
              new ArgumentError(
                `${where}: octaves of different channels do not blend in basis 'levels'; sample one at a time from getMatrix, or use ` +
                  "basis 'laplacian', where a level adds to the first channels",
              ),
          );
          return withChannels(part, channels);
        };
        let out = blend({ basis, octaves: this.octaves, level }, given);
        if (finished && this.#settings.blend === 'nlerp') out = normalizeQuaternions(out);
        if (onTape()) {
          out = withVariables(
            out,
            [...unread].flatMap((cube) => [...cube.trainableVariables(), ...cube.axisVariables()]),
          );
        }
        if (!wanted) return out;
        const parts = wanted.map((c) => tf.slice(out, [0, 0, 0, c], [-1, -1, -1, 1]));
        return tf.concat(parts, 3) as tf.Tensor4D;
      });
    } finally {
      if (made) tensor.dispose();
    }
  }

  /** The result must be one tensor that the device can bind; a batch is the caller's to split. */
  #checkSize(where: string, n: number, [h, w]: readonly [number, number]): void {
    const bytes = n * h * w * this.channels * 4;
    const limit = findDevice(this.backend)?.maxPageBytes() ?? Number.POSITIVE_INFINITY;
    check(
      bytes <= limit,
      () =>
        new DeviceError(
          `${where}: the result, [${n}, ${h}, ${w}, ${this.channels}], has ${bytes} bytes and the backend ` +
            `'${this.backend}' can bind ${limit}; sample in parts`,
        ),
    );
  }

  /** The octaves in a range, ends included. */
  #within(where: string, range?: readonly [number, number]): number[] {
    if (range === undefined) return this.octaves;
    check(
      Array.isArray(range) &&
        range.length === 2 &&
        range.every((o) => typeof o === 'number' && !Number.isNaN(o)) &&
        range[0] <= range[1],
      () =>
        new ArgumentError(
          `${where}: range must be [lowest, highest] octave, both included, got ${shown(range)}`,
        ),
    );
    return this.octaves.filter((octave) => octave >= range[0] && octave <= range[1]);
  }

  #levelOf(where: string, octave: number): OctaveLevel {
    const level = this.#settings.levels.find((l) => l.octave === octave);
    check(
      level !== undefined,
      () =>
        new ArgumentError(
          `${where}: octave must be one of ${this.octaves.join(', ')}, got ${shown(octave)}; sampleBlended takes those between`,
        ),
    );
    return level;
  }

  #alive(where: string, onBackend = true): void {
    check(!this.#disposed, () => new DisposedError(`${where}: the hierarchy is disposed`));
    const active = tf.getBackend();
    check(
      !onBackend || active === this.backend,
      () =>
        new DeviceError(
          `${where}: the hierarchy is on the backend '${this.backend}' but '${active}' is active; ` +
            `await hierarchy.toBackend('${active}'), or tf.setBackend('${this.backend}')`,
        ),
    );
  }
}

/** The hierarchy of contents that were read. */
async function onlyHierarchyOf(contents: Contents, source: string): Promise<OctaveHierarchy> {
  checkKind(contents, 'octaves', source);
  return hierarchyOf(contents, source);
}

/** The hierarchy of contents. @param source what errors call them. */
export async function hierarchyOf(contents: OctavesContents, source: string): Promise<OctaveHierarchy> {
  const { kind: _, levels: stored, ...rest } = contents;
  return hierarchyWith(rest, stored, source, cubeOf);
}

/** The hierarchy whose cubes `make` makes of what a file holds of each. */
async function hierarchyWith<Cube>(
  rest: Omit<StoredHierarchy, 'levels'>,
  stored: readonly { octave: number; shifted: readonly boolean[]; cube: Cube }[],
  source: string,
  make: (cube: Cube, source: string) => Promise<WavetableMatrix>,
): Promise<OctaveHierarchy> {
  const levels: { octave: number; shifted: readonly boolean[]; matrix: WavetableMatrix }[] = [];
  try {
    for (const { octave, shifted, cube } of stored) {
      levels.push({ octave, shifted, matrix: await make(cube, `${source}:octaves/${octave}`) });
    }
    return OctaveHierarchy.fromStored({ ...rest, levels });
  } catch (cause) {
    for (const { matrix } of levels) matrix.dispose();
    if (!(cause instanceof ArgumentError)) throw cause;
    // What the hierarchy refuses is the file's fault here.
    throw new FormatError(source, cause.message, { cause });
  }
}

async function onlyOpenedHierarchy(opened: Opened, opening: OpeningOf): Promise<OctaveHierarchy> {
  checkOpenedKind(opened, 'octaves', opening.name);
  return openedHierarchyOf(opened, opening);
}

/** The hierarchy of contents that were opened, which stay the caller's where this fails. */
export async function openedHierarchyOf(
  opened: Extract<Opened, { kind: 'octaves' }>,
  opening: OpeningOf,
): Promise<OctaveHierarchy> {
  const { kind: _, levels: stored, ...rest } = opened;
  return hierarchyWith(rest, stored, opening.name, (cube, name) => openedCubeOf(cube, { ...opening, name }));
}

/** Floats of the nodes that setFromField makes at once. */
const CHUNK_FLOATS = 2 ** 22;

function checkNumber(where: string, octave: unknown): void {
  check(
    typeof octave === 'number' && Number.isFinite(octave),
    () => new CoordinateError(`${where}: octave must be a finite number, got ${shown(octave)}`),
  );
}

function allNodes([width, height, depth]: readonly [number, number, number]): [number, number, number][] {
  const out: [number, number, number][] = [];
  for (let x = 0; x < width; x++)
    for (let y = 0; y < height; y++) for (let z = 0; z < depth; z++) out.push([x, y, z]);
  return out;
}
