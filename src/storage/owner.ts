/** Whose a temporary file or a lock is, so that those of processes that were killed can be told from those in use. */
import { nodeFs } from './filesystem.js';

export interface Owner {
  pid: number;
  /** The machine, and on Linux its space of process numbers: containers may share a name and a disk. */
  host: string;
}

let host: string | undefined;

export function thisProcess(): Owner {
  if (host === undefined) {
    host = process.getBuiltinModule('node:os').hostname();
    try {
      host += ` ${nodeFs().readlinkSync('/proc/self/ns/pid')}`;
    } catch {
      // No Linux: the machine's name must do.
    }
  }
  return { pid: process.pid, host };
}

/** Whether an owner is certainly no more. Of another machine that cannot be known; nor where its number has been given anew. */
export function isGone(owner: Owner): boolean {
  if (owner.host !== thisProcess().host || !(Number.isInteger(owner.pid) && owner.pid > 0)) return false;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as { code?: string }).code === 'ESRCH';
  }
}
