/**
 * What an OctaveHierarchy is made with, checked once: its octaves from coarse to fine, each with the grid, the place of that
 * grid and the options of its cube.
 *
 * Octave o has nodes of base · 2^(o/4) rows and columns for o ≥ 0, base / 2^(1 + |o|/2) below (512: 1024 at +4, 128 at −2, 64 at
 * −4); an axis of a node that has one row or column keeps it.
 *
 * The hierarchy's own index space [0, n − 1] is that of `width`, `height`, `depth`. A level whose axis has m nodes lies so that
 * the ends meet (octaveaxis.ts says where exactly); with `gridScale` s octave o has n · s^o of them.
 */
import { ArgumentError, check, checkOptionNames, shown } from '../../errors.js';
import type { Boundary } from '../../interpolation/stencil.js';
import {
  checkOptions,
  type MatrixOptions,
  OPTION_NAMES_BUT_SHAPE,
  type Resolution,
  resolutionPair,
} from '../options.js';
import { type AxisPlace, isOwnSpace, meetingBorders, shiftedNodes } from './axis.js';

/**
 * What a level holds. 'levels': each a whole signal at its scale, blended by two. 'laplacian': the coarsest a signal, every finer
 * one what the sum of the coarser lacks (P. Burt, E. Adelson, "The Laplacian pyramid as a compact image code", 1983).
 */
export type OctaveBasis = 'levels' | 'laplacian';
export const OCTAVE_BASES: readonly OctaveBasis[] = ['levels', 'laplacian'];

export type OctaveOffset = 'none' | 'half-cell';

/** What one octave has otherwise than the hierarchy. */
export interface OctaveOptions
  extends Pick<
    MatrixOptions,
    | 'resolution'
    | 'channels'
    | 'dtype'
    | 'sparse'
    | 'trainable'
    | 'compression'
    | 'cacheBytes'
    | 'pageBytes'
    | 'periodic'
  > {
  /** Nodes along x, y, z; its ends meet those of the hierarchy. With an offset its own half cells beyond them included. */
  grid?: readonly [width: number, height: number, depth: number];
  offset?: OctaveOffset;
}

export interface OctaveHierarchyOptions extends MatrixOptions {
  /** Octaves, in any order. Default [−4, −2, 0, 4]. */
  octaveLevels?: readonly number[];
  /** [H, W] of octave 0's nodes, or one number for both; the others follow from it. Default 512. `resolution` sets all alike. */
  baseResolution?: Resolution;
  /** What the levels hold. Default 'levels'. */
  basis?: OctaveBasis;
  /** Octave o's grid has dims · gridScale^o nodes, rounded, at least one; an axis of one node keeps it. Or [x, y, z]. Default 1. */
  gridScale?: number | readonly [x: number, y: number, z: number];
  /**
   * 'half-cell': the grids of octaves are shifted by half a cell of their own against each other, so that the borders of cells of
   * neighbouring octaves do not coincide; a shifted axis has a node more, half a cell beyond either end. From coarse to fine, a level is
   * shifted unless that would put its borders onto those of the octave below. Default 'none'.
   */
  offset?: OctaveOffset;
  /** By octave, what it has otherwise. */
  octaves?: Readonly<Record<number, OctaveOptions>>;
}

/** One octave: how its grid lies in the hierarchy's index space, and what its cube is made with. */
export interface OctaveLevel {
  octave: number;
  axes: [AxisPlace, AxisPlace, AxisPlace];
  options: MatrixOptions;
}

export interface HierarchySettings {
  dims: [number, number, number];
  basis: OctaveBasis;
  boundary: [Boundary, Boundary, Boundary];
  blend: NonNullable<MatrixOptions['blend']>;
  /** The most that a level has. */
  channels: number;
  /** [H, W] of what blends octaves: octave 0's, or baseResolution. */
  resolution: [number, number];
  /** From coarse to fine. */
  levels: OctaveLevel[];
}

const WHERE = 'OctaveHierarchy';
export const AXES_OF_ONE_GRID =
  'axes with positions are those of one grid; octaves of other grids (gridScale, offset, grid) take index space';
const DEFAULT_LEVELS = [-4, -2, 0, 4];
const MAX_OCTAVE = 64;
const OWN_NAMES = ['octaveLevels', 'baseResolution', 'basis', 'gridScale', 'offset', 'octaves'];
const LEVEL_NAMES = [
  ...['resolution', 'channels', 'dtype', 'sparse', 'trainable', 'compression', 'cacheBytes', 'pageBytes'],
  ...['periodic', 'grid', 'offset'],
];

/** How much finer than octave 0 an octave's nodes are. */
export function octaveRatio(octave: number): number {
  return octave >= 0 ? 2 ** (octave / 4) : 2 ** -(1 - octave / 2);
}

/** [H, W] of an octave's nodes by default, of octave 0's. */
export function octaveResolution(octave: number, [h, w]: readonly [number, number]): [number, number] {
  const scaled = (n: number) => (n === 1 ? 1 : Math.max(1, Math.round(n * octaveRatio(octave))));
  return [scaled(h), scaled(w)];
}

/** Sorted. @throws ArgumentError unless they are different integers, at least one. */
export function checkOctaveLevels(where: string, levels: unknown = DEFAULT_LEVELS): number[] {
  check(
    Array.isArray(levels) &&
      levels.length > 0 &&
      levels.every((o) => Number.isInteger(o) && Math.abs(o) <= MAX_OCTAVE) &&
      new Set(levels).size === levels.length,
    () =>
      new ArgumentError(
        `${where}: octaveLevels must be a list of different integers in [-${MAX_OCTAVE}, ${MAX_OCTAVE}], got ${shown(levels)}`,
      ),
  );
  return [...levels].sort((a, b) => a - b);
}

