/** metadata.npy: JSON, of which nothing is believed before it has been looked at. */
import { check, FormatError, shown } from '../../errors.js';
import type { CubeContents, CubeOptions, OctavesContents } from '../../grid/files/contents.js';
import { parseJson } from '../../grid/files/json.js';
import { viewNpy } from '../npy.js';
import { CUBE, HIERARCHY, OCTAVES_VERSION, VERSION, VERSIONS } from './layout.js';

export interface CubeHeader {
  version: number;
  width: number;
  height: number;
  depth: number;
  /** Nodes and tangents; absent in old files. */
  count?: number;
  /** The CRC-32 of the metadata of the hierarchy that it is of. */
  hierarchy?: number;
  options: CubeOptions;
  user: Record<string, unknown>;
}

export type OctavesHeader = Omit<OctavesContents, 'kind' | 'levels'> & {
  levels: readonly { octave: number; shifted: readonly boolean[] }[];
};

/** @param hierarchy the CRC-32 of the metadata of the hierarchy that it is of. */
export function cubeJson(
  { width, height, depth, options, metadata }: CubeContents,
  count: number,
  hierarchy: number | undefined,
): Uint8Array {
  const { axes = {}, ...rest } = options;
  return jsonBytes({
    ...{ format: CUBE, version: VERSION, count },
    ...(hierarchy !== undefined && { hierarchy }),
    ...{ width, height, depth, ...rest },
    ...(Object.keys(axes).length > 0 && { axes }),
    user: metadata,
  });
}

export function octavesJson({ kind: _, levels, metadata, ...rest }: OctavesContents): Uint8Array {
  return jsonBytes({
    ...{ format: HIERARCHY, version: OCTAVES_VERSION, ...rest },
    levels: levels.map(({ octave, shifted }) => ({ octave, shifted })),
    user: metadata,
  });
}

const jsonBytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** The JSON object of a metadata.npy. @param source what errors call it. */
export function parseMetadata(entry: Uint8Array, source: string): Record<string, unknown> {
  const { data, dtype } = viewNpy(entry, source);
  check(dtype === '|u1', () => new FormatError(source, `must be uint8, got ${dtype}`));
  const value = parseJson(data as Uint8Array, source, 'has metadata that is no JSON');
  check(isObject(value), () => new FormatError(source, `must hold an object, got ${shown(value)}`));
  return value;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a cube's metadata says; its options are checked by the cube that is made with them. */
export function cubeHeader(said: Record<string, unknown>, source: string): CubeHeader {
  const { format, version, width, height, depth, count, hierarchy, user = {}, ...options } = said;
  check(format === CUBE, () => new FormatError(source, 'has metadata of something else than a cube'));
  checkVersion(version, VERSIONS, source);
  checkUser(user, source);
  const sizes = [width, height, depth];
  check(
    sizes.every((n) => typeof n === 'number'),
    () => new FormatError(source, `must say width, height and depth, got ${shown(sizes)}`),
  );
  check(
    version !== VERSION || (Number.isSafeInteger(count) && (count as number) >= 0),
    () => new FormatError(source, `must count its nodes, got ${shown(count)}`),
  );
  // What a cube is made with, and no file says: how its memory is divided; its metadata, which are the user's.
  for (const name of ['pageBytes', 'metadata']) {
    check(
      !Object.hasOwn(options, name),
      () => new FormatError(source, `has an option '${name}' that no file has`),
    );
  }
  return {
    version: version as number,
    width: width as number,
    height: height as number,
    depth: depth as number,
    ...(version === VERSION && { count: count as number, hierarchy: hierarchy as number | undefined }),
    options: options as CubeOptions,
    user,
  };
}

export function octavesHeader(said: Record<string, unknown>, source: string): OctavesHeader {
  const { format, version, levels, user = {}, width, height, depth, basis, blend, resolution } = said;
  check(
    format === HIERARCHY,
    () => new FormatError(source, 'has metadata of something else than a hierarchy'),
  );
  checkVersion(version, [OCTAVES_VERSION], source);
  checkUser(user, source);
  const octaves: unknown[] = Array.isArray(levels) ? levels.map((level) => level?.octave) : [];
  check(
    octaves.length > 0 && octaves.every(Number.isInteger) && new Set(octaves).size === octaves.length,
    () => new FormatError(source, `must name its octaves, got ${shown(levels)}`),
  );
  // Named one by one: what else a file says does not get into the contents.
  const known = { width, height, depth, basis, blend, resolution } as Omit<
    OctavesHeader,
    'levels' | 'metadata'
  >;
  return { ...known, metadata: user, levels: levels as OctavesHeader['levels'] };
}

function checkUser(user: unknown, source: string): asserts user is Record<string, unknown> {
  check(
    isObject(user),
    () => new FormatError(source, `must hold the user's metadata as an object, got ${shown(user)}`),
  );
}

function checkVersion(version: unknown, known: readonly number[], source: string): void {
  const words = known.length > 1 ? `${known.slice(0, -1).join(', ')} and ${known.at(-1)}` : known[0];
  check(
    known.includes(version as number),
    () =>
      new FormatError(source, `has version ${shown(version)} of the npz layout; this library reads ${words}`),
  );
}
