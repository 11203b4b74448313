/** Files whose kind the caller does not know: a cube or a hierarchy, whichever they hold. */
import type { WavetableMatrix } from './matrix.js';
import { hierarchyOf, type OctaveHierarchy } from './octaves.js';
import { cubeOf, type ReadOptions } from './persistence.js';
import { loadPath } from './saving.js';

/**
 * Loads what a path or URL holds: a cube (of the class it was saved from) or an OctaveHierarchy.
 * @throws FormatError for a file that is damaged or of something else, which names the offset and the node.
 */
export function load(path: string, options: ReadOptions = {}): Promise<WavetableMatrix | OctaveHierarchy> {
  return loadPath<WavetableMatrix | OctaveHierarchy>(path, options, (contents, source) =>
    contents.kind === 'cube' ? cubeOf(contents, source) : hierarchyOf(contents, source),
  );
}
