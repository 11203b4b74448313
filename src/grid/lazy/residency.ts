/**
 * How much of opened cubes is at hand: the nodes that were read from files, the least recently used first, bounded in bytes as their
 * rows are allocated. What a call needs at once it gets, if that is more. Nodes that were set are not of the file any more: they stay.
 */
import type { Bank } from '../bank.js';
import type { NodeStore } from '../store.js';

/** A node, or a tangent, that is in a file and in a bank. */
export interface Resident {
  readonly store: NodeStore;
  readonly cell: number;
  readonly bank: Bank;
  /** Of its row, and of its container. */
  readonly bytes: number;
  /** Whether a call under way needs it. */
  isPinned(): boolean;
  /** It is in the file alone from now on. */
  evicted(): void;
}

/** Of the bound, what is made free at once where rows of one form must give way to those of another. */
const SHARE = 1 / 8;

const rowBytes = (bank: Bank) => 4 * bank.lanes;
const emptyBytes = (bank: Bank) => bank.room * rowBytes(bank);

export class Residency {
  readonly #stores = new Set<NodeStore>();
  /** The least recently used first. */
  readonly #nodes = new Set<Resident>();
  #bytes = 0;

  constructor(readonly limitBytes: number) {}

  join(stores: Iterable<NodeStore>): void {
    for (const store of stores) this.#stores.add(store);
  }

  leave(stores: Iterable<NodeStore>): void {
    for (const store of stores) this.#stores.delete(store);
  }

  add(node: Resident): void {
    this.#nodes.add(node);
    this.#bytes += node.bytes;
  }

  remove(node: Resident): void {
    if (this.#nodes.delete(node)) this.#bytes -= node.bytes;
  }

  /** Marks nodes as just used. */
  use(nodes: Iterable<Resident>): void {
    for (const node of nodes) if (this.#nodes.delete(node)) this.#nodes.add(node);
  }

  /** Bytes of file nodes that are at hand, and of rows that stand empty. */
  get residentBytes(): number {
    return this.#bytes + this.#banks().reduce((sum, bank) => sum + emptyBytes(bank), 0);
  }

  /** Makes room in a bank for `count` nodes more; see MakeRoom. */
  readonly makeRoom = (bank: Bank, count: number, extraBytes: number): void => {
    const needed = count * rowBytes(bank) + extraBytes;
    this.#evictTo(this.limitBytes - needed);
    const missing = () => count - bank.room;
    if (missing() <= 0) return;
    const fitting = () => Math.floor((this.limitBytes - this.residentBytes - extraBytes) / rowBytes(bank));
    if (fitting() < missing()) {
      // Rows of other forms hold the room: enough of them go that this need not be done for each node.
      this.#evictTo(this.limitBytes * (1 - SHARE) - needed);
      for (const other of this.#banks()) {
        if (other !== bank && fitting() < missing()) other.compact();
      }
    }
    if (missing() <= 0) return;
    const ample = Math.min(fitting(), Math.ceil(bank.count / 2));
    bank.grow(Math.max(missing(), ample));
  };

  /** Keeps to the bound again after a call that needed more. */
  trim(): void {
    if (this.residentBytes <= this.limitBytes) return;
    this.#evictTo(this.limitBytes);
    for (const bank of this.#banks()) if (this.residentBytes > this.limitBytes) bank.compact();
    for (const store of this.#stores) store.dropEmpty();
  }

  #evictTo(bytes: number): void {
    if (this.#bytes <= bytes) return;
    for (const node of this.#nodes) {
      if (this.#bytes <= bytes) return;
      if (node.isPinned()) continue;
      this.remove(node);
      node.store.evict(node.cell);
      node.evicted();
    }
  }

  #banks(): Bank[] {
    return [...this.#stores].flatMap((store) => store.banks);
  }
}
