/** Saving what has changed in a cube that was opened: added to its file in place. */
import { ArgumentError, check } from '../../errors.js';
import type { CubeContents } from '../contents.js';
import { nodeOf } from '../coordinates.js';
import { inBatches, type StoredNode } from '../files.js';
import { openPath, sniffFormat, storageFor } from '../persistence.js';
import type { SamplingState } from '../sampling/sampling.js';
import { stored } from '../store.js';
import { AXES } from '../tangents.js';
import { type Cells, countOf, type FileNodes, ROLES } from './filenodes.js';
import type { OpenedCube } from './opened.js';

/** Saves that follow each other, by cube. */
const turns = new WeakMap<FileNodes, Promise<unknown>>();

/** @throws ArgumentError for a cube that was not opened from a path. */
export function checkSavable(where: string, opened: OpenedCube | null): asserts opened is OpenedCube {
  check(
    opened !== null && opened.file.where !== null,
    () =>
      new ArgumentError(
        `${where}: the cube must be one that WavetableMatrix.open opened from a path; save() writes any cube`,
      ),
  );
}

/**
 * saveChanges. @param cube what files hold of the cube, but for the nodes; asked for when it is this call's turn.
 * @returns whether anything was written.
 */
export function appendToFile(
  where: string,
  state: SamplingState,
  opened: OpenedCube,
  cube: () => Promise<Omit<CubeContents, 'nodes' | 'count' | 'dispose'>>,
): Promise<boolean> {
  const { file } = opened;
  const before = turns.get(file) ?? Promise.resolve();
  const turn = before.then(() => appendNow(where, state, opened, cube));
  turns.set(
    file,
    turn.catch(() => {}),
  );
  return turn;
}

async function appendNow(
  where: string,
  state: SamplingState,
  { file, loader }: OpenedCube,
  cube: () => Promise<Omit<CubeContents, 'nodes' | 'count' | 'dispose'>>,
): Promise<boolean> {
  const path = file.where!;
  const storage = storageFor(path);
  check(
    storage.append !== undefined,
    () =>
      new ArgumentError(
        `${where}: ${path} cannot be changed in place; save() writes the cube to another place`,
      ),
  );
  const about = await cube();
  const added = await storage.append(path);
  try {
    const format = await sniffFormat(added);
    check(
      format.append !== undefined,
      () =>
        new ArgumentError(
          `${where}: files of format '${format.name}' are not changed in place; save() writes the cube anew`,
        ),
    );
    // From here to `note` nothing else comes between.
    const changed = file.changed();
    const kept = ROLES.flatMap((role) => file.numbers(role, true)).sort((a, b) => a - b);
    const nodes = snapshotOf(state, changed);
    file.note();
    let source = null;
    try {
      const contents = {
        ...about,
        nodes: inBatches(nodes.nodes),
        count: countOf(changed),
        dispose: nodes.dispose,
      };
      source = await format.append(file.source, kept, contents, added, () => openPath(path));
    } finally {
      nodes.dispose();
      file.saved(source, changed, (role, cell) => loader.isReading(role, cell));
    }
    return source !== null;
  } finally {
    await added.close();
  }
}

/** The nodes and tangents of these cells that are in banks, as they are now. */
function snapshotOf({ store, tangents, settings }: SamplingState, cells: Cells) {
  const snapshots = [store, ...tangents.stores].map((one) => one.snapshot());
  const dispose = () => {
    for (const snapshot of snapshots.splice(0)) snapshot.dispose();
  };
  async function* nodes(): AsyncGenerator<StoredNode> {
    for (const [i, snapshot] of [...snapshots].entries()) {
      if (cells[i].size === 0) continue;
      for await (const { cell, ...node } of stored(snapshot)) {
        if (!cells[i].has(cell)) continue;
        const [x, y, z] = nodeOf(settings.dims, cell);
        if (i > 0 && 'values' in node) yield { x, y, z, ...node, tangent: AXES[i - 1] };
        else yield { x, y, z, ...node };
      }
    }
  }
  return { nodes: nodes(), dispose };
}
