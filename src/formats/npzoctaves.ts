/**
 * A hierarchy of octaves as a .npz file, which numpy.load opens with its defaults:
 *
 *   metadata.npy          uint8, the UTF-8 bytes of a JSON object: the size of the index space, the basis, the octaves and which of
 *                         their axes are shifted, the user's metadata
 *   octaves/N/…           the cube of octave N, as it would be a file of its own: npz.ts
 */
import { check, FormatError, shown } from '../errors.js';
import type { OctavesContents } from '../grid/contents.js';
import { checkVersion, cubeEntries, cubeOf, encodeMetadata, HIERARCHY, readMetadata } from './npzcube.js';

const VERSION = 1;

interface Header extends Omit<OctavesContents, 'kind' | 'levels' | 'metadata'> {
  format: typeof HIERARCHY | 'wavecube';
  version: number;
  levels: { octave: number; shifted: readonly boolean[] }[];
  user: Record<string, unknown>;
}

/** The entries of a hierarchy, by name. */
export async function hierarchyEntries(contents: OctavesContents): Promise<Record<string, Uint8Array>> {
  const { kind: _, levels, metadata, ...rest } = contents;
  const header: Header = {
    format: HIERARCHY,
    version: VERSION,
    ...rest,
    levels: levels.map(({ octave, shifted }) => ({ octave, shifted })),
    user: metadata,
  };
  const entries: Record<string, Uint8Array> = { 'metadata.npy': encodeMetadata(header) };
  for (const { octave, cube } of levels) {
    for (const [name, entry] of Object.entries(await cubeEntries(cube))) {
      entries[`octaves/${octave}/${name}`] = entry;
    }
  }
  return entries;
}

/** What entries hold. @throws FormatError for what hierarchyEntries does not give. */
export function hierarchyOf(entries: Record<string, Uint8Array>, source: string): OctavesContents {
  const {
    user,
    levels: places,
    format: _,
    version: __,
    ...rest
  } = readHeader(entries['metadata.npy'], source);
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
  const levels = places.map(({ octave, shifted }) => ({
    octave,
    shifted,
    cube: cubeOf(known.get(octave)!, `${source}:octaves/${octave}`),
  }));
  return { kind: 'octaves', ...rest, metadata: user, levels };
}

function readHeader(entry: Uint8Array | undefined, source: string): Header {
  const header = readMetadata<Header>(entry, source);
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
