/** Coordinates as they come from a caller: checked, and turned into a [N, 3] float32 tensor. */
import * as tf from '@tensorflow/tfjs';
import {
  ArgumentError,
  CoordinateError,
  check,
  DeviceError,
  DisposedError,
  MissingNodeError,
  ShapeError,
  shown,
} from '../errors.js';
import { findDevice } from '../ops/device.js';
import { endsOf, trainsAxes } from './axes.js';
import type { Settings } from './options.js';
import { type BatchCoords, eachTouched, type Reading } from './sampling/reading.js';

/** [N, 3] (x, y, z) in index space: a float32 tensor, rows of three numbers, or 3·N numbers in a row. */
export type Coordinates =
  | tf.Tensor2D
  | tf.Tensor
  | readonly (readonly number[])[]
  | readonly number[]
  | Float32Array
  | Float64Array
  | Int32Array;

/** The caller's tensor itself, so that gradients reach it, or a new one; `made` says which must be disposed. */
export function coordinateTensor(
  where: string,
  coords: Coordinates,
): { tensor: tf.Tensor2D; host?: Float32Array; made: boolean } {
  if (coords instanceof tf.Tensor) {
    check(!coords.isDisposed, () => new DisposedError(`${where}: the coords tensor is disposed`));
    check(
      coords.rank === 2 && coords.shape[1] === 3,
      () => new ShapeError(where, 'coords', '[N, 3]', coords.shape),
    );
    check(
      coords.dtype === 'float32',
      () => new ArgumentError(`${where}: coords must be float32, got ${coords.dtype}; cast them first`),
    );
    return { tensor: coords as tf.Tensor2D, made: false };
  }
  const flat = flatCoordinates(where, coords);
  return { tensor: tf.tensor2d(flat, [flat.length / 3, 3], 'float32'), host: flat, made: true };
}

function flatCoordinates(where: string, coords: Exclude<Coordinates, tf.Tensor>): Float32Array {
  const list = Array.isArray(coords) || (ArrayBuffer.isView(coords) && !(coords instanceof DataView));
  check(list, () => new ShapeError(where, 'coords', '[N, 3]', shown(coords)));
  const rows = Array.isArray(coords) && typeof coords[0] !== 'number';
  const flat = rows ? (coords as number[][]).flatMap(checkRow(where)) : (coords as ArrayLike<number>);
  check(
    flat.length % 3 === 0,
    () => new ShapeError(where, 'coords', '[N, 3], or 3·N numbers in a row', `${flat.length} numbers`),
  );
  if (ArrayBuffer.isView(coords)) return new Float32Array(coords);
  return Float32Array.from(flat, (value, i) => {
    check(
      typeof value === 'number',
      () =>
        new ArgumentError(
          `${where}: coords[${Math.floor(i / 3)}][${i % 3}] must be a number, got ${shown(value)}`,
        ),
    );
    return value;
  });
}

const checkRow =
  (where: string) =>
  (row: readonly number[], i: number): readonly number[] => {
    check(row?.length === 3, () => new ShapeError(where, `coords[${i}]`, 'three numbers', shown(row)));
    return row;
  };

/** A scalar coordinate: NaN and ±∞ are refused, where a batch would carry them through as a NaN row. */
export function checkScalar(where: string, x: number, y: number, z: number): void {
  check(
    Number.isFinite(x) && Number.isFinite(y) && Number.isFinite(z),
    () => new CoordinateError(`${where}: coordinates must be finite numbers, got (${x}, ${y}, ${z})`),
  );
}

/** A node's place: three integers inside the grid. @returns its cell, x slowest. */
export function cellOf(where: string, dims: readonly number[], x: number, y: number, z: number): number {
  const at = [x, y, z];
  check(
    at.every((v, j) => Number.isInteger(v) && v >= 0 && v < dims[j]),
    () =>
      new CoordinateError(
        `${where}: a node's indices must be integers in [0, ${dims[0]}) × [0, ${dims[1]}) × [0, ${dims[2]}), got (${at.join(', ')})`,
      ),
  );
  return (x * dims[1] + y) * dims[2] + z;
}

export function nodeOf(dims: readonly number[], cell: number): [number, number, number] {
  return [Math.floor(cell / (dims[1] * dims[2])), Math.floor(cell / dims[2]) % dims[1], cell % dims[2]];
}

const hosted = ({ tensor, host = tensor.dataSync<'float32'>() }: BatchCoords): BatchCoords => ({
  tensor,
  host,
});

/**
 * Carries out the policies that throw: boundary 'error' (a coordinate outside [0, n−1]) and missing 'error' (a tap of
 * weight ≠ 0 without a node). Reads the coordinates, so it does nothing unless one of them is set.
 */
export function checkPolicies(
  where: string,
  given: Reading,
  settings: Settings,
  has: (cell: number) => boolean,
): void {
  const { dims, boundary, missing } = settings;
  if (!boundary.includes('error') && missing !== 'error') return;
  const { user = given.given } = given.given;
  // Nodes are found by positions, which a GPU has alone where they are trained.
  const hidden = missing === 'error' && trainsAxes(settings);
  check(
    (missing === 'error' ? given.coords.host : user.host) !== undefined ||
      (findDevice(tf.getBackend())?.readsSync ?? false),
    () =>
      new DeviceError(
        `${where}: boundary 'error' and missing 'error' must read the coordinates, which the backend '${tf.getBackend()}' ` +
          (hidden
            ? "cannot do at once, nor the positions of trained axes that missing 'error' needs; use missing 'zero' or " +
              "'renormalize', axes that are not trained, or the wasm or cpu backend"
            : "cannot do at once; give them as an array, use boundary 'clamp' or missing 'zero', or the wasm or cpu backend"),
      ),
  );
  const at = user.host ?? user.tensor.dataSync<'float32'>();
  const ends = endsOf(settings);
  for (let i = 0; i < at.length / 3; i++) {
    if (!Number.isFinite(at[3 * i] + at[3 * i + 1] + at[3 * i + 2])) continue;
    for (let j = 0; j < 3; j++) {
      const u = at[3 * i + j];
      const [first, last] = ends[j];
      check(
        boundary[j] !== 'error' || (u >= Math.fround(first) && u <= Math.fround(last)),
        () =>
          new CoordinateError(
            `${where}: coords[${i}] must lie in the grid (${'xyz'[j]} in [${first}, ${last}], boundary 'error'), got ${u}`,
          ),
      );
    }
  }
  if (missing !== 'error') return;
  const reading = { ...given, coords: hosted(given.coords) };
  for (let i = 0; i < at.length / 3; i++) {
    eachTouched(reading, i, false, (cell) => {
      check(has(cell), () => new MissingNodeError(where, nodeOf(dims, cell)));
    });
  }
}
