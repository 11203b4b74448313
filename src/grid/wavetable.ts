/** A node's values as a caller gives them: checked against the shape that the cube holds. */
import * as tf from '@tensorflow/tfjs';
import { CompressedWavetable } from '../codecs/compressed.js';
import { ArgumentError, check, DisposedError, ShapeError, shown } from '../errors.js';
import type { NodeDtype, NodeShape } from './bank.js';

/** [H, W, C]: a float32 tensor, or its values in row-major order. */
export type Wavetable =
  | tf.Tensor3D
  | tf.Tensor
  | Float32Array
  | Float64Array
  | Int16Array
  | Int32Array
  | readonly number[];

/**
 * [H, W, C] of a node of any resolution: the one given, or that of a wavetable that has a shape of its own, else the cube's. Channels
 * are the cube's.
 */
export function shapeOf(
  wavetable: Wavetable | CompressedWavetable,
  resolution: readonly [number, number] | undefined,
  cube: NodeShape,
): NodeShape {
  const own =
    wavetable instanceof CompressedWavetable || (wavetable instanceof tf.Tensor && wavetable.rank === 3)
      ? wavetable.shape
      : cube;
  const [h, w] = resolution ?? own;
  return h * w > 0 ? [h, w, cube[2]] : cube;
}

/** @throws ShapeError, ArgumentError or DisposedError unless `wavetable` is a node of `shape`. */
export function checkWavetable(
  where: string,
  wavetable: Wavetable,
  shape: NodeShape,
  dtype: NodeDtype,
): void {
  const [h, w, c] = shape;
  if (wavetable instanceof tf.Tensor) {
    check(!wavetable.isDisposed, () => new DisposedError(`${where}: the wavetable tensor is disposed`));
    check(
      wavetable.rank === 3 && shape.every((n, i) => wavetable.shape[i] === n),
      () => new ShapeError(where, 'wavetable', `[${shape.join(', ')}]`, wavetable.shape),
    );
    check(
      wavetable.dtype === 'float32',
      () => new ArgumentError(`${where}: wavetable must be float32, got ${wavetable.dtype}; cast it first`),
    );
    return;
  }
  const size = Array.isArray(wavetable) || ArrayBuffer.isView(wavetable) ? wavetable.length : undefined;
  check(
    size === undefined || typeof wavetable[0] !== 'object',
    () =>
      new ShapeError(
        where,
        'wavetable',
        `[${shape.join(', ')}] as a tensor or flat, row by row`,
        'nested arrays',
      ),
  );
  check(
    size === h * w * c && (!Array.isArray(wavetable) || wavetable.every((v) => typeof v === 'number')),
    () =>
      new ShapeError(
        where,
        'wavetable',
        `[${shape.join(', ')}] as a tensor or ${h * w * c} numbers`,
        size === undefined ? shown(wavetable) : `${size} values`,
      ),
  );
  if (dtype === 'float16') checkHalfRange(where, wavetable as ArrayLike<number>);
}

/** Values that round to a finite half. @throws ArgumentError for a finite one beyond ±65,504, which would be ±∞. */
export function checkHalfRange(where: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    check(
      !(Math.abs(values[i]) >= 65520) || Math.abs(values[i]) === Number.POSITIVE_INFINITY,
      () => new ArgumentError(`${where}: a float16 node holds values up to ±65,504, got ${values[i]}`),
    );
  }
}

/** The host values of an array, float32; the caller's own array is never kept. */
export function hostValues(wavetable: Exclude<Wavetable, tf.Tensor>): Float32Array {
  return wavetable instanceof Float32Array ? wavetable : Float32Array.from(wavetable as ArrayLike<number>);
}
