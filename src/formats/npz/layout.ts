/**
 * A cube as the entries of a .npz file, which numpy.load opens with its defaults:
 *
 *   metadata.npy           uint8, the UTF-8 bytes of a JSON object: the cube's options, its size, the user's metadata, `count`
 *   places.npy             int32 [1 + count, 5]: −1, −1, −1, −1, CRC-32 of metadata.npy; then of each node and tangent, in the order of the
 *                          entries: x, y, z, what it is of them (0 the node; 1, 2, 3 its tangent along x, y, z), CRC-32 of its entry's
 *                          bytes. Other rows of −1 mean nothing
 *   nodes/x_y_z.npy        [H, W, C] float32, or float16 as it is stored
 *   compressed/x_y_z.npy   uint8, the bytes of a compressed node: codecs/container.ts
 *   tangents/x/x_y_z.npy   as nodes/: the node's tangent along x; y and z alike
 *
 * A hierarchy of octaves:
 *
 *   metadata.npy           likewise: the size of the index space, the basis, the octaves and which of their axes are shifted, the user's
 *   octaves/N/…            the cube of octave N, as it would be a file of its own; its metadata have `hierarchy`, the CRC-32 of the
 *                          hierarchy's metadata.npy
 *
 * places.npy tells which entries there must be, and binds each to its place and to this file: zip itself has no checksum of names. Versions
 * 1 and 2 of a cube's layout (2 of those with tangents) have neither it nor `count` and `hierarchy`. Entries are stored, their arrays at multiples of 64; or, those
 * that it makes smaller, deflated with { deflate: true }.
 */
import { AXES, type Axis } from '../../grid/tangents.js';

/** Of a cube's layout, as it is written. */
export const VERSION = 3;
export const VERSIONS: readonly number[] = [1, 2, VERSION];
/** Of a hierarchy's. */
export const OCTAVES_VERSION = 1;

/** What metadata.npy says of itself. */
export const CUBE = 'wavecube';
export const HIERARCHY = 'wavecube octaves';

export const METADATA = 'metadata.npy';
export const PLACES = 'places.npy';
/** Numbers of a row of places.npy. */
export const PLACE_COLUMNS = 5;

/** A node, or a tangent of one. */
export interface Place {
  x: number;
  y: number;
  z: number;
  tangent?: Axis;
}

/** What stands for a place in places.npy: 0 the node, 1, 2, 3 its tangents. */
export const roleOf = ({ tangent }: Place): number => (tangent ? 1 + AXES.indexOf(tangent) : 0);
export const tangentOf = (role: number): { tangent?: Axis } =>
  role === 0 ? {} : { tangent: AXES[role - 1] };

export const keyOf = (place: Place): string => `${roleOf(place)} ${place.x} ${place.y} ${place.z}`;

/** The folder of an octave's entries; those of a single cube lie at the top. */
export const folderOf = (octave: number | undefined): string =>
  octave === undefined ? '' : `octaves/${octave}/`;

export function nameOf(place: Place, compressed: boolean): string {
  const folder = compressed ? 'compressed' : place.tangent ? `tangents/${place.tangent}` : 'nodes';
  return `${folder}/${place.x}_${place.y}_${place.z}.npy`;
}

/** What an entry is by its name. */
export type Named = { octave?: number } & (
  | { is: 'metadata' | 'places' }
  | { is: 'node'; place: Place; compressed: boolean }
);

const NUMBER = '(0|[1-9]\\d{0,8})';
const NAME = new RegExp(
  `^(?:octaves/(0|-?[1-9]\\d{0,3})/)?(?:(metadata|places)|(nodes|compressed|tangents/[xyz])/${NUMBER}_${NUMBER}_${NUMBER})\\.npy$`,
);

/** Null of a name that no cube has; one name a place. */
export function parseName(name: string): Named | null {
  const match = NAME.exec(name);
  if (!match) return null;
  const [, level, whole, folder, ...numbers] = match;
  const octave = level === undefined ? {} : { octave: Number(level) };
  if (whole) return { ...octave, is: whole as 'metadata' | 'places' };
  const [x, y, z] = numbers.map(Number);
  const tangent = folder.startsWith('tangents/') ? { tangent: folder.slice(-1) as Axis } : {};
  return { ...octave, is: 'node', place: { x, y, z, ...tangent }, compressed: folder === 'compressed' };
}
