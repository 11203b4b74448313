/**
 * A bank: the nodes of one form (shape and storage) as rows of a few pages, and the grid that says which cell has
 * which row. A uniform cube is one bank; a cube of several resolutions, or of compressed nodes, has one a form. What a
 * compressed node's row means, forms.ts says; a bank moves rows.
 *
 *   cell → row      a RowTable on the host, mirrored by an int32 tensor [X, Y, Z] for the kernels, −1: no node
 *   row → page      pages hold rows firstRow … firstRow + capacity − 1
 */
import * as tf from '@tensorflow/tfjs';
import { type NodeShape, sizeOf } from '../codecs/parameters.js';
import { DeviceError } from '../errors.js';
import type { SamplingAttrs } from '../ops/contract.js';
import { findDevice, isExclusive } from '../ops/device.js';
import { lanesFor, packHalves, unpackRow } from '../ops/half.js';
import { sampleRows } from '../ops/sample.js';
import { takeResampled, type Wraps } from '../ops/sumrows.js';
import { Page } from './page.js';
import { RowTable } from './rowtable.js';
import { type PageAttrs, type Reading, readRows, splatRead } from './sampling/reading.js';

export type { NodeShape };

/** How nodes are stored; values are float32 outside. */
export type NodeDtype = 'float32' | 'float16';
export type Dims = readonly [width: number, height: number, depth: number];

/** What a row of a compressed node is: parameters of a codec. */
export interface RowCodec {
  /** The codec's id. */
  codec: string;
  /** The parameter with a form that rows hold, or null: all parameters in a row, to be decoded node by node. */
  parameter: string | null;
}

export interface BankOptions {
  dims: Dims;
  /** [H, W, C] of the nodes. */
  shape: NodeShape;
  /** Shape of a row: of a dense node that of the node. */
  row: readonly number[];
  /** null: rows are the nodes themselves. */
  codec: RowCodec | null;
  dtype: NodeDtype;
  trainable: boolean;
  /** Bytes above which a bank goes on in another page. */
  pageBytes: number;
}

/** What a bank of sparse nodes starts with; it grows by half. */
const FIRST_PAGE_BYTES = 64 * 1024;
/** Positions on a line of so many pairs are exact in float32. */
const CELLS_AT_ONCE = 2 ** 22;

/** Pages of a bank at one moment, and the cell of each row (−1: none). */
export interface BankSnapshot {
  pages: { tensor: tf.Tensor2D; firstRow: number }[];
  cellOf: Int32Array;
}

export class Bank {
  readonly pages: Page[] = [];
  readonly payload: number;
  readonly lanes: number;
  /** Nodes held. */
  count = 0;
  readonly #cells: number;
  readonly #rowOf: RowTable;
  #grid: tf.Tensor3D | null = null;
  /** Rows of deleted nodes. */
  readonly #free: number[] = [];
  /** Rows handed out so far, deleted ones included. */
  #used = 0;
  /** Cells whose row is their own number. */
  #inPlace = 0;
  /** Whether rows that no node has had may hold anything. */
  #unfilled = false;

  constructor(readonly options: BankOptions) {
    this.payload = sizeOf(options.row);
    this.lanes = options.dtype === 'float16' ? lanesFor(this.payload) : this.payload;
    this.#cells = options.dims[0] * options.dims[1] * options.dims[2];
    this.#rowOf = new RowTable(this.#cells);
  }

  /** Gives every cell a node of zeros, in cell order. */
  fill(): void {
    this.#growTo(this.#cells);
    this.#rowOf.setInOrder();
    this.count = this.#used = this.#inPlace = this.#cells;
    this.#dropGrid();
  }

  /** Gives every cell the node in its row of a float32 tensor [cells, payload], which is copied. */
  fillWith(rows: tf.Tensor2D): void {
    this.fill();
    for (const page of this.pages) {
      const whole = page.capacity === this.#cells;
      tf.tidy(() => {
        const part = whole ? rows : tf.slice(rows, [page.firstRow, 0], [page.capacity, -1]);
        if (this.options.dtype === 'float16') page.write(0, this.pack(part.dataSync<'float32'>()));
        else page.copy(0, part);
      });
    }
  }

