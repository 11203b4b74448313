/**
 * The nodes of a cube: one bank a form (shape), each cell in one bank at most. Knows nothing of coordinates between
 * nodes; that is sampling.ts. Cells are numbered in bulk order, x slowest.
 */
import * as tf from '@tensorflow/tfjs';
import { CompressedWavetable } from '../codecs/compressed.js';
import { sizeOf } from '../codecs/parameters.js';
import { knownCodec } from '../codecs/registry.js';
import { check, DeviceError } from '../errors.js';
import { findDevice, isExclusive } from '../ops/device.js';
import { Bank, type BankOptions, type BankSnapshot, type NodeDtype, type NodeShape } from './bank.js';
import { nodeOf } from './coordinates.js';
import { hostParams, type RowForm, rowFormOf, rowOf } from './forms.js';
import type { Settings } from './options.js';
import { PackedNodes } from './packed.js';
import type { Page } from './page.js';
import { FullPages } from './sampling/fullpages.js';
import { checkHalfRange, hostValues, type Wavetable } from './wavetable.js';

/** What a page holds at most unless the cube says otherwise: a sparse one is copied when it grows. */
const SPARSE_PAGE_BYTES = 256 * 2 ** 20;
const DENSE_PAGE_BYTES = 2 ** 30;

/** A node as its bank stores it: float32 values, or halves as 16-bit words; or the bytes of a compressed one. */
export type StoredValues =
  | { cell: number; shape: NodeShape; values: Float32Array | Uint16Array }
  | { cell: number; compressed: Uint8Array };

/**
 * Nodes of a store that are there, but in none of its banks: still in the file that the cube was opened from (lazy/), or zeros that
 * nobody has set.
 */
export interface Elsewhere {
  readonly size: number;
  /** Whether a cell that no bank holds has a node. */
  has(cell: number): boolean;
  cells(): Iterable<number>;
  /** A cell's node is another one from now on, or none. */
  supersede(cell: number): void;
}

/** Makes room in a bank for `count` nodes more, which take `extraBytes` besides their rows. */
export type MakeRoom = (bank: Bank, count: number, extraBytes: number) => void;

/** Nodes that a store takes, checked. */
export interface PreparedNodes {
  dense: DenseValues[];
  packed: PackedNode[];
}

type DenseValues = Extract<StoredValues, { values: unknown }>;

type BankForm = Pick<BankOptions, 'codec' | 'row'>;

/** A compressed node as its bank holds it. */
export interface PackedNode {
  cell: number;
  shape: NodeShape;
  form: RowForm;
  row: Float32Array;
  bytes: Uint8Array;
}

/** Nodes at one moment. */
export interface StoreSnapshot {
  bytes: ReadonlyMap<number, Uint8Array>;
  banks: (BankSnapshot & { bank: Bank })[];
  dispose(): void;
}

/** Every node of a snapshot as it is stored, bank by bank. */
export async function* stored({ bytes, banks }: StoreSnapshot): AsyncGenerator<StoredValues> {
  for (const { bank, pages, cellOf } of banks) {
    for (const { tensor, firstRow } of pages) {
      const { codec, trainable } = bank.options;
      if (codec && !trainable) {
        for (const cell of cellOf.subarray(firstRow, firstRow + tensor.shape[0])) {
          if (cell >= 0) yield { cell, compressed: bytes.get(cell)! };
        }
        continue;
      }
      const data = (await tensor.data()) as Float32Array | Int32Array;
      for (let row = 0; row < tensor.shape[0]; row++) {
        const cell = cellOf[firstRow + row];
        if (cell < 0) continue;
        const lanes = data.subarray(row * bank.lanes, (row + 1) * bank.lanes);
        if (codec) {
          yield { cell, compressed: trainedBytes(bank, lanes as Float32Array, bytes.get(cell)!) };
          continue;
        }
        const words = new Uint16Array(lanes.buffer, lanes.byteOffset, lanes.length * 2);
        const half = bank.options.dtype === 'float16';
        const values = half ? words.subarray(0, bank.payload) : (lanes as Float32Array);
        yield { cell, shape: bank.options.shape, values };
      }
    }
  }
}

export class NodeStore {
  readonly banks: Bank[] = [];
  readonly cells: number;
  #presence: tf.Tensor3D | null = null;
  #everywhere: tf.Tensor3D | null = null;
  /** Cells that are watched, and how often their nodes have changed. */
  readonly #watched = new Map<number, { changes: number; watchers: number }>();
  readonly packed: PackedNodes;
  /** What is made of all nodes together. */
  readonly full: FullPages;
  /** Of a cube that was opened. */
  elsewhere: Elsewhere | null = null;
  /** Whether what changes in banks is not the nodes, but where they are. */
  #moving = false;

