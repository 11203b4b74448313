/** Files that commands read and write: the endings, and what can be said of a path before the library is there. */
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError } from 'commander';
import { check, WavecubeError } from '../errors.js';

/** Of files that hold a cube or a hierarchy; the last of folders. */
export const CUBE_ENDINGS = ['.npz', '.wvcb', '.h5', '.hdf5', '.zarr'] as const;

export const CUBE_ARGUMENT = `a file of a cube, or of a hierarchy of octaves (${CUBE_ENDINGS.join(', ')}), a folder of shards, or a URL`;

/** A path without the '/' that ends a folder's. */
const bare = (path: string): string => path.replace(/[\\/]+$/, '');

export const endingOf = (path: string): string => /\.[^./\\]*$/.exec(bare(path))?.[0].toLowerCase() ?? '';

/** Reads the path of a cube that is to be written. */
export function cubeOutput(path: string): string {
  if (!(CUBE_ENDINGS as readonly string[]).includes(endingOf(path)))
    throw new InvalidArgumentError(`It must end with ${CUBE_ENDINGS.join(', ')}.`);
  return bare(path);
}

/** @throws WavecubeError for a path where nothing is; of URLs only the library can tell. */
export function checkInput(path: string): void {
  if (/^(?!file:)[a-z][a-z+.-]+:\/\//i.test(path)) return;
  const target = path.startsWith('file://') ? fileURLToPath(path) : path;
  check(
    statSync(target, { throwIfNoEntry: false }) !== undefined,
    () => new WavecubeError(`${path}: there is no such file or folder`),
  );
}