  has(cell: number): boolean {
    return this.#rowOf.get(cell) >= 0;
  }

  /** Cells with a node, ascending. */
  cells(): Generator<number> {
    return this.#rowOf.cells();
  }

  /**
   * Makes room for `count` nodes in all, before a bulk write: so many at first, later at least half as many again.
   * @param unfilled of rows that are written before anything is read; zeroUnwritten is to follow.
   */
  reserve(count: number, unfilled = false): void {
    if (count <= this.#capacity) return;
    const ample = Math.min(this.#cells, Math.ceil(this.#capacity * 1.5));
    this.#growTo(Math.max(count, ample), unfilled);
  }

  /** Zeros in all rows that no node has had yet. */
  zeroUnwritten(): void {
    if (!this.#unfilled) return;
    this.#unfilled = false;
    for (const page of this.pages) {
      const first = Math.max(0, this.#used - page.firstRow);
      const lanes = Math.max(0, page.capacity - first) * this.lanes;
      if (lanes > 0)
        page.write(first, page.tensor.dtype === 'int32' ? new Int32Array(lanes) : new Float32Array(lanes));
    }
  }

  /** Rows that new nodes can take without growth. */
  get room(): number {
    return this.#capacity - this.count;
  }

  /** Makes room for `rows` more nodes, and no more. */
  grow(rows: number): void {
    this.#growTo(this.#capacity + Math.floor(rows));
  }

  /** @throws what an allocation throws; pages made until then are given back. */
  #growTo(count: number, unfilled = false): void {
    const { trainable } = this.options;
    const before = this.pages.length;
    try {
      while (this.#capacity < count) {
        const missing = count - this.#capacity;
        const last = this.pages[this.pages.length - 1];
        if (last && !trainable && last.capacity < this.#rowsPerPage) {
          last.grow(Math.min(this.#rowsPerPage, last.capacity + missing));
        } else {
          this.#addPage(Math.min(this.#rowsPerPage, missing), unfilled);
        }
      }
    } catch (error) {
      for (const page of this.pages.splice(before)) page.dispose();
      throw error;
    }
  }

  /** Gives back the rows of the last page that no node has had yet. Not of a trainable bank: a variable keeps its shape. */
  trim(): void {
    const last = this.pages[this.pages.length - 1];
    const used = this.#used - (last?.firstRow ?? 0);
    if (!last || last.trainable || used <= 0 || used >= last.capacity) return;
    last.replace(tf.tidy(() => tf.add(tf.slice(last.tensor, [0, 0], [used, -1]), 0)) as tf.Tensor2D);
  }

  /**
   * Gives back all rows without a node, by moving the others together; rows change their numbers. Not of a trainable bank, whose rows
   * an optimiser knows by their place.
   */
  compact(): void {
    if (this.room === 0 || this.options.trainable) return;
    const before = this.pages.splice(0);
    const cells = [...this.cells()];
    try {
      this.#growTo(cells.length);
      let page = 0;
      for (let at = 0; at < cells.length; ) {
        const target = this.#pageOf(at);
        const row = this.#rowOf.get(cells[at]);
        while (page + 1 < before.length && before[page + 1].firstRow <= row) page++;
        while (before[page].firstRow > row) page--;
        const source = before[page];
        const most = Math.min(target.firstRow + target.capacity, cells.length) - at;
        let run = 1;
        while (
          run < most &&
          this.#rowOf.get(cells[at + run]) === row + run &&
          row + run < source.firstRow + source.capacity
        )
          run++;
        target.copy(at - target.firstRow, source.tensor, row - source.firstRow, run);
        at += run;
      }
    } catch (error) {
      for (const page of this.pages.splice(0, this.pages.length, ...before)) page.dispose();
      throw error;
    }
    for (const page of before) page.dispose();
    cells.forEach((cell, row) => {
      this.#rowOf.set(cell, row);
    });
    this.#free.length = 0;
    this.#used = cells.length;
    this.#inPlace = cells.filter((cell, row) => cell === row).length;
    this.#dropGrid();
  }

  /** Sets a node; values of `lanes` elements, as packed by `pack`, or a float32 tensor [1, payload]. */
  set(cell: number, values: Float32Array | Int32Array | tf.Tensor2D): void {
    const known = this.#rowOf.get(cell);
    const row = known >= 0 ? known : this.#newRow();
    try {
      const page = this.#pageOf(row);
      if (values instanceof tf.Tensor) page.copy(row - page.firstRow, values);
      else page.write(row - page.firstRow, values);
    } catch (error) {
      if (known < 0) this.#free.push(row);
      throw error;
    }
    // The cell learns of its row after the row is whole.
    if (known < 0) this.#assign(cell, row);
  }

  /** Takes the node out; its row is reused. */
  delete(cell: number): void {
    const row = this.#rowOf.get(cell);
    if (row < 0) return;
    this.#free.push(row);
    this.count--;
    if (row === cell) this.#inPlace--;
    this.#rowOf.set(cell, -1);
    this.#writeGrid(cell, -1);
  }

  /** Floats as they are stored. */
  pack(values: Float32Array): Float32Array | Int32Array {
    return this.options.dtype === 'float16' ? packHalves(values, this.payload) : values;
  }

  /** The page that holds a node, and its row there. */
  placeOf(cell: number): { page: Page; row: number } {
    const row = this.#rowOf.get(cell);
    const page = this.#pageOf(row);
    return { page, row: row - page.firstRow };
  }

  /** A copy of the node's row, float32. Differentiable to the page unless it is float16. */
  read(cell: number): tf.Tensor {
    const row = this.#rowOf.get(cell);
    const page = this.#pageOf(row);
    const shape = [...this.options.row];
    const device = findDevice(tf.getBackend());
    // Elsewhere a slice costs the whole page: tfjs's wasm kernel copies its input.
    if (device?.sharesArrays && !page.trainable) {
      const values = tf.tidy(() => tf.slice(page.tensor, [row - page.firstRow, 0], [1, -1]).dataSync());
      if (this.options.dtype === 'float32') return tf.tensor(values.slice(), shape, 'float32');
      const floats = new Float32Array(this.payload);
      unpackRow(values as Int32Array, 0, this.payload, floats);
      return tf.tensor(floats, shape);
    }
    return tf.tidy(() => {
      // A grid of the one cell: its node, untouched by neighbours.
      const grid = tf.tensor3d([row], [1, 1, 1], 'int32');
      const attrs: SamplingAttrs = { ...this.#attrs(page, false), boundary: [0, 0, 0] };
      const node = sampleRows(page.tensor, grid, tf.zeros([1, 3]), attrs);
      return node.reshape(shape);
    });
  }

  /**
   * [cells, payload] float32: the node of every cell, zeros where there is none. Gradients: the pages.
   * The result may share the page's memory; a later write copies the page first.
   */
  allCells(): tf.Tensor2D {
    const shared = findDevice(tf.getBackend())?.sharesArrays ?? false;
    if (this.#ordered && this.options.dtype === 'float32' && !shared) {
      return this.pages[0].tensor.reshape([this.#cells, this.payload]);
    }
    const parts: tf.Tensor2D[] = [];
    for (let cell = 0; cell < this.#cells; cell += CELLS_AT_ONCE) {
      parts.push(this.#someCells(cell, Math.min(CELLS_AT_ONCE, this.#cells - cell)));
    }
    return parts.length === 1 ? parts[0] : tf.concat(parts, 0);
  }

  /** `count` nodes from `first` on, on a line with an absent neighbour each: a sample there is its node alone. */
  #someCells(first: number, count: number): tf.Tensor2D {
    const rows = new Int32Array(2 * count).fill(-1);
    const at = new Float32Array(3 * count);
    for (let i = 0; i < count; i++) {
      rows[2 * i] = this.#rowOf.get(first + i);
      at[3 * i] = 2 * i;
    }
    const grid = tf.tensor3d(rows, [2 * count, 1, 1], 'int32');
    const coords = tf.tensor2d(at, [count, 3]);
    return this.#gathered(grid, coords, [0, 0, 0]);
  }

  /** The rows as they are now, to be read while writes go on. Its tensors are the caller's to dispose. */
  snapshot(): BankSnapshot {
    const cellOf = new Int32Array(this.#capacity).fill(-1);
    for (const cell of this.cells()) cellOf[this.#rowOf.get(cell)] = cell;
    // A clone is a second holder of the page, so that a write meanwhile takes a copy.
    const pages = this.pages.map(({ tensor, firstRow }) => ({ tensor: tf.keep(tensor.clone()), firstRow }));
    return { pages, cellOf };
  }

  /** [N, payload]: what this bank gives to each sample. */
  sample(reading: Reading): tf.Tensor2D {
    this.#putInOrder();
    const grid = this.grid();
    if (this.pages.length === 0) {
      const none = { payload: this.payload, half: false, firstRow: 0, rows: 0, ordered: false };
      return readRows(reading, tf.zeros([0, this.payload]), grid, none);
    }
    return this.pages
      .map((page) => readRows(reading, page.tensor, grid, this.#attrs(page)))
      .reduce((sum, part) => tf.add(sum, part));
  }

  /**
   * [N, size of the resolution] float32: `sample` with these nodes brought to another resolution one by one, before they are blended. They
   * are all that the reading touches, and there are pages. Not of float16. Gradients: as of `sample`.
   */
  sampleResampled(
    reading: Reading,
    cells: readonly number[],
    resolution: readonly [number, number],
    wraps: Wraps,
  ): tf.Tensor2D {
    const [h, w, c] = this.options.shape;
    const payload = resolution[0] * resolution[1] * c;
    return this.pages
      .map(({ tensor, firstRow, capacity }) => {
        const mine = cells.filter((cell) => {
          const row = this.#rowOf.get(cell) - firstRow;
          return row >= 0 && row < capacity;
        });
        const places = Int32Array.from(mine, (cell) => this.#rowOf.get(cell) - firstRow);
        const images = tensor.reshape([capacity, h, w, c]) as tf.Tensor4D;
        const rows = takeResampled(images, places, resolution, wraps).reshape([mine.length, payload]);
        const grid = new Int32Array(this.#cells).fill(-1);
        mine.forEach((cell, row) => {
          grid[cell] = row;
        });
        const attrs = { payload, half: false, firstRow: 0, rows: mine.length, ordered: false };
        return readRows(reading, rows, tf.tensor3d(grid, [...this.options.dims], 'int32'), attrs);
      })
      .reduce((sum, part) => tf.add(sum, part));
  }

  /** The page that holds all rows, as kernels take it; null where there are several or none. */
  onlyPage(): { nodes: tf.Tensor; grid: tf.Tensor3D; attrs: PageAttrs } | null {
    if (this.pages.length !== 1) return null;
    this.#putInOrder();
    return { nodes: this.pages[0].tensor, grid: this.grid(), attrs: this.#attrs(this.pages[0]) };
  }

  /** [N, payload]: the rows of the nodes at integer coordinates, zeros where there is none. Gradients: the pages. */
  rowsAt(corners: tf.Tensor2D): tf.Tensor2D {
    return this.#gathered(this.grid(), corners, [3, 3, 3]);
  }

  /** [capacity, payload] for each page: the adjoint of `sample`. */
  splat(reading: Reading, values: tf.Tensor2D): tf.Tensor2D[] {
    const grid = this.grid();
    return this.pages.map((page) => splatRead(reading, values, grid, { ...this.#attrs(page), half: false }));
  }

  /** The int32 tensor [X, Y, Z] of rows; made at the first sample, kept up to date in place. */
  grid(): tf.Tensor3D {
    if (!this.#grid)
      this.#grid = tf.keep(tf.tensor3d(this.#rowOf.toArray(), [...this.options.dims], 'int32'));
    return this.#grid;
  }

  /** Host bytes and device bytes of the index. */
  get indexBytes(): number {
    return this.#rowOf.byteLength + (this.#grid ? this.#grid.size * 4 : 0) + this.#free.length * 8;
  }

  get residentBytes(): number {
    return this.pages.reduce((sum, page) => sum + page.bytes, 0);
  }

  /** Another bank with the same nodes; pages share their data until one side writes. */
  clone(trainable: boolean): Bank {
    const twin = new Bank({ ...this.options, trainable });
    for (const page of this.pages) twin.pages.push(new Page(page.tensor.clone(), trainable, page.firstRow));
    twin.#rowOf.copyFrom(this.#rowOf);
    twin.#free.push(...this.#free);
    twin.count = this.count;
    twin.#used = this.#used;
    twin.#inPlace = this.#inPlace;
    return twin;
  }

  /** Drops what is on the device besides the pages; it is made anew when needed. */
  dropIndex(): void {
    this.#dropGrid();
  }

  dispose(): void {
    for (const page of this.pages) page.dispose();
    this.pages.length = 0;
    this.#dropGrid();
  }

  get #rowsPerPage(): number {
    return Math.max(1, Math.floor(this.options.pageBytes / Math.max(4, this.lanes * 4)));
  }

  get #capacity(): number {
    const last = this.pages[this.pages.length - 1];
    return last ? last.firstRow + last.capacity : 0;
  }

  #addPage(capacity: number, unfilled: boolean): void {
    const dtype = this.options.dtype === 'float16' ? 'int32' : 'float32';
    const fast = unfilled
      ? findDevice(tf.getBackend())?.unfilled?.([capacity, this.lanes], dtype)
      : undefined;
    if (fast) this.#unfilled = true;
    const rows = fast ?? (tf.fill([capacity, this.lanes], 0, dtype) as tf.Tensor2D);
    this.pages.push(new Page(rows, this.options.trainable, this.#capacity));
  }

  #newRow(): number {
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    if (this.#used === this.#capacity) {
      const first = Math.max(1, Math.floor(FIRST_PAGE_BYTES / Math.max(4, this.lanes * 4)));
      const wanted = Math.max(this.#used + first, Math.ceil(this.#used * 1.5));
      this.#growTo(Math.min(this.#cells, wanted, this.#used + this.#rowsPerPage));
    }
    return this.#used++;
  }

  #pageOf(row: number): Page {
    let i = this.pages.length - 1;
    while (this.pages[i].firstRow > row) i--;
    return this.pages[i];
  }

  #assign(cell: number, row: number): void {
    this.#rowOf.set(cell, row);
    this.count++;
    if (row === cell) this.#inPlace++;
    this.#writeGrid(cell, row);
  }

  /** Keeps the device's grid in step: one int32 in place, or a fresh upload at the next sample. */
  #writeGrid(cell: number, row: number): void {
    if (!this.#grid) return;
    const device = findDevice(tf.getBackend());
    if (device && isExclusive(this.#grid)) device.write(this.#grid, cell, Int32Array.of(row));
    else this.#dropGrid();
  }

  #dropGrid(): void {
    this.#grid?.dispose();
    this.#grid = null;
  }

  /**
   * A full bank in one page, but in another order (set x first, say): puts the rows in cell order once, for the kernels
   * that need no grid then. Not a trainable one, whose rows an optimiser knows by their place.
   */
  #putInOrder(): void {
    const [page] = this.pages;
    const full = this.count === this.#cells && this.pages.length === 1;
    if (!full || this.#ordered || page.trainable || page.capacity !== this.#cells) return;
    if (page.tensor.dtype === 'int32' && findDevice(tf.getBackend())?.roundsIntegers) return;
    try {
      page.replace(tf.tidy(() => tf.gather(page.tensor, tf.tensor1d(this.#rowOf.toArray(), 'int32'))));
    } catch (error) {
      // Without room for a second page the rows stay as they are, and sample a little slower.
      if (error instanceof DeviceError) return;
      throw error;
    }
    this.#rowOf.setInOrder();
    this.#inPlace = this.#cells;
    this.#dropGrid();
  }

  get #ordered(): boolean {
    return this.#inPlace === this.#cells && this.pages.length === 1;
  }

  #attrs(page: Page, ordered = this.#ordered): PageAttrs {
    return {
      payload: this.payload,
      half: this.options.dtype === 'float16',
      firstRow: page.firstRow,
      rows: page.capacity,
      ordered,
    };
  }

  /** [N, payload]: rows at integer coordinates of a grid, the sum over the pages. */
  #gathered(grid: tf.Tensor3D, coords: tf.Tensor2D, boundary: [number, number, number]): tf.Tensor2D {
    if (this.pages.length === 0) return tf.zeros([coords.shape[0], this.payload]);
    return this.pages
      .map((page) => sampleRows(page.tensor, grid, coords, { ...this.#attrs(page, false), boundary }))
      .reduce((sum, part) => tf.add(sum, part));
  }
}
