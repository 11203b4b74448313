import type { WavetableMatrix } from '../grid/matrix.js';
import type { InterpolationMethod } from '../grid/methods.js';
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

/** As openFile, for samples at one place: of a .wvcb file, where its nodes are read by themselves, those that the place needs alone. */
export async function openFileAt(
  library: Library,
  path: string,
  place: readonly [x: number, y: number, z: number],
  method: InterpolationMethod,
): Promise<WavetableMatrix | OctaveHierarchy> {
  if (!/\.wvcb$/i.test(path)) return openFile(library, path);
  const held = await library.open(path);
  try {
    await held.prefetch([[...place]], { method });
    return held;
  } catch (error) {
    held.dispose();
    throw error;
  }
}
