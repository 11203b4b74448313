/** The output of a command, looked at before the work is done. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { check, WavecubeError } from '../errors.js';

/** Reads a file's name that must have one of these endings. */
export const fileName =
  (...endings: string[]) =>
  (path: string): string => {
    if (!endings.some((ending) => path.toLowerCase().endsWith(ending)))
      throw new InvalidArgumentError(`It must end with ${endings.join(', ')}.`);
    return path;
  };

/**
 * The option's value; a wrong call without it. Commander's own requiredOption would complain of it before the
 * arguments that come first.
 */
export function required<T>(command: Command, value: T | undefined, name = '--output'): T {
  const option = command.options.find(({ long }) => long === name);
  return value ?? command.error(`error: required option '${option?.flags}' not specified`);
}

/**
 * @param folder whether what is made there is a folder.
 * @throws WavecubeError unless it can be made at this path: in a folder that is there, and where nothing of the other kind is.
 */
export function checkPlace(path: string, { folder: made = false } = {}): void {
  const target = resolve(path.startsWith('file://') ? fileURLToPath(path) : path);
  const folder = dirname(target);
  const fail = (reason: string) => () => new WavecubeError(`${path}: ${reason}`);
  const found = statSync(folder, { throwIfNoEntry: false });
  check(found !== undefined, fail(`the folder ${folder} does not exist`));
  check(found.isDirectory(), fail(`${folder} is not a folder`));
  const there = statSync(target, { throwIfNoEntry: false });
  if (made) check(there?.isDirectory() ?? true, fail('it is a file, and what goes there is a folder'));
  else check(!there?.isDirectory(), fail('it is a folder; name a file in it'));
  check(writable(folder), fail(`the folder ${folder} cannot be written to`));
}

function writable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
