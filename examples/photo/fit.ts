/**
 * Fits cubes of features to a photo by gradient descent on random patches of 4×4 pixels, as a person would who has wavecube:
 * features at a pixel → a linear read-out → red, green, blue. Held-out pixels never enter the loss; what stands there follows from
 * the bending of the fitted surface, which is kept small everywhere.
 */
import * as tf from '@tensorflow/tfjs';
import { meanSquare, type OctaveHierarchy } from '../../src/index.js';

export interface Photo {
  /** Rows and columns. */
  size: number;
  /** [size · size · 3] in [0, 1]. */
  rgb: Float32Array;
  /** Of each pixel, whether it is held out. */
  isHeldOut: Uint8Array;
}

export interface FitOptions {
  seconds: number;
  /** Seconds since any moment. */
  clock: () => number;
  /** Random numbers in [0, 1). */
  next: () => number;
  /** Of the loss: how much bending counts beside the error. */
  bending: number;
  /** Patches a step. */
  patches: number;
  rate: readonly [first: number, last: number];
}

export interface ReadOut {
  matrix: tf.Variable;
  bias: tf.Variable;
}

const P = 4;

/** mulberry32, uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** [size², 3] coordinates of all pixels, row by row. */
export const pixelsOf = (size: number): Float32Array =>
  Float32Array.from({ length: 3 * size * size }, (_, i) =>
    i % 3 === 0 ? Math.floor(i / 3 / size) : i % 3 === 1 ? Math.floor(i / 3) % size : 0,
  );

/** Luma and two differences of colours, as the start of a read-out that is trained. */
export function makeReadOut(channels: number): ReadOut {
  const rows = [
    [1, 1, 1],
    [1, 0, -1],
    [-0.5, 1, -0.5],
  ].slice(0, channels);
  const unit = rows.map((row) => row.map((v) => v / Math.hypot(...row)));
  return tf.tidy(() => ({
    matrix: tf.variable(tf.tensor2d(unit)),
    bias: tf.variable(tf.fill([3], 0.4)),
  }));
}

/** [16 · 3, 25 · 3]: second differences of a patch along rows, along columns and across, of each colour. */
function bendingMatrix(): tf.Tensor2D {
  const columns: Map<number, number>[] = [];
  const at = (y: number, x: number) => y * P + x;
  for (let y = 0; y < P; y++)
    for (let x = 0; x + 2 < P; x++) {
      columns.push(
        new Map([
          [at(y, x), 1],
          [at(y, x + 1), -2],
          [at(y, x + 2), 1],
        ]),
      );
      columns.push(
        new Map([
          [at(x, y), 1],
          [at(x + 1, y), -2],
          [at(x + 2, y), 1],
        ]),
      );
    }
  const r = Math.SQRT2;
  for (let y = 0; y + 1 < P; y++)
    for (let x = 0; x + 1 < P; x++)
      columns.push(
        new Map([
          [at(y, x), r],
          [at(y, x + 1), -r],
          [at(y + 1, x), -r],
          [at(y + 1, x + 1), r],
        ]),
      );
  const out = new Float32Array(P * P * 3 * columns.length * 3);
  columns.forEach((column, j) => {
    for (const [i, v] of column)
      for (let c = 0; c < 3; c++) out[(i * 3 + c) * columns.length * 3 + j * 3 + c] = v;
  });
  return tf.tensor2d(out, [P * P * 3, columns.length * 3]);
}

/** Draws random patches: coordinates, colours and which of them count. */
function drawPatches({ size, rgb, isHeldOut }: Photo, patches: number, next: () => number) {
  const n = patches * P * P;
  const coords = new Float32Array(3 * n);
  const colours = new Float32Array(3 * n);
  const counts = new Float32Array(3 * n);
  for (let p = 0, i = 0; p < patches; p++) {
    const top = Math.floor(next() * (size + P - 1)) - P + 1;
    const left = Math.floor(next() * (size + P - 1)) - P + 1;
    for (let y = top; y < top + P; y++)
      for (let x = left; x < left + P; x++, i++) {
        coords[3 * i] = y;
        coords[3 * i + 1] = x;
        if (x < 0 || y < 0 || x >= size || y >= size || isHeldOut[y * size + x]) continue;
        for (let c = 0; c < 3; c++) {
          counts[3 * i + c] = 1;
          colours[3 * i + c] = rgb[3 * (y * size + x) + c];
        }
      }
  }
  return { coords, colours, counts };
}

