/** What a codec's bytes say once they are unpacked: named arrays on the host. */
import * as tf from '@tensorflow/tfjs';

/** [H, W, C] of a wavetable. */
export type NodeShape = readonly [height: number, width: number, channels: number];

export interface HostTensor {
  shape: readonly number[];
  values: Float32Array | Int32Array;
}

export interface Parameters {
  /** float32 arrays that decoding is differentiable to. */
  params: Readonly<Record<string, HostTensor>>;
  /** The rest: what no gradient flows to. */
  constants: Readonly<Record<string, HostTensor>>;
}

/**
 * 1, 2, … 8, 10, 12, … 16, 20, …: the size of a box of coefficients after n, in steps of a quarter to an eighth. Boxes are of few
 * sizes, so that the nodes of a cube share banks.
 */
export const nextBoxSize = (n: number): number => n + Math.max(1, 2 ** (Math.floor(Math.log2(n)) - 2));

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Named arrays as tensors of the active backend. */
export function tensorsOf(arrays: Parameters['params']): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { shape, values }]) => [
      name,
      tf.tensor(values.slice(), [...shape], values instanceof Float32Array ? 'float32' : 'int32'),
    ]),
  );
}
