/** Opened cubes: what is known of the file that each reads from. */

import { sizeOf } from '../../codecs/parameters.js';
import { ArgumentError, check, FormatError } from '../../errors.js';
import { cellOf } from '../coordinates.js';
import type { CubeOptions, LostNode } from '../files/contents.js';
import type { NodeSource } from '../files/nodesource.js';
import type { Settings } from '../options.js';
import type { SamplingState } from '../sampling/sampling.js';
import { FileNodes, noCells, roleOf } from './filenodes.js';
import { NodeLoader } from './loading.js';
import { Residency } from './residency.js';

/** An opened cube: its file, and what reads it. */
export interface OpenedCube {
  file: FileNodes;
  loader: NodeLoader;
  /** The cube as it is sampled. */
  state: SamplingState;
}

/** Where the nodes of a cube are that is being opened. */
export interface Opening {
  source: NodeSource;
  /** Path or URL of the file; null of bytes. */
  where: string | null;
  residency: Residency;
  lost?: readonly LostNode[];
}

const opened = new WeakMap<object, OpenedCube>();

/** What an opened cube reads from; undefined of any other cube, or one that is disposed. */
export const openedOf = (cube: object): OpenedCube | undefined => opened.get(cube);

export function rememberOpened(cube: object, what: OpenedCube): void {
  opened.set(cube, what);
}

/** @throws ArgumentError for a trainable cube. @param name what errors call the file. */
export function checkOpenable(name: string, { trainable }: Pick<CubeOptions, 'trainable'>): void {
  check(
    trainable !== true,
    () =>
      new ArgumentError(
        `open: ${name} holds a trainable cube, whose nodes are variables, all of them at once; load() reads it whole`,
      ),
  );
}

/**
 * What opens a cube that has no nodes yet, nor trains them.
 * @param alive throws where the cube cannot be written now.
 * @throws FormatError for entries that are none of this cube.
 */
export function openNodes(
  { source, where, residency }: Opening,
  { store, tangents, settings, axes }: Omit<SamplingState, 'file'>,
  alive: (where: string) => void,
): OpenedCube {
  checkEntries(source, settings);
  const zeros = settings.sparse ? null : ([...settings.resolution, settings.channels] as const);
  const file = new FileNodes(
    source,
    where,
    store,
    tangents,
    residency,
    cellsOf(settings),
    zeros && [...zeros],
  );
  return openedWith(file, { store, tangents, settings, axes }, alive);
}

function openedWith(
  file: FileNodes,
  state: Omit<SamplingState, 'file'>,
  alive: (where: string) => void,
): OpenedCube {
  return { file, loader: new NodeLoader(file, state.settings, alive), state: { ...state, file } };
}

/** The same file for a clone of a cube, whose banks it has already; its nodes are kept at hand by a bound of their own. */
export function cloneOpened(
  file: FileNodes,
  { store, tangents, settings, axes }: Omit<SamplingState, 'file'>,
  alive: (where: string) => void,
): OpenedCube {
  const residency = new Residency(file.residency.limitBytes);
  const twin = file.cloneInto(store, tangents, residency);
  return openedWith(twin, { store, tangents, settings, axes }, alive);
}

const cellsOf =
  ({ dims }: Pick<Settings, 'dims'>) =>
  ({ x, y, z }: { x: number; y: number; z: number }): number =>
    cellOf('open', dims, x, y, z);

/** @throws FormatError for an entry outside the grid, of other channels, or that comes twice; a tangent of a node that is not there. */
function checkEntries({ name, entries }: NodeSource, { dims, channels }: Settings): void {
  const known = noCells();
  const refuse = (what: string, { x, y, z }: { x: number; y: number; z: number }) =>
    new FormatError(name, `${what} (${x}, ${y}, ${z})`, { node: [x, y, z] });
  for (const entry of entries) {
    const { x, y, z, shape } = entry;
    const inside = [x, y, z].every((v, j) => Number.isInteger(v) && v >= 0 && v < dims[j]);
    check(inside, () => refuse(`has a grid of ${dims.join(' × ')} and a node`, entry));
    check(shape[2] === channels && sizeOf(shape) > 0, () =>
      refuse(`has ${channels} channels, but [${shape.join(', ')}] for the node`, entry),
    );
    const cells = known[roleOf(entry)];
    const cell = cellOf('open', dims, x, y, z);
    check(!cells.has(cell), () =>
      refuse(`has two ${entry.tangent ? 'tangents along one axis' : 'nodes'} at`, entry),
    );
    cells.add(cell);
  }
  for (const entry of entries) {
    check(known[0].has(cellOf('open', dims, entry.x, entry.y, entry.z)), () =>
      refuse('has a tangent of no node, at', entry),
    );
  }
}
