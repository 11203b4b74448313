/**
 * Chooses a codec by trying: the smallest result that reaches the quality; for { bytes } the one of the least error.
 * What it makes carries the id of the codec that was chosen, and any reader decodes it.
 */
import type * as tf from '@tensorflow/tfjs';
import { ArgumentError, check, QualityNotReachedError, shown } from '../errors.js';
import {
  type DecodeOptions,
  type EncodeOptions,
  type HostWavetable,
  hostWavetable,
  WavetableCodec,
} from './codec.js';
import type { CompressedWavetable, Decodable } from './compressed.js';
import { GaussianMixtureCodec } from './gaussian.js';
import { OWN_CODECS } from './own.js';
import { pause } from './pause.js';
import { checkQuality, type Quality, statisticsOf } from './quality.js';
import { knownCodec } from './registry.js';

/** Of the work that a fit of its own may take, what is worth a try among others. */
const FIT_EFFORT = 0.2;
const CANDIDATES = OWN_CODECS.map((codec) =>
  codec instanceof GaussianMixtureCodec ? new GaussianMixtureCodec({ effort: FIT_EFFORT }) : codec,
);

/** In a cube a codec whose nodes cannot be blended must be this much smaller than the best that can. */
const WORTH_DECODING = 2;

export class AutoCodec {
  readonly id = 'auto';

  /**
   * @param codecs the ones it tries, in this order; default: all of Wavecube's own.
   * @param preferBlending prefer a result that cubes can blend, unless another is less than half its size.
   */
  constructor(
    private readonly codecs: readonly WavetableCodec[] = CANDIDATES,
    private readonly preferBlending = false,
  ) {
    check(
      Array.isArray(codecs) && codecs.length > 0 && codecs.every((codec) => codec instanceof WavetableCodec),
      () => new ArgumentError(`AutoCodec: codecs must be a list of codecs, got ${shown(codecs)}`),
    );
  }

  get blending(): AutoCodec {
    return new AutoCodec(
      this.codecs.map((codec) => codec.blending),
      true,
    );
  }

  /** As WavetableCodec's encode. @throws QualityNotReachedError, with the best of all, if none of them reaches it. */
  async encode(
    wavetable: tf.Tensor3D | HostWavetable,
    quality: Quality = 0.95,
    options: EncodeOptions = {},
  ): Promise<CompressedWavetable> {
    checkQuality('auto: encode', quality);
    const host = await hostWavetable('auto: encode', wavetable);
    const { finite } = statisticsOf(host.values, host.shape);
    const able = this.codecs.filter((codec) => finite || codec.takesNonFinite);
    check(
      able.length > 0,
      () =>
        new ArgumentError('auto: encode: none of its codecs keeps NaN and ±∞, and this wavetable has some'),
    );
    let chosen: { codec: WavetableCodec; made: CompressedWavetable } | null = null;
    let best: QualityNotReachedError['best'] = null;
    try {
      for (const codec of able) {
        await pause(options.signal);
        try {
          const made = await codec.encode(host, quality, options);
          if (chosen && !this.#prefers({ codec, made }, chosen, quality)) made.dispose();
          else {
            chosen?.made.dispose();
            chosen = { codec, made };
          }
        } catch (error) {
          if (!(error instanceof QualityNotReachedError)) throw error;
          if (error.best && (!best || error.best.relativeError < best.relativeError)) best = error.best;
        }
      }
    } catch (error) {
      chosen?.made.dispose();
      throw error;
    }
    if (!chosen) throw new QualityNotReachedError('auto: encode', quality, best);
    return chosen.made;
  }

  /** As the decode of the codec that was chosen. */
  decode(compressed: Decodable, options: DecodeOptions = {}): tf.Tensor3D {
    return knownCodec(compressed.codec).decode(compressed, options);
  }

  #prefers(a: Candidate, b: Candidate, quality: Quality): boolean {
    if (typeof quality === 'object' && 'bytes' in quality) {
      const [of, against] = [a.made.achieved.relativeError, b.made.achieved.relativeError];
      return of === against ? a.made.sizeBytes < b.made.sizeBytes : of < against;
    }
    const worth = ({ codec, made }: Candidate) =>
      made.sizeBytes * (this.preferBlending && !blends(codec) ? WORTH_DECODING : 1);
    return worth(a) < worth(b);
  }
}

interface Candidate {
  codec: WavetableCodec;
  made: CompressedWavetable;
}

const blends = (codec: WavetableCodec): boolean => Object.keys(codec.forms).length > 0;
