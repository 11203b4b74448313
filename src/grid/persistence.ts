/**
 * File formats and places to keep files, as the grid sees them. The formats build on the grid, so they announce
 * themselves here; the package's entry does that.
 */
import { ArgumentError, check, FormatError, shown } from '../errors.js';
import type { WavetableMatrix } from './matrix.js';
import type { OctaveHierarchy } from './octaves.js';

/** How files of one kind hold what is of one class, a cube by default. */
export interface FileFormat<Held = WavetableMatrix> {
  readonly name: string;
  /** The file ending, with its dot. */
  readonly extension: string;
  /** Whether bytes begin as this format's files do. */
  sniff(bytes: Uint8Array): boolean;
  encode(held: Held, options: Record<string, unknown>): Promise<Uint8Array>;
  decode(bytes: Uint8Array, source: string): Promise<Held>;
}

export interface Storage {
  /** Whether this storage serves a path or URL; asked in the order in which storages were provided. */
  serves(path: string): boolean;
  read(path: string): Promise<Uint8Array>;
  /** Whole or not at all. */
  write(path: string, bytes: Uint8Array): Promise<void>;
}

const formats: FileFormat[] = [];
const hierarchyFormats: FileFormat<OctaveHierarchy>[] = [];
const storages: Storage[] = [];

export function provideFormat(format: FileFormat): void {
  if (!formats.includes(format)) formats.push(format);
}

export function provideHierarchyFormat(format: FileFormat<OctaveHierarchy>): void {
  if (!hierarchyFormats.includes(format)) hierarchyFormats.push(format);
}

export function provideStorage(storage: Storage): void {
  if (!storages.includes(storage)) storages.push(storage);
}

const namesOf = (known: readonly { name: string }[]) => known.map((f) => `'${f.name}'`).join(', ');

/** The format asked for, or the one that the path's ending names, or without an ending the first: npz. */
export function formatFor(where: string, name: string | undefined, path = ''): FileFormat {
  return chosenFormat(formats, where, name, path);
}

/** formatFor of a hierarchy. */
export function hierarchyFormatFor(
  where: string,
  name: string | undefined,
  path = '',
): FileFormat<OctaveHierarchy> {
  return chosenFormat(hierarchyFormats, where, name, path);
}

function chosenFormat<F extends { name: string; extension: string }>(
  known: readonly F[],
  where: string,
  name: string | undefined,
  path: string,
): F {
  const ending = /\.[^./\\]*$/.exec(path)?.[0];
  const format =
    name !== undefined || ending === undefined
      ? known.find((f) => f.name === (name ?? known[0].name))
      : known.find((f) => f.extension === ending);
  check(
    format !== undefined,
    () =>
      new ArgumentError(
        name === undefined
          ? `${where}: no format ends in '${ending}'; name one: format ${namesOf(known)}`
          : `${where}: format must be one of ${namesOf(known)}, got ${shown(name)}`,
      ),
  );
  return format;
}

/** The format whose magic the bytes carry. */
export function sniffFormat(bytes: Uint8Array, source: string): FileFormat {
  return sniffed(formats, bytes, source);
}

/** sniffFormat of a hierarchy. */
export function sniffHierarchyFormat(bytes: Uint8Array, source: string): FileFormat<OctaveHierarchy> {
  return sniffed(hierarchyFormats, bytes, source);
}

function sniffed<F extends { name: string; sniff(bytes: Uint8Array): boolean }>(
  known: readonly F[],
  bytes: Uint8Array,
  source: string,
): F {
  const format = known.find((f) => f.sniff(bytes));
  check(format !== undefined, () => {
    const magic = [...bytes.subarray(0, 4)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
    if (bytes[0] === 0x3c)
      return new FormatError(source, 'is a web page or XML and no cube: look at what the server answers');
    return new FormatError(
      source,
      `is no file that Wavecube knows (it begins with ${magic || 'nothing'}); it reads ${namesOf(known)}`,
    );
  });
  return format;
}

export function storageFor(path: string): Storage {
  check(
    typeof path === 'string' && path.length > 0,
    () => new ArgumentError(`wavecube: a path or URL must be a string of some length, got ${shown(path)}`),
  );
  const storage = storages.find((s) => s.serves(path));
  check(storage !== undefined, () => new ArgumentError(`wavecube: nothing here can store '${path}'`));
  return storage;
}
