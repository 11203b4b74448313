/** Gradient descent through a cube: where in it a sound lies, and what nodes would sound like it. */
import * as tf from '@tensorflow/tfjs';
import type { WavetableMatrix } from '../grid/matrix.js';
import { meanSquare } from '../ops/meansquare.js';

export interface FitOptions {
  /** Default 120 (findCoordinates), 160 (fineTune). */
  steps?: number;
  /**
   * Adam's, at the first step; it falls to a twentieth of it along a half cosine. Default 0.15, in grid coordinates
   * (findCoordinates); 0.2, in units of what is wrong at the start (fineTune).
   */
  learningRate?: number;
  /** Called after each step. */
  onProgress?: (done: number, of: number) => void;
}

export interface FoundCoordinates {
  /** [N, 3], inside the grid. */
  readonly coords: Float32Array;
  /** Relative RMS error ‖sample − target‖ / ‖target‖ of each target. */
  readonly errors: Float32Array;
}

/** Of the steps, this part is taken from all starts; the rest from the best of each target. */
const SCOUTING = 0.3;

/**
 * Finds the coordinates whose samples are most like the targets: Adam on coordinates through sampleBatch, from
 * several starts at once; after some steps each target goes on from the best of them. Every target counts by its
 * relative error, so quiet ones are found as well as loud ones.
 * @param cube nodes [1, W, 1].
 * @param targets [N, 1, W, 1]; none of them silent.
 * @param starts one list of N coordinates (x, y, z) for each start.
 */
export async function findCoordinates(
  cube: WavetableMatrix,
  targets: tf.Tensor4D,
  starts: readonly (readonly (readonly [number, number, number])[])[],
  { steps = 120, learningRate = 0.15, onProgress }: FitOptions = {},
): Promise<FoundCoordinates> {
  const n = targets.shape[0];
  const scouting = Math.ceil(SCOUTING * steps);
  const best = {
    coords: new Float32Array(3 * n),
    errors: new Float32Array(n).fill(Number.POSITIVE_INFINITY),
  };
  const keep = (found: FoundCoordinates): void => {
    for (let i = 0; i < n; i++) {
      if (!(found.errors[i] < best.errors[i])) continue;
      best.errors[i] = found.errors[i];
      best.coords.set(found.coords.subarray(3 * i, 3 * i + 3), 3 * i);
    }
  };
  for (const [i, start] of starts.entries()) {
    const options = { steps: scouting, learningRate };
    const onStep = (step: number): void =>
      onProgress?.(i * scouting + step, starts.length * scouting + steps - scouting);
    keep(await descend(cube, targets, Float32Array.from(start.flat()), { ...options, onProgress: onStep }));
  }
  const onStep = (step: number): void =>
    onProgress?.(starts.length * scouting + step, starts.length * scouting + steps - scouting);
  keep(
    await descend(cube, targets, best.coords, {
      steps: steps - scouting,
      learningRate: learningRate / 3,
      onProgress: onStep,
    }),
  );
  return best;
}

async function descend(
  cube: WavetableMatrix,
  targets: tf.Tensor4D,
  from: Float32Array,
  { steps = 1, learningRate = 0.1, onProgress }: FitOptions,
): Promise<FoundCoordinates> {
  const n = targets.shape[0];
  const width = targets.size / n;
  const upper = tf.tensor2d([[cube.width - 1, cube.height - 1, cube.depth - 1]]);
  const scale = tf.tidy(() =>
    tf.rsqrt(tf.add(tf.mean(tf.square(tf.reshape(targets, [n, width])), 1, true), 1e-20)),
  );
  const wanted = tf.tidy(() => tf.mul(tf.reshape(targets, [n, width]), scale));
  const coords = tf.tidy(() => tf.variable(tf.tensor2d(from, [n, 3])));
  const residual = (): tf.Tensor =>
    tf.sub(tf.mul(tf.reshape(cube.sampleBatch(coords as unknown as tf.Tensor2D), [n, width]), scale), wanted);
  const optimizer = tf.train.adam(learningRate);
  for (let step = 0; step < steps; step++) {
    setLearningRate(optimizer, learningRate, step / steps);
    optimizer.minimize(() => meanSquare(residual()), false, [coords]);
    // Outside the grid the derivative is zero: nothing would come back.
    tf.tidy(() => coords.assign(tf.minimum(tf.relu(coords), upper) as tf.Tensor2D));
    onProgress?.(step + 1, steps);
    if (step % 10 === 0) await tf.nextFrame();
  }
  const error = tf.tidy(() => tf.sqrt(tf.mean(tf.square(residual()), 1)));
  const found = {
    coords: Float32Array.from(await coords.data()),
    errors: Float32Array.from(await error.data<'float32'>()),
  };
  optimizer.dispose();
  tf.dispose([upper, scale, wanted, coords, error]);
  return found;
}

