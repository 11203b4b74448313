/**
 * Compression that chooses the resolution too: a method whose candidates are the node as it is, and the node at adaptive resolutions
 * with a part of the bound spent on them and the rest on the codec. Each is decoded, brought up to the node's own resolution as sampling
 * does it, and measured against the node as it was set; the fewest bytes within the bound win.
 */
import * as tf from '@tensorflow/tfjs';
import { type EncodeOptions, type HostWavetable, hostWavetable } from '../../codecs/codec.js';
import { CompressedWavetable } from '../../codecs/compressed.js';
import { readContainer } from '../../codecs/container.js';
import { pause } from '../../codecs/pause.js';
import {
  type Measured,
  measure,
  meets,
  type Quality,
  statisticsOf,
  type Target,
  targetOf,
} from '../../codecs/quality.js';
import { knownCodec, type Method, methodOf } from '../../codecs/registry.js';
import { QualityNotReachedError } from '../../errors.js';
import { resample } from '../../ops/resample.js';
import { smallestGrid } from './adaptive.js';

interface Wraps {
  h: boolean;
  w: boolean;
}

/** Of a bound on the error, what is spent on the resolution: the first, then the others if it was worth it. */
const SHARES = [0.5, 0.8, 0.25];
/** Grids of more than this part of the node's samples save less than their error costs. */
const MOST_SAMPLES = 0.85;
/** What is left of the codec's bound after a result that missed the whole one. */
const TIGHTER = 0.75;
const ATTEMPTS = 3;

/** @throws ArgumentError for a method that there is not. */
export function adaptiveMethod(where: string, method: string | Method, periodic: Wraps): Method {
  return new AdaptiveMethod(typeof method === 'string' ? methodOf(where, method) : method, periodic);
}

class AdaptiveMethod implements Method {
  constructor(
    private readonly inner: Method,
    private readonly periodic: Wraps,
  ) {}

  get id(): string {
    return this.inner.id;
  }

  get blending(): Method {
    return new AdaptiveMethod(this.inner.blending, this.periodic);
  }

  /**
   * As a codec's encode, of [H, W, C] or a smaller grid. `achieved` is the error of the whole, at the node's resolution.
   * Bounds that are none on the error ({ bytes }), and lossless ones, keep the resolution.
   */
  async encode(
    wavetable: tf.Tensor3D | HostWavetable,
    quality: Quality = 0.95,
    options: EncodeOptions = {},
  ): Promise<CompressedWavetable> {
    const host = await hostWavetable('settle', wavetable);
    const target = targetOf('settle', quality, host.values, host.shape);
    let best: CompressedWavetable | null = null;
    let failure: unknown;
    try {
      best = await this.inner.encode(host, quality, options);
    } catch (error) {
      if (!(error instanceof QualityNotReachedError)) throw error;
      failure = error;
    }
    const bounds = !target.lossless && target.bytes === Number.POSITIVE_INFINITY;
    if (bounds && statisticsOf(host.values, host.shape).finite) {
      try {
        best = await this.#smaller(host, target, best, options);
      } catch (error) {
        best?.dispose();
        throw error;
      }
    }
    if (!best) throw failure;
    return best;
  }

  /** The best of candidates at adaptive resolutions and `whole`. */
  async #smaller(
    host: HostWavetable,
    target: Target,
    whole: CompressedWavetable | null,
    options: EncodeOptions,
  ): Promise<CompressedWavetable | null> {
    let best = whole;
    const tried = new Set<string>();
    for (const [i, share] of SHARES.entries()) {
      const { resolution } = await smallestGrid(host, partOf(target, share), this.periodic, options.signal);
      const [h, w] = resolution;
      if (tried.has(`${resolution}`) || h * w > MOST_SAMPLES * host.shape[0] * host.shape[1]) continue;
      tried.add(`${resolution}`);
      const made = await this.#at(resolution, host, target, options);
      const better = made !== null && (best === null || made.sizeBytes < best.sizeBytes);
      if (better) [best] = [made, best?.dispose()];
      else made?.dispose();
      if (i === 0 && !better) break;
    }
    return best;
  }

  /** The node brought down to a resolution and compressed; null where that does not keep the bound. */
  async #at(
    [h, w]: readonly [number, number],
    host: HostWavetable,
    target: Target,
    options: EncodeOptions,
  ): Promise<CompressedWavetable | null> {
    const { values, shape } = host;
    const small: HostWavetable = {
      values: await resampled(values, shape, [h, w], this.periodic),
      shape: [h, w, shape[2]],
    };
    const back = await resampled(small.values, small.shape, [shape[0], shape[1]], this.periodic);
    const lost = measure(values, back, shape);
    let rest = restOf(target, lost, statisticsOf(back, shape).energy);
    for (let attempt = 0; attempt < ATTEMPTS && rest !== null; attempt++) {
      await pause(options.signal);
      let made: CompressedWavetable;
      try {
        made = await this.inner.encode(small, rest, options);
      } catch (error) {
        if (error instanceof QualityNotReachedError) return null;
        throw error;
      }
      const measured = await this.#measured(made, host);
      if (meets(target, measured, 0)) {
        const { payload } = readContainer(made.bytes, 'settle', false);
        made.dispose();
        return CompressedWavetable.of(knownCodec(made.codec), made.shape, measured, payload, made.parameters);
      }
      made.dispose();
      rest = tighter(rest);
    }
    return null;
  }

  /** The error of a compressed smaller node at the node's own resolution. */
  async #measured(made: CompressedWavetable, { values, shape }: HostWavetable): Promise<Measured> {
    const up = tf.tidy(() =>
      knownCodec(made.codec).decode(made, { resolution: [shape[0], shape[1]], periodic: this.periodic }),
    );
    try {
      return measure(values, await up.data<'float32'>(), shape);
    } finally {
      up.dispose();
    }
  }
}

async function resampled(
  values: Float32Array,
  shape: HostWavetable['shape'],
  [h, w]: readonly [number, number],
  periodic: Wraps,
): Promise<Float32Array> {
  const out = tf.tidy(() => resample(tf.tensor4d(values, [1, ...shape]), h, w, periodic));
  try {
    return (await out.data<'float32'>()).slice();
  } finally {
    out.dispose();
  }
}

/** The bound on what the resolution may lose: a share of the squared error, or of the largest. */
const partOf = (target: Target, share: number): Target => ({
  ...target,
  maxAbs: target.maxAbs.map((e) => e * share),
  squaredError: target.squaredError * share,
});

/**
 * What is left for the codec, as a quality of the smaller node: errors of resolution and codec are orthogonal, so squared ones
 * add up, and bringing up scales both energies alike. Largest errors add up at most; what overshoots between samples is measured.
 */
function restOf(target: Target, lost: Measured, energy: number): Quality | null {
  if (Number.isFinite(target.squaredError)) {
    const left = target.squaredError - lost.squaredError;
    if (!(left > 0 && energy > 0)) return null;
    // Nothing but the sum of float32's rounding is kept back.
    return Math.max(Number.EPSILON, 1 - Math.sqrt(left / energy) * (1 - 1e-4));
  }
  const left = target.maxAbs.reduce(
    (least, e, c) => Math.min(least, e - lost.maxErrors[c]),
    Number.POSITIVE_INFINITY,
  );
  return left > 0 ? { maxAbs: left } : null;
}

function tighter(quality: Quality): Quality | null {
  if (typeof quality === 'number') return 1 - (1 - quality) * TIGHTER;
  return 'maxAbs' in quality ? { maxAbs: quality.maxAbs * TIGHTER } : null;
}
