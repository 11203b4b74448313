/** Opening what is in files: finding the bytes and the format, and closing everything where that fails. */
import { ArgumentError, check, checkOptionNames, FormatError, shown } from '../../errors.js';
import { blobSource } from '../files/blobsource.js';
import { memorySource, type Source } from '../files/bytestream.js';
import { folderAt } from '../files/folders.js';
import type { NodeSource } from '../files/nodesource.js';
import {
  checkReadOptions,
  type FileFormat,
  type Opened,
  openPath,
  type ReadOptions,
  type SourceOptions,
  sniffFolderFormat,
  sniffFormat,
} from '../files/persistence.js';
import { closeOnce } from './filenodes.js';
import { Residency } from './residency.js';

/** What can be opened: a path or URL, the bytes of a file, a Blob (a File too), or a Source. */
export type Openable = string | URL | Uint8Array | ArrayBuffer | Blob | Source;

export interface OpenOptions extends ReadOptions, SourceOptions {
  /**
   * Bytes of the file's nodes that are kept at hand; the least recently used go first. Default 256 MiB. Of a hierarchy that is of all
   * octaves together. What is decoded of compressed nodes is bounded by `cacheBytes`, as ever.
   */
  maxResidentBytes?: number;
}

/** What all cubes of a file have in common. */
export interface OpeningOf {
  /** What errors call the file. */
  name: string;
  /** Path or URL; null of bytes. */
  where: string | null;
  residency: Residency;
  recover: boolean;
  signal: AbortSignal | undefined;
}

const RESIDENT_BYTES = 256 * 2 ** 20;
const OPTION_NAMES = [
  'verify',
  'recover',
  'maxBytes',
  'signal',
  'retries',
  'parallel',
  'headers',
  'maxResidentBytes',
];

/** What `use` makes of a file that was opened. @throws what opening throws, and `use`; nothing stays open then. */
export async function openWith<T>(
  where: string,
  given: Openable,
  options: OpenOptions,
  use: (opened: Opened, opening: OpeningOf) => Promise<T> | T,
): Promise<T> {
  // What is no object is refused below.
  const { verify, recover = false, maxBytes, maxResidentBytes = RESIDENT_BYTES, signal } = options ?? {};
  const reading = { verify, recover, maxBytes, signal };
  try {
    checkOptionNames(where, options, OPTION_NAMES);
    checkReadOptions(where, reading);
    check(
      typeof maxResidentBytes === 'number' && maxResidentBytes >= 0,
      () =>
        new ArgumentError(
          `${where}: maxResidentBytes must be a number of bytes, got ${shown(options.maxResidentBytes)}`,
        ),
    );
    signal?.throwIfAborted();
  } catch (error) {
    if (isSource(given)) await given.close();
    throw error;
  }
  const place = typeof given === 'string' || given instanceof URL ? String(given) : null;
  const { name, opened } = await openedAt(where, given, place, options, reading);
  try {
    const residency = new Residency(maxResidentBytes);
    return await use(opened, { name, where: place, residency, recover, signal });
  } catch (error) {
    for (const nodes of nodeSources(opened)) closeOnce(nodes);
    throw error;
  }
}

/** A file, or a folder of files, opened by the format that it is of. @throws FormatError where that is not read node by node. */
async function openedAt(
  where: string,
  given: Openable,
  place: string | null,
  options: OpenOptions,
  reading: ReadOptions,
): Promise<{ name: string; opened: Opened }> {
  const { signal, retries, parallel, headers } = options;
  const folder = place === null ? null : await folderAt(place, { signal, retries, parallel, headers });
  if (folder) {
    const format = await sniffFolderFormat(folder);
    check(format.openFolder !== undefined, () => onlyLoaded(folder.name, format));
    return { name: folder.name, opened: await format.openFolder(folder, reading) };
  }
  const source = await sourceOf(where, given, options);
  try {
    const format = await sniffFormat(source, signal);
    check(format.open !== undefined, () => onlyLoaded(source.name, format));
    return { name: source.name, opened: await format.open(source, reading) };
  } catch (error) {
    await source.close();
    throw error;
  }
}

const onlyLoaded = (name: string, format: FileFormat) =>
  new FormatError(
    name,
    `is of format '${format.name}', which is not read node by node; load() reads it whole, and 'wavecube convert' makes a .wvcb of it`,
  );

function nodeSources(opened: Opened): NodeSource[] {
  return opened.kind === 'cube' ? [opened.source] : opened.levels.map(({ cube }) => cube.source);
}

async function sourceOf(where: string, given: Openable, options: OpenOptions): Promise<Source> {
  if (typeof given === 'string' || given instanceof URL) {
    const { signal, retries, parallel, headers } = options;
    return openPath(String(given), { signal, retries, parallel, headers });
  }
  if (given instanceof Uint8Array) return memorySource(given, 'bytes');
  if (given instanceof ArrayBuffer) return memorySource(new Uint8Array(given), 'bytes');
  if (given instanceof Blob) return blobSource(given);
  check(
    isSource(given),
    () =>
      new ArgumentError(
        `${where}: a source must be a path, a URL, a Uint8Array, an ArrayBuffer, a Blob or a Source, got ${shown(given)}`,
      ),
  );
  return given;
}

const isSource = (given: Openable): given is Source => {
  const { read, sizeBytes, close } = (given ?? {}) as Partial<Source>;
  return typeof read === 'function' && typeof sizeBytes === 'number' && typeof close === 'function';
};

/** @throws FormatError for contents of the other kind, which says who opens them. */
export function checkOpenedKind<K extends Opened['kind']>(
  opened: Opened,
  kind: K,
  name: string,
): asserts opened is Extract<Opened, { kind: K }> {
  check(opened.kind === kind, () =>
    kind === 'cube'
      ? new FormatError(name, 'holds an OctaveHierarchy and no single cube; OctaveHierarchy.open opens it')
      : new FormatError(name, 'holds a single cube and no OctaveHierarchy; WavetableMatrix.open opens it'),
  );
}