  constructor(private readonly settings: Settings) {
    this.cells = settings.dims[0] * settings.dims[1] * settings.dims[2];
    this.packed = new PackedNodes(settings);
    this.full = new FullPages(settings);
  }

  get count(): number {
    return this.banks.reduce((sum, bank) => sum + bank.count, this.elsewhere?.size ?? 0);
  }

  has(cell: number): boolean {
    return this.find(cell) !== undefined || (this.elsewhere?.has(cell) ?? false);
  }

  /** The bank that holds a cell's node; undefined of one that is elsewhere. */
  find(cell: number): Bank | undefined {
    return this.banks.find((bank) => bank.has(cell));
  }

  /** Fills the bank of a form, which every cell gets a node of: zeros, or the rows of [cells, payload]. */
  fill(where: string, shape: NodeShape, rows?: tf.Tensor2D): void {
    this.#changeBank(where, shape, (bank) => (rows ? bank.fillWith(rows) : bank.fill()));
    this.#dropPresence();
  }

  /**
   * Sets checked nodes of `shape`, with room made for the new ones at once, and drops a cell's node of another form once
   * its new one is whole.
   */
  set(where: string, shape: NodeShape, nodes: readonly { cell: number; wavetable: Wavetable }[]): void {
    if (nodes.length === 0) return;
    this.#changeBank(where, shape, (bank) => {
      // A single node is left to the bank's own growth.
      if (nodes.length > 1) bank.reserve(bank.count + newTo(bank, nodes));
      for (const { cell, wavetable } of nodes) {
        if (!(wavetable instanceof tf.Tensor)) bank.set(cell, bank.pack(hostValues(wavetable)));
        else if (this.settings.dtype === 'float16')
          bank.set(cell, bank.pack(wavetable.dataSync<'float32'>()));
        else tf.tidy(() => bank.set(cell, wavetable.reshape([1, bank.payload]) as tf.Tensor2D));
        this.#dropElsewhere(cell, bank);
        this.#mark(cell, 0);
      }
    });
  }

  /**
   * What a compressed node is in its bank; its constants are not kept.
   * @throws ArgumentError where its codec is not there; DeviceError if the active backend cannot bind its row.
   */
  packedNode(
    where: string,
    cell: number,
    { codec, shape, parameters, bytes }: CompressedWavetable,
  ): PackedNode {
    const form = rowFormOf(knownCodec(codec), shape, parameters);
    this.checkForm(where, form.row);
    return { cell, shape, form, row: rowOf(form, parameters), bytes };
  }

  /** Sets compressed nodes, room made for them at once. */
  setPacked(where: string, nodes: readonly PackedNode[]): void {
    for (const same of grouped(nodes, ({ shape, form }) => keyOf(shape, form))) {
      const [{ shape, form }] = same;
      this.#changeBank(
        where,
        shape,
        (bank) => {
          if (same.length > 1) bank.reserve(bank.count + newTo(bank, same));
          for (const { cell, row, bytes } of same) {
            bank.set(cell, row);
            this.#dropElsewhere(cell, bank);
            this.packed.set(cell, bytes);
            this.#mark(cell, 0);
          }
        },
        form,
      );
    }
  }

  /** Gives back what banks of compressed nodes have grown beyond their nodes. */
  trim(): void {
    for (const bank of this.banks) if (bank.options.codec) bank.trim();
  }

  /** Watches a cell until the result is called, which says whether its node was set or deleted meanwhile. */
  watch(cell: number): () => boolean {
    const watched = this.#watched.get(cell) ?? { changes: 0, watchers: 0 };
    this.#watched.set(cell, watched);
    watched.watchers++;
    const before = watched.changes;
    return () => {
      if (--watched.watchers === 0) this.#watched.delete(cell);
      return watched.changes !== before;
    };
  }

  /**
   * Sets nodes from what `stored` gave, bit for bit, each form's rows in cell order; all of them, or none if one is wrong.
   * @param room dense nodes of a shape that will be there in the end, where it is known: room is made for them at once, and `restored`
   * is to follow.
   */
  restore(where: string, nodes: StoredValues[], room: (shape: NodeShape) => number = () => 0): void {
    const { dense, packed } = this.prepare(where, nodes);
    this.setPacked(where, packed);
    for (const same of grouped(dense, ({ shape }) => String(shape))) {
      same.sort((a, b) => a.cell - b.cell);
      this.#changeBank(where, same[0].shape, (bank) => {
        const expected = Math.min(this.cells, room(same[0].shape));
        bank.reserve(Math.max(bank.count + newTo(bank, same), expected), expected > 0);
        for (const { cell, values } of same) {
          bank.set(cell, values instanceof Float32Array ? values : lanesOf(values, bank.lanes));
          this.#dropElsewhere(cell, bank);
        }
      });
    }
    this.#dropPresence();
  }

  /** Ends what restore with `room` began: all nodes are there. */
  restored(): void {
    for (const bank of this.banks) bank.zeroUnwritten();
  }

  /** @throws FormatError, DeviceError for nodes that the store does not take; nothing is set. */
  prepare(where: string, nodes: readonly StoredValues[]): PreparedNodes {
    const dense: DenseValues[] = [];
    const packed: PackedNode[] = [];
    for (const node of nodes) {
      const place = `${where}: node (${nodeOf(this.settings.dims, node.cell).join(', ')})`;
      if ('compressed' in node) {
        // Read one by one: unpacked, all of them may be as large as the dense cube. Their checksums have been verified.
        const compressed = CompressedWavetable.read(node.compressed, { source: place, verify: false });
        packed.push(this.packedNode(place, node.cell, compressed));
      } else {
        this.checkForm(place, node.shape, this.settings.dtype);
        dense.push(node);
      }
    }
    return { dense, packed };
  }

  /**
   * Takes nodes into banks that are elsewhere now: not a change of the nodes, so that nothing made of them goes.
   * @param admitted called for each as soon as it is there. @throws what an allocation throws; those before stay admitted.
   */
  admit(
    where: string,
    { dense, packed }: PreparedNodes,
    makeRoom: MakeRoom,
    admitted: (cell: number, bank: Bank) => void,
  ): void {
    this.#moving = true;
    try {
      for (const same of grouped(dense, ({ shape }) => String(shape))) {
        this.#changeBank(where, same[0].shape, (bank) => {
          makeRoom(bank, same.length, 0);
          for (const { cell, values } of same) {
            bank.set(cell, values instanceof Float32Array ? values : lanesOf(values, bank.lanes));
            admitted(cell, bank);
          }
        });
      }
      for (const same of grouped(packed, ({ shape, form }) => keyOf(shape, form))) {
        const [{ shape, form }] = same;
        const change = (bank: Bank) => {
          makeRoom(
            bank,
            same.length,
            same.reduce((sum, { bytes }) => sum + bytes.length, 0),
          );
          for (const { cell, row, bytes } of same) {
            bank.set(cell, row);
            this.packed.set(cell, bytes);
            admitted(cell, bank);
          }
        };
        this.#changeBank(where, shape, change, form);
      }
    } finally {
      this.#moving = false;
      this.#dropEmpty();
    }
  }

  /** Takes a node out of its bank that is elsewhere too. Banks without nodes are left for `dropEmpty`. */
  evict(cell: number): void {
    this.find(cell)?.delete(cell);
    this.packed.drop(cell);
  }

  /** Gives back the banks without nodes. */
  dropEmpty(): void {
    this.#dropEmpty();
  }

  delete(cell: number): void {
    this.full.drop();
    const bank = this.find(cell);
    bank?.delete(cell);
    this.#changed(cell);
    this.#dropEmpty();
    this.#mark(cell, -1);
  }

  /** The nodes as they are now, to be read by `stored` while writes go on; the caller's to dispose. */
  snapshot(): StoreSnapshot {
    const bytes = this.packed.snapshot();
    const banks = this.banks.map((bank) => ({ bank, ...bank.snapshot() }));
    const dispose = () => tf.dispose(banks.flatMap(({ pages }) => pages.map(({ tensor }) => tensor)));
    return { bytes, banks, dispose };
  }

  /** @throws DeviceError if the active backend cannot bind a row of this shape. */
  checkForm(where: string, row: readonly number[], dtype: NodeDtype = 'float32'): void {
    const bytes = sizeOf(row) * (dtype === 'float16' ? 2 : 4);
    const limit = findDevice(tf.getBackend())?.maxPageBytes() ?? Number.POSITIVE_INFINITY;
    check(
      bytes <= limit,
      () =>
        new DeviceError(
          `${where}: a node of [${row.join(', ')}] has ${bytes} bytes, and the backend '${tf.getBackend()}' can ` +
            `bind ${limit}`,
        ),
    );
  }

  /**
   * A tensor for a float16 cube is packed on the host, which a GPU backend cannot do at once.
   * @throws DeviceError on such a backend; ArgumentError for a value that no half holds.
   */
  checkPackable(where: string, wavetable: Wavetable | tf.Tensor): void {
    if (!(wavetable instanceof tf.Tensor) || this.settings.dtype === 'float32') return;
    const backend = tf.getBackend();
    check(
      findDevice(backend)?.readsSync ?? false,
      () =>
        new DeviceError(
          `${where}: float16 nodes are packed on the host, and the backend '${backend}' cannot be read at once; ` +
            'pass a typed array (await tensor.data())',
        ),
    );
    checkHalfRange(where, wavetable.dataSync());
  }

  /** All pages, oldest first: an optimiser knows its variables by their place, so a new page must come last. */
  pages(): Page[] {
    return this.banks.flatMap((bank) => bank.pages).sort((a, b) => a.serial - b.serial);
  }

  /** [X, Y, Z] int32: 0 where a cell has a node, −1 where it has none. Kept in step. */
  presence(): tf.Tensor3D {
    if (!this.#presence) {
      const present = new Int32Array(this.cells).fill(-1);
      for (const bank of this.banks) for (const cell of bank.cells()) present[cell] = 0;
      for (const cell of this.elsewhere?.cells() ?? []) present[cell] = 0;
      this.#presence = tf.keep(tf.tensor3d(present, this.settings.dims, 'int32'));
    }
    return this.#presence;
  }

  /** [X, Y, Z] int32 of zeros: a grid with a node in every cell. */
  everywhere(): tf.Tensor3D {
    if (!this.#everywhere) this.#everywhere = tf.keep(tf.fill(this.settings.dims, 0, 'int32') as tf.Tensor3D);
    return this.#everywhere;
  }

  /** The same nodes for another cube; pages share memory until one side writes. */
  cloneInto(twin: NodeStore): void {
    for (const bank of this.banks) twin.banks.push(bank.clone(twin.settings.trainable));
    this.packed.cloneInto(twin.packed);
  }

  /** Reads all pages, for a move to another backend. */
  async read(): Promise<{ page: Page; values: Float32Array | Int32Array }[]> {
    return Promise.all(
      this.pages().map(async (page) => ({
        page,
        // tfjs may hand out the live array, which a clone of the cube still writes to.
        values: (await page.tensor.data()).slice() as Float32Array | Int32Array,
      })),
    );
  }

  /**
   * Puts pages that were read, other stores' too, onto the backend that is active now: all of them, or none if one does not
   * fit. `dropIndex` of each store is to follow.
   * @throws DeviceError if the backend cannot hold them.
   */
  write(pages: { page: Page; values: Float32Array | Int32Array }[]): void {
    const name = tf.getBackend();
    const device = findDevice(name);
    check(
      device !== undefined || this.settings.dtype === 'float32',
      () => new DeviceError(`toBackend: '${name}' has no kernels for float16 nodes`),
    );
    const largest = Math.max(0, ...pages.map(({ values }) => values.byteLength));
    const limit = device?.maxPageBytes() ?? Number.POSITIVE_INFINITY;
    check(
      largest <= limit,
      () =>
        new DeviceError(
          `toBackend: a page of ${largest} bytes is more than '${name}' can bind, ${limit}; make the cube with pageBytes: ${limit}`,
        ),
    );
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
  }

  /** Drops what is on the device besides the pages; it is made anew when needed. */
  dropIndex(): void {
    for (const bank of this.banks) bank.dropIndex();
    this.#dropPresence();
    this.packed.dropDecoded();
    this.full.dispose();
  }

  get indexBytes(): number {
    const grids = Number(this.#presence !== null) + Number(this.#everywhere !== null);
    const presence = grids * this.cells * 4 + this.full.indexBytes;
    return this.banks.reduce((sum, bank) => sum + bank.indexBytes, presence + this.packed.indexBytes);
  }

  dispose(): void {
    for (const bank of this.banks) bank.dispose();
    this.banks.length = 0;
    this.#dropPresence();
    this.packed.dispose();
    this.full.dispose();
  }

  /** The bank of a form, or a new one that the store does not know yet. */
  #bankFor(where: string, shape: NodeShape, form: BankForm = { codec: null, row: shape }): Bank {
    const known = this.banks.find(({ options }) => isSameForm(options, { shape, ...form }));
    if (known) return known;
    const { dims, trainable, sparse } = this.settings;
    const dtype = form.codec ? 'float32' : this.settings.dtype;
    this.checkForm(where, form.row, dtype);
    const limit = findDevice(tf.getBackend())?.maxPageBytes() ?? DENSE_PAGE_BYTES;
    const wanted = this.settings.pageBytes ?? (sparse ? SPARSE_PAGE_BYTES : DENSE_PAGE_BYTES);
    return new Bank({
      dims,
      shape: [...shape],
      row: [...form.row],
      codec: form.codec,
      dtype,
      trainable,
      pageBytes: Math.min(limit, wanted),
    });
  }

  /** Changes the bank of a form; a new one joins the store only when that has gone well and it holds something. */
  #changeBank(where: string, shape: NodeShape, change: (bank: Bank) => void, form?: RowForm): void {
    // First, so that the change finds its page alone.
    if (!this.#moving) this.full.drop();
    const bank = this.#bankFor(where, shape, form);
    const isNew = !this.banks.includes(bank);
    try {
      change(bank);
    } catch (error) {
      if (isNew && bank.count === 0) bank.dispose();
      else if (isNew) this.banks.push(bank);
      throw error;
    }
    if (isNew && bank.count > 0) this.banks.push(bank);
  }

  #dropElsewhere(cell: number, kept: Bank): void {
    for (const bank of this.banks) if (bank !== kept) bank.delete(cell);
    this.#changed(cell);
    this.#dropEmpty(kept);
  }

  /** A cell's node is another one now, or none. */
  #changed(cell: number): void {
    this.packed.drop(cell);
    this.elsewhere?.supersede(cell);
    const watched = this.#watched.get(cell);
    if (watched) watched.changes++;
  }

  /** A form without nodes goes, but a trainable cube's: an optimiser knows its variables by their place. */
  #dropEmpty(kept?: Bank): void {
    if (this.settings.trainable) return;
    for (let i = this.banks.length - 1; i >= 0; i--) {
      if (this.banks[i] === kept || this.banks[i].count > 0) continue;
      this.banks[i].dispose();
      this.banks.splice(i, 1);
    }
  }

  /** Keeps `presence` in step with one cell: 0 there, −1 not. */
  #mark(cell: number, value: 0 | -1): void {
    if (!this.#presence) return;
    const device = findDevice(tf.getBackend());
    if (device && isExclusive(this.#presence)) device.write(this.#presence, cell, Int32Array.of(value));
    else this.#dropPresence();
  }

  #dropPresence(): void {
    this.#presence?.dispose();
    this.#presence = null;
    this.#everywhere?.dispose();
    this.#everywhere = null;
  }
}

