/** Names, types and checksums of the datasets of a file: HDF5.md. */
import { crc32c } from '../../checksum.js';
import type { NodeShape } from '../../grid/bank.js';
import type { Axis } from '../../grid/tangents.js';

export const FORMAT = 'wavecube';
export const VERSION = 1;
export const METADATA = '/metadata';
export const INDEX = '/index';
export const CHECKSUM = 'crc32c';

/** What a dataset's values are: of dense nodes, of compressed ones, and of the file's own. */
export type ValueType = 'float32' | 'float16' | 'container' | 'json' | 'uint32';

/** Of a node or tangent; numbers in the index are places in these lists. */
export const NODE_TYPES = ['float32', 'float16', 'container'] as const;
export type NodeType = (typeof NODE_TYPES)[number];
export const ROLES = [undefined, 'x', 'y', 'z'] as const satisfies (Axis | undefined)[];

export interface Place {
  x: number;
  y: number;
  z: number;
  tangent?: Axis;
}

/** Where a hierarchy keeps an octave, named with its sign as the specification does. */
export const octaveFolder = (octave: number) => `/octaves/${octave > 0 ? '+' : ''}${octave}`;

export const nodeName = ({ x, y, z }: Place) => `${x}_${y}_${z}`;

/** @param folder '' of a cube. */
export function datasetPath(folder: string, place: Place, type: NodeType): string {
  const name = place.tangent
    ? `tangent_${place.tangent}`
    : type === 'container'
      ? 'compressed_params'
      : 'wavetable';
  return `${folder}/grid/${nodeName(place)}/${name}`;
}

const text = new TextEncoder();

/** CRC-32C over a line of name, type and shape, and the bytes of the values. */
export function checksumOf(
  path: string,
  type: ValueType,
  shape: readonly number[],
  bytes: Uint8Array,
): number {
  return crc32c(bytes, crc32c(text.encode(`${path} ${type} ${shape.join(',')}\n`)));
}

/** An entry of the index. */
export interface IndexEntry extends Place {
  /** Number of the octave in the metadata's levels; 0 of a cube. */
  level: number;
  type: NodeType;
  shape: NodeShape;
  /** Of its values in the file. */
  offset: number;
  sizeBytes: number;
  crc: number;
}

/** Columns of the index: level, role, x, y, z, H, W, C, type, offset's low and high word, bytes, checksum. */
export const INDEX_COLUMNS = 13;

export function encodeIndex(entries: readonly IndexEntry[]): Uint32Array {
  const rows = new Uint32Array(entries.length * INDEX_COLUMNS);
  entries.forEach(({ level, tangent, x, y, z, shape, type, offset, sizeBytes, crc }, i) => {
    const at = [offset % 2 ** 32, Math.floor(offset / 2 ** 32)];
    rows.set(
      [level, ROLES.indexOf(tangent), x, y, z, ...shape, NODE_TYPES.indexOf(type), ...at, sizeBytes, crc],
      i * INDEX_COLUMNS,
    );
  });
  return rows;
}

export function decodeIndex(rows: Uint32Array): IndexEntry[] {
  return Array.from({ length: rows.length / INDEX_COLUMNS }, (_, i) => {
    const [level, role, x, y, z, h, w, c, type, low, high, sizeBytes, crc] = rows.subarray(
      i * INDEX_COLUMNS,
      (i + 1) * INDEX_COLUMNS,
    );
    const tangent = ROLES[role];
    return {
      ...{ level, x, y, z, type: NODE_TYPES[type], sizeBytes, crc },
      ...(tangent && { tangent }),
      shape: [h, w, c],
      offset: low + high * 2 ** 32,
    };
  });
}
