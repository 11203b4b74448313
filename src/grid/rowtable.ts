/** The row of each cell's node in a bank; −1: none. Of a large grid with few nodes it takes the memory of these, not of the grid. */

/** Grids of so many cells are a plain array from the start. */
const SMALL_CELLS = 2 ** 16;
/** Cells a node beyond which a map takes less than an array. */
const CELLS_PER_ENTRY = 16;

export class RowTable {
  /** Null while there are so few nodes that #few has them. */
  #rows: Int32Array | null;
  readonly #few = new Map<number, number>();

  constructor(readonly size: number) {
    this.#rows = size <= SMALL_CELLS ? new Int32Array(size).fill(-1) : null;
  }

  get(cell: number): number {
    return this.#rows ? this.#rows[cell] : (this.#few.get(cell) ?? -1);
  }

  /** @param row −1: the cell has no node any more. */
  set(cell: number, row: number): void {
    if (this.#rows) this.#rows[cell] = row;
    else if (row < 0) this.#few.delete(cell);
    else {
      this.#few.set(cell, row);
      if (this.#few.size * CELLS_PER_ENTRY > this.size) this.#spread();
    }
  }

  /** Each cell has the row of its own number. */
  setInOrder(): void {
    const rows = this.#spread();
    for (let cell = 0; cell < rows.length; cell++) rows[cell] = cell;
  }

  /** Cells with a node, ascending. */
  *cells(): Generator<number> {
    if (this.#rows) {
      for (let cell = 0; cell < this.size; cell++) if (this.#rows[cell] >= 0) yield cell;
    } else yield* Float64Array.from(this.#few.keys()).sort();
  }

  /** All rows by their cells, in memory of its own. */
  toArray(): Int32Array {
    if (this.#rows) return this.#rows.slice();
    const rows = new Int32Array(this.size).fill(-1);
    for (const [cell, row] of this.#few) rows[cell] = row;
    return rows;
  }

  copyFrom(other: RowTable): void {
    this.#few.clear();
    for (const [cell, row] of other.#few) this.#few.set(cell, row);
    this.#rows = other.#rows?.slice() ?? null;
  }

  /** Bytes on the host. */
  get byteLength(): number {
    return this.#rows?.byteLength ?? this.#few.size * 4 * CELLS_PER_ENTRY;
  }

  #spread(): Int32Array {
    this.#rows ??= this.toArray();
    this.#few.clear();
    return this.#rows;
  }
}
