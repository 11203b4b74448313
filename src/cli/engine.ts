import type { WavetableMatrix } from '../grid/matrix.js';
import type { OctaveHierarchy } from '../grid/octaves.js';

/** The library, loaded only when a command has work for it: --help and wrong calls answer at once. */
export async function loadLibrary(backend: string) {
  const library = await loadFileLibrary();
  await library.ready({ backend });
  return library;
}

/** The library for what computes nothing: it starts no backend. */
export async function loadFileLibrary() {
  const tf = await import('@tensorflow/tfjs');
  // tfjs greets and warns on the console otherwise.
  tf.enableProdMode();
  return import('../node.js');
}

export type Library = Awaited<ReturnType<typeof loadLibrary>>;

/** The cube or the hierarchy that a file holds. */
export async function openFile(library: Library, path: string): Promise<WavetableMatrix | OctaveHierarchy> {
  return library.load(path);
}
