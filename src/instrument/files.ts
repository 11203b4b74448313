/** Recordings from a file system, for Node; nothing here runs on import. */
import { ArgumentError, check, WavecubeError } from '../errors.js';
import { fileStorage } from '../storage/file.js';
import { openDecoder } from './decode.js';
import { hearNote, type Note } from './note.js';
import { UnheardError } from './unheard.js';

const builtin = <T>(name: string): T => {
  check(
    typeof process !== 'undefined' && typeof process.getBuiltinModule === 'function',
    () =>
      new ArgumentError(
        `wavecube: files are read in Node ≥ 20.16 only; in a browser, fetch the bytes and use decodeSound`,
      ),
  );
  return process.getBuiltinModule(name) as T;
};

/**
 * Paths of the .wav and .ogg files in a folder and the folders in it, in the order of their names. Names that begin
 * with a dot are passed over.
 * @throws the file system's error if the folder cannot be read.
 */
export async function soundFiles(folder: string): Promise<string[]> {
  const { readdir } = builtin<typeof import('node:fs/promises')>('node:fs/promises');
  const { join } = builtin<typeof import('node:path')>('node:path');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(wav|ogg)$/i.test(entry.name) && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath ?? (entry as unknown as { path: string }).path, entry.name))
    .sort();
}

export interface HeardFiles {
  /** In the order of the paths. */
  readonly notes: Note[];
  /** Files without a note in them, and why: 'is silent', 'is empty', 'permission denied'. */
  readonly refused: { readonly path: string; readonly reason: string }[];
}

/**
 * Decodes and hears files one after the other. A file that cannot be read or decoded, or has no pitch, is refused, and
 * the rest is heard.
 * @param onProgress called after each file.
 */
export async function hearFiles(
  paths: readonly string[],
  onProgress?: (done: number, of: number) => void,
): Promise<HeardFiles> {
  const heard: HeardFiles = { notes: [], refused: [] };
  const decoder = openDecoder();
  try {
    for (const [i, path] of paths.entries()) {
      try {
        heard.notes.push(hearNote(path, await decoder.decode(await fileStorage.read(path), path)));
      } catch (error) {
        if (!(error instanceof WavecubeError)) throw error;
        heard.refused.push({ path, reason: reasonOf(error, path) });
      }
      onProgress?.(i + 1, paths.length);
    }
  } finally {
    decoder.free();
  }
  return heard;
}

/** Errors about a file begin with its path, which is said already. */
function reasonOf(error: WavecubeError, path: string): string {
  if (error instanceof UnheardError) return error.reason;
  return error.message.startsWith(`${path}: `) ? error.message.slice(path.length + 2) : error.message;
}
