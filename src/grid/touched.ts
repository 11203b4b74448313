/** Which nodes a batch of coordinates on the host needs. */
import { axisStencil, tapNode } from '../interpolation/stencil.js';
import type { Dims } from './bank.js';

/**
 * Calls `found` with each cell of weight ≠ 0 of sample i, and with `slopes` those of a weight that changes; of coordinates
 * that are not finite none.
 */
export function eachCorner(
  coords: Float32Array,
  i: number,
  dims: Dims,
  boundary: readonly number[],
  slopes: boolean,
  found: (cell: number) => void,
): void {
  const axis = { base: 0, fraction: 0, slope: 0 };
  const nodes = [-1, -1, -1, -1, -1, -1];
  for (let j = 0; j < 3; j++) {
    const r = coords[3 * i + j];
    if (!Number.isFinite(r)) return;
    axisStencil(r, dims[j], boundary[j], axis);
    const both = slopes && axis.slope !== 0;
    if (both || axis.fraction !== 1) nodes[2 * j] = tapNode(axis.base, dims[j], boundary[j]);
    if (both || axis.fraction !== 0) nodes[2 * j + 1] = tapNode(axis.base + 1, dims[j], boundary[j]);
  }
  for (let k = 0; k < 8; k++) {
    const [x, y, z] = [nodes[k >> 2], nodes[2 + ((k >> 1) & 1)], nodes[4 + (k & 1)]];
    if (x >= 0 && y >= 0 && z >= 0) found((x * dims[1] + y) * dims[2] + z);
  }
}
