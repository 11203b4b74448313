/** Files whose kind the caller does not know: a cube or a hierarchy, whichever they hold. */
import { type Openable, type OpenOptions, openWith } from '../lazy/open.js';
import type { WavetableMatrix } from '../matrix.js';
import { hierarchyOf, type OctaveHierarchy, openedHierarchyOf } from '../octaves.js';
import { cubeOf, openedCubeOf, type ReadOptions } from './persistence.js';
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

/**
 * Opens what a file holds: a cube (of the class it was saved from) or an OctaveHierarchy, whose nodes stay in the file until they are
 * needed. @param source, options as WavetableMatrix.open's. @throws as it.
 */
export function open(
  source: Openable,
  options: OpenOptions = {},
): Promise<WavetableMatrix | OctaveHierarchy> {
  return openWith<WavetableMatrix | OctaveHierarchy>('open', source, options, (opened, opening) =>
    opened.kind === 'cube' ? openedCubeOf(opened, opening) : openedHierarchyOf(opened, opening),
  );
}
