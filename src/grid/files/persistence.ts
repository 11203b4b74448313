/**
 * File formats and places to keep files, as the grid sees them. The formats build on the grid, so they announce
 * themselves here; the package's entry does that.
 */
import { ArgumentError, check, checkOptionNames, FormatError, shown } from '../../errors.js';
import type { OpeningOf } from '../lazy/open.js';
import type { WavetableMatrix } from '../matrix.js';
import {
  type AppendableSource,
  type Folder,
  type FolderSink,
  memorySink,
  memorySource,
  type Sink,
  type Source,
} from './bytestream.js';
import type { Contents, CubeContents } from './contents.js';
import type { NodeSource } from './nodesource.js';

export interface ReadOptions {
  /** Whether checksums are verified. Default true. */
  verify?: boolean;
  /** Whether damage costs only the nodes it hit, which `lost` of the contents then names. Default false: it throws. */
  recover?: boolean;
  /**
   * Bytes that what a file packs may take when it is unpacked: deflated entries, zeros in the place of missing nodes. By default 24 MiB
   * and 32 times the file: a small file that asks for more is taken for a bomb.
   */
  maxBytes?: number;
  /** Of a Zarr store that others wrote: the name of the array of nodes. Default 'nodes', or the store itself. */
  array?: string;
  signal?: AbortSignal;
}

/** @throws ArgumentError for options of loading that are misspelt, or of another kind. */
export function checkReadOptions(where: string, options: ReadOptions): void {
  checkOptionNames(where, options, ['verify', 'recover', 'maxBytes', 'array', 'signal']);
  for (const name of ['verify', 'recover'] as const) {
    check(
      typeof (options[name] ?? true) === 'boolean',
      () => new ArgumentError(`${where}: ${name} must be true or false, got ${shown(options[name])}`),
    );
  }
}

/** What is in a file that was opened: as its contents, with the nodes still there. */
export type Opened =
  | (Omit<Extract<Contents, { kind: 'cube' }>, 'nodes' | 'dispose'> & { source: NodeSource })
  | (Omit<Extract<Contents, { kind: 'octaves' }>, 'levels'> & {
      levels: readonly {
        octave: number;
        shifted: readonly boolean[];
        cube: Extract<Opened, { kind: 'cube' }>;
      }[];
    });

/** What a file says of itself, beside what it holds. */
export interface FileFacts {
  /** Of the format. */
  version?: number;
  /** 1, and one more with each update in place. */
  generation?: number;
  /** Of a cube of several files all but the one that names them. */
  shards?: readonly { name: string; sizeBytes: number }[];
}

/** How files of one kind hold cubes and hierarchies. */
export interface FileFormat {
  readonly name: string;
  /** Other names that ask for it. */
  readonly aliases?: readonly string[];
  /** The file endings, each with its dot; the first is the usual one. */
  readonly extensions: readonly string[];
  /** Whether a file that begins with these bytes (up to 64) is of this format. */
  sniff(head: Uint8Array): boolean;
  /** Writes everything, and leaves commit to the caller. @param options what save was given, but `format`. */
  write(contents: Contents, sink: Sink, options: Record<string, unknown>): Promise<void>;
  /** All but the nodes, which follow as they are iterated over. The source stays the caller's, who closes it after them. */
  read(source: Source, options: ReadOptions): Promise<Contents>;
  /** As write, over many files; the caller need not commit anything. Absent where one file holds all. */
  writeFolder?(contents: Contents, folder: Folder, options: Record<string, unknown>): Promise<void>;
  /** Whether save with these options writes a folder. Absent: always where there is writeFolder. */
  wantsFolder?(options: Record<string, unknown>): boolean;
  /** Whether writeFolder itself lets what is there count until all of the new is: the folder is then never replaced as a whole. */
  foldersInPlace?: boolean;
  /** As read, of a folder; false of `sniffFolder`: not of this format. */
  readFolder?(folder: Folder, options: ReadOptions): Promise<Contents>;
  sniffFolder?(folder: Folder): Promise<boolean>;
  openFolder?(folder: Folder, options: ReadOptions): Promise<Opened>;
  /** What WavetableMatrix.open needs: reads no node. Absent where files cannot be read by the node. The source is the result's. */
  open?(source: Source, options: ReadOptions): Promise<Opened>;
  /**
   * Adds to a file in place what a cube that was opened from it has since: at any moment the file is the old one or the new one.
   * @param source what `open` gave. @param kept numbers of its entries that still say what the cube is.
   * @param contents the cube, with only the nodes and tangents that the file has not.
   * @param reopen the same file for reading.
   * @returns the file as it is then; null where nothing had to be written.
   * @throws ChangedError where the file is not what was opened, with nothing written.
   */
  append?(
    source: NodeSource,
    kept: readonly number[],
    contents: CubeContents,
    file: AppendableSource,
    reopen: () => Promise<Source>,
  ): Promise<NodeSource | null>;
  /** Writes a file anew, without what `append` left unused; commit is the caller's. */
  compact?(source: Source, sink: Sink): Promise<void>;
  /** The source or folder stays the caller's. */
  facts?(place: Source | Folder, signal?: AbortSignal): Promise<FileFacts>;
}

/** A place for files. */
export interface Storage {
  /** Whether this storage serves a path or URL; asked in the order in which storages were provided. */
  serves(path: string): boolean;
  read(path: string): Promise<Uint8Array>;
  /** Whole or not at all. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /**
   * The file to be read in parts; absent: `read` gives all of it.
   * @param options `whole`: all of it is going to be read, so that a server that gives no parts will do.
   */
  open?(path: string, options?: SourceOptions & { whole?: boolean }): Promise<Source>;
  /** A file that is written in parts; absent: `write` is given all of it. */
  create?(path: string): Promise<Sink>;
  /** A file that is there, to be added to in place. @throws WavecubeError while another does. */
  append?(path: string): Promise<AppendableSource>;
  /** A path as a folder: one that is there, or one to be made. Null of a path that is a file. */
  folder?(path: string, options?: SourceOptions): Promise<Folder | null>;
  /** A folder that is written anew, and then takes the place of what is there. Absent: folders are written in place. */
  createFolder?(path: string): Promise<FolderSink>;
}

