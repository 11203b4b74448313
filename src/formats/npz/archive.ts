/** A .npz file as the entries of its cubes: those of the directory, or, of a damaged file, whatever can be found of them. */
import { check, FormatError } from '../../errors.js';
import type { Source } from '../../grid/files/bytestream.js';
import type { ReadOptions } from '../../grid/files/persistence.js';
import { budgetOf, checkBudget } from '../budget.js';
import { type ContentOptions, readContents } from '../zip/content.js';
import { type Directory, readDirectory } from '../zip/directory.js';
import { DEFLATED, entryError, LOCAL_BYTES, localHeader, type ZipEntry } from '../zip/records.js';
import { scanEntries } from '../zip/scan.js';
import { type Place, parseName } from './layout.js';

/** An entry that holds a node or a tangent. */
export interface NodeEntry extends ZipEntry {
  place: Place;
  compressed: boolean;
}

/** The entries of one cube. Of a damaged file there may be several of one name, of which one may be good. */
export interface Level {
  metadata: ZipEntry[];
  places: ZipEntry[];
  nodes: NodeEntry[];
  /** Places of which there are only ruins. */
  ruins: { place: Place; offset: number }[];
}

export interface Archive {
  source: Source;
  options: ContentOptions;
  recover: boolean;
  /** Whether the directory says which entries there are, and local headers bear its names out. */
  named: boolean;
  /** What may be unpacked, and what the entries unpack to. */
  allowedBytes: number;
  unpackedBytes: number;
  /** By octave; the one of a single cube, and the metadata of a hierarchy, under undefined. */
  levels: Map<number | undefined, Level>;
}

/** Of metadata that are deflated, and of places: what a megabyte of JSON becomes takes many. Here they are never deflated. */
const MAX_PACKED_METADATA = 4 * 2 ** 20;

export async function openArchive(
  source: Source,
  { verify = true, recover = false, signal, maxBytes }: ReadOptions,
): Promise<Archive> {
  const allowedBytes = budgetOf(source.sizeBytes, maxBytes);
  const directory = await readDirectory(source, signal).catch((error) => {
    if (recover && error instanceof FormatError) return null;
    throw error;
  });
  const found = recover ? await candidates(source, directory, allowedBytes, signal) : null;
  const entries = found?.entries ?? directory!.entries;
  const sizes = new Map<string, number>();
  for (const { name, method, bytes } of entries) {
    if (method === DEFLATED) sizes.set(name, Math.max(bytes, sizes.get(name) ?? 0));
  }
  const unpackedBytes = [...sizes.values()].reduce((sum, n) => sum + n, 0);
  checkBudget(source.name, source.sizeBytes, 'its deflated entries', unpackedBytes, allowedBytes);
  const archive: Archive = {
    source,
    options: { verify: verify || recover, signal },
    recover,
    named: found?.named ?? true,
    allowedBytes,
    unpackedBytes,
    levels: new Map(),
  };
  for (const entry of entries) addEntry(archive, entry);
  for (const { name, offset } of found?.ruins ?? []) {
    const named = parseName(name);
    if (named?.is === 'node') levelOf(archive, named.octave).ruins.push({ place: named.place, offset });
  }
  return archive;
}

const isWanted = (name: string) => parseName(name) !== null;

/** Every place where the bytes of an entry may begin, and what it may claim to be. */
async function candidates(
  source: Source,
  directory: Directory | null,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<{ entries: ZipEntry[]; ruins: ZipEntry[]; named: boolean }> {
  const { whole, damaged } = await scanEntries(source, isWanted, maxBytes, signal);
  if (!directory) return { entries: whole, ruins: damaged, named: false };
  let named = true;
  const all = new Map<string, ZipEntry>();
  const add = (entry: ZipEntry) => {
    const { name, start = 0, packedBytes, crc, method } = entry;
    if (start >= 0 && start + packedBytes <= source.sizeBytes && isWanted(name)) {
      all.set([name, start, packedBytes, crc, method].join(' '), entry);
    }
  };
  whole.forEach(add);
  for (const entry of directory.entries) {
    // In front of the next entry, where the local header is damaged; behind the local header, where it can be read.
    add({ ...entry, start: entry.limit - entry.packedBytes });
    const head = await source.read(entry.offset, LOCAL_BYTES, signal);
    const lengths = head[26] + head[28] + 256 * (head[27] + head[29]);
    const room = Math.min(LOCAL_BYTES + lengths, source.sizeBytes - entry.offset);
    const local = localHeader(await source.read(entry.offset, room, signal), entry.offset);
    named &&= local?.name === entry.name;
    if (local) add({ ...entry, start: local.start });
  }
  return { entries: [...all.values()], ruins: directory.entries, named };
}

function levelOf({ levels }: Archive, octave: number | undefined): Level {
  const level = levels.get(octave) ?? { metadata: [], places: [], nodes: [], ruins: [] };
  levels.set(octave, level);
  return level;
}

function addEntry(archive: Archive, entry: ZipEntry): void {
  const { name } = archive.source;
  const named = parseName(entry.name);
  if (!named) {
    if (archive.recover) return;
    const leadsOut = /^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|[\\\0]/.test(entry.name);
    const what = leadsOut ? 'leads out of the archive by its name' : 'is none that a cube has';
    throw new FormatError(name, `entry ${JSON.stringify(entry.name).slice(0, 80)} ${what}`, {
      offset: entry.offset,
    });
  }
  const level = levelOf(archive, named.octave);
  if (named.is !== 'node') level[named.is].push(entry);
  else {
    const { place, compressed } = named;
    level.nodes.push({ ...entry, place, compressed, node: [place.x, place.y, place.z] });
  }
}

/**
 * The entry of a name, with its bytes; of a damaged file all that are good.
 * @throws FormatError where there is none.
 */
export async function contentsOf(
  archive: Archive,
  entries: readonly ZipEntry[],
  name: string,
  missing: string,
): Promise<{ crc: number; bytes: Uint8Array }[]> {
  const { source, options, recover } = archive;
  check(entries.length > 0, () => new FormatError(source.name, `has no ${name}, ${missing}`));
  const good = new Map<number, Uint8Array>();
  let failure: unknown;
  for (const entry of entries) {
    try {
      const { method, bytes } = entry;
      check(method !== DEFLATED || bytes <= MAX_PACKED_METADATA, () =>
        entryError(source.name, entry, `unpacks to ${bytes} bytes, and may to ${MAX_PACKED_METADATA}`),
      );
      // Small, and all else depends on it: verified whatever the options say.
      for await (const [content] of readContents(source, [entry], { ...options, verify: true })) {
        if ('error' in content) throw content.error;
        good.set(entry.crc, content.bytes);
      }
    } catch (error) {
      if (!recover || !(error instanceof FormatError)) throw error;
      failure ??= error;
    }
  }
  if (good.size === 0) throw failure;
  return [...good].map(([crc, bytes]) => ({ crc, bytes }));
}
