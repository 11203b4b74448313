/** What a fit learns from: coordinates and the values that stand there, and batches drawn from them. */
import * as tf from '@tensorflow/tfjs';
import { ArgumentError, type Coordinates, ShapeError } from '../src/index.js';

/** Values at coordinates. */
export interface Samples {
  /** [N, 3], as sampleBatch takes them. */
  coords: Coordinates;
  /** [N, …] float32: what the prediction there should be. Or the same numbers in a row. */
  values: tf.Tensor | Float32Array;
}

export interface Data {
  coords: tf.Tensor2D;
  /** [N, F]. */
  values: tf.Tensor2D;
  count: number;
  dispose(): void;
}

/** Checked, on the device, in tensors of their own. @throws ShapeError unless there are values for each coordinate. */
export function dataOf(where: string, samples: Samples): Data {
  const { coords, values } = samples ?? {};
  for (const [name, given] of Object.entries({ coords, values })) {
    const list = Array.isArray(given) || (ArrayBuffer.isView(given) && !(given instanceof DataView));
    if (!list && !(given instanceof tf.Tensor)) {
      throw new ArgumentError(
        `${where}: samples must be { coords, values }, each a tensor or numbers, got ${given} for ${name}`,
      );
    }
  }
  const own = tf.tidy(() => {
    const at = (coords instanceof tf.Tensor ? coords.clone() : tf.tensor(flat(where, coords))) as tf.Tensor;
    const rows = (at.rank === 2 ? at : at.reshape([-1, 3])) as tf.Tensor2D;
    const [count] = rows.shape;
    const all = values instanceof tf.Tensor ? values.clone() : tf.tensor1d(values);
    if (rows.shape[1] !== 3 || count === 0) {
      throw new ShapeError(where, 'coords', '[N, 3] with N ≥ 1', at.shape);
    }
    if (all.size === 0 || all.size % count !== 0 || (values instanceof tf.Tensor && all.shape[0] !== count)) {
      throw new ShapeError(where, 'values', `[${count}, …], as many as coords`, all.shape);
    }
    if (all.dtype !== 'float32' || rows.dtype !== 'float32') {
      throw new ArgumentError(
        `${where}: coords and values must be float32, got ${rows.dtype} and ${all.dtype}`,
      );
    }
    return { coords: rows, values: all.reshape([count, all.size / count]) as tf.Tensor2D };
  });
  return {
    ...own,
    count: own.coords.shape[0],
    dispose: () => tf.dispose([own.coords, own.values]),
  };
}

function flat(where: string, coords: Exclude<Coordinates, tf.Tensor>): Float32Array {
  const list = Array.isArray(coords)
    ? (coords as readonly unknown[]).flat()
    : Array.from(coords as Float32Array);
  if (list.length % 3 !== 0 || !list.every((v) => typeof v === 'number' && Number.isFinite(v))) {
    throw new ShapeError(where, 'coords', '[N, 3] of finite numbers', `${list.length} values`);
  }
  return Float32Array.from(list as number[]);
}

/** A small generator of 32-bit states (G. Marsaglia's xorshift), so that a seed tells the batches. @returns numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = (Math.imul(seed | 0, 0x9e3779b1) ^ 0x85ebca6b) | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** `size` rows drawn at random, with repetition; all of them, in order, where size is not below their number. */
export function batchOf(
  data: Data,
  size: number,
  random: () => number,
): { coords: tf.Tensor2D; values: tf.Tensor2D } {
  if (size >= data.count) return data;
  const rows = Int32Array.from({ length: size }, () => Math.floor(random() * data.count));
  const which = tf.tensor1d(rows, 'int32');
  return { coords: tf.gather(data.coords, which), values: tf.gather(data.values, which) };
}