/** How a source is read; what concerns URLs, files pass over. */
export interface SourceOptions {
  /** Ends the opening; reads have signals of their own. */
  signal?: AbortSignal;
  /** Attempts after the first that a request is given, with growing pauses, where it failed for what may pass. Default 3. */
  retries?: number;
  /** Requests under way at once. Default 6. */
  parallel?: number;
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>;
}

/** Makes the cube of contents, of the class that they ask for; what a cube cannot import, as that class builds on it. */
export type CubeMaker = (contents: CubeContents, source: string) => Promise<WavetableMatrix>;
/** As CubeMaker, of contents that were opened. */
export type CubeOpener = (
  opened: Extract<Opened, { kind: 'cube' }>,
  opening: OpeningOf,
) => Promise<WavetableMatrix>;

const formats: FileFormat[] = [];
const storages: Storage[] = [];
let cubeMaker: CubeMaker | undefined;
let cubeOpener: CubeOpener | undefined;

export function provideCubeMaker(maker: CubeMaker, opener: CubeOpener): void {
  cubeMaker = maker;
  cubeOpener = opener;
}

/** The cube of contents. @param source what errors call them. */
export function cubeOf(contents: CubeContents, source: string): Promise<WavetableMatrix> {
  check(cubeMaker !== undefined, noEntry);
  return cubeMaker(contents, source);
}

/** The cube of contents that were opened. */
export const openedCubeOf: CubeOpener = (opened, opening) => {
  check(cubeOpener !== undefined, noEntry);
  return cubeOpener(opened, opening);
};

const noEntry = () =>
  new ArgumentError("wavecube: import it from 'wavecube', whose entry provides what files need");

export function provideFormat(format: FileFormat): void {
  if (!formats.includes(format)) formats.push(format);
}

export function provideStorage(storage: Storage): void {
  if (!storages.includes(storage)) storages.push(storage);
}

const names = () => formats.map((f) => `'${f.name}'`).join(', ');

const endingOf = (path: string) => /\.[^./\\]*$/.exec(path)?.[0].toLowerCase();

/** The format asked for, or the one that the path's ending names, or without an ending the first: npz. */
export function formatFor(where: string, name: string | undefined, path = ''): FileFormat {
  const ending = endingOf(path);
  const format =
    name !== undefined || ending === undefined
      ? formats.find((f) => [f.name, ...(f.aliases ?? [])].includes(name ?? formats[0].name))
      : formats.find((f) => f.extensions.includes(ending));
  check(
    format !== undefined,
    () =>
      new ArgumentError(
        name === undefined
          ? `${where}: no format ends in '${ending}'; name one: format ${names()}`
          : `${where}: format must be one of ${names()}, got ${shown(name)}`,
      ),
  );
  return format;
}

const HEAD_BYTES = 64;

/** The format whose magic a source's first bytes carry. */
export async function sniffFormat(source: Source, signal?: AbortSignal): Promise<FileFormat> {
  const head = await source.read(0, Math.min(HEAD_BYTES, source.sizeBytes), signal);
  const format = formats.find((f) => f.sniff(head));
  check(format !== undefined, () => {
    if (head[0] === 0x3c) {
      return new FormatError(
        source.name,
        'is a web page or XML and no cube: look at what the server answers',
      );
    }
    const magic = [...head.subarray(0, 4)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
    return new FormatError(
      source.name,
      `is no file that Wavecube knows (it begins with ${magic || 'nothing'}); it reads ${names()}`,
    );
  });
  return format;
}

export function storageFor(path: string): Storage {
  check(
    typeof path === 'string' && path.length > 0,
    () =>
      new ArgumentError(
        `wavecube: a path or URL must be a string of some length, got ${shown(path)}; bytes go to fromBytes, a Blob to open`,
      ),
  );
  const storage = storages.find((s) => s.serves(path));
  check(storage !== undefined, () => new ArgumentError(`wavecube: nothing here can store '${path}'`));
  return storage;
}

/** The format whose folder this is. */
export async function sniffFolderFormat(folder: Folder): Promise<FileFormat> {
  for (const format of formats) if (await format.sniffFolder?.(folder)) return format;
  const kinds = formats.filter((f) => f.readFolder).map((f) => `'${f.name}'`);
  throw new FormatError(folder.name, `it is a folder, and none that Wavecube knows: ${kinds.join(', ')}`);
}

/** Whether a path's ending is that of a format that is a folder, always: `.zarr`. */
export function endsAsFolder(path: string): boolean {
  const ending = endingOf(path.replace(/[/\\]+$/, ''));
  return formats.some((f) => f.readFolder && !f.wantsFolder && f.extensions.includes(ending ?? ''));
}

/** A file to be read in parts, wherever it is. The caller closes it. */
export async function openPath(
  path: string,
  options: SourceOptions & { whole?: boolean } = {},
): Promise<Source> {
  const storage = storageFor(path);
  return storage.open?.(path, options) ?? memorySource(await storage.read(path), path);
}

/** A file to be written in parts, wherever it goes. The caller commits or aborts it. */
export async function createPath(path: string): Promise<Sink> {
  const storage = storageFor(path);
  return storage.create?.(path) ?? memorySink(path, (bytes) => storage.write(path, bytes));
}
