/**
 * h5wasm (the HDF5 C library in WebAssembly), loaded at first use: it is 4 MB. Its build for browsers runs in Node as well, and is the
 * one taken there too: its files are in memory only, so that no link in a hostile file leads to a file of the disk.
 */
import { DeviceError } from '../../errors.js';

/** An open file or object of HDF5. */
export type Id = bigint;

/** What HDF5 says of a dataset or an attribute. */
export interface Described {
  /** H5T_class_t: 0 integer, 1 float, 3 string, 8 enumeration. */
  type: number;
  /** Bytes of an element. */
  size: number;
  signed: boolean;
  /** Of strings: whether their length varies. */
  vlen: boolean;
  shape: number[] | null;
  chunks: number[] | null;
  virtual_sources?: unknown[];
}

/** The same, as it is created. */
export interface Creation {
  type: number;
  size: number;
  signed?: boolean;
  vlen?: boolean;
  /** 1: UTF-8. */
  cset?: number;
  shape: bigint[];
  maxshape?: null;
}

interface StreamOps {
  read(stream: unknown, buffer: Int8Array, offset: number, length: number, position: number): number;
  write(stream: unknown, buffer: Int8Array, offset: number, length: number, position: number): number;
}

/** A file of Emscripten's file system in memory (MEMFS). */
export interface FileNode {
  contents: Uint8Array | null;
  usedBytes: number;
  stream_ops: StreamOps;
  node_ops: { setattr(node: FileNode, attr: { size?: number }): void };
}

interface Stream {
  fd: number;
  node: FileNode;
  tty?: { ops: { put_char?(tty: unknown, byte: number | null): void; get_char?(): null; fsync?(): void } };
}

interface FileSystem {
  streams: (Stream | null)[];
  ErrnoError: new (errno: number) => Error;
  open(path: string, ...rest: unknown[]): Stream;
  close(stream: Stream): void;
  getStream(fd: number): Stream;
  writeFile(path: string, bytes: Uint8Array): void;
  unlink(path: string): void;
  analyzePath(path: string): { exists: boolean };
  lookupPath(path: string): { node: FileNode };
}

/** What is used of h5wasm: the functions below its classes, which would look up more than is needed, and copy more often. */
export interface Library {
  FS: FileSystem;
  HEAPU8: Uint8Array;
  H5F_ACC_RDONLY: number;
  H5F_ACC_TRUNC: number;
  H5F_LIBVER_V18: number;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  UTF8ToString(pointer: number): string;
  ccall(name: string, result: 'number', types: ['string'], values: [string]): number;
  open(path: string, mode: number, trackOrder: boolean, low: number, high: number): Id;
  close_file(file: Id): number;
  get_names(file: Id, group: string, recursive: boolean): string[];
  get_attribute_names(file: Id, path: string): string[];
  get_attribute_metadata(file: Id, path: string, name: string): Described;
  get_attribute_data(file: Id, path: string, name: string, pointer: bigint): number;
  get_dataset_metadata(file: Id, path: string): Described;
  get_dataset_filters(file: Id, path: string): { name: string }[];
  get_dataset_data(file: Id, path: string, count: null, offset: null, stride: null, pointer: bigint): number;
  reclaim_vlen_memory(file: Id, path: string, attribute: string, pointer: bigint): number;
  create_group(file: Id, path: string, trackOrder: boolean): number;
  create_dataset(file: Id, path: string, pointer: bigint, what: Creation): number;
  create_attribute(file: Id, path: string, name: string, pointer: bigint, what: Creation): number;
}

/** A call of HDF5 that failed; `message` is what it says of the innermost cause. */
export class CallFailed extends Error {
  override name = 'CallFailed';
}

let current: Promise<Library> | undefined;
/** Modules that a trap went through: they are tried before they are used again. */
const suspects = new WeakSet<Library>();
let renewals = 0;

/** @throws DeviceError where it cannot be loaded, or was broken by a file and cannot be loaded anew. */
export async function library(): Promise<Library> {
  current ??= load(() => import('h5wasm'));
  let h5: Library;
  try {
    h5 = await current;
  } catch (cause) {
    current = undefined;
    throw new DeviceError('hdf5: h5wasm cannot be loaded', { cause });
  }
  if (!suspects.has(h5)) return h5;
  if (works(h5)) {
    suspects.delete(h5);
    return h5;
  }
  try {
    // A module is evaluated once a URL. Bundlers leave no URL to vary: there it stays broken until the page is loaded anew.
    const url = `${import.meta.resolve('h5wasm')}?${++renewals}`;
    const renewed = load(() => import(/* @vite-ignore */ /* webpackIgnore: true */ url));
    await renewed;
    current = renewed;
    return renewed;
  } catch (cause) {
    throw new DeviceError('hdf5: a damaged file broke h5wasm; reload the page to use it again', { cause });
  }
}

