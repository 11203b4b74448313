/**
 * Methods that are the linear one at another place: coordinates are moved first, each axis by itself. The grid goes on beyond
 * its nodes as the boundary says (under 'extrapolate' along a line), and so do nearest and smoothstep.
 *
 *   nearest      ⌊r + 1/2⌋; no gradient
 *   smoothstep   g + f²(3 − 2f) of r = g + f; the derivative is 6f(1 − f), the second 6 − 12f
 *
 * Rows that are not finite stay so, and get no gradient. The place is a float32 as the coordinate is: between nodes around g the
 * weights of smoothstep are those of a coordinate known to 2⁻²⁴ · g.
 */
import { nearestOf, smoothstepOf } from '../../ops/ease.js';
import type { BatchCoords } from './reading.js';

/** Told by the fraction, which is exact: r + 1/2 would be rounded. */
const nearestNode = (r: number) => {
  const g = Math.floor(r);
  return r - g >= 0.5 ? g + 1 : g;
};

export function nearestCoords({ tensor, host }: BatchCoords): BatchCoords {
  return { tensor: nearestOf(tensor), host: host?.map(nearestNode) };
}

/**
 * @param ends the last node of each axis where the slope is the left-hand one there, −1 elsewhere.
 * The host's coordinates are left where they are: the cells that they touch are the same.
 */
export function smoothCoords(
  { tensor, host }: BatchCoords,
  ends: readonly [number, number, number],
): BatchCoords {
  return { tensor: smoothstepOf(tensor, ends), host };
}
