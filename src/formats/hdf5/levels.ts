/** The cubes of a file as what reads them sees them. */
import type { FormatError } from '../../errors.js';
import type { LostNode } from '../../grid/files/contents.js';
import { octaveFolder, type Place } from './layout.js';
import type { CubeHeader, Header } from './metadata.js';

/** A cube of a file, and the folder that it lies in: '' where it is the only one. */
export interface Level extends CubeHeader {
  folder: string;
  octave?: number;
}

export function levelsOf(header: Header): Level[] {
  if (header.kind === 'cube') return [{ ...header, folder: '' }];
  return header.levels.map((level) => ({ ...level, folder: octaveFolder(level.octave) }));
}

/** How errors say what is left. */
export const RECOVER = '; { recover: true } reads the rest';

/** What is reported of a node that cannot be read. */
export function lostNode(source: string, { octave }: Level, place: Place, error: FormatError): LostNode {
  const { x, y, z, tangent } = place;
  return {
    ...{ x, y, z, file: source },
    ...(octave !== undefined && { octave }),
    ...(tangent && { tangent }),
    ...(error.offset !== undefined && { offset: error.offset }),
    reason: error.message,
  };
}
