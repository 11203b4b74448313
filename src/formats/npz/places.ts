/** places.npy: which entries there must be, and the checksum of each. */
import { check, FormatError } from '../../errors.js';
import { AXES } from '../../grid/tangents.js';
import { viewNpy } from '../npy.js';
import { entryError } from '../zip/records.js';
import { type Archive, contentsOf, type Level } from './archive.js';
import { keyOf, PLACE_COLUMNS, PLACES, type Place, tangentOf } from './layout.js';
import type { CubeHeader } from './metadata.js';

export interface Places {
  /** The checksum of the metadata that they go with. */
  metadata: number;
  of: ReadonlyMap<string, { place: Place; crc: number }>;
}

/** All that are good; of a file that is not damaged it is one. @throws FormatError where there are none, and without recovery. */
export async function readPlaces(archive: Archive, level: Level, folder: string): Promise<Places[]> {
  const name = folder + PLACES;
  try {
    const all = await contentsOf(archive, level.places, name, 'which tells what else there must be');
    return all.map(({ bytes }) => parsePlaces(bytes, `${archive.source.name}:${name}`));
  } catch (error) {
    if (archive.recover && error instanceof FormatError) return [];
    throw error;
  }
}

function parsePlaces(entry: Uint8Array, source: string): Places {
  const { dtype, shape, data } = viewNpy(entry, source);
  check(
    dtype === '<i4' && shape.length === 2 && shape[0] >= 1 && shape[1] === PLACE_COLUMNS,
    () => new FormatError(source, `must be int32 [n, ${PLACE_COLUMNS}], got ${dtype} [${shape.join(', ')}]`),
  );
  const places = new Map<string, { place: Place; crc: number }>();
  for (let i = PLACE_COLUMNS; i < data.length; i += PLACE_COLUMNS) {
    const [x, y, z, role, crc] = data.subarray(i, i + PLACE_COLUMNS);
    if (x === -1) continue;
    check(
      x >= 0 && y >= 0 && z >= 0 && role >= 0 && role <= AXES.length,
      () => new FormatError(source, `has a row of no sense: ${[x, y, z, role].join(', ')}`),
    );
    const place = { x, y, z, ...tangentOf(role) };
    const key = keyOf(place);
    check(!places.has(key), () => new FormatError(source, `has two rows for (${x}, ${y}, ${z})`));
    places.set(key, { place, crc: crc >>> 0 });
  }
  return { metadata: data[PLACE_COLUMNS - 1] >>> 0, of: places };
}

/** The entries are those that there must be, none missing, none twice, none moved. @throws FormatError. */
export function checkPlaces(
  source: string,
  { count }: CubeHeader,
  places: Places | null,
  level: Level,
): void {
  const seen = new Set<string>();
  for (const entry of level.nodes) {
    const key = keyOf(entry.place);
    check(!seen.has(key), () => entryError(source, entry, 'is the second for its place'));
    seen.add(key);
    check(!places || places.of.get(key)?.crc === entry.crc, () =>
      entryError(
        source,
        entry,
        `is not the one that ${PLACES} has for its place: it is damaged, or was written by another program`,
      ),
    );
  }
  if (!places) return;
  check(
    count === places.of.size,
    () =>
      new FormatError(
        source,
        `has metadata of ${count} nodes and tangents, and ${PLACES} of ${places.of.size}`,
      ),
  );
  for (const [key, { place }] of places.of) {
    const { x, y, z, tangent } = place;
    const what = tangent ? `tangent along ${tangent}` : 'node';
    check(
      seen.has(key),
      () =>
        new FormatError(
          source,
          `has lost the entry of the ${what} (${x}, ${y}, ${z}); { recover: true } reads the others`,
          { node: [x, y, z] },
        ),
    );
  }
}
