/**
 * The nodes of a cube: one bank a form (shape), each cell in one bank at most. Knows nothing of coordinates between
 * nodes; that is sampling.ts. Cells are numbered in bulk order, x slowest.
 */
import * as tf from '@tensorflow/tfjs';
import { check, DeviceError } from '../errors.js';
import { findDevice } from '../ops/device.js';
import { Bank, type NodeShape } from './bank.js';
import { boundaryCodes, type Settings } from './options.js';
import type { Page } from './page.js';
import { hostValues, type Wavetable } from './wavetable.js';

/** What a page holds at most unless the cube says otherwise: a sparse one is copied when it grows. */
const SPARSE_PAGE_BYTES = 256 * 2 ** 20;
const DENSE_PAGE_BYTES = 2 ** 30;

/** A node as its bank stores it: float32 values, or halves as 16-bit words. */
export interface StoredValues {
  cell: number;
  shape: NodeShape;
  values: Float32Array | Uint16Array;
}

export class NodeStore {
  readonly banks: Bank[] = [];
  readonly cells: number;
  #presence: { version: number; grid: tf.Tensor3D } | null = null;

  constructor(private readonly settings: Settings) {
    this.cells = settings.dims[0] * settings.dims[1] * settings.dims[2];
  }

  get count(): number {
    return this.banks.reduce((sum, bank) => sum + bank.count, 0);
  }

  has(cell: number): boolean {
    return this.find(cell) !== undefined;
  }

  /** The bank that holds a cell's node. */
  find(cell: number): Bank | undefined {
    return this.banks.find((bank) => bank.has(cell));
  }

  /** The bank of a form, made if there is none yet. */
  bankFor(shape: NodeShape): Bank {
    const known = this.banks.find((bank) => shape.every((n, i) => n === bank.options.shape[i]));
    if (known) return known;
    const { dims, dtype, trainable, sparse } = this.settings;
    const limit = findDevice(tf.getBackend())?.maxPageBytes() ?? DENSE_PAGE_BYTES;
    const pageBytes = Math.min(
      limit,
      this.settings.pageBytes ?? (sparse ? SPARSE_PAGE_BYTES : DENSE_PAGE_BYTES),
    );
    const boundary = boundaryCodes(this.settings);
    const bank = new Bank({ dims, shape: [...shape] as const, dtype, trainable, boundary, pageBytes });
    this.banks.push(bank);
    return bank;
  }

  /** Sets a node of `shape`, and drops the cell's node of another form once the new one is whole. */
  set(where: string, cell: number, shape: NodeShape, wavetable: Wavetable): void {
    this.refuseUnreadable(where, wavetable);
    const bank = this.bankFor(shape);
    if (!(wavetable instanceof tf.Tensor)) bank.set(cell, bank.pack(hostValues(wavetable)));
    else if (this.settings.dtype === 'float16') bank.set(cell, bank.pack(wavetable.dataSync<'float32'>()));
    else tf.tidy(() => bank.set(cell, wavetable.reshape([1, bank.payload]) as tf.Tensor2D));
    this.#dropElsewhere(cell, bank);
  }

  /** Sets a node from what `stored` gave, bit for bit. */
  restore({ cell, shape, values }: StoredValues): void {
    const bank = this.bankFor(shape);
    if (values instanceof Float32Array) {
      bank.set(cell, values);
    } else {
      const words = new Uint16Array(bank.lanes * 2);
      words.set(values);
      bank.set(cell, new Int32Array(words.buffer));
    }
    this.#dropElsewhere(cell, bank);
  }

  /** Every node as it is stored, bank by bank. */
  async *stored(): AsyncGenerator<StoredValues> {
    for (const bank of this.banks) {
      for await (const { cell, lanes } of bank.stored()) {
        const { shape, dtype } = bank.options;
        const words = new Uint16Array(lanes.buffer, lanes.byteOffset, lanes.length * 2);
        const values = dtype === 'float16' ? words.subarray(0, bank.payload) : (lanes as Float32Array);
        yield { cell, shape, values };
      }
    }
  }

  /** Packing halves needs the values on the host, which a GPU backend gives only asynchronously. */
  refuseUnreadable(where: string, wavetable: Wavetable | tf.Tensor): void {
    const backend = tf.getBackend();
    check(
      !(wavetable instanceof tf.Tensor) ||
        this.settings.dtype === 'float32' ||
        (findDevice(backend)?.readsSync ?? false),
      () =>
        new DeviceError(
          `${where}: float16 nodes are packed on the host, and the backend '${backend}' cannot be read at once; ` +
            'pass a typed array (await tensor.data())',
        ),
    );
  }

  /** All pages, oldest first: an optimiser knows its variables by their place, so a new page must come last. */
  pages(): Page[] {
    return this.banks.flatMap((bank) => bank.pages).sort((a, b) => a.serial - b.serial);
  }

  /** [X, Y, Z] int32: 0 where a cell has a node, −1 where it has none. Lives until that changes. */
  presence(): tf.Tensor3D {
    const version = this.banks.reduce((sum, bank) => sum + bank.version, 0);
    if (this.#presence?.version === version) return this.#presence.grid;
    const present = new Int32Array(this.cells).fill(-1);
    for (const bank of this.banks) for (const cell of bank.cells()) present[cell] = 0;
    this.#dropPresence();
    const grid = tf.keep(tf.tensor3d(present, this.settings.dims, 'int32'));
    this.#presence = { version, grid };
    return grid;
  }

  /** The same nodes for another cube; pages share memory until one side writes. */
  cloneInto(twin: NodeStore): void {
    for (const bank of this.banks) twin.banks.push(bank.clone(twin.settings.trainable));
  }

  /** Reads all pages, for a move to another backend. */
  async read(): Promise<{ page: Page; values: Float32Array | Int32Array }[]> {
    return Promise.all(
      this.pages().map(async (page) => ({
        page,
        values: (await page.tensor.data()) as Float32Array | Int32Array,
      })),
    );
  }

  /** Puts pages that were read onto the backend that is active now: all of them, or none if one does not fit. */
  write(pages: { page: Page; values: Float32Array | Int32Array }[]): void {
    const made: tf.Tensor2D[] = [];
    try {
      for (const { page, values } of pages) {
        made.push(tf.tensor2d(values, page.tensor.shape, page.tensor.dtype as 'float32'));
      }
    } catch (error) {
      tf.dispose(made);
      throw error;
    }
    pages.forEach(({ page }, i) => {
      page.replace(made[i]);
    });
    for (const bank of this.banks) bank.dropIndex();
    this.#dropPresence();
  }

  get indexBytes(): number {
    const presence = this.#presence ? this.cells * 4 : 0;
    return this.banks.reduce((sum, bank) => sum + bank.indexBytes, presence);
  }

  dispose(): void {
    for (const bank of this.banks) bank.dispose();
    this.banks.length = 0;
    this.#dropPresence();
  }

  #dropElsewhere(cell: number, kept: Bank): void {
    for (const bank of this.banks) if (bank !== kept && bank.has(cell)) bank.delete(cell);
  }

  #dropPresence(): void {
    this.#presence?.grid.dispose();
    this.#presence = null;
  }
}
