/**
 * A hierarchy of octaves as a .npz file, which numpy.load opens with its defaults:
 *
 *   metadata.npy          uint8, the UTF-8 bytes of a JSON object: the size of the index space, the basis, the octaves and which of
 *                         their axes are shifted, the user's metadata
 *   octaves/N/…           the cube of octave N, as it would be a file of its own: npz.ts
 */
import { check, FormatError, shown, WavecubeError } from '../errors.js';
import type { WavetableMatrix } from '../grid/matrix.js';
import type { StoredHierarchy } from '../grid/octaves/stored.js';
import { OctaveHierarchy } from '../grid/octaves.js';
import type { FileFormat } from '../grid/persistence.js';
import { checkVersion, cubeEntries, cubeOf, encodeMetadata, HIERARCHY, npz, readMetadata } from './npz.js';
import { unzipArchive, zipArchive } from './zip.js';

const VERSION = 1;

interface Header extends Omit<StoredHierarchy, 'levels' | 'metadata'> {
  format: typeof HIERARCHY | 'wavecube';
  version: number;
  levels: { octave: number; shifted: readonly boolean[] }[];
  user: Record<string, unknown>;
}

async function encode(hierarchy: OctaveHierarchy, options: Record<string, unknown>): Promise<Uint8Array> {
  const { levels, metadata, ...rest } = hierarchy.stored();
  const header: Header = {
    format: HIERARCHY,
    version: VERSION,
    ...rest,
    levels: levels.map(({ octave, shifted }) => ({ octave, shifted })),
    user: metadata,
  };
  const entries: Record<string, Uint8Array> = { 'metadata.npy': encodeMetadata(header) };
  for (const { octave, matrix } of levels) {
    for (const [name, entry] of Object.entries(await cubeEntries(matrix))) {
      entries[`octaves/${octave}/${name}`] = entry;
    }
  }
  return zipArchive(entries, Boolean(options.deflate));
}

async function decode(bytes: Uint8Array, source: string): Promise<OctaveHierarchy> {
  const entries = unzipArchive(bytes, source);
  const { user, levels: places, ...rest } = readHeader(entries['metadata.npy'], source);
  const known = new Map(places.map(({ octave }): [number, Record<string, Uint8Array>] => [octave, {}]));
  for (const [name, entry] of Object.entries(entries)) {
    if (name === 'metadata.npy') continue;
    const [, octave, own] = /^octaves\/(-?\d+)\/(.+)$/.exec(name) ?? [];
    const level = known.get(Number(octave));
    check(
      level !== undefined,
      () => new FormatError(source, `has an entry '${name}' that this hierarchy has not`),
    );
    level[own] = entry;
  }
  const levels: { octave: number; shifted: readonly boolean[]; matrix: WavetableMatrix }[] = [];
  try {
    for (const { octave, shifted } of places) {
      const matrix = cubeOf(known.get(octave)!, `${source}:octaves/${octave}`);
      levels.push({ octave, shifted, matrix });
    }
    return OctaveHierarchy.fromStored({ ...rest, metadata: user, levels });
  } catch (cause) {
    for (const { matrix } of levels) matrix.dispose();
    if (!(cause instanceof WavecubeError) || cause instanceof FormatError) throw cause;
    // What the hierarchy refuses is the file's fault here.
    throw new FormatError(source, cause.message, { cause });
  }
}

function readHeader(entry: Uint8Array | undefined, source: string): Header {
  const header = readMetadata<Header>(entry, source);
  check(
    header?.format !== 'wavecube',
    () =>
      new FormatError(source, 'holds a single cube and no OctaveHierarchy; WavetableMatrix.load reads it'),
  );
  check(
    header?.format === HIERARCHY,
    () => new FormatError(source, 'has metadata of something else than a hierarchy'),
  );
  checkVersion(header.version, [VERSION], source);
  const { levels, user } = header;
  check(
    typeof user === 'object' && user !== null && !Array.isArray(user),
    () => new FormatError(source, `must hold the user's metadata as an object, got ${shown(user)}`),
  );
  const octaves = Array.isArray(levels) ? levels.map((level) => level?.octave) : [];
  check(
    octaves.length > 0 && octaves.every(Number.isInteger) && new Set(octaves).size === octaves.length,
    () => new FormatError(source, `must name its octaves, got ${shown(levels)}`),
  );
  return header;
}

export const npzOctaves: FileFormat<OctaveHierarchy> = {
  name: npz.name,
  extension: npz.extension,
  sniff: npz.sniff,
  encode,
  decode,
};
