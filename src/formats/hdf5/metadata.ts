/** The JSON of a file: what a cube or a hierarchy is made with. */
import { check, FormatError, shown } from '../../errors.js';
import type { CubeContents, CubeOptions, OctavesContents } from '../../grid/files/contents.js';
import { parseJson } from '../../grid/files/json.js';

export interface CubeHeader {
  width: number;
  height: number;
  depth: number;
  options: CubeOptions;
  /** The user's own. */
  user: Record<string, unknown>;
  /** Datasets of nodes and tangents. */
  count?: number;
}

interface OctavesHeader extends Omit<OctavesContents, 'levels' | 'metadata'> {
  levels: ({ octave: number; shifted: readonly boolean[] } & CubeHeader)[];
  user: Record<string, unknown>;
}

export type Header = ({ kind: 'cube' } & CubeHeader) | OctavesHeader;

export function headerOfCube({ width, height, depth, options, metadata }: CubeContents): CubeHeader {
  return { width, height, depth, options, user: metadata };
}

/** @throws FormatError for a text that says no cube and no hierarchy; what their options may be, they say themselves. */
export function readHeader(text: string, source: string): Header {
  const header = parseJson(text, source, 'has metadata that are no JSON') as Header;
  check(isObject(header), () => new FormatError(source, `has metadata that are no object: ${shown(header)}`));
  if (header.kind === 'cube') return { ...header, ...checkCube(header, source) };
  check(
    header.kind === 'octaves',
    () =>
      new FormatError(
        source,
        `must hold a cube or octaves, got ${shown((header as { kind: unknown }).kind)}`,
      ),
  );
  const { levels } = header;
  const octaves = Array.isArray(levels) ? levels.map((level) => level?.octave) : [];
  check(
    octaves.length > 0 && octaves.every(Number.isInteger) && new Set(octaves).size === octaves.length,
    () => new FormatError(source, `must name its octaves, got ${shown(levels)}`),
  );
  return {
    ...header,
    user: userOf(header, source),
    levels: levels.map((level) => ({ ...level, ...checkCube(level, source) })),
  };
}

function checkCube(cube: CubeHeader, source: string): CubeHeader {
  const { width, height, depth, options = {}, count } = cube;
  check(
    isObject(options),
    () => new FormatError(source, `must hold a cube's options as an object, got ${shown(options)}`),
  );
  check(
    count === undefined || (Number.isSafeInteger(count) && count >= 0),
    () => new FormatError(source, `must hold a count of nodes, got ${shown(count)}`),
  );
  return { width, height, depth, options, count, user: userOf(cube, source) };
}

function userOf({ user = {} }: { user?: Record<string, unknown> }, source: string): Record<string, unknown> {
  check(
    isObject(user),
    () => new FormatError(source, `must hold the user's metadata as an object, got ${shown(user)}`),
  );
  return user;
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
