/**
 * Adaptive resolution: the smallest grid whose band-limited reconstruction keeps within a bound. Of a bound on the squared error
 * the spectrum says it exactly (band.ts), and one trial confirms it on the float32 result; of one on the largest error it says
 * where to begin, and trials say the rest.
 */
import * as tf from '@tensorflow/tfjs';
import { type HostWavetable, hostWavetable } from '../../codecs/codec.js';
import { pause } from '../../codecs/pause.js';
import {
  type Achieved,
  type Measured,
  measure,
  meets,
  type Quality,
  statisticsOf,
  type Target,
  targetOf,
} from '../../codecs/quality.js';
import { ArgumentError, check, checkOptionNames } from '../../errors.js';
import { resample } from '../../ops/resample.js';
import { BandTable, bandEnergy } from './band.js';

export interface AdaptiveOptions {
  /** Which axes wrap: their basis is Fourier's, else the cosines. */
  periodic?: { h?: boolean; w?: boolean };
  /** Ends the work: the call rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface AdaptiveResolution {
  /** [H, W] */
  resolution: [height: number, width: number];
  /** The error of the wavetable brought down to it and up again, measured in float32. */
  achieved: Achieved;
}

/** How a box is confirmed: brought down to it and up again. */
type Trial = (h: number, w: number) => Promise<Measured>;

/** Tries of smaller boxes of other proportions, for bounds on the largest error. */
const PROPORTIONS = [1, 0.8, 1.25, 0.6, 1.6, 0.4, 2.5];
/** The part of the samples that a box must save to be looked for. */
const WORTH = 0.03;

/**
 * The smallest grid (fewest H·W, of any sizes) from which a wavetable is had back within a bound, by `resample` down and up.
 * @param wavetable [H, W, C] float32 tensor, or its values on the host; it is not kept.
 * @param quality a bound on the error (see Quality); 1 and { lossless: true } leave the resolution as it is.
 * @returns the resolution, at most the wavetable's own, and the error that was measured. Of a bound on the squared error (a number,
 * { psnr }) it is the smallest there is, but for float32's rounding; of one on the largest error ({ maxAbs }, { maxRel }) the
 * smallest that a search finds. Not differentiable.
 * @throws ArgumentError for { bytes }, which bounds no error, and for NaN or ±∞ among the values.
 *
 *     const { resolution } = await adaptiveResolution(node, 0.99, { periodic: { w: true } })
 *     cube.setNode(0, 0, 0, resample(node, …resolution))       // or: await cube.adaptNode(0, 0, 0, { quality: 0.99 })
 */
export async function adaptiveResolution(
  wavetable: tf.Tensor3D | HostWavetable,
  quality: Quality = 0.95,
  options: AdaptiveOptions = {},
): Promise<AdaptiveResolution> {
  const where = 'adaptiveResolution';
  checkOptionNames(where, options, ['periodic', 'signal']);
  checkOptionNames(`${where}: periodic`, options.periodic ?? {}, ['h', 'w']);
  const host = await hostWavetable(where, wavetable);
  const target = targetOf(where, quality, host.values, host.shape);
  check(
    target.bytes === Number.POSITIVE_INFINITY,
    () => new ArgumentError(`${where}: quality must bound the error, and { bytes } does not`),
  );
  check(
    statisticsOf(host.values, host.shape).finite,
    () => new ArgumentError(`${where}: the wavetable must be finite, and has NaN or ±∞`),
  );
  const { h = false, w = false } = options.periodic ?? {};
  return smallestGrid(host, target, { h, w }, options.signal);
}

/** As adaptiveResolution, of a checked wavetable and a bound on its error. */
export async function smallestGrid(
  { values, shape }: HostWavetable,
  target: Target,
  periodic: { h: boolean; w: boolean },
  signal?: AbortSignal,
): Promise<AdaptiveResolution> {
  const [height, width] = shape;
  const whole: AdaptiveResolution = {
    resolution: [height, width],
    achieved: { maxError: 0, psnr: Number.POSITIVE_INFINITY, relativeError: 0 },
  };
  if (target.lossless || height * width === 1) return whole;
  await pause(signal);
  const table = new BandTable(bandEnergy(values, shape, periodic), height, width);
  const trial: Trial = async (h, w) => {
    await pause(signal);
    const back = await broughtBack(values, shape, [h, w], periodic);
    return measure(values, back, shape);
  };
  const ok = (measured: Measured) => meets(target, measured, 0);
  const found = Number.isFinite(target.squaredError)
    ? await bySpectrum(table, target, trial, ok)
    : await byTrials(table, leastLoss(target, values, shape), trial, ok);
  if (!found) return whole;
  const { maxError, psnr, relativeError } = found.measured;
  return { resolution: found.box, achieved: { maxError, psnr, relativeError } };
}

