/**
 * Decoded rows of compressed nodes, bounded in bytes as they are allocated: the least recently used goes first. What a call
 * needs at once, up to eight nodes, is held if it is more.
 */
import * as tf from '@tensorflow/tfjs';
import { type NodeShape, sizeOf } from '../codecs/parameters.js';
import { findDevice } from '../ops/device.js';
import { Bank, type Dims } from './bank.js';

export class DecodedCache {
  /** Cells by when they were used, the oldest first. */
  readonly #cells = new Map<number, Bank>();
  readonly #banks = new Map<string, Bank>();

  constructor(
    private readonly dims: Dims,
    readonly limitBytes: number,
  ) {}

  has(cell: number): boolean {
    return this.#cells.has(cell);
  }

  /** One bank a shape. They hold other cells too: what a batch does not touch, adds nothing to it. */
  get banks(): Iterable<Bank> {
    return this.#banks.values();
  }

  /** The rows of nodes of a shape, if there are any. */
  bankOfShape(shape: NodeShape): Bank | undefined {
    return this.#banks.get(String(shape));
  }

  get residentBytes(): number {
    return [...this.#banks.values()].reduce((sum, bank) => sum + bank.residentBytes, 0);
  }

  get indexBytes(): number {
    return [...this.#banks.values()].reduce((sum, bank) => sum + bank.indexBytes, 0);
  }

  /** Marks a cell as just used. */
  touch(cell: number): void {
    const bank = this.#cells.get(cell);
    if (!bank) return;
    this.#cells.delete(cell);
    this.#cells.set(cell, bank);
  }

  /** Takes up a decoded node [H, W, C], which stays the caller's; others but those of `kept` make room. */
  put(cell: number, node: tf.Tensor3D, kept: ReadonlySet<number>): void {
    const bank = this.#bankOf(node.shape);
    const oldest = this.#cells.keys();
    while (bank.room === 0) {
      const fitting = Math.floor((this.limitBytes - this.residentBytes) / (4 * bank.payload));
      if (fitting >= 1) {
        bank.grow(Math.min(fitting, Math.max(8, bank.count / 2)));
        break;
      }
      const { value: other, done } = oldest.next();
      // What a call needs it gets, if more than the limit.
      if (done) bank.grow(1);
      else if (!kept.has(other)) this.drop(other, bank);
    }
    tf.tidy(() => bank.set(cell, node.reshape([1, bank.payload]) as tf.Tensor2D));
    this.#cells.set(cell, bank);
  }

  /** Forgets a cell, and the memory of its bank with the last one there, but that of `needed`. */
  drop(cell: number, needed?: Bank): void {
    const bank = this.#cells.get(cell);
    if (!bank) return;
    bank.delete(cell);
    this.#cells.delete(cell);
    if (bank.count > 0 || bank === needed) return;
    this.#banks.delete(String(bank.options.shape));
    bank.dispose();
  }

  clear(): void {
    for (const bank of this.#banks.values()) bank.dispose();
    this.#banks.clear();
    this.#cells.clear();
  }

  #bankOf(shape: NodeShape): Bank {
    const key = String(shape);
    let bank = this.#banks.get(key);
    if (!bank) {
      const { dims } = this;
      // One page, where the device can bind it, of the limit or of the eight nodes that a sample needs.
      const most = findDevice(tf.getBackend())?.maxPageBytes() ?? Number.POSITIVE_INFINITY;
      const pageBytes = Math.min(most, Math.max(this.limitBytes, 8 * 4 * sizeOf(shape)));
      const form = { row: shape, codec: null, dtype: 'float32', trainable: false } as const;
      bank = new Bank({ dims, shape, pageBytes, ...form });
      this.#banks.set(key, bank);
    }
    return bank;
  }
}
