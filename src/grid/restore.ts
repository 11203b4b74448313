/** Cubes from what files say of them: the class that their options ask for. */
import type { StoredNode } from './files.js';
import { WavetableMatrix } from './matrix.js';
import { MultiResolutionWavetableMatrix } from './multiresolution.js';
import type { MatrixOptions, MixedOptions } from './options.js';

/**
 * A cube with the nodes that storedNodes gave, of the class whose `options` these are. What formats make cubes with.
 * @throws as the constructors and restoreNodes.
 */
export function restoreCube(
  width: number,
  height: number,
  depth: number,
  options: MatrixOptions & MixedOptions,
  nodes: Iterable<StoredNode>,
): WavetableMatrix {
  const Cube = options.mixed === true ? MultiResolutionWavetableMatrix : WavetableMatrix;
  return Cube.fromStored(width, height, depth, options, nodes);
}
