/**
 * Prediction of a value from those coded before it: a weighted sum of its neighbours, the weights fitted once a channel
 * by least squares (twice, the second time with less weight where the first was far off: edges are rare, and would
 * otherwise outvote the rest), and stored. For noise all weights are 0; for a smooth field it extrapolates.
 *
 * Decoders see fixed weights only: one sum of products in float64, in a fixed order, which is the same everywhere.
 */
import { type ByteReader, type ByteWriter, unzigzag, zigzag } from '../bytes.js';
import type { Planes } from './planes.js';

/** Places relative to a value: [channels back, rows down, columns right]. */
type Tap = readonly [back: number, down: number, right: number];

const OWN: readonly Tap[] = [
  [0, 0, -1],
  [0, -1, 0],
  [0, -1, -1],
  [0, -1, 1],
  [0, 0, -2],
  [0, -2, 0],
];
/** Of a channel coded before this one, the places around are known too. */
const BEFORE: readonly Tap[] = [
  [1, 0, 0],
  [1, 0, -1],
  [1, -1, 0],
  [1, 0, 1],
  [1, 1, 0],
];
const CHANNELS_BACK = 3;

/** Sets of taps by their number in the stream. */
function tapsOf(set: number, channel: number): readonly Tap[] {
  if (set === 0) return [];
  if (set === 1) return channel > 0 ? [...OWN.slice(0, 3), ...BEFORE.slice(0, 3)] : OWN.slice(0, 3);
  const taps = [...OWN];
  for (let back = 1; back <= Math.min(CHANNELS_BACK, channel); back++) {
    taps.push(...BEFORE.map(([, down, right]): Tap => [back, down, right]));
  }
  return taps;
}
const SETS = 3;

export interface Prediction {
  set: number;
  /** From a value to each of its taps in Planes.values. */
  offsets: Int32Array;
  weights: Float64Array;
  bias: number;
}

function offsetsOf(planes: Planes, set: number, channel: number): Int32Array {
  return Int32Array.from(
    tapsOf(set, channel),
    ([back, down, right]) => -back * planes.size + down * planes.stride + right,
  );
}

/** The predicted value at `at`. */
export function predicted({ offsets, weights, bias }: Prediction, values: Float64Array, at: number): number {
  let sum = bias;
  for (let k = 0; k < offsets.length; k++) sum += weights[k] * values[at + offsets[k]];
  return sum;
}

/** Values that a fit looks at. */
const SAMPLES = 8000;
/** A channel of fewer values may not be worth the weights of all taps. */
const SMALL = 4096;

/** Solves a symmetric positive definite system in place by Cholesky; rows that depend on others get weight 0. */
function solve(matrix: Float64Array, right: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) matrix[i * n + i] *= 1 + 1e-11;
  for (let j = 0; j < n; j++) {
    const whole = matrix[j * n + j];
    let d = whole;
    for (let k = 0; k < j; k++) d -= matrix[j * n + k] ** 2;
    const root = d > whole * 1e-13 && d > 0 ? Math.sqrt(d) : 0;
    matrix[j * n + j] = root;
    for (let i = j + 1; i < n; i++) {
      let s = matrix[i * n + j];
      for (let k = 0; k < j; k++) s -= matrix[i * n + k] * matrix[j * n + k];
      matrix[i * n + j] = root ? s / root : 0;
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) right[i] -= matrix[i * n + k] * right[k];
    right[i] = matrix[i * n + i] ? right[i] / matrix[i * n + i] : 0;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) right[i] -= matrix[k * n + i] * right[k];
    right[i] = matrix[i * n + i] ? right[i] / matrix[i * n + i] : 0;
  }
  return right;
}

/** Where the values are that a fit of the channel looks at: all, or an even choice of them. */
function sampled(planes: Planes, channel: number): Int32Array {
  const { height, width } = planes;
  const every = Math.max(1, Math.floor((height * width) / SAMPLES));
  const count = Math.ceil((height * width) / every);
  const out = new Int32Array(count);
  // A prime-like jitter, so that the choice falls on all columns.
  for (let k = 0; k < count; k++) {
    const i = Math.min(height * width - 1, k * every + ((k * 7919) % every));
    out[k] = planes.row(channel, Math.floor(i / width)) + (i % width);
  }
  return out;
}

/**
 * The best prediction of a channel of planes that hold all values.
 * @param scale the size of an error that costs a bit: 1 for integers.
 * @param weightBits what a weight costs.
 * @param stored the weights as a decoder will have them.
 */
