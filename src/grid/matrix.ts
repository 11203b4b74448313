import * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, DeviceError, DisposedError, MissingNodeError, ShapeError } from '../errors.js';
import { activeBackend, findDevice } from '../ops/device.js';
import { resample } from '../ops/resample.js';
import { Bank, type NodeShape } from './bank.js';
import {
  type Coordinates,
  cellOf,
  checkPolicies,
  checkScalar,
  coordinateTensor,
  nodeOf,
} from './coordinates.js';
import {
  boundaryCodes,
  checkOptions,
  type MatrixOptions,
  type Resolution,
  resolutionPair,
  type Settings,
} from './options.js';
import { formatFor, sniffFormat, storageFor } from './persistence.js';
import { channelsOf, normalizeQuaternions, type SampleOptions, sampleBanks, splatBanks } from './sampling.js';
import { type SliceOptions, visualizeSlice } from './visualize.js';
import { checkWavetable, hostValues, type Wavetable } from './wavetable.js';

export interface MemoryUsage {
  /** Nodes set. */
  nodes: number;
  /** Bytes of these nodes as dense float32. */
  denseBytes: number;
  /** Bytes of these nodes as they are stored. */
  storedBytes: number;
  /** Bytes of the tensors that hold them, unused rows included. */
  residentBytes: number;
  /** Bytes of the bookkeeping, host and device. */
  indexBytes: number;
}

/** A node at (x, y, z) as its bank stores it. */
export interface StoredNode {
  x: number;
  y: number;
  z: number;
  shape: NodeShape;
  values: Float32Array | Uint16Array;
}

/** What a page holds at most unless the cube says otherwise: a sparse one is copied when it grows. */
const SPARSE_PAGE_BYTES = 256 * 2 ** 20;
const DENSE_PAGE_BYTES = 2 ** 30;

/**
 * A 3-D grid of [H, W, C] wavetables, sampled at fractional coordinates with trilinear interpolation.
 *
 * Index space: integers are nodes, x in [0, width), y in [0, height), z in [0, depth). The nodes live in tensors of
 * the backend that was active when the cube was made. What a call returns is the caller's to dispose.
 *
 *     const cube = new WavetableMatrix(2, 2, 2, { resolution: [1, 256], channels: 1 })
 *     cube.setNode(0, 0, 0, sine)
 *     const table = cube.sample(0.3, 0, 1)        // Tensor3D [1, 256, 1]
 */
export class WavetableMatrix {
  /** The user's own JSON, saved with the cube. */
  metadata: Record<string, unknown>;
  readonly #settings: Settings;
  readonly #banks: Bank[] = [];
  #presence: { version: number; grid: tf.Tensor3D } | null = null;
  #backend: string;
  #disposed = false;

