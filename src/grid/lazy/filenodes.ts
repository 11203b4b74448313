/**
 * The nodes of an opened cube that its file holds: which cells have what there, what of it is at hand, and what has changed since. The
 * file says what a node is until it is set or deleted; of nodes that are at hand the banks have a copy, which goes where room is needed
 * (residency.ts).
 */
import { sizeOf } from '../../codecs/parameters.js';
import type { NodeShape } from '../bank.js';
import type { NodeSource, StoredEntry } from '../files/nodesource.js';
import type { Elsewhere, NodeStore } from '../store.js';
import type { Tangents } from '../tangents.js';
import type { Residency, Resident } from './residency.js';

/** The nodes, and their tangents along x, y, z. */
export type Role = 0 | 1 | 2 | 3;
export const ROLES: readonly Role[] = [0, 1, 2, 3];

type ByRole<T> = readonly [T, T, T, T];
const each = <T>(of: (role: Role) => T): ByRole<T> => [of(0), of(1), of(2), of(3)];

/** Cells of each role. */
export type Cells = readonly [Set<number>, Set<number>, Set<number>, Set<number>];
export const noCells = (): Cells => [new Set(), new Set(), new Set(), new Set()];

export const countOf = (cells: Cells): number => cells.reduce((sum, { size }) => sum + size, 0);
export const cellsWhere = (cells: Cells, holds: (role: Role, cell: number) => boolean): Cells =>
  each((role) => new Set([...cells[role]].filter((cell) => holds(role, cell))));

export const roleOf = ({ tangent }: Pick<StoredEntry, 'tangent'>): Role =>
  tangent === undefined ? 0 : (('xyz'.indexOf(tangent) + 1) as Role);

const closed = new WeakSet<NodeSource>();

/** Closes a source, unless this has done it before. */
export function closeOnce(source: NodeSource): void {
  if (closed.has(source)) return;
  closed.add(source);
  source.close();
}

/** Rows over bytes in the file, of a codec that nothing is known of. */
const USUAL_GROWTH = 4;

export class FileNodes {
  /** Of the nodes, and of their tangents. */
  readonly stores: ByRole<NodeStore>;
  /** Cell → number of its entry, where the file still says what it is. */
  readonly #valid: ByRole<Map<number, number>>;
  readonly #here: ByRole<Map<number, Resident>>;
  #source: NodeSource;
  #residency: Residency;
  /** Cells that were set or deleted, for each who watches. */
  readonly #watching = new Set<Cells>();
  readonly #cellOf: (entry: StoredEntry) => number;
  /** How many calls under way need a cell. */
  readonly #pins: ByRole<Map<number, number>>;
  /** By codec, what nodes took in the file and then in rows. */
  readonly #growth = new Map<string, { stored: number; held: number }>();
  /** [H, W, C] of nodes that a dense cube has without a word of the file: zeros. */
  readonly #zeros: NodeShape | null;
  /** Cells that are, or were, no such node. */
  readonly #given: Set<number>;

  /**
   * @param source the cube's own, which is closed with it.
   * @param where path or URL that it was opened from; null of bytes.
   */
  constructor(
    source: NodeSource,
    readonly where: string | null,
    store: NodeStore,
    tangents: Tangents,
    residency: Residency,
    cellOf: (entry: StoredEntry) => number,
    zeros: NodeShape | null,
  ) {
    this.#source = source;
    this.#cellOf = cellOf;
    this.#residency = residency;
    this.stores = [store, ...tangents.stores];
    this.#valid = each(() => new Map());
    this.#here = each(() => new Map());
    this.#pins = each(() => new Map());
    source.entries.forEach((entry, i) => {
      this.#valid[roleOf(entry)].set(cellOf(entry), i);
    });
    this.#zeros = zeros;
    this.#given = new Set(zeros ? this.#valid[0].keys() : []);
    for (const role of ROLES) this.stores[role].elsewhere = this.#elsewhere(role);
    residency.join(this.stores);
  }

  #elsewhere(role: Role): Elsewhere {
    const file = this;
    const [valid, here] = [this.#valid[role], this.#here[role]];
    return {
      get size() {
        return valid.size - here.size + (role === 0 ? file.zeroCount : 0);
      },
      has: (cell) => valid.has(cell) || (role === 0 && file.isZero(cell)),
      *cells() {
        for (const cell of valid.keys()) if (!here.has(cell)) yield cell;
        if (role > 0 || file.zeroCount === 0) return;
        for (let cell = 0; cell < file.stores[0].cells; cell++) if (file.isZero(cell)) yield cell;
      },
      supersede: (cell) => file.#supersede(role, cell),
    };
  }