/** [N, 3] red, green, blue at coordinates. */
export function colourAt(
  hierarchy: OctaveHierarchy,
  { matrix, bias }: ReadOut,
  coords: Float32Array,
  octave: number,
): tf.Tensor2D {
  return tf.tidy(() => {
    const features = hierarchy.sampleBatchBlended(coords, octave).reshape([coords.length / 3, -1]);
    return tf.add(tf.matMul(features, matrix as tf.Tensor2D), bias) as tf.Tensor2D;
  });
}

/** @param octave at part t of the time. @returns how many steps were made. */
export async function fitPhoto(
  hierarchy: OctaveHierarchy,
  readOut: ReadOut,
  photo: Photo,
  octave: (t: number) => number,
  { seconds, clock, next, bending, patches, rate }: FitOptions,
): Promise<number> {
  const adam = tf.train.adam(rate[0], 0.9, 0.99);
  const bend = bendingMatrix();
  const variables = [...hierarchy.trainableVariables(), readOut.matrix, readOut.bias];
  const start = clock();
  let steps = 0;
  for (let t = 0; t < 1; t = (clock() - start) / seconds, steps++) {
    // From the first to the last rate, along half a cosine.
    (adam as unknown as { learningRate: number }).learningRate =
      rate[1] + ((rate[0] - rate[1]) * (1 + Math.cos(Math.PI * t))) / 2;
    const { coords, colours, counts } = drawPatches(photo, patches, next);
    tf.tidy(() => {
      const wanted = tf.tensor2d(colours, [patches * P * P, 3]);
      const mask = tf.tensor2d(counts, [patches * P * P, 3]);
      adam.minimize(
        () => {
          const colour = colourAt(hierarchy, readOut, coords, octave(t));
          const error = meanSquare(tf.sub(tf.mul(mask, colour), wanted));
          const bends = meanSquare(tf.matMul(colour.reshape([patches, P * P * 3]) as tf.Tensor2D, bend));
          return tf.add(error, tf.mul(bends, bending));
        },
        false,
        variables,
      );
    });
    if (steps % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  adam.dispose();
  bend.dispose();
  return steps;
}

/** Peak signal-to-noise ratio in dB of held-out pixels, colours clipped to [0, 1]; and of those trained on. */
export async function psnr(
  hierarchy: OctaveHierarchy,
  readOut: ReadOut,
  photo: Photo,
  octave: number,
): Promise<{ heldOut: number; trained: number; errors: Float32Array }> {
  const { size, rgb, isHeldOut } = photo;
  const colours = colourAt(hierarchy, readOut, pixelsOf(size), octave);
  const got = await colours.data();
  colours.dispose();
  const sums = [0, 0];
  const numbers = [0, 0];
  const errors = new Float32Array(size * size);
  for (let i = 0; i < size * size; i++) {
    for (let c = 0; c < 3; c++) {
      errors[i] += (Math.min(Math.max(got[3 * i + c], 0), 1) - rgb[3 * i + c]) ** 2 / 3;
    }
    sums[isHeldOut[i]] += errors[i];
    numbers[isHeldOut[i]]++;
  }
  const [trained, heldOut] = sums.map((sum, k) => 10 * Math.log10(numbers[k] / sum));
  return { heldOut, trained, errors };
}

/** The `count` pixels around which trained pixels err most. */
export function busiest({ size, isHeldOut }: Photo, errors: Float32Array, count: number): number[] {
  const weights = [1, 4, 6, 4, 1];
  const score = new Float32Array(size * size);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      let [sum, total] = [0, 1e-9];
      for (let dy = -2; dy <= 2; dy++)
        for (let dx = -2; dx <= 2; dx++) {
          const [v, u] = [y + dy, x + dx];
          if (v < 0 || u < 0 || v >= size || u >= size || isHeldOut[v * size + u]) continue;
          const weight = weights[dy + 2] * weights[dx + 2];
          sum += weight * errors[v * size + u];
          total += weight;
        }
      score[y * size + x] = sum / total;
    }
  const order = Array.from(score.keys()).sort((a, b) => score[b] - score[a]);
  return order.slice(0, count);
}
