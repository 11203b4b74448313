/** The nodes of an opened .wvcb file, read as they are needed. */
import { ArgumentError, check, DisposedError } from '../../errors.js';
import type { Source } from '../../grid/files/bytestream.js';
import type { LostNode } from '../../grid/files/contents.js';
import type { NodeSource, StoredEntry } from '../../grid/files/nodesource.js';
import type { Opened, ReadOptions } from '../../grid/files/persistence.js';
import type { StoredNode } from '../../grid/files/storednodes.js';
import { type CheckedIndex, checkIndex, tangentOf } from './checkindex.js';
import { type Head, readHead } from './head.js';
import { CHUNK_BYTES, type PayloadFiles, type PayloadReading, readPayloads } from './payloads.js';
import { cubeWithoutNodes, filesOf, withCubes } from './read.js';

/** Few requests that waste few bytes: sources may be far away. */
const RANGES: Omit<PayloadReading, 'verify'> = {
  gapBytes: 8 * 1024,
  wasteBytes: 24 * 1024,
  freeBytes: 64,
  mostBytes: CHUNK_BYTES,
  ahead: 6,
  reuse: false,
};

/** An entry as its index says it, looked up when it is asked for: an index of many nodes stays as small as its bytes. */
class Entry implements StoredEntry {
  constructor(
    private readonly head: Head,
    private readonly i: number,
  ) {}
  get x() {
    return this.head.index.x(this.i);
  }
  get y() {
    return this.head.index.y(this.i);
  }
  get z() {
    return this.head.index.z(this.i);
  }
  get shape() {
    return this.head.index.shape(this.i);
  }
  get codec() {
    const number = this.head.index.codec(this.i);
    return number === 0 ? null : this.head.metadata.codecs[number - 1].id;
  }
  get sizeBytes() {
    return this.head.index.sizeBytes(this.i);
  }
  get tangent() {
    return tangentOf(this.head, this.i);
  }
}

/** What ends when its last holder lets go. */
class Held {
  #holders = 0;

  constructor(private readonly end: () => void) {}

  take(): () => void {
    this.#holders++;
    let isHeld = true;
    return () => {
      if (isHeld && --this.#holders === 0) this.end();
      isHeld = false;
    };
  }
}

export class FileNodes implements NodeSource {
  readonly entries: readonly StoredEntry[];
  readonly #letGo: () => void;
  #isClosed = false;

  constructor(
    readonly file: { head: Head; from: PayloadFiles; held: Held; options: ReadOptions },
    /** Of each entry, its number in the index. */
    readonly numbers: readonly number[],
    readonly lost: LostNode[],
    entries?: readonly StoredEntry[],
  ) {
    this.entries = entries ?? numbers.map((i) => new Entry(file.head, i));
    this.#letGo = file.held.take();
  }

  get name(): string {
    return this.file.head.name;
  }

  async *read(which: readonly number[], signal?: AbortSignal): AsyncGenerator<readonly StoredNode[]> {
    if (this.#isClosed) throw new DisposedError(`${this.name}: it is closed`);
    const { head, from, held, options } = this.file;
    const { recover = false, verify = true } = options;
    // What is being read is closed after that.
    const letGo = held.take();
    try {
      const lose = (_: number, one: LostNode) => {
        if (!this.lost.some(({ file, offset }) => file === one.file && offset === one.offset))
          this.lost.push(one);
      };
      const numbers = which.map((one) => this.numbers[one]);
      yield* readPayloads(head, from, numbers, { ...RANGES, verify, signal, ...(recover && { lose }) });
    } finally {
      letGo();
    }
  }

  share(): NodeSource {
    if (this.#isClosed) throw new DisposedError(`${this.name}: it is closed`);
    return new FileNodes(this.file, this.numbers, this.lost, this.entries);
  }

  close(): void {
    this.#isClosed = true;
    this.#letGo();
  }
}

/** A file whose nodes stay where they are. The source is the result's from then on: it is closed with the last of its cubes. */
export async function openFile(source: Source, options: ReadOptions): Promise<Opened> {
  const head = await readHead(source, options);
  return openFrom(head, await filesOf(source, head, options, false), options, () => source.close());
}

/** As openFile, of a file or of shards. @param close called with the last of its cubes. */
export function openFrom(
  head: Head,
  from: PayloadFiles,
  options: ReadOptions,
  close: () => Promise<void>,
): Opened {
  const checked = checkIndex(head, from.files, options);
  return openedOf(head, from, checked, options, () => {
    // Nobody waits for the end of a file that is only read.
    for (const end of [close, () => from.close?.()]) Promise.resolve(end()).catch(() => {});
  });
}

/** @param end called when the last cube is closed. */
export function openedOf(
  head: Head,
  from: PayloadFiles,
  checked: CheckedIndex,
  options: ReadOptions,
  end: () => void,
): Opened {
  const held = new Held(end);
  const cubes = head.metadata.cubes.map((_, level) => {
    const source = new FileNodes({ head, from, held, options }, checked.cubes[level], checked.lost[level]);
    return { ...cubeWithoutNodes(head, checked, level), source };
  });
  return withCubes(head, cubes);
}

/** What openFile knows of a file. @throws ArgumentError for nodes of another format. */
export function openedFile(source: NodeSource) {
  check(
    source instanceof FileNodes,
    () => new ArgumentError(`saveChanges: ${source.name} is no .wvcb file; save() writes the cube anew`),
  );
  const { file, numbers, lost } = source;
  return { head: file.head, options: file.options, numbers, lost };
}