async function load(module: () => Promise<unknown>): Promise<Library> {
  const { ready } = (await module()) as { ready: Promise<unknown> };
  return (await ready) as Library;
}

/** Whether a module still writes and reads. */
function works(h5: Library): boolean {
  const path = `/${crypto.randomUUID()}`;
  try {
    return attempt(h5, { path }, () => {
      const made = h5.open(path, h5.H5F_ACC_TRUNC, false, h5.H5F_LIBVER_V18, h5.H5F_LIBVER_V18);
      h5.create_group(made, '/a', false);
      h5.close_file(made);
      const file = h5.open(path, h5.H5F_ACC_RDONLY, false, -1, -1);
      const names = h5.get_names(file, '/', false);
      h5.close_file(file);
      return names.join() === 'a';
    });
  } catch {
    return false;
  } finally {
    if (h5.FS.analyzePath(path).exists) h5.FS.unlink(path);
  }
}

const NO_SUCH_FILE = 44;
const SAID_BYTES = 16384;

/** What a call of HDF5 may have. */
export interface Allowed {
  /** The one file that may be opened. Without it none: links to other files and plugins ask for more. */
  path?: string;
  /** How large the module's memory may get by it; as large as it can by default. It never shrinks. */
  memoryBytes?: number;
}

const PAGE_BYTES = 65536;

/**
 * Calls HDF5, so that it takes no more than it may, and that what it would print is the message of an error instead. The module belongs
 * to others as well: it is as it was afterwards.
 * @throws CallFailed where it throws, is trapped, or prints.
 */
export function attempt<T>(h5: Library, allowed: Allowed, action: () => T): T {
  const { path, memoryBytes = Number.POSITIVE_INFINITY } = allowed;
  const { FS } = h5;
  const { open } = FS;
  const said: number[] = [];
  const ttys = [0, 1, 2].flatMap((fd) => FS.getStream(fd)?.tty ?? []);
  const before = ttys.map(({ ops }) => ops);
  // There is no other way to the module's memory. Nothing else runs until it is put back.
  const { grow } = WebAssembly.Memory.prototype;
  let done: { value: T } | undefined;
  let thrown: unknown;
  const inner = h5 as unknown as Record<'_wavecube', (() => number) | undefined>;
  try {
    for (const tty of ttys) {
      tty.ops = {
        put_char(_, byte) {
          if (byte && said.length < SAID_BYTES) said.push(byte);
        },
        get_char: () => null,
        fsync() {},
      };
    }
    FS.open = (name, ...rest) => {
      if (name !== path) throw new FS.ErrnoError(NO_SUCH_FILE);
      return open.call(FS, name, ...rest);
    };
    Reflect.set(WebAssembly.Memory.prototype, 'grow', function (this: WebAssembly.Memory, pages: number) {
      const wanted = this.buffer.byteLength + pages * PAGE_BYTES;
      if (wanted > memoryBytes) throw new RangeError(`${wanted} bytes of memory are more than may be taken`);
      return grow.call(this, pages);
    });
    // An exception leaves the module's stack where it was; ccall gives it back, which is why it is the one to call.
    inner._wavecube = () => {
      try {
        done = { value: action() };
      } catch (error) {
        thrown = error;
      }
      return 0;
    };
    h5.ccall('wavecube', 'number', ['string'], ['-']);
  } finally {
    FS.open = open;
    Reflect.set(WebAssembly.Memory.prototype, 'grow', grow);
    ttys.forEach((tty, i) => {
      tty.ops = before[i];
    });
    delete inner._wavecube;
  }
  if (thrown instanceof WebAssembly.RuntimeError || thrown instanceof RangeError) suspects.add(h5);
  if (done && said.length === 0) return done.value;
  const text = new TextDecoder().decode(Uint8Array.from(said));
  const innermost = [...text.matchAll(/^ {2}#\d+: .*?\(\): (.*)$/gm)].at(-1)?.[1];
  const reason = innermost ?? (thrown instanceof Error ? thrown.message : 'it failed');
  throw new CallFailed(reason.slice(0, 200), { cause: thrown ?? new Error(text.slice(0, 4000)) });
}

/** For tests: what a trap does to a module. */
export function suspect(h5: Library): void {
  suspects.add(h5);
}