function oneOf<T>(name: string, value: unknown, allowed: readonly T[]): T {
  check(
    allowed.includes(value as T),
    () => new ArgumentError(`${WHERE}: ${name} must be one of ${allowed.join(', ')}, got ${shown(value)}`),
  );
  return value as T;
}

function checkedScale(scale: OctaveHierarchyOptions['gridScale'] = 1): number[] {
  const axes = typeof scale === 'number' ? [scale, scale, scale] : scale;
  check(
    Array.isArray(axes) &&
      axes.length === 3 &&
      axes.every((s) => typeof s === 'number' && Number.isFinite(s) && s > 0),
    () =>
      new ArgumentError(
        `${WHERE}: gridScale must be a positive number or [x, y, z] of them, got ${shown(scale)}`,
      ),
  );
  return [...axes];
}

/** Nodes of an octave's axis, without an offset. */
const scaledNodes = (n: number, scale: number, octave: number) =>
  n === 1 ? 1 : Math.max(1, Math.round(n * scale ** octave));

/** How an axis of a level lies, where the octave below lies as `below`. */
function placeOf(
  n: number,
  nodes: number,
  boundary: Boundary,
  offset: OctaveOffset | 'alternating',
  given: boolean,
  below: AxisPlace | undefined,
): AxisPlace {
  const plain: AxisPlace = { n, nodes, shifted: false, boundary };
  if (offset === 'none' || n === 1) return plain;
  const shifted: AxisPlace = {
    ...plain,
    nodes: given ? nodes : shiftedNodes(nodes, boundary),
    shifted: true,
  };
  if (shifted.nodes < 2) return plain;
  if (offset === 'half-cell' || !below) return shifted;
  return meetingBorders(shifted, below) <= meetingBorders(plain, below) ? shifted : plain;
}

/** @throws ArgumentError for what OctaveHierarchyOptions does not say. */
export function checkHierarchy(
  width: number,
  height: number,
  depth: number,
  options: OctaveHierarchyOptions,
): HierarchySettings {
  checkOptionNames(WHERE, options, [...OWN_NAMES, 'resolution', 'channels', ...OPTION_NAMES_BUT_SHAPE]);
  const {
    octaveLevels,
    baseResolution,
    basis,
    gridScale,
    offset,
    octaves = {},
    metadata: _,
    ...cube
  } = options;
  const sorted = checkOctaveLevels(WHERE, octaveLevels);
  checkOptionNames(`${WHERE}: octaves`, octaves, sorted.map(String));
  check(
    baseResolution === undefined || cube.resolution === undefined,
    () =>
      new ArgumentError(
        `${WHERE}: resolution is that of all octaves, baseResolution that of octave 0; give one of them`,
      ),
  );
  const base = resolutionPair(WHERE, cube.resolution ?? baseResolution ?? 512);
  const general = checkOptions(width, height, depth, { ...cube, resolution: base }, false);
  const kind = oneOf('basis', basis ?? 'levels', OCTAVE_BASES);
  const shift = oneOf('offset', offset ?? 'none', ['none', 'half-cell'] as const);
  const scale = checkedScale(gridScale);

  const levels: OctaveLevel[] = [];
  for (const octave of sorted) {
    const own = octaves[octave] ?? {};
    checkOptionNames(`${WHERE}: octaves[${octave}]`, own, LEVEL_NAMES);
    const { grid, offset: ownOffset, ...overrides } = own;
    check(
      grid === undefined || (Array.isArray(grid) && grid.length === 3 && grid.every((n) => n >= 1)),
      () =>
        new ArgumentError(
          `${WHERE}: octaves[${octave}].grid must be [width, height, depth], got ${shown(grid)}`,
        ),
    );
    const how =
      ownOffset === undefined
        ? shift === 'half-cell'
          ? 'alternating'
          : 'none'
        : oneOf(`octaves[${octave}].offset`, ownOffset, ['none', 'half-cell'] as const);
    const below = levels.at(-1)?.axes;
    const axes = general.dims.map((n, j) =>
      placeOf(
        n,
        grid?.[j] ?? scaledNodes(n, scale[j], octave),
        general.boundary[j],
        how,
        grid !== undefined,
        below?.[j],
      ),
    ) as OctaveLevel['axes'];
    levels.push({
      octave,
      axes,
      options: {
        ...cube,
        // Residuals are no quaternions: their sum is normalised.
        blend: kind === 'laplacian' ? 'linear' : general.blend,
        resolution: cube.resolution === undefined ? octaveResolution(octave, base) : base,
        ...overrides,
      },
    });
  }
  check(
    general.axes.every((axis) => axis === null) || levels.every(({ axes }) => axes.every(isOwnSpace)),
    () => new ArgumentError(`${WHERE}: ${AXES_OF_ONE_GRID}`),
  );
  return settingsOf(general.dims, kind, general.boundary, general.blend, base, levels);
}

/** The settings of levels that are known. */
export function settingsOf(
  dims: HierarchySettings['dims'],
  basis: OctaveBasis,
  boundary: HierarchySettings['boundary'],
  blend: HierarchySettings['blend'],
  base: [number, number],
  levels: OctaveLevel[],
): HierarchySettings {
  const zero = levels.find(({ octave }) => octave === 0)?.options.resolution;
  const channels = Math.max(...levels.map(({ options }) => options.channels ?? 4));
  return {
    dims,
    basis,
    boundary,
    blend,
    channels,
    resolution: zero === undefined ? base : resolutionPair(WHERE, zero),
    levels,
  };
}

export const gridOf = ({ axes }: OctaveLevel): [number, number, number] =>
  axes.map(({ nodes }) => nodes) as [number, number, number];
