/** The metadata of a .wvcb file, JSON: ../WVCB.md. What cubes themselves check is left to them. */
import { check, FormatError, shown } from '../../errors.js';
import type { Contents, CubeContents, CubeOptions, OctavesContents } from '../../grid/files/contents.js';
import { parseJson } from '../../grid/files/json.js';
import type { Header } from './header.js';
import { hexOf, MAX_SHARDS, shardName } from './shardnames.js';

export interface CodecName {
  id: string;
  /** Of its payload. */
  version: number;
}

export interface ShardName {
  name: string;
  sizeBytes: number;
}

/** A cube without its nodes. */
export interface CubeDescription {
  width: number;
  height: number;
  depth: number;
  options: CubeOptions;
  /** The user's own. */
  metadata: Record<string, unknown>;
  /** Of a level of a hierarchy. */
  octave?: number;
  shifted?: readonly boolean[];
}

export interface Metadata {
  codecs: readonly CodecName[];
  /** Of a manifest, else none. */
  shards: readonly ShardName[];
  /** What a hierarchy says besides its levels; null of a cube. */
  hierarchy: Pick<OctavesContents, 'basis' | 'blend' | 'metadata'> | null;
  /** The one cube, or one a level. */
  cubes: readonly CubeDescription[];
}

/** Contents without their nodes. */
export function describe(contents: Contents): Omit<Metadata, 'codecs' | 'shards'> {
  const cubeOf = ({ width, height, depth, options, metadata }: CubeContents): CubeDescription => {
    return { width, height, depth, options, metadata };
  };
  if (contents.kind === 'cube') return { hierarchy: null, cubes: [cubeOf(contents)] };
  const { basis, blend, metadata, levels } = contents;
  return {
    hierarchy: { basis, blend, metadata },
    cubes: levels.map(({ octave, shifted, cube }) => ({ ...cubeOf(cube), octave, shifted })),
  };
}

export function encodeMetadata({ codecs, shards, hierarchy, cubes }: Metadata): Uint8Array {
  const cube = ({ options, metadata: user }: CubeDescription) => ({ options, user });
  const { metadata: user, ...rest } = hierarchy ?? { metadata: {} };
  const levels = cubes.map(({ octave, shifted, width, height, depth, ...level }) => {
    return { octave, shifted, width, height, depth, ...cube(level as CubeDescription) };
  });
  const json = {
    codecs,
    ...(shards.length > 0 && { shards }),
    ...(hierarchy ? { octaves: { ...rest, user, levels } } : { cube: cube(cubes[0]) }),
  };
  return new TextEncoder().encode(JSON.stringify(json));
}

/** Metadata as they were encoded, with codecs that were not known then. */
export function withCodecs(encoded: Uint8Array, codecs: readonly CodecName[]): Uint8Array {
  const json: object = JSON.parse(new TextDecoder().decode(encoded));
  return new TextEncoder().encode(JSON.stringify({ ...json, codecs }));
}

