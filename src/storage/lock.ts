/** One writer in place at a time: a file beside the one that is written, with the number and machine of the process. */
import { StorageError } from '../errors.js';
import { codeOf, nodeFs, readable } from './filesystem.js';
import { isGone, type Owner, thisProcess } from './owner.js';
import { temporaryBeside } from './temporary.js';
import { begin, end } from './underway.js';

export const lockOf = (path: string): string => `${path}.lock`;

/** Whether one that may still be there writes to a file in place. */
export const isLocked = (path: string): boolean =>
  nodeFs().existsSync(lockOf(path)) && !isGone(ownerOf(lockOf(path)));

/**
 * Takes the lock of a file; one that a killed process of this machine left is taken over. All of it happens at once, so that no other
 * part of this process comes between.
 * @returns what releases it; the process's exit does too.
 * @throws StorageError while another holds it.
 */
export function lock(path: string, name: string): () => void {
  const file = lockOf(path);
  // Ours are to be removed by us alone: a lock is under way only once it is made.
  if (!make(file, name) && !(isGone(ownerOf(file)) && takeOver(file, name))) throw held(file, name);
  begin(file);
  let isOurs = true;
  return () => {
    if (!isOurs) return;
    isOurs = false;
    nodeFs().rmSync(file, { force: true });
    end(file);
  };
}

/** Makes a lock with its owner in it, all at once: one without an owner, of a process killed in between, would be nobody's to take. */
function make(file: string, name: string): boolean {
  const fs = nodeFs();
  const beside = temporaryBeside(file);
  try {
    fs.writeFileSync(beside, JSON.stringify(thisProcess()), { flag: 'wx' });
    try {
      fs.linkSync(beside, file);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      // A disk without links.
      fs.writeFileSync(file, JSON.stringify(thisProcess()), { flag: 'wx' });
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw readable(name, error);
  } finally {
    fs.rmSync(beside, { force: true });
  }
}

/** Two that find the same lock of a dead process must not both have it: a second lock lets one of them look again and replace it. */
function takeOver(file: string, name: string): boolean {
  const fs = nodeFs();
  const turn = `${file}.turn`;
  // One that was killed with the turn has it no more.
  if (isGone(ownerOf(turn))) fs.rmSync(turn, { force: true });
  if (!make(turn, name)) return false;
  try {
    if (!isGone(ownerOf(file))) return false;
    fs.rmSync(file, { force: true });
    return make(file, name);
  } finally {
    fs.rmSync(turn, { force: true });
  }
}

function ownerOf(file: string): Owner {
  try {
    const { pid, host } = JSON.parse(nodeFs().readFileSync(file, 'utf8')) as Partial<Owner>;
    return { pid: Number(pid), host: String(host) };
  } catch {
    // Gone in between, or being made: nobody's to take.
    return { pid: Number.NaN, host: '' };
  }
}

function held(file: string, name: string): StorageError {
  const { pid, host } = ownerOf(file);
  const by = pid === process.pid ? 'this process' : `process ${pid} of ${host.split(' ')[0]}`;
  return new StorageError(
    name,
    `it is being changed by ${Number.isNaN(pid) ? 'another process' : by}, and can be by one at a time; if that is no more, remove ${file}`,
  );
}
