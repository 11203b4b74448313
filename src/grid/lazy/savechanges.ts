/** Saving what has changed in a cube that was opened: added to its file in place. */
import { ArgumentError, check } from '../../errors.js';
import type { CubeContents } from '../files/contents.js';
import { openPath, sniffFormat, storageFor } from '../files/persistence.js';
import { inBatches } from '../files/storednodes.js';
import { changesOf } from './changes.js';
import { closeOnce, type FileNodes } from './filenodes.js';
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
 * @param alive throws where the cube has been disposed meanwhile.
 * @returns whether anything was written.
 */
export function appendToFile(
  where: string,
  opened: OpenedCube,
  cube: () => Promise<Omit<CubeContents, 'nodes' | 'count' | 'dispose'>>,
  alive: (where: string) => void,
): Promise<boolean> {
  const { file } = opened;
  const before = turns.get(file) ?? Promise.resolve();
  const turn = before.then(() => appendNow(where, opened, cube, alive));
  turns.set(
    file,
    turn.catch(() => {}),
  );
  return turn;
}

async function appendNow(
  where: string,
  opened: OpenedCube,
  cube: () => Promise<Omit<CubeContents, 'nodes' | 'count' | 'dispose'>>,
  alive: (where: string) => void,
): Promise<boolean> {
  const { file, loader } = opened;
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
    const changes = changesOf(opened);
    try {
      const { count, kept, dispose } = changes;
      const contents = { ...about, nodes: inBatches(changes.nodes), count, dispose };
      const source = await format.append(file.source, kept, contents, added, () => openPath(path));
      if (!source) return false;
      try {
        alive(where);
      } catch (error) {
        closeOnce(source);
        throw error;
      }
      changes.written(source, (role, cell) => loader.isReading(role, cell));
      return true;
    } finally {
      changes.dispose();
    }
  } finally {
    await added.close();
  }
}