/** Metadata of a manifest: those of its shards, with their names. */
export function withShards(encoded: Uint8Array, shards: readonly ShardName[]): Uint8Array {
  const json: object = JSON.parse(new TextDecoder().decode(encoded));
  return new TextEncoder().encode(JSON.stringify({ ...json, shards }));
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;

/** As the cube's constructor has them: refused here before anything is sized by them. */
const MAX_AXIS = 2 ** 24;
const MAX_CELLS = 2 ** 28;
const MAX_CODECS = 0xffff;

/** @throws FormatError for what is not the metadata of a file with this header. */
export function decodeMetadata(bytes: Uint8Array, header: Header, source: string): Metadata {
  const { offset } = header.metadata;
  const fail = (what: string) =>
    new FormatError(source, `has metadata at byte ${offset} that ${what}`, { offset });
  const must = (holds: boolean, what: () => string) => check(holds, () => fail(what()));
  const json = parseJson(bytes, source, `has metadata at byte ${offset} that are no JSON`, offset);
  const object = (value: unknown, name: string): Json => {
    must(isObject(value), () => `must have an object '${name}', got ${shown(value)}`);
    return value as Json;
  };
  const root = object(json, 'metadata');
  const isCube = header.kind === 'cube';
  const known = ['codecs', 'shards', isCube ? 'cube' : 'octaves'];
  for (const name of Object.keys(root)) {
    must(
      known.includes(name),
      () => `say '${name}', which version 1 of ${isCube ? 'a cube' : 'a hierarchy'} does not know`,
    );
  }
  const list = (value: unknown, name: string, one: (item: Json) => boolean, most: number): Json[] => {
    must(
      Array.isArray(value) && value.length <= most && value.every((item) => isObject(item) && one(item)),
      () => `must have a list '${name}', got ${shown(value)}`,
    );
    return value as Json[];
  };
  const codecs = list(
    root.codecs,
    'codecs',
    ({ id, version }) =>
      typeof id === 'string' &&
      /^[\x21-\x7e]{1,64}$/.test(id) &&
      Number.isSafeInteger(version) &&
      (version as number) >= 0,
    MAX_CODECS,
  ) as unknown as CodecName[];
  const shards = list(
    root.shards ?? [],
    'shards',
    ({ name, sizeBytes }) => typeof name === 'string' && isCount(sizeBytes),
    MAX_SHARDS,
  ) as unknown as ShardName[];
  checkShardNames(header, shards, must);
  must(header.isManifest ? shards.length > 0 : shards.length === 0, () =>
    header.isManifest ? 'name no shards' : 'name shards, which only a manifest has',
  );

  const cube = (
    value: unknown,
    name: string,
    [width, height, depth]: readonly unknown[],
  ): CubeDescription => {
    const { options, user } = object(value, name);
    const dims = [width, height, depth] as [number, number, number];
    must(
      dims.every((n) => isCount(n) && n <= MAX_AXIS) && dims[0] * dims[1] * dims[2] <= MAX_CELLS,
      () =>
        `must have a grid of at most ${MAX_AXIS} nodes along an axis and ${MAX_CELLS} cells in '${name}', got ${dims.map(shown).join(' × ')}`,
    );
    const given = object(options, `${name}.options`);
    for (const own of ['metadata', 'pageBytes']) {
      must(
        !Object.hasOwn(given, own),
        () => `have the option '${own}' in '${name}', which files do not keep`,
      );
    }
    const { resolution, channels, dtype = 'float32' } = given;
    must(
      Array.isArray(resolution) && resolution.length === 2 && resolution.every(isCount) && isCount(channels),
      () =>
        `must say resolution [H, W] and channels in '${name}', got ${shown(resolution)} and ${shown(channels)}`,
    );
    must(dtype === 'float32' || dtype === 'float16', () => `have unknown dtype ${shown(dtype)} in '${name}'`);
    for (const flag of ['sparse', 'trainable']) {
      must(
        typeof (given[flag] ?? true) === 'boolean',
        () => `must say ${flag} true or false in '${name}', got ${shown(given[flag])}`,
      );
    }
    return {
      width: dims[0],
      height: dims[1],
      depth: dims[2],
      options: given as CubeOptions,
      metadata: object(user, `${name}.user`),
    };
  };

  const cubes: CubeDescription[] = [];
  let hierarchy: Metadata['hierarchy'] = null;
  if (isCube) {
    cubes.push(cube(root.cube, 'cube', header.dims));
  } else {
    const { basis, blend, user, levels } = object(root.octaves, 'octaves');
    hierarchy = { basis, blend, metadata: object(user, 'octaves.user') } as Metadata['hierarchy'];
    const octaves = list(levels, 'octaves.levels', ({ octave }) => Number.isSafeInteger(octave), MAX_CODECS);
    must(octaves.length > 0, () => 'name no octave');
    must(new Set(octaves.map(({ octave }) => octave)).size === octaves.length, () => 'name an octave twice');
    for (const level of octaves) {
      const { octave, shifted, width, height, depth } = level;
      must(
        Array.isArray(shifted) && shifted.length === 3 && shifted.every((one) => typeof one === 'boolean'),
        () =>
          `must say with three booleans which axes of octave ${octave} are shifted, got ${shown(shifted)}`,
      );
      cubes.push({
        ...cube(level, `octaves.levels[${cubes.length}]`, [width, height, depth]),
        octave: octave as number,
        shifted: shifted as boolean[],
      });
    }
  }
  checkAgainst(header, cubes, must);
  return { codecs, shards, hierarchy, cubes };
}

/** Shards are called by the manifest's id and their number: no name leads elsewhere, and none is there twice. */
function checkShardNames(
  { id }: Header,
  shards: readonly ShardName[],
  must: (holds: boolean, what: () => string) => void,
): void {
  shards.forEach(({ name }, i) => {
    const own = shardName(hexOf(id), i + 1);
    must(name === own, () => `must call shard ${i + 1} '${own}', got ${shown(name)}`);
  });
}

/** What the header says of the cubes must be what they say. */
function checkAgainst(
  { kind, resolution, channels, sparse }: Header,
  cubes: readonly CubeDescription[],
  must: (holds: boolean, what: () => string) => void,
): void {
  const said = headerWords(cubes);
  must(sparse === said.sparse && channels === said.channels, () => {
    return `say ${said.channels} channels, ${said.sparse ? 'sparse' : 'dense'}, and the header says otherwise`;
  });
  const own = cubes[0].options.resolution as readonly number[];
  must(
    kind === 'octaves' || own.every((n, i) => n === resolution[i]),
    () => `say resolution [${own.join(', ')}], and the header [${resolution.join(', ')}]`,
  );
}

/** Of all cubes together. */
export function headerWords(cubes: readonly CubeDescription[]): { channels: number; sparse: boolean } {
  return {
    channels: cubes.reduce((most, { options }) => Math.max(most, options.channels as number), 0),
    sparse: cubes.some(({ options }) => options.sparse ?? true),
  };
}
