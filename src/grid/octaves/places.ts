/** Where the nodes of an octave stand, in the coordinates that samples of its hierarchy are taken at. */
import { positionsOf } from '../../interpolation/axis.js';
import { AXIS_NAMES } from '../axes.js';
import type { WavetableMatrix } from '../matrix.js';
import { fromLevel } from './axis.js';
import { gridOf, type OctaveLevel } from './levels.js';

/** Of one node; trained positions as the cube's options have them. */
export function placeOfNode(
  level: OctaveLevel,
  cube: WavetableMatrix,
  node: readonly [number, number, number],
): [number, number, number] {
  const { axes } = cube.options;
  const grid = gridOf(level);
  return node.map((u, j) => {
    const axis = axes[AXIS_NAMES[j]];
    // Octaves with axes have the hierarchy's own grid.
    return axis === undefined ? fromLevel(level.axes[j], u) : positionsOf(axis, grid[j])[u];
  }) as [number, number, number];
}

/** Of all nodes, axis by axis; trained positions as they are now. */
export async function nodePlaces(level: OctaveLevel, cube: WavetableMatrix): Promise<ArrayLike<number>[]> {
  const { axes } = cube.options;
  const grid = gridOf(level);
  return Promise.all(
    AXIS_NAMES.map(async (name, j) => {
      if (axes[name] === undefined)
        return Array.from({ length: grid[j] }, (_, u) => fromLevel(level.axes[j], u));
      const positions = cube.axisPositions(name);
      try {
        return (await positions.data()).slice();
      } finally {
        positions.dispose();
      }
    }),
  );
}
