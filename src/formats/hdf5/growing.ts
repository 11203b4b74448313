/**
 * A file that HDF5 writes wherever it likes, on its way into a Sink, which grows at its end. What HDF5 may want to see again is kept, in
 * pages; the values of a dataset, once written, are not: they go to the sink at once.
 */
import type { Sink } from '../../grid/files/bytestream.js';
import type { Library } from './library.js';

const PAGE = 4096;
/** EIO. */
export const IO_ERROR = 29;
const zeros = new Uint8Array(PAGE);

interface Page {
  bytes: Uint8Array;
  /** Whether the sink lacks some of it. */
  isNew: boolean;
}

/** Pages that are in the sink alone. */
type Range = [from: number, to: number];

export class GrowingFile {
  readonly #pages = new Map<number, Page>();
  readonly #passed: Range[] = [];
  #sizeBytes = 0;
  /** Whole pages in the sink. */
  #sunk = 0;
  #awaited: { bytes: Uint8Array; pointer: number } | null = null;
  #landed: { bytes: Uint8Array; offset: number } | null = null;

  /** Makes a file of the library's file system be this one. */
  constructor(
    readonly h5: Library,
    path: string,
  ) {
    h5.FS.writeFile(path, new Uint8Array(0));
    const { node } = h5.FS.lookupPath(path);
    Object.defineProperty(node, 'usedBytes', { get: () => this.#sizeBytes, set() {} });
    node.node_ops = {
      ...node.node_ops,
      setattr: (_, { size }) => {
        if (size !== undefined) this.#sizeBytes = size;
      },
    };
    node.stream_ops = {
      ...node.stream_ops,
      read: (_, buffer, at, length, position) => this.#read(buffer, at, length, position),
      write: (_, buffer, at, length, position) => this.#write(buffer, at, length, position),
    };
  }

  /** The values that the next write of a dataset brings; they lie at `pointer` as well. They must stay as they are until `drain`. */
  await(bytes: Uint8Array, pointer: number): void {
    this.#awaited = { bytes, pointer };
    this.#landed = null;
  }

  /** Where they came to lie; undefined if they were not written in one piece. */
  get landedAt(): number | undefined {
    return this.#landed?.offset;
  }

  /** Brings the values that landed to the sink. */
  async drain(sink: Sink): Promise<void> {
    const landed = this.#landed;
    this.#awaited = null;
    this.#landed = null;
    if (!landed) return;
    const { bytes, offset } = landed;
    const [from, to] = wholePages(offset, bytes.length);
    if (to <= from) return;
    const inner = bytes.subarray(from * PAGE - offset, to * PAGE - offset);
    if (from < this.#sunk) {
      await sink.patch(from * PAGE, inner);
    } else {
      await this.#sink(sink, from);
      await sink.write(inner);
      this.#sunk = to;
    }
  }

  /** Brings the rest to the sink, when HDF5 has closed the file. */
  async finish(sink: Sink): Promise<void> {
    const whole = Math.floor(this.#sizeBytes / PAGE);
    await this.#sink(sink, whole);
    const rest = this.#sizeBytes - sink.sizeBytes;
    if (rest > 0) await sink.write((this.#pages.get(whole)?.bytes ?? zeros).subarray(0, rest));
    for (const [number, page] of this.#pages) {
      if (page.isNew && number < whole) await sink.patch(number * PAGE, page.bytes);
    }
  }

  /** Appends pages up to one. */
  async #sink(sink: Sink, end: number): Promise<void> {
    for (; this.#sunk < end; this.#sunk++) {
      const page = this.#pages.get(this.#sunk);
      if (page) page.isNew = false;
      await sink.write(page?.bytes ?? zeros);
    }
  }

  #write(buffer: Int8Array, at: number, length: number, position: number): number {
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset + at, length);
    this.#sizeBytes = Math.max(this.#sizeBytes, position + length);
    const awaited = this.#awaited;
    if (awaited?.bytes.length === length && (at === awaited.pointer || isSame(bytes, awaited.bytes))) {
      this.#landed = { bytes: awaited.bytes, offset: position };
      const [from, to] = wholePages(position, length);
      if (to > from) {
        this.#keep(position, bytes.subarray(0, from * PAGE - position));
        this.#keep(to * PAGE, bytes.subarray(to * PAGE - position));
        const isLast = from >= (this.#passed.at(-1)?.[1] ?? 0);
        this.#passed.push([from, to]);
        if (!isLast) this.#passed.sort(([a], [b]) => a - b);
        return length;
      }
    }
    this.#keep(position, bytes);
    return length;
  }

  #keep(position: number, bytes: Uint8Array): void {
    for (const [number, from, within] of pieces(position, bytes.length)) {
      let page = this.#pages.get(number);
      if (!page) {
        this.#refusePassed(number);
        page = { bytes: new Uint8Array(PAGE), isNew: true };
        this.#pages.set(number, page);
      }
      page.bytes.set(bytes.subarray(from, from + PAGE - within), within);
      page.isNew = true;
    }
  }

  #read(buffer: Int8Array, at: number, length: number, position: number): number {
    const available = Math.max(0, Math.min(length, this.#sizeBytes - position));
    const into = new Uint8Array(buffer.buffer, buffer.byteOffset + at, available);
    for (const [number, from, within] of pieces(position, available)) {
      const page = this.#pages.get(number);
      if (!page) this.#refusePassed(number);
      into.set((page?.bytes ?? zeros).subarray(within, within + available - from), from);
    }
    return available;
  }

  /** HDF5 has no reason to come back to a dataset's values; if it does all the same, that must not go unnoticed. */
  #refusePassed(number: number): void {
    let low = 0;
    let high = this.#passed.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#passed[middle][1] <= number) low = middle + 1;
      else high = middle;
    }
    if (low < this.#passed.length && this.#passed[low][0] <= number)
      throw new this.h5.FS.ErrnoError(IO_ERROR);
  }
}

/** Pages that bytes cover all of. */
function wholePages(offset: number, length: number): Range {
  return [Math.ceil(offset / PAGE), Math.floor((offset + length) / PAGE)];
}

/** A range by pages: each one's number, where in the range it begins, where in the page. */
function* pieces(
  position: number,
  length: number,
): Generator<[number: number, from: number, within: number]> {
  for (let from = 0; from < length; ) {
    const within = (position + from) % PAGE;
    yield [Math.floor((position + from) / PAGE), from, within];
    from += PAGE - within;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
