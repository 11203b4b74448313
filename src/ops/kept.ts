/** What is costly to make and asked for again: the matrices, plans and passes of the sizes in use. */
export class Kept<T> {
  /** In the order of their last use. */
  readonly #items = new Map<string | number, { item: T; bytes: number }>();
  #bytes = 0;

  /** Keeps what was last asked for, and of the others the last used, as long as all are within `mostBytes`. */
  constructor(
    private readonly bytesOf: (item: T) => number,
    private readonly mostBytes = 64 * 2 ** 20,
  ) {}

  /** The item of a key, made if it is not kept. */
  get(key: string | number, make: () => T): T {
    const known = this.#items.get(key);
    const item = known ? known.item : make();
    const bytes = known ? known.bytes : this.bytesOf(item);
    this.#items.delete(key);
    this.#items.set(key, { item, bytes });
    if (!known) this.#bytes += bytes;
    for (const [oldest, { bytes }] of this.#items) {
      if (this.#bytes <= this.mostBytes || oldest === key) break;
      this.#items.delete(oldest);
      this.#bytes -= bytes;
    }
    return item;
  }
}
