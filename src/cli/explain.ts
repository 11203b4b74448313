/** One line about what went wrong. */
import { WavecubeError } from '../errors.js';

const SYSTEM: Record<string, string> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  ENOTDIR: 'it is not a folder',
};

export function explain(error: unknown): string {
  if (error instanceof WavecubeError) return error.message.split('\n')[0];
  const { code = '', path } = error as NodeJS.ErrnoException;
  if (path && SYSTEM[code]) return `${path}: ${SYSTEM[code]}`;
  const message = error instanceof Error ? error.message : String(error);
  return `${message.split('\n')[0]} (WAVECUBE_DEBUG=1 shows where)`;
}
