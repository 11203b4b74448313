/** Saving and loading: contents, formats and places brought together. What both cubes and hierarchies do. */
import { ArgumentError, check, FormatError } from '../errors.js';
import { memorySink, memorySource, type Source } from './bytestream.js';
import { type Contents, disposeContents } from './contents.js';
import { createPath, type FileFormat, openPath, type ReadOptions, sniffFormat } from './persistence.js';

/** Writes contents to a path, whole or not at all. */
export async function saveContents(
  contents: Contents,
  format: FileFormat,
  path: string,
  options: Record<string, unknown>,
): Promise<void> {
  try {
    const sink = await createPath(path);
    try {
      await format.write(contents, sink, options);
      await sink.commit();
    } catch (error) {
      await sink.abort();
      throw error;
    }
  } finally {
    disposeContents(contents);
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

/** What `use` makes of a path's contents. */
export async function loadPath<T>(
  path: string,
  options: ReadOptions,
  use: (contents: Contents, name: string) => Promise<T>,
): Promise<T> {
  return loadSource(await openPath(path, { signal: options.signal, whole: true }), options, use);
}

/** What `use` makes of bytes. @param name what errors call them. */
export async function loadBytes<T>(
  bytes: Uint8Array,
  name: string,
  options: ReadOptions,
  use: (contents: Contents, name: string) => Promise<T>,
): Promise<T> {
  check(
    bytes instanceof Uint8Array,
    () =>
      new ArgumentError(
        `fromBytes: bytes must be a Uint8Array, got ${Object.prototype.toString.call(bytes)}`,
      ),
  );
  return loadSource(memorySource(bytes, name), options, use);
}

async function loadSource<T>(
  source: Source,
  options: ReadOptions,
  use: (contents: Contents, name: string) => Promise<T>,
): Promise<T> {
  try {
    const format = await sniffFormat(source, options.signal);
    const contents = await format.read(source, options);
    try {
      return await use(contents, source.name);
    } finally {
      disposeContents(contents);
    }
  } finally {
    await source.close();
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
