/** A folder as zarrita reads it: keys are names in the folder, and what is not there is told apart from what cannot be read. */
import type { AbsolutePath, GetOptions, RangeQuery } from 'zarrita';
import { check, FormatError } from '../../errors.js';
import { type Folder, readAll, type Source } from '../../grid/files/bytestream.js';
import { parseJson } from '../../grid/files/json.js';
import { ABSENT_OFFSET, mayUnpackTo } from './codecs.js';

/** There is no such file, or no such chunk in its shard: no error, until somebody needs it. */
export class Absent extends Error {}

/** Goes with a read through zarrita, and says where it read last. */
export interface Trace extends GetOptions {
  file?: string;
  offset?: number;
}

/** Files kept open: more than are read from at once. */
const KEPT_OPEN = 24;
/** Of metadata. */
const MAX_JSON_BYTES = 64 * 2 ** 20;

/** Whether an error says that there is nothing of a name, rather than that it cannot be reached. */
const saysMissing = (error: unknown): boolean => (error as { missing?: unknown }).missing === true;

/** The files of a store, a few of which are open. */
export class StoreFiles {
  readonly #open = new Map<string, Promise<Source>>();
  #names: Promise<Set<string> | null> | undefined;

  constructor(
    readonly folder: Folder,
    readonly signal?: AbortSignal,
  ) {}

  /** All names, or null where the place does not tell them. */
  names(): Promise<Set<string> | null> {
    this.#names ??= (async () => (this.folder.list ? new Set(await this.folder.list()) : null))();
    return this.#names;
  }

  /** @throws Absent */
  async source(name: string): Promise<Source> {
    const names = await this.names();
    if (names && !names.has(name)) throw new Absent(name);
    let source = this.#open.get(name);
    this.#open.delete(name);
    source ??= this.folder.open(name);
    this.#open.set(name, source);
    for (const [oldest, old] of this.#open) {
      if (this.#open.size <= KEPT_OPEN) break;
      this.#open.delete(oldest);
      void closed(old);
    }
    try {
      return await source;
    } catch (error) {
      this.#open.delete(name);
      throw saysMissing(error) ? new Absent(name) : error;
    }
  }

  /** The value of a JSON file; undefined where there is none. */
  async json(name: string): Promise<unknown> {
    let source: Source;
    try {
      source = await this.source(name);
    } catch (error) {
      if (error instanceof Absent) return undefined;
      throw error;
    }
    check(
      source.sizeBytes <= MAX_JSON_BYTES,
      () => new FormatError(source.name, `has ${source.sizeBytes} bytes, more than metadata ever have`),
    );
    const bytes = await readAll(source, this.signal);
    return parseJson(bytes, source.name);
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(all.map(closed));
  }
}

const closed = (source: Promise<Source>): Promise<void> => source.then((s) => s.close()).catch(() => {});

/** The store of one array, at a path in the folder. */
export class ChunkStore {
  constructor(
    readonly files: StoreFiles,
    /** '' or ending in '/'. */
    readonly prefix: string,
    readonly limits: {
      /** Of a chunk that is decoded. */
      chunkBytes: number;
      /** Of a chunk as it is stored. */
      storedBytes: number;
      /** Whether shards begin with their index. */
      indexAtStart: boolean;
    },
  ) {}

  async get(key: AbsolutePath, options: Trace = {}): Promise<Uint8Array> {
    const source = await this.files.source(this.prefix + key.slice(1));
    options.file = source.name;
    return this.#read(source, 0, source.sizeBytes, options);
  }

  async getRange(key: AbsolutePath, range: RangeQuery, options: Trace = {}): Promise<Uint8Array> {
    const source = await this.files.source(this.prefix + key.slice(1));
    options.file = source.name;
    if ('suffixLength' in range) {
      const length = range.suffixLength;
      const offset = this.limits.indexAtStart ? 0 : source.sizeBytes - length;
      options.offset = Math.max(0, offset);
      check(
        offset >= 0 && length <= source.sizeBytes,
        () =>
          new FormatError(
            source.name,
            `ends after ${source.sizeBytes} bytes; the index of its chunks alone has ${length}`,
            { offset: 0 },
          ),
      );
      return source.read(offset, length, options.signal);
    }
    if (range.offset === ABSENT_OFFSET && range.length === 0) throw new Absent(key);
    return this.#read(source, range.offset, range.length, options);
  }

  async #read(source: Source, offset: number, length: number, options: Trace): Promise<Uint8Array> {
    const { chunkBytes, storedBytes } = this.limits;
    options.offset = offset;
    const within = Number.isSafeInteger(offset + length) && offset + length <= source.sizeBytes;
    check(
      within,
      () =>
        new FormatError(
          source.name,
          `ends after ${source.sizeBytes} bytes, before the chunk of ${length} bytes at byte ${offset}`,
          { offset },
        ),
    );
    check(
      length <= storedBytes,
      () =>
        new FormatError(
          source.name,
          `has a chunk of ${length} bytes where one takes ${storedBytes} at most`,
          { offset },
        ),
    );
    check(
      chunkBytes <= mayUnpackTo(length),
      () =>
        new FormatError(source.name, `has a chunk of ${length} bytes that is to unpack to ${chunkBytes}`, {
          offset,
        }),
    );
    return source.read(offset, length, options.signal);
  }
}
