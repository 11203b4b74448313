/**
 * The eight corners of each sample as tensors, for nodes that are blended by their parameters: the stencil
 * (interpolation/stencil.ts) on the device, with weights that are differentiable to the coordinates.
 */
import * as tf from '@tensorflow/tfjs';
import { axisStencils } from '../../ops/composition.js';
import { constantOf } from '../../ops/constant.js';
import type { Stencil } from '../../ops/taps.js';
import { finiteOnly, finiteRows } from './finite.js';
import type { Reading } from './reading.js';

/** The K corners of each of N samples: 8, or the 64 taps of a stencil. */
export interface Corners {
  /** [K·N, 3] integer coordinates of the corners, −1 where there is no node or the sample's coordinate is not finite. */
  at: tf.Tensor2D;
  /** [N, K]. Gradients: coords, right-hand at nodes, 0 outside a clamped axis. */
  weights: tf.Tensor2D;
}

/** A tap's node on an axis of n, −1 where there is none. */
function tapNodes(tap: tf.Tensor, n: number, code: number): tf.Tensor {
  const wrapped = code === 1 ? tf.where(tf.equal(tap, n), tf.zerosLike(tap), tap) : tap;
  const inside = tf.logicalAnd(tf.greaterEqual(wrapped, 0), tf.less(wrapped, n));
  return tf.where(inside, wrapped, tf.fill(tap.shape, -1));
}

export function cornersOf({ coords, dims, boundary, stencil }: Reading): Corners {
  return stencil ? tapCorners(stencil) : linearCorners(coords.tensor, dims, boundary);
}

/** The 64 taps of each sample. */
function tapCorners({ taps, weights }: Stencil): Corners {
  const n = taps.shape[0];
  // NaN marks samples that are none: here they weigh nothing.
  const there = constantOf(weights, (u) => tf.logicalNot(tf.isNaN(u)).cast('float32'));
  const safe = tf.where(tf.cast(there, 'bool'), weights, tf.zerosLike(weights));
  const axis = (x: tf.Tensor, j: number, shape: number[]) =>
    tf.slice(x, [0, j, 0], [-1, 1, 4]).reshape([n, ...shape]);
  const [u, v, w] = [0, 1, 2].map((j) =>
    axis(
      safe,
      j,
      [
        [4, 1, 1],
        [1, 4, 1],
        [1, 1, 4],
      ][j],
    ),
  );
  const product = tf.mul(
    tf.mul(u.reshape([n, 4, 1]), v.reshape([n, 1, 4])).reshape([n, 16, 1]),
    w.reshape([n, 1, 4]),
  );
  const at = tf.tidy(() => {
    const [x, y, z] = [16, 4, 1].map((stride, j) => {
      const nodes = axis(taps, j, [4]).cast('float32') as tf.Tensor2D;
      // Slot of corner k on this axis: ⌊k / stride⌋ mod 4.
      const slots = Array.from({ length: 64 }, (_, k) => Math.floor(k / stride) % 4);
      return tf.gather(nodes, tf.tensor1d(slots, 'int32'), 1);
    });
    const all = tf.stack([x, y, z], 2);
    const whole = tf.all(tf.greaterEqual(all, 0), 2, true).broadcastTo(all.shape);
    return tf.where(whole, all, tf.fill(all.shape, -1)).reshape([64 * n, 3]);
  });
  return { weights: product.reshape([n, 64]), at: at as tf.Tensor2D };
}

function linearCorners(coords: tf.Tensor2D, dims: Reading['dims'], boundary: readonly number[]): Corners {
  const safe = finiteOnly(coords);
  const axes = dims.map((n, j) => {
    const r = tf.slice(safe, [0, j], [-1, 1]).flatten() as tf.Tensor1D;
    const part = (k: 0 | 1 | 2) =>
      constantOf(r, (x) => axisStencils(x as tf.Tensor1D, n, boundary[j])[k].clone());
    const self = constantOf(r, (x) => x.clone());
    // The stencil's own fraction, with the stencil's slope for its derivative.
    const fraction = tf.add(part(1), tf.mul(part(2), tf.sub(r, self)));
    const node = (up: 0 | 1) =>
      constantOf(r, (x) =>
        tapNodes(tf.add(axisStencils(x as tf.Tensor1D, n, boundary[j])[0], up), n, boundary[j]),
      );
    return { weights: [tf.sub(1, fraction), fraction], nodes: [node(0), node(1)] };
  });
  const corners = Array.from({ length: 8 }, (_, k) => [k >> 2, (k >> 1) & 1, k & 1]);
  const weights = corners.map((up) =>
    axes.map((axis, j) => axis.weights[up[j]]).reduce((a, b) => tf.mul(a, b)),
  );
  const at = corners.map((up) =>
    tf.stack(
      axes.map((axis, j) => axis.nodes[up[j]]),
      1,
    ),
  );
  const n = coords.shape[0];
  return {
    weights: tf.stack(weights, 1) as tf.Tensor2D,
    at: constantOf(coords, (x) => {
      const all = tf.stack(at, 1);
      // A corner without a node on one axis has none at all.
      const there = tf.logicalAnd(tf.all(tf.greaterEqual(all, 0), 2, true), finiteRows(x).reshape([n, 1, 1]));
      return tf.where(there.broadcastTo(all.shape), all, tf.fill(all.shape, -1)).reshape([8 * n, 3]);
    }) as tf.Tensor2D,
  };
}
