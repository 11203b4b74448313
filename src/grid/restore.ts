/** Cubes from what files say of them: the class that their options ask for. */
import { ChangedError, DeviceError, FormatError, WavecubeError } from '../errors.js';
import type { CubeContents } from './contents.js';
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

/**
 * The cube of contents that were read.
 * @param source what errors call them. @throws FormatError where the cube refuses what they say: it is the file's fault here.
 */
export async function cubeFrom(contents: CubeContents, source: string): Promise<WavetableMatrix> {
  const { width, height, depth, options, metadata } = contents;
  try {
    const Cube = options.mixed === true ? MultiResolutionWavetableMatrix : WavetableMatrix;
    return await Cube.fromContents(width, height, depth, { ...options, metadata }, contents);
  } catch (cause) {
    if (!(cause instanceof WavecubeError) || isOfTheFile(cause)) throw cause;
    throw new FormatError(source, cause.message, { cause });
  } finally {
    contents.dispose();
  }
}

/** Whether an error says itself what is wrong with a file. */
function isOfTheFile(error: WavecubeError): boolean {
  return error instanceof FormatError || error instanceof ChangedError || error instanceof DeviceError;
}
