/** Cubes from what files say of them: the class that their options ask for. */
import { ChangedError, DeviceError, FormatError, WavecubeError } from '../../errors.js';
import type { OpeningOf } from '../lazy/open.js';
import { checkOpenable, openedOf } from '../lazy/opened.js';
import { forgetLost } from '../lazy/verify.js';
import { WavetableMatrix } from '../matrix.js';
import { MultiResolutionWavetableMatrix } from '../multiresolution.js';
import type { MatrixOptions, MixedOptions } from '../options.js';
import type { CubeContents } from './contents.js';
import type { Opened } from './persistence.js';
import type { StoredNode } from './storednodes.js';

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

/**
 * The cube of contents that were opened, which stay the caller's where this fails.
 * @throws as cubeFrom; ArgumentError for a trainable cube.
 */
export async function openedCubeFrom(
  opened: Extract<Opened, { kind: 'cube' }>,
  { name, where, residency, recover, signal }: OpeningOf,
): Promise<WavetableMatrix> {
  const { width, height, depth, options, metadata, source } = opened;
  checkOpenable(name, options);
  const Cube = options.mixed === true ? MultiResolutionWavetableMatrix : WavetableMatrix;
  const lost = [...(opened.lost ?? [])];
  let cube: WavetableMatrix;
  try {
    const opening = { source, where, residency, lost };
    cube = Cube.fromOpened(width, height, depth, { ...options, metadata }, opening);
  } catch (cause) {
    if (!(cause instanceof WavecubeError) || isOfTheFile(cause)) throw cause;
    throw new FormatError(name, cause.message, { cause });
  }
  try {
    const { file, loader } = openedOf(cube)!;
    if (recover) await forgetLost(file, loader.settings, lost, opened.lost ?? [], signal);
    return cube;
  } catch (error) {
    cube.dispose();
    throw error;
  }
}

/** Whether an error says itself what is wrong with a file. */
function isOfTheFile(error: WavecubeError): boolean {
  return error instanceof FormatError || error instanceof ChangedError || error instanceof DeviceError;
}