  get source(): NodeSource {
    return this.#source;
  }

  /** Takes up the cells that are set or deleted from now on. */
  watch(): { cells: Cells; end(): void } {
    const cells = noCells();
    this.#watching.add(cells);
    return { cells, end: () => this.#watching.delete(cells) };
  }

  /** Reads from another file from now on, which holds what the cube is, but `changed`. The old one is closed. */
  moveToSource(source: NodeSource, changed: Cells): void {
    for (const role of ROLES) this.#valid[role].clear();
    source.entries.forEach((entry, number) => {
      const role = roleOf(entry);
      const cell = this.#cellOf(entry);
      if (changed[role].has(cell)) return;
      this.#valid[role].set(cell, number);
      if (role === 0 && this.#zeros) this.#given.add(cell);
    });
    closeOnce(this.#source);
    this.#source = source;
    for (const role of ROLES) {
      const store = this.stores[role];
      for (const bank of store.banks) {
        for (const cell of bank.cells()) {
          if (!this.#valid[role].has(cell) || this.#here[role].has(cell)) continue;
          this.admitted(role, cell, { bank, bytes: 4 * bank.lanes + (store.packed.get(cell)?.length ?? 0) });
        }
      }
    }
    this.#residency.trim();
  }

  /** What bounds the nodes at hand. */
  get residency(): Residency {
    return this.#residency;
  }

  /** Has its nodes bounded together with those of other files. */
  moveTo(residency: Residency): void {
    this.#residency.leave(this.stores);
    residency.join(this.stores);
    for (const role of ROLES) {
      for (const node of this.#here[role].values()) {
        this.#residency.remove(node);
        residency.add(node);
      }
    }
    this.#residency = residency;
  }

  /** Nodes of a dense cube that nobody has given: zeros, which are nowhere. */
  get zeroCount(): number {
    return this.#zeros ? this.stores[0].cells - this.#given.size : 0;
  }

  isZero(cell: number): boolean {
    return this.#zeros !== null && !this.#given.has(cell);
  }

  /** Nodes and tangents that are in the file alone. */
  get awayCount(): number {
    return ROLES.reduce<number>((sum, role) => sum + this.#valid[role].size - this.#here[role].size, 0);
  }

  /** Whether a cell's node or tangent is in the file alone. */
  isAway(role: Role, cell: number): boolean {
    return this.#valid[role].has(cell) && !this.#here[role].has(cell);
  }

  /** All that are in the file alone. */
  away(): Cells {
    return each((role) => new Set([...this.#valid[role].keys()].filter((cell) => this.isAway(role, cell))));
  }

  /** All that the file still says, at hand or not. */
  inFile(): Cells {
    return each((role) => new Set(this.#valid[role].keys()));
  }

  /** Bytes of cells at hand; of those that are not, about what they will take. */
  bytesOf(cells: Cells): number {
    let sum = 0;
    for (const role of ROLES) for (const cell of cells[role]) sum += this.bytesOfCell(role, cell);
    return sum;
  }

  bytesOfCell(role: Role, cell: number): number {
    const entry = this.entry(role, cell);
    if (!entry) return 0;
    const here = this.#here[role].get(cell);
    if (here) return here.bytes;
    const { codec, shape, sizeBytes } = entry;
    if (codec === null) return sizeBytes;
    const known = this.#growth.get(codec) ?? { stored: 1, held: USUAL_GROWTH };
    return sizeBytes + Math.min(4 * sizeOf(shape), (sizeBytes * known.held) / known.stored);
  }

  /** What a node that no bank holds is; undefined where the file says nothing of it. */
  describe(cell: number): { shape: NodeShape; codec: string | null; storedBytes: number } | undefined {
    if (this.isZero(cell)) return { shape: this.#zeros!, codec: null, storedBytes: 0 };
    const entry = this.entry(0, cell);
    return entry && { shape: entry.shape, codec: entry.codec, storedBytes: entry.sizeBytes };
  }

  /** Bytes of what no bank holds: as dense float32, and in the file. */
  awayBytes(): { denseBytes: number; storedBytes: number } {
    const sum = { denseBytes: this.#zeros ? 4 * this.zeroCount * sizeOf(this.#zeros) : 0, storedBytes: 0 };
    for (const role of ROLES) {
      for (const number of this.numbers(role, false)) {
        const { shape, sizeBytes } = this.source.entries[number];
        sum.denseBytes += 4 * sizeOf(shape);
        sum.storedBytes += sizeBytes;
      }
    }
    return sum;
  }

  /** What the file holds of a cell; undefined where that is not what it is any more. */
  entry(role: Role, cell: number): StoredEntry | undefined {
    const number = this.#valid[role].get(cell);
    return number === undefined ? undefined : this.source.entries[number];
  }

  /** The number of a cell's entry. */
  numberOf(role: Role, cell: number): number | undefined {
    return this.#valid[role].get(cell);
  }

  /** Numbers of entries that still say what the cube is, of each role ascending; those of nodes that are at hand too, or not. */
  numbers(role: Role, atHandToo: boolean): number[] {
    const found: number[] = [];
    for (const [cell, number] of this.#valid[role]) {
      if (atHandToo || !this.#here[role].has(cell)) found.push(number);
    }
    return found.sort((a, b) => a - b);
  }

  /** The nodes or tangents of a role that are in banks, but not in the file as they are. */
  isChanged(role: Role, cell: number): boolean {
    return !this.#valid[role].has(cell);
  }

  /** A node is in its bank now. */
  admitted(role: Role, cell: number, node: Pick<Resident, 'bank' | 'bytes'>): void {
    const here = this.#here[role];
    const { codec, sizeBytes } = this.entry(role, cell)!;
    if (codec !== null) {
      const known = this.#growth.get(codec) ?? { stored: 0, held: 0 };
      this.#growth.set(codec, { stored: known.stored + sizeBytes, held: known.held + 4 * node.bank.lanes });
    }
    const resident: Resident = {
      ...node,
      store: this.stores[role],
      cell,
      isPinned: () => this.#pins[role].has(cell),
      evicted: () => here.delete(cell),
    };
    here.set(cell, resident);
    this.residency.add(resident);
  }

  /** Takes what cannot be read, and is not at hand, out of the cube. @returns its cell. */
  forget(role: Role, number: number): number {
    const cell = this.#cellOf(this.source.entries[number]);
    this.#valid[role].delete(cell);
    if (role === 0) this.#given.delete(cell);
    return cell;
  }

  /** Keeps cells at hand, or as soon as they are there, until the result is called. */
  pin(cells: Cells): () => void {
    const count = (role: Role, cell: number, by: number) => {
      const pins = (this.#pins[role].get(cell) ?? 0) + by;
      if (pins > 0) this.#pins[role].set(cell, pins);
      else this.#pins[role].delete(cell);
    };
    const pinned = each((role) => [...cells[role]]);
    for (const role of ROLES) for (const cell of pinned[role]) count(role, cell, 1);
    return () => {
      for (const role of ROLES) for (const cell of pinned[role].splice(0)) count(role, cell, -1);
    };
  }

  /** Marks those that are at hand as just used. */
  use(cells: Cells): void {
    for (const role of ROLES) {
      for (const cell of cells[role]) {
        const node = this.#here[role].get(cell);
        if (node) this.residency.use([node]);
      }
    }
  }

  /** The file with the same nodes for a twin of the cube, whose stores have what is in banks here. */
  cloneInto(store: NodeStore, tangents: Tangents, residency: Residency): FileNodes {
    const source = this.source.share();
    const twin = new FileNodes(source, this.where, store, tangents, residency, this.#cellOf, this.#zeros);
    twin.#given.clear();
    for (const cell of this.#given) twin.#given.add(cell);
    for (const role of ROLES) {
      for (const cell of [...twin.#valid[role].keys()]) {
        if (!this.#valid[role].has(cell)) twin.#valid[role].delete(cell);
      }
      for (const [cell, { bytes }] of this.#here[role]) {
        twin.admitted(role, cell, { bank: twin.stores[role].find(cell)!, bytes });
      }
    }
    return twin;
  }

  dispose(): void {
    for (const role of ROLES) {
      for (const node of this.#here[role].values()) this.residency.remove(node);
      this.#here[role].clear();
      this.stores[role].elsewhere = null;
    }
    this.residency.leave(this.stores);
    closeOnce(this.source);
  }

  #supersede(role: Role, cell: number): void {
    if (role === 0 && this.#zeros) this.#given.add(cell);
    for (const cells of this.#watching) cells[role].add(cell);
    const node = this.#here[role].get(cell);
    if (node) {
      this.#here[role].delete(cell);
      this.residency.remove(node);
    }
    this.#valid[role].delete(cell);
  }
}