/** Values [H, W, C] brought down to a resolution and up again, as sampling does it. */
async function broughtBack(
  values: Float32Array,
  shape: HostWavetable['shape'],
  [h, w]: readonly [number, number],
  periodic: { h: boolean; w: boolean },
): Promise<Float32Array> {
  const back = tf.tidy(() => {
    const x = tf.tensor4d(values, [1, ...shape]);
    return resample(resample(x, h, w, periodic), shape[0], shape[1], periodic);
  });
  try {
    return await back.data<'float32'>();
  } finally {
    back.dispose();
  }
}

interface Found {
  box: [number, number];
  measured: Measured;
}

/** Parseval's box; where float32's rounding does not let it keep the bound, that of a smaller one. */
async function bySpectrum(
  table: BandTable,
  { squaredError }: Target,
  trial: Trial,
  ok: (measured: Measured) => boolean,
): Promise<Found | null> {
  for (let margin = 1e-6; margin <= 1; margin *= 10) {
    const box = table.smallest(squaredError * (1 - margin));
    if (box[0] * box[1] === table.height * table.width) return null;
    const measured = await trial(...box);
    if (ok(measured)) return { box, measured };
  }
  return null;
}

/** The squared error that values may have at most which keep the bounds on their largest. */
function leastLoss({ maxAbs }: Target, values: Float32Array, [, , channels]: HostWavetable['shape']): number {
  return (maxAbs.reduce((sum, e) => sum + e * e, 0) * values.length) / channels;
}

/**
 * Boxes along the line of the smallest ones for each squared error, halved until the bound is met; then of other
 * proportions, and of fewer rows or columns, as long as that saves samples. None that leaves out more than `most` can be within the
 * bound.
 */
async function byTrials(
  table: BandTable,
  most: number,
  trial: Trial,
  ok: (measured: Measured) => boolean,
): Promise<Found | null> {
  const known = new Map<string, Measured>();
  const possible = (h: number, w: number) => table.outside(h, w) <= most;
  let best: Found | null = null;
  const area = () => (best ? best.box[0] * best.box[1] : table.height * table.width);
  const attempt = async (h: number, w: number): Promise<boolean> => {
    if (!possible(h, w)) return false;
    const key = `${h} ${w}`;
    const measured = known.get(key) ?? (await trial(h, w));
    known.set(key, measured);
    if (!ok(measured)) return false;
    if (h * w < area()) best = { box: [h, w], measured };
    return true;
  };
  /** The smallest n in (low, high] that `holds`, taken to hold from some n on, and at `high`. */
  const bisect = async (low: number, high: number, holds: (n: number) => Promise<boolean>) => {
    let [no, yes] = [low, high];
    while (yes - no > 1) {
      const middle = (no + yes) >> 1;
      if (await holds(middle)) yes = middle;
      else no = middle;
    }
    return yes;
  };
  // Along the line: the budget falls from the most that can be by 2^(−1/4) a step.
  const boxAt = (step: number) => table.smallest(most * 2 ** (-step / 4));
  await bisect(-1, 160, (step) => attempt(...boxAt(step)));
  for (let before = Number.POSITIVE_INFINITY; area() < before; ) {
    before = area();
    const [h, w]: [number, number] = best ? (best as Found).box : [table.height, table.width];
    for (const proportion of PROPORTIONS) {
      const rows = Math.max(1, Math.min(table.height, Math.round(h * proportion)));
      const columns = Math.min(table.width, Math.floor(((1 - WORTH) * area()) / rows));
      if (columns >= 1 && (await attempt(rows, columns))) {
        await bisect(0, columns, (n) => attempt(rows, n));
      }
    }
    const [rows, columns]: [number, number] = best ? (best as Found).box : [h, w];
    await bisect(0, columns, (n) => attempt(rows, n));
    await bisect(0, rows, (n) => attempt(n, best ? (best as Found).box[1] : columns));
  }
  return best;
}
