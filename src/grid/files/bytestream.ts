/**
 * Bytes as formats read and write them, wherever they are: a Source is read at random, a Sink grows at its end. Storages
 * (src/storage/) make them of paths and URLs; the ones here are of memory.
 */
import { check, FormatError } from '../../errors.js';

/** Bytes at rest. All reads of one source are of one state of them: where they changed meanwhile, a read throws ChangedError. */
export interface Source {
  /** What errors call it: a path, a URL. */
  readonly name: string;
  readonly sizeBytes: number;
  /**
   * @param length bytes, exactly.
   * @returns a view that is good for as long as the caller holds it, not to be written to; at an address that is a multiple of 4 where
   * the offset is one.
   * @throws FormatError beyond the end: sizes that a file claims are checked against sizeBytes before anything is allocated on them.
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * As read, into the caller's memory, which is not to be touched until it is done. Absent where that saves nothing: what reads a large
   * file part by part asks for no new memory with each.
   */
  readInto?(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** The folder that it lies in, for shards beside a manifest. Absent where nothing lies beside. */
  folder?(): Promise<Folder>;
  close(): Promise<void>;
}

/** A file under way: nothing is seen of it until commit, and nothing is left of it after abort. */
export interface Sink {
  readonly name: string;
  /** Written so far. */
  readonly sizeBytes: number;
  /**
   * The file that it is until commit, for writers that need a real one: they write into it in place, without replacing it, and close
   * it before commit. Absent where there is none.
   */
  readonly path?: string;
  /** Appends. `bytes` are the caller's again when it is done. */
  write(bytes: Uint8Array): Promise<void>;
  /** Overwrites what has been written. */
  patch(offset: number, bytes: Uint8Array): Promise<void>;
  /** Makes it durable and visible, whole, in the place of what was there. */
  commit(): Promise<void>;
  /** Removes it. Never rejects; nothing happens after a commit. */
  abort(): Promise<void>;
}

/** Files that lie together, known by plain names: no name leads out of the folder. */
export interface Folder {
  readonly name: string;
  /** Names of files in it, those of folders in it with '/' between. Absent where that cannot be told: on a web server. */
  list?(): Promise<string[]>;
  open(name: string): Promise<Source>;
  /** Absent where it cannot be written. Folders are made as names need them. */
  create?(name: string): Promise<Sink>;
  remove?(name: string): Promise<void>;
}

/** A folder under way, as a Sink is a file: nothing is seen of it until commit, and nothing is left of it after abort. */
export interface FolderSink extends Folder {
  create(name: string): Promise<Sink>;
  /** Makes it durable and visible in the place of what was there, all of it. */
  commit(): Promise<void>;
  /** Removes it. Never rejects; nothing happens after a commit. */
  abort(): Promise<void>;
}

/** A file that grows in place, for its one writer at a time. Reads see what was appended. */
export interface AppendableSource extends Source {
  append(bytes: Uint8Array): Promise<void>;
  /** Overwrites bytes that are there. */
  patch(offset: number, bytes: Uint8Array): Promise<void>;
  /** Everything so far is durable when it is done. */
  sync(): Promise<void>;
}

/** @throws FormatError unless a source holds these bytes. */
export function checkRange({ name, sizeBytes }: Source, offset: number, length: number): void {
  check(
    offset >= 0 && length >= 0 && Number.isSafeInteger(offset + length) && offset + length <= sizeBytes,
    () =>
      new FormatError(
        name,
        `ends after ${sizeBytes} bytes, before the ${length} bytes at byte ${offset} that it needs`,
        { offset },
      ),
  );
}

/** Bytes in memory; they are not copied. */
export function memorySource(bytes: Uint8Array, name: string): Source {
  // A plain view: that of Node's Buffer has a slice that does not copy. Aligned, for views of floats.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const held = plain.byteOffset % 8 === 0 ? plain : plain.slice();
  return {
    name,
    sizeBytes: held.length,
    async read(offset, length, signal) {
      signal?.throwIfAborted();
      checkRange(this, offset, length);
      return held.subarray(offset, offset + length);
    },
    async close() {},
  };
}

/** All of a source. */
export function readAll(source: Source, signal?: AbortSignal): Promise<Uint8Array> {
  return source.read(0, source.sizeBytes, signal);
}

/** Collects in memory; `commit` hands all bytes to `done`. */
export function memorySink(name: string, done: (bytes: Uint8Array) => Promise<void> | void): Sink {
  let bytes = new Uint8Array(1024);
  let length = 0;
  return {
    name,
    get sizeBytes() {
      return length;
    },
    async write(more) {
      if (length + more.length > bytes.length) {
        const grown = new Uint8Array(Math.max(length + more.length, 2 * bytes.length));
        grown.set(bytes.subarray(0, length));
        bytes = grown;
      }
      bytes.set(more, length);
      length += more.length;
    },
    async patch(offset, more) {
      bytes.set(more, offset);
    },
    async commit() {
      // A copy of its own length where much would be wasted.
      await done(bytes.length > 1.25 * length ? bytes.slice(0, length) : bytes.subarray(0, length));
    },
    async abort() {},
  };
}
