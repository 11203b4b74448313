import * as tf from '@tensorflow/tfjs';
import { CompressedWavetable } from '../codecs/compressed.js';
import { sizeOf } from '../codecs/parameters.js';
import {
  ArgumentError,
  check,
  checkOptionNames,
  DeviceError,
  DisposedError,
  MissingNodeError,
  ShapeError,
  shown,
} from '../errors.js';
import { activeBackend, findDevice, startBackend } from '../ops/device.js';
import { resample } from '../ops/resample.js';
import { checkFloatTensor } from '../ops/tensors.js';
import { AXIS_NAMES, type AxisName, CubeAxes, endsOf } from './axes.js';
import type { Bank, NodeShape } from './bank.js';
import {
  type CompressAllOptions,
  type CompressibleNodes,
  type CompressionOptions,
  checkedCompression,
  compressCell,
  compressCells,
  type NodeReport,
} from './compression.js';
import { type Coordinates, cellOf, checkScalar, coordinateTensor, nodeOf } from './coordinates.js';
import type { Contents, CubeContents, LostNode } from './files/contents.js';
import { plainMetadata } from './files/json.js';
import { cubeOf, formatFor, type Opened, openedCubeOf, type ReadOptions } from './files/persistence.js';
import { checkKind, contentsBytes, loadBytes, loadPath, savePath } from './files/saving.js';
import { inBatches, restoreNodes, type StoredNode, snapshotNodes } from './files/storednodes.js';
import { type CheckedNode, denseByShape, type GivenNode, lastOfEachCell } from './given.js';
import { type PrefetchOptions, prefetchNodes, sampleAsync } from './lazy/asyncsampling.js';
import type { Role } from './lazy/filenodes.js';
import { checkHere, only } from './lazy/needs.js';
import { checkOpenedKind, type Openable, type OpeningOf, type OpenOptions, openWith } from './lazy/open.js';
import { cloneOpened, type OpenedCube, type Opening, openNodes, rememberOpened } from './lazy/opened.js';
import { appendToFile, checkSavable } from './lazy/savechanges.js';
import {
  checkOptions,
  type MatrixOptions,
  MIXED_NAMES,
  type MixedOptions,
  OPTION_NAMES_BUT_SHAPE,
  type Resolution,
  resolutionPair,
  type Settings,
} from './options.js';
import { adaptiveMethod } from './resolution/autocompress.js';
import { sampleAll, sampleInParts, splatAll } from './sampling/batch.js';
import { decodeNode } from './sampling/blend.js';
import { allNodes, allPages, type SampleOptions, type SamplingState } from './sampling/sampling.js';
import { NodeStore } from './store.js';
import { type Axis, Tangents, type TangentWavetables } from './tangents.js';
import { type SliceOptions, visualizeSlice } from './visualize.js';
import { checkWavetable, shapeOf, type Wavetable } from './wavetable.js';

export interface MemoryUsage {
  /** Nodes set. */
  nodes: number;
  /** Bytes of these nodes, and of the tangents they have, as dense float32. */
  denseBytes: number;
  /**
   * Bytes of these nodes as they are stored; of compressed ones every byte of their containers, header and checksum too, as
   * they were compressed: parameters trained since are saved as they are, and take more. A file adds what names its entries.
   */
  storedBytes: number;
  /** Bytes of what holds them for sampling: rows, unused ones included, what is decoded at hand, and spline coefficients. */
  residentBytes: number;
  /** Bytes of the bookkeeping, host and device. */
  indexBytes: number;
}

type CubeClass<Cube> = new (
  width: number,
  height: number,
  depth: number,
  options?: MatrixOptions & MixedOptions,
) => Cube;

/** What settle() of a cube of mixed resolutions keeps to without a `compression`. */
const AUTO_COMPRESSION = { method: 'auto', quality: 0.95 };

/**
 * A 3-D grid of [H, W, C] wavetables, sampled at fractional coordinates.
 *
 * Index space: integers are nodes, x in [0, width), y in [0, height), z in [0, depth). With `axes`, coordinates are the user's own;
 * nodes keep their integer indices. The nodes live in tensors of the backend that was active when the cube was made. What a call returns is the caller's to dispose.
 *
 *     const cube = new WavetableMatrix(2, 2, 2, { resolution: [1, 256], channels: 1 })
 *     cube.setNode(0, 0, 0, sine)
 *     const table = cube.sample(0.3, 0, 1)        // Tensor3D [1, 256, 1]
 */
export class WavetableMatrix {
  /** Whether nodes may be of any resolution: what MultiResolutionWavetableMatrix is. */
  protected static readonly mixed: boolean = false;
  /** The user's own JSON, saved with the cube. */
  metadata: Record<string, unknown>;
  readonly #settings: Settings;
  readonly #store: NodeStore;
  readonly #axes: CubeAxes;
  readonly #tangents: Tangents;
  #backend: string;
  /** Cells set since the last settle(), in a cube with compression. */
  readonly #pending = new Set<number>();
  /** Ends with the last settle() that was called; never rejects. */
  #settling: Promise<unknown> = Promise.resolve();
  #disposed = false;
  #moving = false;
  /** Of a cube that was opened. */
  #opened: OpenedCube | null = null;
  #lost: readonly LostNode[] = [];

