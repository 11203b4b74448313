/** Which nodes of an opened cube a sampling call reads: those that must be at hand before anything is computed. */
import * as tf from '@tensorflow/tfjs';
import { check, DeviceError, NotResidentError } from '../../errors.js';
import { onTape } from '../../ops/tape.js';
import { nodeOf } from '../coordinates.js';
import type { InterpolationMethod } from '../methods.js';
import { COEFFICIENTS, NODES } from '../sampling/fullpages.js';
import { eachTouched, type Reading, tangentReading } from '../sampling/reading.js';
import type { SamplingState } from '../sampling/sampling.js';
import { withHost } from '../sampling/touched.js';
import { type Cells, type FileNodes, noCells, ROLES, type Role } from './filenodes.js';

/** Whether a method reads what is made of all nodes together. */
export const readsWhole = (method: InterpolationMethod) => method === 'bspline' || method === 'monotone';

/** Whether a method reads all nodes at this resolution, wherever it samples. */
export function needsAll(
  { store }: Pick<SamplingState, 'store'>,
  method: InterpolationMethod,
  resolution: readonly [number, number] | null,
): boolean {
  if (!readsWhole(method)) return false;
  // What was made of all of them may be there still.
  return resolution === null || !store.full.has(method === 'bspline' ? COEFFICIENTS : NODES, resolution);
}

/** Calls `found` with each cell that sample i of a reading needs, by its role; one may come more than once. */
export function needsOf(
  { tangents, settings }: Pick<SamplingState, 'tangents' | 'settings'>,
  reading: Reading,
  method: InterpolationMethod,
): (i: number, slopes: boolean, found: (role: Role, cell: number) => void) => void {
  const along =
    method === 'hermite' ? tangents.stores.map((_, axis) => tangentReading(reading, axis, settings)) : [];
  const readings = [reading, ...along];
  return (i, slopes, found) => {
    readings.forEach((one, role) => {
      eachTouched(one, i, slopes, (cell) => found(role as Role, cell));
    });
  };
}

/** All cells that a reading with coordinates on the host needs. */
export function neededBy(
  state: Pick<SamplingState, 'tangents' | 'settings'>,
  reading: Reading,
  method: InterpolationMethod,
  slopes: boolean,
): Cells {
  const needs = noCells();
  const each = needsOf(state, reading, method);
  const n = reading.coords.host!.length / 3;
  for (let i = 0; i < n; i++) each(i, slopes, (role, cell) => needs[role].add(cell));
  return needs;
}

/**
 * Of an opened cube: every node that the call reads must be at hand.
 * @param resolution that samples are made at; null of what goes back to nodes, which keeps nothing.
 * @throws NotResidentError that names them; DeviceError where the coordinates cannot be read to tell.
 */
export function checkReading(
  where: string,
  state: SamplingState,
  reading: Reading,
  method: InterpolationMethod,
  resolution: readonly [number, number] | null,
): void {
  const { file } = state;
  if (!file || file.awayCount === 0) return;
  if (readsWhole(method)) {
    if (needsAll(state, method, resolution))
      checkHere(where, file, state.settings.dims, only(0, file.away()[0]));
    return;
  }
  const known = withHost(reading);
  check(
    known.coords.host !== undefined,
    () =>
      new DeviceError(
        `${where}: nodes are still in the file, and the backend '${tf.getBackend()}' cannot read the coordinates at once to tell which ` +
          'are needed; give them as an array, await sampleBatchAsync(coords), or await prefetch() of all nodes first',
      ),
  );
  const needs = neededBy(state, known, method, onTape());
  checkHere(where, file, state.settings.dims, needs);
  file.use(needs);
}

/** @throws NotResidentError that names the cells that are in the file alone. */
export function checkHere(where: string, file: FileNodes, dims: readonly number[], cells: Cells): void {
  const away = new Set<number>();
  for (const role of ROLES) for (const cell of cells[role]) if (file.isAway(role, cell)) away.add(cell);
  const nodes = [...away].sort((a, b) => a - b);
  check(
    nodes.length === 0,
    () =>
      new NotResidentError(
        where,
        nodes.map((cell) => nodeOf(dims, cell)),
      ),
  );
}

/** Cells of one role. */
export function only(role: number, cells: Iterable<number>): Cells {
  const out = noCells();
  for (const cell of cells) out[role].add(cell);
  return out;
}