  /**
   * @param width nodes along x. @param height along y. @param depth along z.
   * @throws ArgumentError for options that are not what MatrixOptions says; DeviceError if the grid does not fit.
   */
  constructor(width: number, height: number, depth: number, options: MatrixOptions = {}) {
    this.#settings = checkOptions(width, height, depth, options);
    this.metadata = { ...options.metadata };
    this.#backend = activeBackend();
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
      Math.max(nodeBytes, this.#cells * 4) <= limit,
      () =>
        new DeviceError(
          `WavetableMatrix: one node (${nodeBytes} bytes) and the grid's index (${this.#cells * 4} bytes) must each fit ` +
            `into ${limit} bytes, what the backend '${this.#backend}' can bind`,
        ),
    );
    if (!this.sparse) this.#bankFor(this.#nodeShape).fill();
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
  /** Everything a cube like this one is made with. */
  get options(): Required<Omit<MatrixOptions, 'pageBytes' | 'metadata'>> {
    const { resolution, channels, dtype, sparse, boundary, missing, trainable, blend, periodic } =
      this.#settings;
    const [x, y, z] = boundary;
    return {
      resolution: [...resolution],
      channels,
      dtype,
      sparse,
      boundary: { x, y, z },
      missing,
      trainable,
      blend,
      periodic: { ...periodic },
    };
  }

  // --- nodes

  /**
   * Sets the node at integer (x, y, z). Costs the node's bytes, also after the first sample; samples and gradients
   * that were taken before keep the old values.
   * @param wavetable [H, W, C] at the cube's resolution; it is copied. Not differentiable: use fromTensor's op-level
   * kin, `trainable`, to train nodes.
   * @throws CoordinateError outside the grid; ShapeError for another shape; DisposedError.
   */
  setNode(x: number, y: number, z: number, wavetable: Wavetable): void {
    this.#alive('setNode');
    const cell = cellOf('setNode', this.#settings.dims, x, y, z);
    checkWavetable('setNode', wavetable, this.#nodeShape);
    this.#setShaped('setNode', cell, this.#nodeShape, wavetable);
  }

  /**
   * Sets many nodes: all of them, or none where one is not what setNode takes.
   * @param nodes [x, y, z, wavetable] each.
   */
  setNodes(nodes: Iterable<readonly [x: number, y: number, z: number, wavetable: Wavetable]>): void {
    this.#alive('setNodes');
    const all = [...nodes].map(([x, y, z, wavetable], i) => {
      const where = `setNodes[${i}]`;
      const cell = cellOf(where, this.#settings.dims, x, y, z);
      checkWavetable(where, wavetable, this.#nodeShape);
      this.#refuseDeviceHalves(where, wavetable);
      return { cell, wavetable };
    });
    if (all.length === 0) return;
    const bank = this.#bankFor(this.#nodeShape);
    bank.reserve(
      bank.count + new Set(all.filter(({ cell }) => !bank.has(cell)).map(({ cell }) => cell)).size,
    );
    for (const { cell, wavetable } of all) this.#setShaped('setNodes', cell, this.#nodeShape, wavetable);
  }

  /**
   * A copy of the node at (x, y, z), [H, W, C] float32 at the node's own resolution.
   * @throws MissingNodeError where there is none.
   */
  getNode(x: number, y: number, z: number): tf.Tensor3D {
    this.#alive('getNode');
    return this.#bankOf('getNode', x, y, z).read(cellOf('getNode', this.#settings.dims, x, y, z));
  }

  hasNode(x: number, y: number, z: number): boolean {
    this.#alive('hasNode');
    return this.#find(cellOf('hasNode', this.#settings.dims, x, y, z)) !== undefined;
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
    this.#bankOf('deleteNode', x, y, z).delete(cellOf('deleteNode', this.#settings.dims, x, y, z));
  }

  /** Nodes set. */
  get nodeCount(): number {
    return this.#banks.reduce((sum, bank) => sum + bank.count, 0);
  }

  /** The places of all nodes, x slowest, without reading them. */
  *positions(): Generator<[x: number, y: number, z: number]> {
    this.#alive('positions');
    for (let cell = 0; cell < this.#cells; cell++)
      if (this.#find(cell)) yield nodeOf(this.#settings.dims, cell);
  }

  /** All nodes, x slowest; each wavetable is a copy that the caller disposes. */
  *nodes(): Generator<{ x: number; y: number; z: number; wavetable: tf.Tensor3D }> {
    for (const [x, y, z] of this.positions()) yield { x, y, z, wavetable: this.getNode(x, y, z) };
  }

  // --- resolution

  /** [H, W] of a node. @throws MissingNodeError where there is none. */
  getResolution(x: number, y: number, z: number): [height: number, width: number] {
    this.#alive('getResolution');
    const [h, w] = this.#bankOf('getResolution', x, y, z).options.shape;
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

  // --- sampling

  /**
   * The cube at fractional (x, y, z).
   * @returns [H, W, C] float32 at the cube's resolution or the one asked for.
   * Gradients: nodes of a trainable cube.
   * @throws CoordinateError if a coordinate is NaN or infinite; else as sampleBatch.
   */
  sample(x: number, y: number, z: number, options: SampleOptions = {}): tf.Tensor3D {
    this.#alive('sample');
    checkScalar('sample', x, y, z);
    return tf.tidy(() => this.sampleBatch([[x, y, z]], options).squeeze([0])) as tf.Tensor3D;
  }

  /**
   * The cube at N fractional coordinates.
   * @param coords [N, 3] index-space (x, y, z); N may be 0.
   * @returns [N, H, W, C] float32. A row whose coordinate is NaN or infinite is NaN, with zero gradients.
   * Gradients: nodes of a trainable cube, coords if a tensor; second order of both. The derivative at a node is the
   * right-hand one (at the last the left-hand one), outside a clamped axis 0.
   * @throws ShapeError if coords is not [N, 3]; CoordinateError under boundary 'error', MissingNodeError under missing
   * 'error'; DeviceError if the result exceeds what the backend can hold, with sampleChunks as the way out.
   */
  sampleBatch(coords: Coordinates, options: SampleOptions = {}): tf.Tensor4D {
    this.#alive('sampleBatch');
    const [h, w] =
      options.resolution === undefined ? this.resolution : resolutionPair('sampleBatch', options.resolution);
    const channels = channelsOf('sampleBatch', options, this.channels);
    checkMethod(options.method);
    const { tensor, made } = coordinateTensor('sampleBatch', coords);
    try {
      this.#checkSize('sampleBatch', tensor.shape[0], h, w);
      checkPolicies('sampleBatch', tensor, this.#settings, (cell) => this.#find(cell) !== undefined);
      return tf.tidy(() => {
        let out = sampleBanks(this.#samplingState(), tensor, [h, w]);
        if (this.#settings.blend === 'nlerp') out = normalizeQuaternions(out);
        return channels
          ? tf.concat(
              channels.map((c) => tf.slice(out, [0, 0, 0, c], [-1, -1, -1, 1])),
              3,
            )
          : out;
      }) as tf.Tensor4D;
    } finally {
      if (made) tensor.dispose();
    }
  }

  /**
   * sampleBatch in parts, for results that would not fit.
   * @param options.maxBytes of one part's result; default 64 MiB.
   * @returns parts in order: `offset` is the first sample's number, `values` [n, H, W, C], the caller's to dispose.
   */
  *sampleChunks(
    coords: Coordinates,
    options: SampleOptions & { maxBytes?: number } = {},
  ): Generator<{ offset: number; values: tf.Tensor4D }> {
    this.#alive('sampleChunks');
    const { maxBytes = 64 * 2 ** 20, ...rest } = options;
    const [h, w] =
      rest.resolution === undefined ? this.resolution : resolutionPair('sampleChunks', rest.resolution);
    const rowBytes = h * w * this.channels * 4;
    check(
      maxBytes >= rowBytes,
      () =>
        new ArgumentError(
          `sampleChunks: maxBytes must hold one sample of ${rowBytes} bytes, got ${maxBytes}`,
        ),
    );
    const step = Math.floor(maxBytes / rowBytes);
    const { tensor, made } = coordinateTensor('sampleChunks', coords);
    try {
      for (let offset = 0; offset < tensor.shape[0]; offset += step) {
        const values = tf.tidy(() => {
          const part = tf.slice(tensor, [offset, 0], [Math.min(step, tensor.shape[0] - offset), 3]);
          return this.sampleBatch(part, rest);
        });
        yield { offset, values };
      }
    } finally {
      if (made) tensor.dispose();
    }
  }

  /**
   * The adjoint of sampleBatch (of its linear part: `blend` is left out): ⟨sampleBatch(coords), values⟩ =
   * Σ ⟨page, splat⟩. Pure: adds nothing to the cube.
   * @param values [N, H, W, C] at the cube's resolution.
   * @returns one tensor a page, shaped as trainableVariables(): [rows, H·W·C].
   * Gradients: values, coords.
   * @throws ShapeError if values is not [N, H, W, C]; else as sampleBatch.
   */
  splat(coords: Coordinates, values: tf.Tensor4D | tf.Tensor): tf.Tensor2D[] {
    this.#alive('splat');
    const { tensor, made } = coordinateTensor('splat', coords);
    try {
      const want = [tensor.shape[0], ...this.#nodeShape];
      check(!values.isDisposed, () => new DisposedError('splat: the values tensor is disposed'));
      check(
        values.rank === 4 && want.every((n, i) => values.shape[i] === n),
        () => new ShapeError('splat', 'values', `[${want.join(', ')}]`, values.shape),
      );
      checkPolicies('splat', tensor, this.#settings, (cell) => this.#find(cell) !== undefined);
      return tf.tidy(() => splatBanks(this.#samplingState(), tensor, values as tf.Tensor4D));
    } finally {
      if (made) tensor.dispose();
    }
  }

  // --- training

  /** The pages of a trainable cube; hand them to an optimiser, or let minimize find them. */
  trainableVariables(): tf.Variable[] {
    this.#alive('trainableVariables');
    if (!this.trainable) return [];
    return this.#banks.flatMap((bank) => bank.pages.map((page) => page.variable));
  }

  // --- the cube as a whole

  /**
   * A cube whose nodes are those of a tensor.
   * @param tensor [X, Y, Z, H, W, C] float32; copied.
   * @param options as the constructor's, without resolution and channels.
   */
  static fromTensor(
    tensor: tf.Tensor,
    options: Omit<MatrixOptions, 'resolution' | 'channels'> = {},
  ): WavetableMatrix {
    check(!tensor.isDisposed, () => new DisposedError('fromTensor: the tensor is disposed'));
    check(
      tensor.rank === 6,
      () => new ShapeError('fromTensor', 'tensor', '[X, Y, Z, H, W, C]', tensor.shape),
    );
    check(
      tensor.dtype === 'float32',
      () => new ArgumentError(`fromTensor: tensor must be float32, got ${tensor.dtype}; cast it first`),
    );
    const [x, y, z, h, w, c] = tensor.shape;
    const cube = new WavetableMatrix(x, y, z, { ...options, resolution: [h, w], channels: c });
    try {
      const bank = cube.#bankFor(cube.#nodeShape);
      if (cube.dtype === 'float16') cube.#refuseDeviceHalves('fromTensor', tensor);
      tf.tidy(() => bank.fillWith(tensor.reshape([x * y * z, h * w * c]) as tf.Tensor2D));
      return cube;
    } catch (error) {
      cube.dispose();
      throw error;
    }
  }

  /** All nodes as [X, Y, Z, H, W, C] at the cube's resolution; zeros where there is none. Gradients: nodes. */
  toTensor(): tf.Tensor {
    this.#alive('toTensor');
    const [h, w] = this.resolution;
    return tf.tidy(() => {
      const parts = this.#banks.map((bank) => {
        const [bh, bw, c] = bank.options.shape;
        const rows = bank.allCells().reshape([this.#cells, bh, bw, c]) as tf.Tensor4D;
        return resample(rows, h, w, this.#settings.periodic);
      });
      const sum = parts.reduce<tf.Tensor>((a, b) => (a === undefined ? b : tf.add(a, b)), undefined as never);
      const shape = [...this.#settings.dims, h, w, this.channels];
      return (sum ?? tf.zeros([this.#cells, h, w, this.channels])).reshape(shape);
    });
  }

  /** A cube with the same nodes; pages share memory until one side writes. `trainable` may be changed. */
  clone(options: { trainable?: boolean } = {}): WavetableMatrix {
    this.#alive('clone');
    const [width, height, depth] = this.#settings.dims;
    const twin = new WavetableMatrix(width, height, depth, {
      ...this.options,
      ...options,
      sparse: true,
      pageBytes: this.#settings.pageBytes,
      metadata: structuredClone(this.metadata),
    });
    twin.#settings.sparse = this.sparse;
    for (const bank of this.#banks) twin.#banks.push(bank.clone(twin.trainable));
    return twin;
  }

  /**
   * Moves the cube to another tfjs backend, which becomes the active one. Variables keep their identity.
   * @throws DeviceError if that backend cannot start; the cube then stays where it is.
   */
  async toBackend(name: string): Promise<void> {
    this.#alive('toBackend', false);
    if (name === this.#backend && name === tf.getBackend()) return;
    const pages = this.#banks.flatMap((bank) => bank.pages);
    const data = await Promise.all(pages.map((page) => page.tensor.data()));
    check(
      name === tf.getBackend() || (name in tf.engine().registryFactory && (await tf.setBackend(name))),
      () =>
        new DeviceError(
          `toBackend: tfjs has no backend '${name}' that starts; await ready({ backend: '${name}' }) first`,
        ),
    );
    activeBackend();
    pages.forEach((page, i) => {
      const values = data[i] as Float32Array | Int32Array;
      page.replace(tf.tensor2d(values, page.tensor.shape, page.tensor.dtype as 'float32'));
    });
    for (const bank of this.#banks) bank.dropIndex();
    this.#dropPresence();
    this.#backend = name;
  }

  getMemoryUsage(): MemoryUsage {
    this.#alive('getMemoryUsage', false);
    const sum = (of: (bank: Bank) => number) => this.#banks.reduce((total, bank) => total + of(bank), 0);
    return {
      nodes: this.nodeCount,
      denseBytes: sum((bank) => bank.count * bank.payload * 4),
      storedBytes: sum((bank) => bank.count * bank.lanes * 4),
      residentBytes: sum((bank) => bank.residentBytes),
      indexBytes: sum((bank) => bank.indexBytes),
    };
  }

  /** A slice through the cube as a picture [rows, columns, 3]; see SliceOptions. encodePng makes a file of it. */
  visualizeSlice(options: SliceOptions = {}): tf.Tensor3D {
    this.#alive('visualizeSlice');
    return visualizeSlice(this, options);
  }

  // --- files

  /**
   * Saves the cube: a path in Node; in a browser `downloads://name` or `indexeddb://name`.
   * @param options.format default: by the path's ending, else 'npz'.
   */
  async save(path: string, options: { format?: string } & Record<string, unknown> = {}): Promise<void> {
    const storage = storageFor(path);
    const bytes = await this.toBytes(options.format ?? formatFor('save', undefined, path).name, options);
    await storage.write(path, bytes);
  }

  /** Loads a cube from a path or URL; the format is told by the file's first bytes. */
  static async load(path: string): Promise<WavetableMatrix> {
    return WavetableMatrix.fromBytes(await storageFor(path).read(path), path);
  }

  async toBytes(format = 'npz', options: Record<string, unknown> = {}): Promise<Uint8Array> {
    this.#alive('toBytes');
    return formatFor('toBytes', format).encode(this, options);
  }

  /** Every node as it is stored, for file formats: float32 values, or halves as 16-bit words. */
  async *storedNodes(): AsyncGenerator<StoredNode> {
    this.#alive('storedNodes');
    for (const bank of this.#banks) {
      for await (const { cell, lanes } of bank.stored()) {
        const [x, y, z] = nodeOf(this.#settings.dims, cell);
        const words = new Uint16Array(lanes.buffer, lanes.byteOffset, lanes.length * 2);
        const values = this.dtype === 'float16' ? words.subarray(0, bank.payload) : (lanes as Float32Array);
        yield { x, y, z, shape: bank.options.shape, values };
      }
    }
  }

  /** Sets a node of any resolution from what storedNodes gave, bit for bit. */
  restoreNode({ x, y, z, shape, values }: StoredNode): void {
    this.#alive('restoreNode');
    const cell = cellOf('restoreNode', this.#settings.dims, x, y, z);
    const size = shape.reduce((a, b) => a * b, 1);
    const Values = this.dtype === 'float16' ? Uint16Array : Float32Array;
    check(
      shape.length === 3 && shape[2] === this.channels && values instanceof Values && values.length === size,
      () => new ShapeError('restoreNode', 'node', `[H, W, ${this.channels}] of ${Values.name}`, shape),
    );
    const bank = this.#bankFor(shape);
    const words = new Uint16Array(bank.lanes * 2);
    if (values instanceof Uint16Array) words.set(values);
    bank.set(cell, values instanceof Uint16Array ? new Int32Array(words.buffer) : values);
    const before = this.#banks.find((other) => other !== bank && other.has(cell));
    before?.delete(cell);
  }

  /** @param source what errors call the bytes. */
  static async fromBytes(bytes: Uint8Array, source = 'bytes'): Promise<WavetableMatrix> {
    return sniffFormat(bytes, source).decode(bytes, source);
  }

  /** Frees the nodes. Every later call but this one throws DisposedError. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const bank of this.#banks) bank.dispose();
    this.#banks.length = 0;
    this.#dropPresence();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  // --- inside

  get #cells(): number {
    return this.width * this.height * this.depth;
  }

  get #nodeShape(): NodeShape {
    return [...this.#settings.resolution, this.#settings.channels];
  }

  #alive(where: string, onBackend = true): void {
    check(!this.#disposed, () => new DisposedError(`${where}: the cube is disposed`));
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

  #find(cell: number): Bank | undefined {
    return this.#banks.find((bank) => bank.has(cell));
  }

  #bankOf(where: string, x: number, y: number, z: number): Bank {
    const bank = this.#find(cellOf(where, this.#settings.dims, x, y, z));
    check(bank !== undefined, () => new MissingNodeError(where, [x, y, z]));
    return bank;
  }

  #bankFor(shape: NodeShape): Bank {
    const known = this.#banks.find((bank) => shape.every((n, i) => n === bank.options.shape[i]));
    if (known) return known;
    const limit = findDevice(this.#backend)?.maxPageBytes() ?? DENSE_PAGE_BYTES;
    const wanted = this.#settings.pageBytes ?? (this.sparse ? SPARSE_PAGE_BYTES : DENSE_PAGE_BYTES);
    const pageBytes = Math.min(limit, wanted);
    const { dims, dtype, trainable } = this.#settings;
    const boundary = boundaryCodes(this.#settings);
    const bank = new Bank({ dims, shape, dtype, trainable, boundary, pageBytes });
    this.#banks.push(bank);
    return bank;
  }

  /** Stores a checked wavetable of `shape` in the bank of that form, then drops the cell's node of another form. */
  #setShaped(where: string, cell: number, shape: NodeShape, wavetable: Wavetable): void {
    this.#refuseDeviceHalves(where, wavetable);
    const before = this.#find(cell);
    const bank = this.#bankFor(shape);
    if (wavetable instanceof tf.Tensor) {
      if (this.dtype === 'float16') bank.set(cell, bank.pack(wavetable.dataSync<'float32'>()));
      else tf.tidy(() => bank.set(cell, wavetable.reshape([1, bank.payload]) as tf.Tensor2D));
    } else {
      bank.set(cell, bank.pack(hostValues(wavetable)));
    }
    if (before && before !== bank) before.delete(cell);
  }

  /** Packing halves needs the values on the host, which a GPU backend gives only asynchronously. */
  #refuseDeviceHalves(where: string, wavetable: Wavetable | tf.Tensor): void {
    check(
      !(wavetable instanceof tf.Tensor) ||
        this.dtype === 'float32' ||
        (findDevice(this.#backend)?.readsSync ?? false),
      () =>
        new DeviceError(
          `${where}: float16 nodes are packed on the host, and the backend '${this.#backend}' cannot be read at once; ` +
            'pass a typed array (await tensor.data())',
        ),
    );
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
    tf.tidy(() => {
      const node = this.getNode(x, y, z).expandDims(0) as tf.Tensor4D;
      const resized = resample(node, shape[0], shape[1], this.#settings.periodic);
      this.#setShaped(where, cell, shape, resized.squeeze([0]));
    });
  }

  #samplingState() {
    return {
      banks: this.#banks,
      settings: this.#settings,
      fallback: () => this.#bankFor(this.#nodeShape),
      presence: () => this.#presenceGrid(),
    };
  }

  /** Which cells have a node, as a tensor that lives until that changes. */
  #presenceGrid(): tf.Tensor3D {
    const version = this.#banks.reduce((sum, bank) => sum + bank.version, 0);
    if (this.#presence?.version !== version) {
      this.#dropPresence();
      const present = new Int32Array(this.#cells).fill(-1);
      for (const bank of this.#banks) for (const cell of bank.cells()) present[cell] = 0;
      this.#presence = { version, grid: tf.keep(tf.tensor3d(present, this.#settings.dims, 'int32')) };
    }
    return this.#presence!.grid;
  }

  #dropPresence(): void {
    this.#presence?.grid.dispose();
    this.#presence = null;
  }

  /** The result must be one tensor that the device can bind; a batch is the caller's to split. */
  #checkSize(where: string, n: number, h: number, w: number): void {
    const bytes = n * h * w * this.channels * 4;
    const limit = findDevice(this.#backend)?.maxPageBytes() ?? Number.POSITIVE_INFINITY;
    check(
      bytes <= limit,
      () =>
        new DeviceError(
          `${where}: the result, [${n}, ${h}, ${w}, ${this.channels}], has ${bytes} bytes and the backend ` +
            `'${this.#backend}' can bind ${limit}; iterate over sampleChunks(coords, { maxBytes })`,
        ),
    );
  }
}

function checkMethod(method: string | undefined): void {
  check(
    method === undefined || method === 'linear',
    () => new ArgumentError(`sampleBatch: method must be 'linear', got '${method}'`),
  );
}