/**
 * Tunes a trainable cube's nodes, in place, so that its samples at `coords` become the targets: Adam through
 * sampleBatch. `anchors` are further coordinates whose targets count with their weight: what the nodes were made
 * from, so that it is not forgotten.
 * @param cube trainable, nodes [1, W, 1].
 * @param coords [N, 3].
 * @param targets [N, 1, W, 1].
 * @param anchors coords [M, 3], targets [M, 1, W, 1], M may be 0; weight of their squared errors beside the targets'.
 * @param options learningRate is in units of the RMS of what is wrong at the start: how loud the nodes are does not
 * matter.
 */
export async function fineTune(
  cube: WavetableMatrix,
  coords: Float32Array,
  targets: tf.Tensor4D,
  anchors: { coords: Float32Array; targets: tf.Tensor4D; weight: number },
  { steps = 160, learningRate = 0.2, onProgress }: FitOptions = {},
): Promise<void> {
  const all = tf.tensor2d(Float32Array.from([...coords, ...anchors.coords]), [
    (coords.length + anchors.coords.length) / 3,
    3,
  ]);
  const root = Math.sqrt(anchors.weight);
  const scale = tf.tensor4d(
    Float32Array.from({ length: all.shape[0] }, (_, i) => (i < targets.shape[0] ? 1 : root)),
    [all.shape[0], 1, 1, 1],
  );
  const wanted = tf.tidy(() => tf.mul(tf.concat([targets, anchors.targets]), scale));
  const residual = (): tf.Tensor => tf.sub(tf.mul(cube.sampleBatch(all), scale), wanted);
  const wrong = tf.tidy(() => tf.sqrt(meanSquare(residual())));
  const [unit] = await wrong.data();
  const rate = learningRate * unit;
  // A mean over a million values has gradients that Adam's epsilon would drown: back to a sum, in units of the start.
  const scaleOfLoss = wanted.size / Math.max(unit * unit, 1e-30);
  const optimizer = tf.train.adam(rate);
  const nodes = cube.trainableVariables();
  for (let step = 0; step < steps; step++) {
    setLearningRate(optimizer, rate, step / steps);
    optimizer.minimize(() => tf.mul(meanSquare(residual()), scaleOfLoss), false, nodes);
    onProgress?.(step + 1, steps);
    if (step % 10 === 0) await tf.nextFrame();
  }
  optimizer.dispose();
  tf.dispose([all, scale, wanted, wrong]);
}

/**
 * ‖samples − targets‖ / ‖targets‖ over all targets together.
 * @param coords [N, 3].
 * @param targets [N, 1, W, 1].
 */
export async function relativeError(
  cube: WavetableMatrix,
  coords: Float32Array,
  targets: tf.Tensor4D,
): Promise<number> {
  const error = tf.tidy(() => {
    const sampled = cube.sampleBatch(tf.tensor2d(coords, [coords.length / 3, 3]));
    return tf.sqrt(tf.div(meanSquare(tf.sub(sampled, targets)), meanSquare(targets)));
  });
  const [value] = await error.data();
  error.dispose();
  return value;
}

function setLearningRate(optimizer: tf.AdamOptimizer, first: number, progress: number): void {
  const rate = first * (0.05 + 0.95 * (0.5 + 0.5 * Math.cos(Math.PI * progress)));
  (optimizer as unknown as { learningRate: number }).learningRate = rate;
}
