/** A recording without a note. */
import { ArgumentError } from '../errors.js';

/** `reason` goes on from 'the recording …', for who lists what was left out. */
export class UnheardError extends ArgumentError {
  constructor(
    where: string,
    readonly reason: string,
  ) {
    super(`${where}: samples must hold a note, got a recording that ${reason}`);
  }
}