  /**
   * @param width nodes along x. @param height along y. @param depth along z.
   * @throws ArgumentError for options that are not what MatrixOptions says; DeviceError if the grid does not fit.
   */
  constructor(width: number, height: number, depth: number, options: MatrixOptions = {}) {
    this.#settings = checkOptions(width, height, depth, options, new.target.mixed);
    this.metadata = { ...options.metadata };
    this.#backend = activeBackend();
    this.#store = new NodeStore(this.#settings);
    this.#tangents = new Tangents(this.#settings);
    const device = findDevice(this.#backend);
    check(
      device !== undefined || this.dtype === 'float32',
      () =>
        new DeviceError(
          `WavetableMatrix: float16 nodes need Wavecube's own kernels, which '${this.#backend}' has not; ` +
            "await ready() first, or use dtype 'float32'",
        ),
    );
    const limit = device?.maxPageBytes() ?? Number.POSITIVE_INFINITY;
    const nodeBytes = this.#nodeShape.reduce((a, b) => a * b) * (this.dtype === 'float16' ? 2 : 4);
    check(
      Math.max(nodeBytes, this.#store.cells * 4) <= limit,
      () =>
        new DeviceError(
          `WavetableMatrix: one node (${nodeBytes} bytes) and the grid's index (${this.#store.cells * 4} bytes) must each fit ` +
            `into ${limit} bytes, what the backend '${this.#backend}' can bind`,
        ),
    );
    this.#axes = new CubeAxes(this.#settings);
    if (this.sparse) return;
    try {
      this.#fill();
    } catch (error) {
      this.#axes.dispose();
      throw error;
    }
  }

  /** Nodes along x. */
  get width(): number {
    return this.#settings.dims[0];
  }
  /** Nodes along y. */
  get height(): number {
    return this.#settings.dims[1];
  }
  /** Nodes along z. */
  get depth(): number {
    return this.#settings.dims[2];
  }
  /** [H, W] of new nodes and of samples. */
  get resolution(): readonly [height: number, width: number] {
    return this.#settings.resolution;
  }
  get channels(): number {
    return this.#settings.channels;
  }
  get dtype(): Settings['dtype'] {
    return this.#settings.dtype;
  }
  get sparse(): boolean {
    return this.#settings.sparse;
  }
  get trainable(): boolean {
    return this.#settings.trainable;
  }
  /** The tfjs backend that holds the nodes. */
  get backend(): string {
    return this.#backend;
  }
  get disposed(): boolean {
    return this.#disposed;
  }
  /** What the file that the cube came from holds no more, where it was read with { recover: true }. */
  get lost(): readonly LostNode[] {
    return this.#lost;
  }
  /** Everything a cube like this one is made with. */
  get options(): Required<Omit<MatrixOptions, 'pageBytes' | 'metadata'>> {
    const { resolution, channels, dtype, sparse, boundary, missing, trainable, blend, periodic } =
      this.#settings;
    const { compression, cacheBytes } = this.#settings;
    const [x, y, z] = boundary;
    return {
      resolution: [...resolution],
      channels,
      dtype,
      sparse,
      boundary: { x, y, z },
      axes: this.#axes.options(),
      missing,
      trainable,
      blend,
      periodic: { ...periodic },
      compression: structuredClone(compression),
      cacheBytes,
    };
  }

  // --- nodes

  /**
   * Sets the node at integer (x, y, z). Costs the node's bytes, also after the first sample; samples and gradients
   * that were taken before keep the old values.
   * @param wavetable [H, W, C] at the cube's resolution; it is copied. Or a compressed one of that shape, which is
   * stored as it is, and stays the caller's to dispose. Not differentiable: nodes are trained
   * as variables (`trainable`).
   * @throws CoordinateError outside the grid; ShapeError for another shape; DisposedError.
   */
  setNode(x: number, y: number, z: number, wavetable: Wavetable | CompressedWavetable): void {
    this.setEach('setNode', [{ where: 'setNode', x, y, z, wavetable }]);
  }

  /**
   * Sets many nodes: all of them, or none where one is not what setNode takes.
   * @param nodes [x, y, z, wavetable] each.
   */
  setNodes(
    nodes: Iterable<readonly [x: number, y: number, z: number, wavetable: Wavetable | CompressedWavetable]>,
  ): void {
    this.#alive('setNodes');
    check(
      typeof nodes?.[Symbol.iterator] === 'function',
      () => new ArgumentError(`setNodes: nodes must be a list of [x, y, z, wavetable], got ${shown(nodes)}`),
    );
    const given = [...nodes].map((node, i) => {
      const where = `setNodes[${i}]`;
      check(
        Array.isArray(node),
        () => new ArgumentError(`${where}: must be [x, y, z, wavetable], got ${shown(node)}`),
      );
      const [x, y, z, wavetable] = node;
      return { where, x, y, z, wavetable };
    });
    this.setEach('setNodes', given);
  }

  /** Sets nodes: all of them, or none where one is not what the cube takes. */
  protected setEach(where: string, given: readonly GivenNode[]): void {
    this.#alive(where);
    const cubeShape = this.#nodeShape;
    const nodes = lastOfEachCell(given.map((node) => this.#checkedNode(node, cubeShape)));
    for (const same of denseByShape(nodes)) this.#store.set(where, same[0].shape, same);
    this.#store.setPacked(
      where,
      nodes.flatMap(({ packed }) => packed ?? []),
    );
    for (const { cell, compress } of nodes) {
      if (compress) this.#pending.add(cell);
      else this.#pending.delete(cell);
    }
  }

  #checkedNode(
    { where, x, y, z, wavetable, resolution, autoCompress }: GivenNode,
    cubeShape: NodeShape,
  ): CheckedNode {
    const cell = cellOf(where, this.#settings.dims, x, y, z);
    const shape = this.#shapeFor(where, wavetable, resolution, cubeShape);
    if (wavetable instanceof CompressedWavetable) {
      checkCompressed(where, wavetable, shape);
      return { cell, shape, packed: this.#store.packedNode(where, cell, wavetable), compress: false };
    }
    checkWavetable(where, wavetable, shape, this.dtype);
    if (this.#settings.mixed) this.#store.checkForm(where, shape, this.dtype);
    this.#store.checkPackable(where, wavetable);
    return { cell, shape, wavetable, compress: autoCompress ?? this.#settings.autoCompress };
  }

  /**
   * A copy of the node at (x, y, z), [H, W, C] float32 at the node's own resolution.
   * @throws MissingNodeError where there is none; NotResidentError where it is still in the file of an opened cube.
   */
  getNode(x: number, y: number, z: number): tf.Tensor3D {
    this.#alive('getNode');
    return this.#readCell(cellOf('getNode', this.#settings.dims, x, y, z), () =>
      this.#bankOf('getNode', x, y, z),
    );
  }

  hasNode(x: number, y: number, z: number): boolean {
    this.#alive('hasNode');
    return this.#store.has(cellOf('hasNode', this.#settings.dims, x, y, z));
  }

  /**
   * Takes a node out of a sparse cube.
   * @throws MissingNodeError where there is none; ArgumentError on a dense cube, which has all its nodes.
   */
  deleteNode(x: number, y: number, z: number): void {
    this.#alive('deleteNode');
    check(
      this.sparse,
      () =>
        new ArgumentError(
          'deleteNode: a dense cube has all its nodes; make it with sparse: true to delete some',
        ),
    );
    this.#formOf('deleteNode', x, y, z);
    const cell = cellOf('deleteNode', this.#settings.dims, x, y, z);
    this.#store.delete(cell);
    this.#tangents.delete(cell);
    this.#pending.delete(cell);
  }

  /** Nodes set. */
  get nodeCount(): number {
    return this.#store.count;
  }

  /** The places of all nodes, x slowest, without reading them. */
  *positions(): Generator<[x: number, y: number, z: number]> {
    this.#alive('positions');
    for (let cell = 0; cell < this.#store.cells; cell++) {
      if (this.#store.has(cell)) yield nodeOf(this.#settings.dims, cell);
    }
  }

  /** All nodes, x slowest; each wavetable is a copy that the caller disposes. */
  *nodes(): Generator<{ x: number; y: number; z: number; wavetable: tf.Tensor3D }> {
    for (const [x, y, z] of this.positions()) yield { x, y, z, wavetable: this.getNode(x, y, z) };
  }

  // --- tangents

  /**
   * Gives the node at (x, y, z) tangents for method 'hermite': along each axis the derivative of the wavetable with respect to
   * that coordinate. They stay with the node, at the resolution that they are given at, when it is set anew, resized or
   * compressed (tangents are never compressed), and go with it when it is deleted. In a trainable cube they are variables too.
   * @param tangents x, y, z: wavetables [H, W, C] of the node's own shape, copied; those left out stay as they are. An axis of
   * one node needs none. Not differentiable, as setNode.
   * @throws MissingNodeError where there is no node; ShapeError for another shape; nothing is set then.
   */
  setTangents(x: number, y: number, z: number, tangents: TangentWavetables): void {
    this.#alive('setTangents');
    const { shape } = this.#formOf('setTangents', x, y, z);
    const cell = cellOf('setTangents', this.#settings.dims, x, y, z);
    // In files a tangent is one of a node that is there.
    if (this.#opened?.file.isZero(cell)) this.#bankOf('setTangents', x, y, z);
    this.#tangents.set('setTangents', cell, shape, tangents);
  }

  /**
   * Copies of the tangents that the node at (x, y, z) has, [H, W, C] float32 each, the caller's to dispose.
   * @throws MissingNodeError where there is no node; NotResidentError where one of them is still in the file of an opened cube.
   */
  getTangents(x: number, y: number, z: number): { x?: tf.Tensor3D; y?: tf.Tensor3D; z?: tf.Tensor3D } {
    this.#alive('getTangents');
    this.#formOf('getTangents', x, y, z);
    const cell = cellOf('getTangents', this.#settings.dims, x, y, z);
    this.#checkHere('getTangents', [1, 2, 3], [cell]);
    return this.#tangents.get(cell);
  }

  // --- resolution

  /** [H, W] of a node. @throws MissingNodeError where there is none. */
  getResolution(x: number, y: number, z: number): [height: number, width: number] {
    this.#alive('getResolution');
    const [h, w] = this.#formOf('getResolution', x, y, z).shape;
    return [h, w];
  }

  /** The resolution of nodes set from now on, and of samples; nodes that are there keep theirs. */
  setGlobalResolution(resolution: Resolution): void {
    this.#alive('setGlobalResolution');
    this.#settings.resolution = resolutionPair('setGlobalResolution', resolution);
  }

  /** Resamples a node, band-limited, to `factor` times its rows and columns. @throws as resizing by downscaleNode. */
  upscaleNode(x: number, y: number, z: number, factor: number): void {
    this.#scaleNode('upscaleNode', x, y, z, factor, (n) => n * factor);
  }

  /**
   * Resamples a node, band-limited, to 1/`factor` of its rows and columns, at least one.
   * @throws ArgumentError unless factor is a positive integer that divides them (an axis of 1 stays).
   */
  downscaleNode(x: number, y: number, z: number, factor: number): void {
    this.#scaleNode('downscaleNode', x, y, z, factor, (n) => (n === 1 ? 1 : n / factor));
  }

  // --- compression

  /**
   * Compresses a node in place. A node that is set while it is being compressed stays as it was set.
   * @param options.method 'gaussian' (default), 'dct', 'fft', 'wavelet', 'quantized', 'predictive', 'lossless', 'auto', or a provided
   * codec's id. @param options.quality default 0.95; measured against the node as it is now.
   * @returns what became of the node.
   * @throws QualityNotReachedError, and leaves the node as it was; MissingNodeError; the reason of options.signal.
   */
  async compressNode(x: number, y: number, z: number, options: CompressionOptions = {}): Promise<NodeReport> {
    this.#alive('compressNode');
    const how = checkedCompression('compressNode', options);
    this.#formOf('compressNode', x, y, z);
    const cell = cellOf('compressNode', this.#settings.dims, x, y, z);
    return compressCell('compressNode', this.#compressible, cell, how, options.signal);
  }

  /**
   * Compresses all nodes, x slowest; those that cannot reach the quality, would not get smaller, or are not what the codec
   * takes (NaN), stay as they are.
   * @param options as compressNode's; onProgress is called after each node. After an abort each node is whole: as it was,
   * or compressed.
   * @returns a report for each node.
   */
  async compressAll(options: CompressAllOptions = {}): Promise<NodeReport[]> {
    this.#alive('compressAll');
    const cells = Array.from({ length: this.#store.cells }, (_, cell) => cell).filter((cell) =>
      this.#store.has(cell),
    );
    return compressCells('compressAll', this.#compressible, cells, options, (cell) => this.#store.has(cell));
  }

  /**
   * Compresses the nodes that were set since the last time, as the cube's `compression` says; nothing without one (of a cube of
   * mixed resolutions those with autoCompress, their resolution included).
   * save and toBytes do it first. One that is called while another is at work takes its turn after it.
   * @returns a report for each of them. Nodes set meanwhile are left for the next time.
   */
  async settle(options: Pick<CompressAllOptions, 'signal' | 'onProgress'> = {}): Promise<NodeReport[]> {
    this.#alive('settle');
    checkOptionNames('settle', options, ['signal', 'onProgress']);
    const { compression, mixed, periodic } = this.#settings;
    if (this.#axes.mustWait) await this.#axes.refresh();
    if (!compression && !mixed) return [];
    const turn = this.#settling.then(() => {
      this.#alive('settle');
      const { method, quality } = compression ?? AUTO_COMPRESSION;
      const all = {
        method: mixed ? adaptiveMethod('settle', method, periodic) : method,
        quality,
        ...options,
      };
      const pending = (cell: number) => this.#pending.has(cell);
      return compressCells(
        'settle',
        this.#compressible,
        [...this.#pending],
        all,
        pending,
        (cell, { kept }) => {
          if (kept !== 'set meanwhile') this.#pending.delete(cell);
        },
      );
    });
    this.#settling = turn.catch(() => []);
    return turn;
  }

  /** Makes a node dense again, as decoded, and returns it [H, W, C]; a dense one stays. @throws MissingNodeError. */
  decompressNode(x: number, y: number, z: number): tf.Tensor3D {
    this.#alive('decompressNode');
    const bank = this.#bankOf('decompressNode', x, y, z);
    const cell = cellOf('decompressNode', this.#settings.dims, x, y, z);
    const node = this.#read(bank, cell);
    try {
      if (bank.options.codec) this.#makeDense('decompressNode', cell, bank.options.shape, node);
    } catch (error) {
      node.dispose();
      throw error;
    }
    return node;
  }

  /** Makes all nodes dense again. @throws NotResidentError where compressed ones are still in the file of an opened cube. */
  decompressAll(): void {
    this.#alive('decompressAll');
    const { file } = this.#opened ?? {};
    if (file) {
      const inFile = [...file.away()[0]].filter((cell) => file.entry(0, cell)!.codec !== null);
      this.#checkHere('decompressAll', [0], inFile);
    }
    for (const bank of this.#store.banks.filter((b) => b.options.codec)) {
      for (const cell of [...bank.cells()]) {
        tf.tidy(() => this.#makeDense('decompressAll', cell, bank.options.shape, this.#read(bank, cell)));
      }
    }
    this.#store.packed.dropDecoded();
  }

  /** Bytes of the nodes as dense float32 over their bytes as stored; 1 of a cube without nodes. */
  getCompressionRatio(): number {
    const { denseBytes, storedBytes } = this.getMemoryUsage();
    return storedBytes === 0 ? 1 : denseBytes / storedBytes;
  }

  /** The id of the codec that holds a node, null of a dense one. @throws MissingNodeError. */
  getCodec(x: number, y: number, z: number): string | null {
    this.#alive('getCodec');
    return this.#formOf('getCodec', x, y, z).codec;
  }

  /** getCodec of all nodes, by 'x_y_z'. */
  getCodecMap(): Map<string, string | null> {
    return new Map([...this.positions()].map(([x, y, z]) => [`${x}_${y}_${z}`, this.getCodec(x, y, z)]));
  }

  /** The compressed node at (x, y, z), undefined of a dense one; the caller disposes it. Trained parameters are not in it. */
  getCompressed(x: number, y: number, z: number): CompressedWavetable | undefined {
    this.#alive('getCompressed');
    this.#bankOf('getCompressed', x, y, z);
    const bytes = this.#store.packed.get(cellOf('getCompressed', this.#settings.dims, x, y, z));
    return bytes && CompressedWavetable.read(bytes, { verify: false });
  }

  // --- sampling

  /**
   * The cube at fractional (x, y, z).
   * @param options method ('linear'), a, resolution, channels: see SampleOptions.
   * @returns [H, W, C] float32 at the cube's resolution or the one asked for.
   * Gradients: nodes and tangents of a trainable cube.
   * @throws CoordinateError if a coordinate is NaN or infinite; else as sampleBatch.
   */
  sample(x: number, y: number, z: number, options: SampleOptions = {}): tf.Tensor3D {
    this.#alive('sample');
    checkScalar('sample', x, y, z);
    return tf.tidy(() =>
      sampleAll('sample', this.#samplingState, [x, y, z], options).squeeze([0]),
    ) as tf.Tensor3D;
  }

  /**
   * The cube at N fractional coordinates.
   * @param coords [N, 3] index-space (x, y, z); N may be 0.
   * @returns [N, H, W, C] float32. A row whose coordinate is NaN or infinite is NaN, with zero gradients.
   * Gradients: nodes and tangents of a trainable cube, coords if a tensor ('nearest': zero); second order of both, but of
   * 'monotone', whose second derivative throws. The derivative at a node is the right-hand one (at the last the left-hand one),
   * outside a clamped axis 0.
   * `options.method` 'bspline' reads coefficients of all nodes, absent ones as zeros: made once and kept until a node changes (up
   * to 256 MiB, or cacheBytes if more; not at cacheBytes 0), made anew by each call of a trainable cube, whose samples are better
   * taken in one batch. 'monotone' keeps so what it reads, unless the cube is one page at the resolution asked for. 'hermite'
   * needs setTangents. Under missing: 'renormalize' weights of both signs may cancel: their sum is taken for no less than a
   * quarter of the sum of their magnitudes, so that no sample by a cubic exceeds four times its largest node.
   * @throws ShapeError if coords is not [N, 3]; CoordinateError under boundary 'error'; NotResidentError if nodes that it reads are
   * still in the file of an opened cube, which sampleBatchAsync waits for (DeviceError where coordinates are a tensor that cannot be
   * read at once to tell); MissingNodeError under missing 'error' (of 'bspline' if any node is missing), and where 'hermite' lacks a tangent; ArgumentError for a method or `a` that is none,
   * or 'bspline' and 'monotone' under missing 'renormalize'; DeviceError if the result exceeds what the backend can hold, with
   * sampleChunks as the way out, or if a method needs all nodes in one tensor that does.
   */
  sampleBatch(coords: Coordinates, options: SampleOptions = {}): tf.Tensor4D {
    this.#alive('sampleBatch');
    return sampleAll('sampleBatch', this.#samplingState, coords, options);
  }

  /**
   * sampleBatch of a cube that was opened: reads what it needs of the file, and samples. What other calls read meanwhile takes nothing
   * of it away. A batch that needs more than `maxResidentBytes` is sampled in parts. Of any other cube it is sampleBatch.
   * @param coords as sampleBatch's, as they are at the time of the call. @param options as sampleBatch's; `signal` ends the call with its
   * reason.
   * @returns [N, H, W, C]. Not differentiable.
   * @throws as sampleBatch; FormatError for a node that is damaged, ChangedError where the file is another one now.
   */
  async sampleBatchAsync(
    coords: Coordinates,
    options: SampleOptions & { signal?: AbortSignal } = {},
  ): Promise<tf.Tensor4D> {
    const where = 'sampleBatchAsync';
    this.#alive(where);
    return sampleAsync(where, this.#samplingState, this.#opened, coords, options, (how) => this.#alive(how));
  }

  /**
   * Reads nodes of a cube that was opened, so that they can be sampled at once. They stay at hand until other nodes need their room: the
   * least recently used go first, above `maxResidentBytes`. What one call asks for it gets, if that is more, until the next call that reads. Any other cube has its nodes.
   * @param coords [N, 3] where samples, and gradients to coordinates, will be taken; by default all nodes and tangents.
   * @param options.method, options.a as samples will be taken: 'bspline' and 'monotone' read all nodes, 'hermite' tangents too.
   * @param options.signal ends the call with its reason; what has been read stays. @param options.onProgress called as nodes arrive.
   * @throws FormatError for a node that is damaged, ChangedError where the file is another one now; what else was read stays at hand.
   */
  async prefetch(coords?: Coordinates, options: PrefetchOptions = {}): Promise<void> {
    const where = 'prefetch';
    this.#alive(where);
    await prefetchNodes(where, this.#samplingState, this.#opened, coords, options, (how) => this.#alive(how));
  }

  /**
   * sampleBatch in parts, for results that would not fit.
   * @param options.maxBytes of one part, at the resolution asked for or that of the nodes; default 64 MiB.
   * @returns parts in order: `offset` is the first sample's number, `values` [n, H, W, C], the caller's to dispose.
   */
  *sampleChunks(
    coords: Coordinates,
    options: SampleOptions & { maxBytes?: number } = {},
  ): Generator<{ offset: number; values: tf.Tensor4D }> {
    this.#alive('sampleChunks');
    const alive = () => this.#alive('sampleChunks');
    yield* sampleInParts('sampleChunks', this.#samplingState, coords, options, alive);
  }

  /**
   * The adjoint of sampleBatch (of its linear part: `blend` is left out): ⟨sampleBatch(coords, options), values⟩ =
   * Σ ⟨page, splat⟩, pages of tangents too. Pure: adds nothing to the cube.
   * @param values [N, H, W, C] at the cube's resolution.
   * @param options method, and a: as sampleBatch's. 'hermite' gives to nodes and tangents, every other to nodes alone (zeros to
   * tangents); 'bspline' goes back through the prefilter.
   * @returns one tensor a page, shaped as trainableVariables(): [rows, H·W·C]; rowOf says which row is which node.
   * Gradients: values, coords.
   * @throws ShapeError if values is not [N, H, W, C]; ArgumentError for 'monotone', which is not linear in the nodes; else as
   * sampleBatch.
   */
  splat(
    coords: Coordinates,
    values: tf.Tensor4D | tf.Tensor,
    options: Pick<SampleOptions, 'method' | 'a'> = {},
  ): tf.Tensor2D[] {
    this.#alive('splat');
    return splatAll('splat', this.#samplingState, coords, values, options);
  }

  /**
   * The cube's coordinates (index space, or of its `axes`) of coordinates in [0, 1]: 0 is the first node of an axis, 1 the last.
   * @param coords [N, 3]. @returns [N, 3]. Gradients: coords.
   */
  normalized(coords: Coordinates): tf.Tensor2D {
    this.#alive('normalized');
    const { tensor, made } = coordinateTensor('normalized', coords);
    const ends = endsOf(this.#settings);
    const spans = ends.map(([first, last]) => last - first);
    const firsts = ends.map(([first]) => first);
    const out = tf.tidy(() => tf.add(tf.mul(tensor, tf.tensor1d(spans)), tf.tensor1d(firsts)));
    if (made) tensor.dispose();
    return out as tf.Tensor2D;
  }

  // --- training

  /**
   * Where a node, or its tangent along an axis, lies in trainableVariables() and in what splat returns: row `row` of tensor `page`.
   * @throws MissingNodeError where there is none; NotResidentError where it is still in the file of an opened cube.
   */
  rowOf(x: number, y: number, z: number, tangent?: Axis): { page: number; row: number } {
    this.#alive('rowOf');
    const cell = cellOf('rowOf', this.#settings.dims, x, y, z);
    if (tangent !== undefined) this.#checkHere('rowOf', [(AXIS_NAMES.indexOf(tangent) + 1) as Role], [cell]);
    const bank =
      tangent === undefined ? this.#bankOf('rowOf', x, y, z) : this.#tangents.bankOf('rowOf', cell, tangent);
    const place = bank.placeOf(cell);
    return { page: allPages(this.#samplingState).indexOf(place.page), row: place.row };
  }

  /**
   * The pages of a trainable cube, those of tangents included; hand them to an optimiser, or let minimize find them. New pages come last. Nodes set
   * in bulk, or a dense cube, make few large pages; nodes set one by one make more, and each costs a pass a sample.
   * A node set where another was deleted takes over its place, and with it an optimiser's moments. On cpu, tfjs's slice
   * and dataSync give views of a variable, which setNode changes: copy them first.
   */
  trainableVariables(): tf.Variable[] {
    this.#alive('trainableVariables');
    if (!this.trainable) return [];
    return allPages(this.#samplingState).map((page) => page.variable);
  }

  /**
   * The variables of the axes whose positions are trained (x, y, z), [n − 1] each: logits of the gaps between nodes, of which
   * axisPositions makes positions that cannot cross, whatever an optimiser does. Give them to it beside the pages:
   * `[...cube.trainableVariables(), ...cube.axisVariables()]`; these are no part of trainableVariables(), as optimisers know
   * variables by their place in a list, and new pages come last there.
   */
  axisVariables(): tf.Variable[] {
    this.#alive('axisVariables');
    return this.#axes.variables();
  }

  /**
   * The positions of an axis's nodes, [n]; 0 … n − 1 of an axis of index space.
   * Gradients: axisVariables(); the first and the last position are fixed.
   */
  axisPositions(axis: AxisName): tf.Tensor1D {
    this.#alive('axisPositions');
    check(
      AXIS_NAMES.includes(axis),
      () => new ArgumentError(`axisPositions: axis must be 'x', 'y' or 'z', got ${shown(axis)}`),
    );
    return tf.tidy(() => this.#axes.positions(AXIS_NAMES.indexOf(axis)));
  }

  // --- the cube as a whole

  /**
   * A cube whose nodes are those of a tensor.
   * @param tensor [X, Y, Z, H, W, C] float32; copied.
   * @param options as the constructor's, without resolution and channels.
   */
  static fromTensor<Cube extends WavetableMatrix>(
    this: CubeClass<Cube>,
    tensor: tf.Tensor,
    options: Omit<MatrixOptions & MixedOptions, 'resolution' | 'channels'> = {},
  ): Cube {
    checkFloatTensor('fromTensor', 'tensor', tensor);
    check(
      tensor.rank === 6,
      () => new ShapeError('fromTensor', 'tensor', '[X, Y, Z, H, W, C]', tensor.shape),
    );
    const [x, y, z, h, w, c] = tensor.shape;
    checkOptionNames('fromTensor', options, [...OPTION_NAMES_BUT_SHAPE, ...MIXED_NAMES]);
    // Made sparse, so that the nodes are not filled with zeros before they are filled with the tensor's rows.
    const cube = new this(x, y, z, { ...options, sparse: true, resolution: [h, w], channels: c });
    cube.#settings.sparse = options.sparse ?? true;
    try {
      cube.#store.checkPackable('fromTensor', tensor);
      const rows = tensor.reshape([x * y * z, h * w * c]) as tf.Tensor2D;
      try {
        cube.#store.fill('fromTensor', cube.#nodeShape, rows);
        if (cube.#settings.autoCompress) for (let i = 0; i < x * y * z; i++) cube.#pending.add(i);
      } finally {
        rows.dispose();
      }
      return cube;
    } catch (error) {
      cube.dispose();
      throw error;
    }
  }

  /**
   * A cube of nodes that storedNodes gave, as restoreNodes sets them.
   * @param options as the constructor's; with sparse: false, places without a node get zeros.
   */
  static fromStored<Cube extends WavetableMatrix>(
    this: CubeClass<Cube>,
    width: number,
    height: number,
    depth: number,
    options: MatrixOptions & MixedOptions,
    nodes: Iterable<StoredNode>,
  ): Cube {
    // Made sparse: a dense cube of compressed nodes need not fit into memory.
    const cube = new this(width, height, depth, { ...options, sparse: true });
    cube.#settings.sparse = options.sparse ?? true;
    try {
      cube.restoreNodes(nodes);
      if (!cube.sparse) cube.#fill();
      return cube;
    } catch (error) {
      cube.dispose();
      throw error;
    }
  }

  /**
   * A cube of contents that a format read: fromStored of nodes that come in batches.
   * @throws as fromStored, and what reading them throws.
   */
  static async fromContents<Cube extends WavetableMatrix>(
    this: CubeClass<Cube>,
    width: number,
    height: number,
    depth: number,
    options: MatrixOptions & MixedOptions,
    { nodes, expected = [], lost }: Pick<CubeContents, 'nodes' | 'expected' | 'lost'>,
  ): Promise<Cube> {
    const cube = new this(width, height, depth, { ...options, sparse: true });
    cube.#settings.sparse = options.sparse ?? true;
    try {
      for await (const batch of nodes) {
        cube.#alive('load');
        restoreNodes('load', cube.#samplingState, batch, { fresh: true, expected });
      }
      for (const store of cube.#stores) store.restored();
      if (!cube.sparse) cube.#fill();
      cube.#lost = lost ?? [];
      return cube;
    } catch (error) {
      cube.dispose();
      throw error;
    }
  }

  /**
   * A cube of contents that were opened, whose nodes stay in the file until they are needed: what `open` makes cubes with.
   * @param options as the constructor's. @param opening its source is the cube's from then on.
   * @throws FormatError for nodes that are none of such a cube, ArgumentError for options; the source then stays the caller's.
   */
  static fromOpened<Cube extends WavetableMatrix>(
    this: CubeClass<Cube>,
    width: number,
    height: number,
    depth: number,
    options: MatrixOptions & MixedOptions,
    opening: Opening,
  ): Cube {
    const cube = new this(width, height, depth, { ...options, sparse: true });
    cube.#settings.sparse = options.sparse ?? true;
    try {
      cube.#open(openNodes(opening, cube.#samplingState, (where) => cube.#alive(where)));
      cube.#lost = opening.lost ?? [];
      return cube;
    } catch (error) {
      cube.dispose();
      throw error;
    }
  }

  /**
   * All nodes as [X, Y, Z, H, W, C] at the cube's resolution; zeros where there is none. Gradients: nodes.
   * @throws NotResidentError where nodes are still in the file of an opened cube: await prefetch().
   */
  toTensor(): tf.Tensor {
    this.#alive('toTensor');
    this.#checkHere('toTensor', [0], this.#opened?.file.away()[0] ?? []);
    const [h, w] = this.resolution;
    return tf.tidy(() => {
      const shape = [...this.#settings.dims, h, w, this.channels];
      return allNodes(this.#samplingState, [h, w])?.reshape(shape) ?? tf.zeros(shape);
    });
  }

  /**
   * A cube with the same nodes; pages share memory until one side writes. `trainable` may be changed: that of the nodes; axes are
   * trained as they were stated. Of an opened cube one that reads the same file, by itself.
   * @throws NotResidentError for a trainable clone of an opened cube whose nodes are still in the file.
   */
  clone(options: { trainable?: boolean } = {}): this {
    this.#alive('clone');
    checkOptionNames('clone', options, ['trainable']);
    const { file } = this.#opened ?? {};
    if (file && options.trainable) checkHere('clone', file, this.#settings.dims, file.away());
    const [width, height, depth] = this.#settings.dims;
    const twin = new (this.constructor as CubeClass<this>)(width, height, depth, {
      ...this.options,
      ...options,
      axes: this.#axes.statedOptions(),
      sparse: true,
      pageBytes: this.#settings.pageBytes,
      metadata: structuredClone(this.metadata),
    });
    twin.#settings.sparse = this.sparse;
    this.#store.cloneInto(twin.#store);
    this.#tangents.cloneInto(twin.#tangents);
    twin.#axes.copyFrom(this.#axes);
    for (const cell of this.#pending) twin.#pending.add(cell);
    if (file && twin.trainable && !twin.sparse) twin.#fill();
    else if (file && !twin.trainable) {
      twin.#open(cloneOpened(file, twin.#samplingState, (where) => twin.#alive(where)));
    }
    return twin;
  }

  /**
   * Moves the cube to another tfjs backend, which becomes the active one. Variables keep their identity.
   * @throws DeviceError if that backend cannot start; the cube then stays where it is.
   */
  async toBackend(name: string): Promise<void> {
    this.#alive('toBackend', false);
    if (name === this.#backend && name === tf.getBackend()) return;
    this.#moving = true;
    try {
      await this.#move(name);
    } finally {
      this.#moving = false;
    }
  }

  async #move(name: string): Promise<void> {
    const before = tf.getBackend();
    const pages = (await Promise.all(this.#stores.map((store) => store.read()))).flat();
    const knots = await this.#axes.read();
    check(
      name === before || (await startBackend(name)),
      () => new DeviceError(`toBackend: tfjs has no backend '${name}' that starts`),
    );
    try {
      check(!this.#disposed, () => new DisposedError('toBackend: the cube was disposed meanwhile'));
      this.#store.write(pages);
      this.#axes.write(knots);
      for (const store of this.#stores) store.dropIndex();
    } catch (error) {
      await tf.setBackend(before);
      throw error;
    }
    this.#backend = name;
  }

  getMemoryUsage(): MemoryUsage {
    this.#alive('getMemoryUsage', false);
    const { packed, full } = this.#store;
    const banks = this.#stores.flatMap((store) => store.banks);
    const sum = (of: (bank: Bank) => number) => banks.reduce((total, bank) => total + of(bank), 0);
    const away = this.#opened?.file.awayBytes() ?? { denseBytes: 0, storedBytes: 0 };
    return {
      nodes: this.nodeCount,
      denseBytes: sum((bank) => bank.count * sizeOf(bank.options.shape) * 4) + away.denseBytes,
      storedBytes:
        sum((bank) => (bank.options.codec ? 0 : bank.count * bank.lanes * 4)) +
        packed.storedBytes +
        away.storedBytes,
      residentBytes: sum((bank) => bank.residentBytes) + packed.cachedBytes + full.residentBytes,
      indexBytes: this.#stores.reduce((total, store) => total + store.indexBytes, 0),
    };
  }

  /** A slice through the cube as a picture [rows, columns, 3]; see SliceOptions. encodePng makes a file of it. */
  visualizeSlice(options: SliceOptions = {}): tf.Tensor3D {
    this.#alive('visualizeSlice');
    return visualizeSlice(this, options);
  }

  // --- files

  /**
   * Saves the cube: a path in Node; in a browser `downloads://name` or `indexeddb://name`. Whole or not at all.
   * @param options.format default: by the path's ending, else 'npz'. Others are the format's.
   */
  async save(path: string, options: { format?: string } & Record<string, unknown> = {}): Promise<void> {
    await savePath(path, options, () => this.#settledContents('save'));
  }

  /**
   * Opens a cube whose nodes stay in the file until they are needed: reads header and index only. prefetch and sampleBatchAsync read
   * nodes; what is sampled at once must be at hand (NotResidentError). Nodes that are set, deleted or compressed are the cube's own from
   * then on; save writes all.
   * @param source a path or URL, bytes, a Blob, or a Source, which is the cube's from then on: dispose closes it, as every failure does.
   * @param options see OpenOptions. With { recover: true } every node is read once, and not kept, so that `lost` names all that are
   * damaged; the cube has the others.
   * @returns a cube of the class that it was saved from.
   * @throws FormatError for a file that is damaged or of something else, or in a format that is not read node by node (npz): load()
   * reads it whole; ArgumentError for a trainable cube.
   */
  static async open(source: Openable, options: OpenOptions = {}): Promise<WavetableMatrix> {
    return openWith('open', source, options, onlyOpenedCube);
  }

  /**
   * Loads a cube from a path or URL; the format is told by the file's first bytes.
   * @throws FormatError for a file that is damaged or of something else, which names the offset and the node.
   */
  static async load(path: string, options: ReadOptions = {}): Promise<WavetableMatrix> {
    return loadPath(path, options, onlyCubeOf);
  }

  /**
   * Adds to the file that the cube was opened from, in place, what has changed since: nodes that were set, compressed or deleted, tangents
   * and metadata; of a .wvcb file on a disk. At any moment, after a crash too, the file is the old one or the new one, and other readers
   * go on with what they opened. What was there before stays unused in the file until `compact`.
   * @returns whether there was anything to write.
   * @throws ChangedError where the file has been changed by another since it was opened, with nothing written; StorageError while another
   * writes to it; ArgumentError for a cube that was not opened from such a path.
   */
  async saveChanges(): Promise<boolean> {
    this.#alive('saveChanges');
    const opened = this.#opened;
    checkSavable('saveChanges', opened);
    const about = async () => {
      const { nodes: _, count: __, dispose, ...rest } = await this.#settledContents('saveChanges');
      dispose();
      return rest;
    };
    return appendToFile('saveChanges', opened, about, (where) => this.#alive(where, false));
  }

  async toBytes(format = 'npz', options: Record<string, unknown> = {}): Promise<Uint8Array> {
    const how = formatFor('toBytes', format);
    return contentsBytes(await this.#settledContents('toBytes'), how, options);
  }

  /** @param source what errors call the bytes; may be left out before options. */
  static async fromBytes(
    bytes: Uint8Array,
    source: string | ReadOptions = 'bytes',
    options: ReadOptions = {},
  ): Promise<WavetableMatrix> {
    // A name can be left out.
    if (typeof source !== 'string') return WavetableMatrix.fromBytes(bytes, 'bytes', source);
    return loadBytes(bytes, source, options, onlyCubeOf);
  }

  /** What files hold of the cube as it is now, for file formats; writes from now on do not show. To be disposed. */
  contents(): CubeContents {
    this.#alive('contents');
    const metadata = plainMetadata('save', this.metadata);
    const { nodes, count, dispose } = snapshotNodes(this.#samplingState);
    return {
      kind: 'cube',
      width: this.width,
      height: this.height,
      depth: this.depth,
      options: this.options,
      metadata,
      count,
      nodes: inBatches(nodes),
      dispose,
    };
  }

  async #settledContents(where: string): Promise<CubeContents> {
    this.#alive(where);
    // Without what could be pending not even a turn of the event loop: writes from now on do not show.
    if (this.#settings.compression || this.#settings.mixed || this.#axes.mustWait) await this.settle();
    return this.contents();
  }

  /**
   * Every node as it is stored, for file formats: float32 values, or halves as 16-bit words; then the nodes' tangents, each by
   * itself. Writes while they are read do not show.
   */
  async *storedNodes(): AsyncGenerator<StoredNode> {
    this.#alive('storedNodes');
    yield* snapshotNodes(this.#samplingState).nodes;
  }

  /**
   * Sets nodes of any resolution, and their tangents, from what storedNodes gave, bit for bit; all of them, or none if one is
   * wrong. A tangent must be of a node that is among them, or that the cube has.
   */
  restoreNodes(nodes: Iterable<StoredNode>): void {
    this.#alive('restoreNodes');
    restoreNodes('restoreNodes', this.#samplingState, nodes);
  }

  /** Frees the nodes. Every later call but this one throws DisposedError. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#opened?.loader.dispose();
    for (const store of this.#stores) store.dispose();
    this.#opened?.file.dispose();
    this.#opened = null;
    this.#axes.dispose();
  }

  /** How Node's console shows a cube. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const [h, w] = this.resolution;
    const state = this.#disposed ? 'disposed' : `${this.nodeCount} nodes on ${this.#backend}`;
    return `${this.constructor.name} ${this.#settings.dims.join(' × ')} of [${h}, ${w}, ${this.channels}] ${this.dtype}, ${state}`;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  // --- inside

  get #compressible(): CompressibleNodes {
    const store = this.#store;
    return {
      has: (cell) => store.has(cell),
      codec: (cell) => this.#formAt(cell)?.codec ?? null,
      read: (cell) => this.#readCell(cell, () => store.find(cell)!),
      resolution: (cell) => {
        const [h, w] = this.#formAt(cell)!.shape;
        return [h, w];
      },
      storedBytes: (cell) => this.#formAt(cell)!.storedBytes,
      hold: this.#opened
        ? (where, cell, signal) => this.#opened!.loader.load(where, only(0, [cell]), { signal })
        : undefined,
      watch: (cell) => store.watch(cell),
      replace: (where, cell, compressed) => {
        store.setPacked(where, [store.packedNode(where, cell, compressed)]);
        this.#pending.delete(cell);
      },
      place: (cell) => nodeOf(this.#settings.dims, cell),
      trim: () => store.trim(),
      alive: (where) => this.#alive(where),
    };
  }

  #makeDense(where: string, cell: number, shape: NodeShape, wavetable: tf.Tensor3D): void {
    this.#store.checkForm(where, shape, this.dtype);
    this.#store.checkPackable(where, wavetable);
    this.#store.set(where, shape, [{ cell, wavetable }]);
  }

  /** [H, W, C] that a node has to have: in a cube of mixed resolutions the one it says it has. */
  #shapeFor(
    where: string,
    wavetable: Wavetable | CompressedWavetable,
    resolution: Resolution | undefined,
    cubeShape: NodeShape,
  ): NodeShape {
    if (!this.#settings.mixed) return cubeShape;
    const given = resolution === undefined ? undefined : resolutionPair(where, resolution);
    return shapeOf(wavetable, given, cubeShape);
  }

  /** Watches a node; the result says whether it was set, compressed or deleted meanwhile, and ends the watch. */
  protected watchNode(where: string, x: number, y: number, z: number): () => boolean {
    return this.#store.watch(cellOf(where, this.#settings.dims, x, y, z));
  }

  /** Whether settle() is to compress a dense node that is there. */
  protected leavePending(
    where: string,
    [x, y, z]: readonly [number, number, number],
    compress: boolean,
  ): void {
    const cell = cellOf(where, this.#settings.dims, x, y, z);
    if (compress && !this.#store.find(cell)?.options.codec) this.#pending.add(cell);
    else this.#pending.delete(cell);
  }

  /** @throws DisposedError, or DeviceError where the cube cannot be written now. */
  protected checkAlive(where: string): void {
    this.#alive(where);
  }

  get #nodeShape(): NodeShape {
    return [...this.#settings.resolution, this.#settings.channels];
  }

  /** Gives a dense cube the nodes that it lacks, as zeros, or leaves nothing behind. */
  #fill(): void {
    const lacking = this.#store.cells - this.#store.count;
    const bytes = sizeOf(this.#nodeShape) * (this.dtype === 'float16' ? 2 : 4) * lacking;
    const limit = findDevice(this.#backend)?.maxTotalBytes ?? Number.POSITIVE_INFINITY;
    check(
      bytes < limit,
      () =>
        new DeviceError(
          `WavetableMatrix: ${this.#settings.dims.join(' × ')} nodes of [${this.#nodeShape.join(', ')}] need ` +
            `${(bytes / 2 ** 30).toFixed(1)} GiB, and the backend '${this.#backend}' holds ${limit / 2 ** 30}; ` +
            'make the cube sparse, or check resolution (default 512) and channels (default 4)',
        ),
    );
    try {
      if (lacking === this.#store.cells) {
        this.#store.fill('WavetableMatrix', this.#nodeShape);
      } else {
        const wavetable = new Float32Array(lacking && sizeOf(this.#nodeShape));
        const cells = Array.from({ length: this.#store.cells }, (_, cell) => cell);
        const absent = cells.filter((cell) => !this.#store.has(cell));
        this.#store.set(
          'WavetableMatrix',
          this.#nodeShape,
          absent.map((cell) => ({ cell, wavetable })),
        );
      }
    } catch (error) {
      this.#store.dispose();
      throw error;
    }
  }

  #alive(where: string, onBackend = true): void {
    check(!this.#disposed, () => new DisposedError(`${where}: the cube is disposed`));
    check(
      !this.#moving,
      () => new DeviceError(`${where}: the cube is moving to another backend; await toBackend first`),
    );
    if (!onBackend) return;
    const active = tf.getBackend();
    check(
      active === this.#backend,
      () =>
        new DeviceError(
          `${where}: the cube is on the backend '${this.#backend}' but '${active}' is active; ` +
            `await cube.toBackend('${active}'), or tf.setBackend('${this.#backend}')`,
        ),
    );
  }

  /** @throws MissingNodeError where there is no node; NotResidentError where it is still in the file. */
  #bankOf(where: string, x: number, y: number, z: number): Bank {
    const cell = cellOf(where, this.#settings.dims, x, y, z);
    const found = this.#store.find(cell);
    if (found) return found;
    const form = this.#formOf(where, x, y, z);
    this.#checkHere(where, [0], [cell]);
    // Zeros of a dense cube that was opened, which nobody has needed yet.
    const wavetable = new Float32Array(sizeOf(form.shape));
    this.#store.set(where, form.shape, [{ cell, wavetable }]);
    return this.#store.find(cell)!;
  }

  /** What a node is as it is stored, at hand or not. @throws MissingNodeError where there is none. */
  #formOf(where: string, x: number, y: number, z: number): NodeForm {
    const form = this.#formAt(cellOf(where, this.#settings.dims, x, y, z));
    check(form !== undefined, () => new MissingNodeError(where, [x, y, z]));
    return form;
  }

  #formAt(cell: number): NodeForm | undefined {
    const bank = this.#store.find(cell);
    if (!bank) return this.#opened?.file.describe(cell);
    const { shape, codec } = bank.options;
    const storedBytes = this.#store.packed.get(cell)?.length ?? bank.lanes * 4;
    return { shape, codec: codec?.codec ?? null, storedBytes };
  }

  /** @throws NotResidentError where one of the cells' nodes or tangents is still in the file. */
  #checkHere(where: string, roles: readonly Role[], cells: Iterable<number>): void {
    if (!this.#opened) return;
    const all = [...cells];
    for (const role of roles) checkHere(where, this.#opened.file, this.#settings.dims, only(role, all));
  }

  #open(opened: OpenedCube): void {
    this.#opened = opened;
    rememberOpened(this, opened);
  }

  /** A copy of a cell's node. @param bankOf the bank that has it, at the latest now. */
  #readCell(cell: number, bankOf: () => Bank): tf.Tensor3D {
    if (this.#opened?.file.isZero(cell)) return tf.zeros([...this.#formAt(cell)!.shape]);
    return this.#read(bankOf(), cell);
  }

  /** A copy of a node, decoded if it is compressed. */
  #read(bank: Bank, cell: number): tf.Tensor3D {
    if (!bank.options.codec) return bank.read(cell) as tf.Tensor3D;
    return tf.tidy(() => decodeNode(this.#store, bank, cell, this.#settings));
  }

  #scaleNode(
    where: string,
    x: number,
    y: number,
    z: number,
    factor: number,
    scaled: (n: number) => number,
  ): void {
    this.#alive(where);
    const cell = cellOf(where, this.#settings.dims, x, y, z);
    const [h, w, c] = this.#bankOf(where, x, y, z).options.shape;
    const shape: NodeShape = [scaled(h), scaled(w), c];
    check(
      Number.isInteger(factor) && factor >= 1 && shape.every((n) => Number.isInteger(n) && n >= 1),
      () =>
        new ArgumentError(
          `${where}: factor must be a positive integer that divides ${h} × ${w}, got ${factor}`,
        ),
    );
    this.#store.checkForm(where, shape, this.dtype);
    tf.tidy(() => {
      const node = this.getNode(x, y, z).expandDims(0) as tf.Tensor4D;
      const resized = resample(node, shape[0], shape[1], this.#settings.periodic);
      const wavetable = resized.squeeze([0]);
      this.#store.checkPackable(where, wavetable);
      this.#store.set(where, shape, [{ cell, wavetable }]);
    });
    if (this.#settings.autoCompress) this.#pending.add(cell);
  }

  get #samplingState(): SamplingState {
    return {
      store: this.#store,
      tangents: this.#tangents,
      axes: this.#axes,
      settings: this.#settings,
      file: this.#opened?.file ?? null,
    };
  }

  /** Of the nodes, and of their tangents. */
  get #stores(): NodeStore[] {
    return [this.#store, ...this.#tangents.stores];
  }
}

async function onlyOpenedCube(opened: Opened, opening: OpeningOf): Promise<WavetableMatrix> {
  checkOpenedKind(opened, 'cube', opening.name);
  return openedCubeOf(opened, opening);
}

async function onlyCubeOf(contents: Contents, source: string): Promise<WavetableMatrix> {
  checkKind(contents, 'cube', source);
  return cubeOf(contents, source);
}

/** A node as it is stored. */
interface NodeForm {
  shape: NodeShape;
  /** null of a dense one. */
  codec: string | null;
  storedBytes: number;
}

function checkCompressed(where: string, { shape }: CompressedWavetable, wanted: NodeShape): void {
  check(
    shape.every((n, i) => n === wanted[i]),
    () => new ShapeError(where, 'wavetable', `[${wanted.join(', ')}]`, shape),
  );
}
