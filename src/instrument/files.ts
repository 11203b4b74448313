/** Recordings from a file system, for Node; nothing here runs on import. */
import { ArgumentError, check, FormatError, WavecubeError } from '../errors.js';
import { openDecoder } from './decode.js';
import { hearNote, type Note } from './note.js';

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

/** Paths of the .wav and .ogg files in a folder and the folders in it, in the order of their names. */
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
  readonly notes: Note[];
  /** Files without a note in them, and why. */
  readonly refused: { readonly path: string; readonly reason: string }[];
}

/** Decodes and hears files one after the other; what cannot be decoded or has no pitch is refused, and said. */
export async function hearFiles(
  paths: readonly string[],
  onProgress?: (done: number, of: number) => void,
): Promise<HeardFiles> {
  const { readFile } = builtin<typeof import('node:fs/promises')>('node:fs/promises');
  const heard: HeardFiles = { notes: [], refused: [] };
  const decoder = openDecoder();
  try {
    for (const [i, path] of paths.entries()) {
      try {
        heard.notes.push(hearNote(path, await decoder.decode(await readFile(path), path)));
      } catch (error) {
        if (!(error instanceof WavecubeError)) throw error;
        const reason = error instanceof FormatError ? error.message.slice(path.length + 2) : error.message;
        heard.refused.push({ path, reason });
      }
      onProgress?.(i + 1, paths.length);
    }
  } finally {
    decoder.free();
  }
  return heard;
}
