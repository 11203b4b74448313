/** Hierarchies from what files say of them: cubes that are there, and how their grids lie. */
import { ArgumentError, check, shown } from '../../errors.js';
import type { WavetableMatrix } from '../matrix.js';
import { type MatrixOptions, resolutionPair } from '../options.js';
import type { AxisPlace } from './axis.js';
import {
  AXES_OF_ONE_GRID,
  checkOctaveLevels,
  type HierarchySettings,
  type OctaveBasis,
  type OctaveLevel,
} from './levels.js';

/** A hierarchy as files keep it: what the cubes do not say themselves. */
export interface StoredHierarchy {
  width: number;
  height: number;
  depth: number;
  basis: OctaveBasis;
  blend: HierarchySettings['blend'];
  resolution: readonly [height: number, width: number];
  metadata: Record<string, unknown>;
  /** Of each octave its cube, and which of its axes are shifted by half a cell. */
  levels: readonly { octave: number; shifted: readonly boolean[]; matrix: WavetableMatrix }[];
}

const WHERE = 'OctaveHierarchy';

/** What the levels have in common. @throws ArgumentError for a list of levels that is none. */
export function checkStored({ levels, resolution }: StoredHierarchy): {
  octaveLevels: number[];
  resolution: [number, number];
  boundary: MatrixOptions['boundary'];
} {
  check(
    Array.isArray(levels),
    () => new ArgumentError(`${WHERE}: levels must be a list, got ${shown(levels)}`),
  );
  const octaveLevels = checkOctaveLevels(
    WHERE,
    levels.map(({ octave }) => octave),
  );
  const { boundary } = levels[0].matrix.options;
  return { octaveLevels, resolution: resolutionPair(WHERE, resolution), boundary };
}

/** The settings of stored levels, where `common` are those of a hierarchy that has their octaves. */
export function storedSettings(stored: StoredHierarchy, common: HierarchySettings): HierarchySettings {
  const { dims, boundary } = common;
  const levels = [...stored.levels].sort((a, b) => a.octave - b.octave);
  return {
    ...common,
    channels: Math.max(...levels.map(({ matrix }) => matrix.channels)),
    levels: levels.map(({ octave, shifted, matrix }) => {
      const other = matrix.options.boundary as Record<'x' | 'y' | 'z', string>;
      check(
        Array.isArray(shifted) && shifted.length === 3 && shifted.every((s) => typeof s === 'boolean'),
        () => new ArgumentError(`${WHERE}: shifted must be three booleans, got ${shown(shifted)}`),
      );
      check(
        (['x', 'y', 'z'] as const).every((axis, j) => other[axis] === boundary[j]),
        () => new ArgumentError(`${WHERE}: all octaves must have the same boundary, got ${shown(other)}`),
      );
      check(
        Object.keys(matrix.options.axes).length === 0 ||
          [matrix.width, matrix.height, matrix.depth].every((n, j) => n === dims[j] && !shifted[j]),
        () => new ArgumentError(`${WHERE}: ${AXES_OF_ONE_GRID}`),
      );
      const grid = [matrix.width, matrix.height, matrix.depth];
      const axes = grid.map((nodes, j): AxisPlace => {
        check(
          !shifted[j] || (nodes > 1 && dims[j] > 1),
          () => new ArgumentError(`${WHERE}: an axis of one node cannot be shifted`),
        );
        return { n: dims[j], nodes, shifted: shifted[j], boundary: boundary[j] };
      });
      return { octave, axes: axes as OctaveLevel['axes'], options: {} };
    }),
  };
}
