/** Saving and loading: contents, formats and places brought together. What both cubes and hierarchies do. */
import { ArgumentError, check, FormatError, shown } from '../../errors.js';
import { type FolderSink, memorySink, memorySource, type Sink, type Source } from './bytestream.js';
import { type Contents, disposeContents } from './contents.js';
import { createFolderAt, folderAt, writesFolder } from './folders.js';
import {
  checkReadOptions,
  createPath,
  type FileFormat,
  formatFor,
  openPath,
  type ReadOptions,
  sniffFolderFormat,
  sniffFormat,
} from './persistence.js';

/**
 * What save does. The contents are taken in the turn of the call, unless they have to wait for something themselves.
 * @param options the format's name, and the format's own. @throws ArgumentError before anything is taken.
 */
export async function savePath(
  path: string,
  options: { format?: string } & Record<string, unknown>,
  contents: () => Promise<Contents>,
): Promise<void> {
  check(
    typeof options === 'object' && options !== null,
    () => new ArgumentError(`save: options must be an object, got ${shown(options)}`),
  );
  const { format: name, ...rest } = options;
  const format = formatFor('save', name, path);
  await saveContents(await contents(), format, path, rest);
}

/** Writes contents to a path, whole or not at all. */
export async function saveContents(
  contents: Contents,
  format: FileFormat,
  path: string,
  options: Record<string, unknown>,
): Promise<void> {
  try {
    if (writesFolder(format, options)) {
      const folder = await createFolderAt(path, format);
      await whole(folder, () => format.writeFolder!(contents, folder, options));
    } else {
      const sink = await createPath(path);
      await whole(sink, () => format.write(contents, sink, options));
    }
  } finally {
    disposeContents(contents);
  }
}

/** Commits what was written, or takes it back. */
async function whole(sink: Sink | FolderSink, write: () => Promise<void>): Promise<void> {
  try {
    await write();
    await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/** Contents as bytes in memory. */
export async function contentsBytes(
  contents: Contents,
  format: FileFormat,
  options: Record<string, unknown>,
): Promise<Uint8Array> {
  let bytes = new Uint8Array();
  const sink = memorySink(format.name, (all) => {
    bytes = all as Uint8Array<ArrayBuffer>;
  });
  try {
    await format.write(contents, sink, options);
    await sink.commit();
  } finally {
    disposeContents(contents);
  }
  return bytes;
}

/** What becomes of contents. @param name what errors call them. */
type Use<T> = (contents: Contents, name: string, format: FileFormat) => Promise<T>;

/** What `use` makes of a path's contents. */
export async function loadPath<T>(path: string, options: ReadOptions, use: Use<T>): Promise<T> {
  checkReadOptions('load', options);
  const { signal } = options;
  const folder = await folderAt(path, { signal });
  if (!folder) return loadSource(await openPath(path, { signal, whole: true }), options, use);
  const format = await sniffFolderFormat(folder);
  return useContents(await format.readFolder!(folder, options), folder.name, format, use);
}

/** What `use` makes of bytes. @param name what errors call them. */
export async function loadBytes<T>(
  bytes: Uint8Array,
  name: string,
  options: ReadOptions,
  use: Use<T>,
): Promise<T> {
  check(
    bytes instanceof Uint8Array,
    () =>
      new ArgumentError(
        `fromBytes: bytes must be a Uint8Array, got ${Object.prototype.toString.call(bytes)}`,
      ),
  );
  checkReadOptions('fromBytes', options);
  return loadSource(memorySource(bytes, name), options, use);
}

async function loadSource<T>(source: Source, options: ReadOptions, use: Use<T>): Promise<T> {
  try {
    const format = await sniffFormat(source, options.signal);
    return await useContents(await format.read(source, options), source.name, format, use);
  } finally {
    await source.close();
  }
}

async function useContents<T>(contents: Contents, name: string, format: FileFormat, use: Use<T>): Promise<T> {
  try {
    return await use(contents, name, format);
  } finally {
    disposeContents(contents);
  }
}

/** @throws FormatError for contents of the other kind, which says who reads them. */
export function checkKind<K extends Contents['kind']>(
  contents: Contents,
  kind: K,
  source: string,
): asserts contents is Extract<Contents, { kind: K }> {
  check(contents.kind === kind, () =>
    kind === 'cube'
      ? new FormatError(source, 'holds an OctaveHierarchy and no single cube; OctaveHierarchy.load reads it')
      : new FormatError(source, 'holds a single cube and no OctaveHierarchy; WavetableMatrix.load reads it'),
  );
}