function keyOf(shape: NodeShape, { codec, row }: BankForm): string {
  return codec ? `${shape} ${codec.codec} ${codec.parameter} ${row}` : `${shape}`;
}

export const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

/** Whether the two are of the same bank; keyOf says the same, but nodes set one by one would wait for its strings. */
function isSameForm(a: BankForm & { shape: NodeShape }, b: BankForm & { shape: NodeShape }): boolean {
  const isSameCodec = a.codec?.codec === b.codec?.codec && a.codec?.parameter === b.codec?.parameter;
  return isSameCodec && isSame(a.shape, b.shape) && isSame(a.row, b.row);
}

/** Lists of those with the same key, in the order of their first ones. */
export function grouped<T>(all: readonly T[], key: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(key(one));
    if (group) group.push(one);
    else groups.set(key(one), [one]);
  }
  return [...groups.values()];
}

/** A node's bytes: the ones it has, unless its parameters were trained since; those are stored as they are. */
function trainedBytes(bank: Bank, row: Float32Array, bytes: Uint8Array): Uint8Array {
  const { codec, row: shape } = bank.options;
  const form = { codec: codec!, row: shape };
  const before = CompressedWavetable.read(bytes, { verify: false });
  if (rowOf(form, before.parameters).every((v, i) => Object.is(v, row[i]))) return bytes;
  return CompressedWavetable.ofTrained(bytes, hostParams(form, row, before.parameters).params).bytes;
}

/** How many different cells of `nodes` the bank has no node for. */
function newTo(bank: Bank, nodes: readonly { cell: number }[]): number {
  return new Set(nodes.map(({ cell }) => cell).filter((cell) => !bank.has(cell))).size;
}

/** Halves as int32 lanes, the last one padded. */
function lanesOf(halves: Uint16Array, lanes: number): Int32Array {
  const words = new Uint16Array(lanes * 2);
  words.set(halves);
  return new Int32Array(words.buffer);
}