export function fitPrediction(
  planes: Planes,
  channel: number,
  scale: number,
  weightBits: number,
  stored: (prediction: Prediction) => Prediction,
): Prediction {
  const at = sampled(planes, channel);
  const { values } = planes;
  const count = planes.height * planes.width;
  let best: { prediction: Prediction; bits: number } | null = null;
  for (let set = 0; set < SETS; set++) {
    if (set === 1 && count > SMALL) continue;
    const offsets = offsetsOf(planes, set, channel);
    if (set > 0 && offsets.length * 4 > at.length) break;
    const prediction = fitted(values, at, offsets, set, scale);
    const kept = stored(prediction);
    let logs = 0;
    for (let s = 0; s < at.length; s++) {
      logs += Math.log2(1 + Math.abs(values[at[s]] - predicted(kept, values, at[s])) / scale);
    }
    const bits = (logs / at.length) * count + weightBits * offsets.length;
    // A NaN, of values near the end of float32, is never better.
    if (!best || bits < best.bits) best = { prediction: kept, bits };
  }
  return best!.prediction;
}

function fitted(
  values: Float64Array,
  at: Int32Array,
  offsets: Int32Array,
  set: number,
  scale: number,
): Prediction {
  const taps = offsets.length;
  const n = taps + 1;
  let unit = 0;
  for (let s = 0; s < at.length; s++) unit = Math.max(unit, Math.abs(values[at[s]]));
  if (!(unit > 0)) return { set, offsets, weights: new Float64Array(taps), bias: 0 };
  let weights = new Float64Array(taps);
  let bias = 0;
  // The taps of all samples, side by side: both passes read them in order.
  const rows = new Float64Array(at.length * n);
  for (let s = 0; s < at.length; s++) {
    for (let a = 0; a < taps; a++) rows[s * n + a] = values[at[s] + offsets[a]] / unit;
    rows[s * n + taps] = 1;
  }
  for (let pass = 0; pass < 2; pass++) {
    const matrix = new Float64Array(n * n);
    const right = new Float64Array(n);
    const prediction = { set, offsets, weights, bias };
    for (let s = 0; s < at.length; s++) {
      const i = at[s];
      const v = values[i] / unit;
      const error = pass === 0 ? 0 : Math.abs(values[i] - predicted(prediction, values, i));
      const weight = pass === 0 ? 1 : 1 / (error / scale + 1);
      for (let a = 0, k = s * n; a < n; a++) {
        const part = rows[k + a] * weight;
        right[a] += part * v;
        const line = a * n;
        for (let b = 0; b <= a; b++) matrix[line + b] += part * rows[k + b];
      }
    }
    const solution = solve(matrix, right, n);
    weights = solution.slice(0, taps);
    bias = solution[taps] * unit;
  }
  return { set, offsets, weights, bias };
}

/** Weights as integers in 1/2^bits, the bias as an integer. */
export function roundedPrediction(prediction: Prediction, bits: number): Prediction {
  const unit = 2 ** bits;
  const rounded = (x: number) => Math.max(-(2 ** 28), Math.min(2 ** 28, Math.round(x)));
  return {
    ...prediction,
    weights: prediction.weights.map((w) => rounded(w * unit) / unit),
    bias: rounded(prediction.bias),
  };
}

export function writeRounded(out: ByteWriter, { set, weights, bias }: Prediction, bits: number): void {
  out.u8(set);
  out.varint(zigzag(bias));
  for (const w of weights) out.varint(zigzag(w * 2 ** bits));
}

export function readRounded(input: ByteReader, planes: Planes, channel: number, bits: number): Prediction {
  const set = readSet(input);
  const bias = unzigzag(input.varint('the bias of a prediction', 2 ** 30));
  const offsets = offsetsOf(planes, set, channel);
  const weights = Float64Array.from(
    offsets,
    () => unzigzag(input.varint('a weight of a prediction', 2 ** 30)) / 2 ** bits,
  );
  return { set, offsets, weights, bias };
}

/** Weights and bias as float32. */
export function floatPrediction(prediction: Prediction): Prediction {
  return {
    ...prediction,
    weights: prediction.weights.map(Math.fround),
    bias: Math.fround(prediction.bias),
  };
}

export function writeFloats(out: ByteWriter, { set, weights, bias }: Prediction): void {
  out.u8(set);
  out.f32(bias);
  for (const w of weights) out.f32(w);
}

export function readFloats(input: ByteReader, planes: Planes, channel: number): Prediction {
  const set = readSet(input);
  const bias = input.f32();
  const offsets = offsetsOf(planes, set, channel);
  return { set, offsets, weights: Float64Array.from(input.floats(offsets.length)), bias };
}

function readSet(input: ByteReader): number {
  const set = input.u8();
  if (set >= SETS) throw input.error(`has an unknown prediction ${set}`);
  return set;
}
