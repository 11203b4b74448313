/** Small codecs of each kind of form, for the laws that cubes keep with any codec, a user's own included. */
import * as tf from '@tensorflow/tfjs';
import {
  type DecodeContext,
  type Form,
  FormatError,
  type HostWavetable,
  type Parameters,
  provideCodec,
  QualityNotReachedError,
  resample,
  type Target,
  WavetableCodec,
} from '../../src/index.js';

type Shape = readonly [number, number, number];

const floatsOf = (bytes: Uint8Array) => new Float32Array(bytes.slice().buffer);
const bytesOf = (values: Float32Array) => new Uint8Array(values.slice().buffer);

/** Linear: the top left corner of a wavetable that is zero elsewhere, [kh, kw, C]. */
class CornerCodec extends WavetableCodec {
  readonly id = 'test-corner';
  readonly version = 1;
  override readonly forms: Readonly<Record<string, Form>> = {
    corner: {
      kind: 'linear',
      size: ([h, w]) => [h, w],
      decode: (corner, { shape: [h, w], resolution, periodic }: DecodeContext) => {
        const [, kh, kw] = corner.shape;
        const whole = tf.pad(corner, [
          [0, 0],
          [0, h - kh],
          [0, w - kw],
          [0, 0],
        ]) as tf.Tensor4D;
        return resample(whole, resolution[0], resolution[1], periodic);
      },
    },
  };

  protected async compress({ values, shape }: HostWavetable, _target: Target): Promise<Uint8Array> {
    const [h, w, c] = shape;
    let kh = 0;
    let kw = 0;
    for (let i = 0; i < values.length; i++) {
      if (values[i] === 0) continue;
      kh = Math.max(kh, Math.floor(i / (w * c)) + 1);
      kw = Math.max(kw, (Math.floor(i / c) % w) + 1);
    }
    const out = new Float32Array(2 + kh * kw * c);
    out[0] = kh;
    out[1] = kw;
    for (let i = 0; i < Math.min(h, kh); i++) {
      out.set(values.subarray(i * w * c, (i * w + kw) * c), 2 + i * kw * c);
    }
    return bytesOf(out);
  }

  unpack(payload: Uint8Array, shape: Shape): Parameters {
    const [kh, kw, ...values] = floatsOf(payload);
    return {
      params: { corner: { shape: [kh, kw, shape[2]], values: Float32Array.from(values) } },
      constants: {},
    };
  }

  checkParameters(): void {}
}

/** Additive: the non-zero elements as rows [index, value], one channel; at most 16 of them. */
class DotsCodec extends WavetableCodec {
  readonly id = 'test-dots';
  readonly version = 1;
  override readonly forms: Readonly<Record<string, Form>> = {
    dots: {
      kind: 'additive',
      weigh: (dots, weights) => {
        const [at, value] = tf.split(dots, 2, 2);
        return tf.concat([at, tf.mul(value, weights.expandDims(2))], 2) as tf.Tensor3D;
      },
      decode: (dots, { shape: [h, w], resolution, periodic }) => {
        const [n, m] = dots.shape;
        const [at, value] = tf.split(dots, 2, 2);
        const places = tf.tensor1d(at.dataSync().map(Math.round), 'int32');
        const hot = tf
          .oneHot(places, h * w)
          .reshape([n, m, h * w])
          .cast('float32');
        const sum = tf.sum(tf.mul(hot, value), 1).reshape([n, h, w, 1]) as tf.Tensor4D;
        return resample(sum, resolution[0], resolution[1], periodic);
      },
    },
  };

  protected async compress({ values }: HostWavetable): Promise<Uint8Array> {
    const dots = [...values].flatMap((v, i) => (v === 0 ? [] : [i, v]));
    if (dots.length > 32) throw new QualityNotReachedError('dots', null, null);
    return bytesOf(Float32Array.from(dots));
  }

  unpack(payload: Uint8Array): Parameters {
    const values = floatsOf(payload);
    return { params: { dots: { shape: [values.length / 2, 2], values } }, constants: {} };
  }

  checkParameters(): void {}
}

/** Without a form: a trainable gain and the values divided by it. */
class GainCodec extends WavetableCodec {
  readonly id = 'test-gain';
  readonly version = 1;

  protected async compress({ values }: HostWavetable): Promise<Uint8Array> {
    return bytesOf(Float32Array.of(2, ...values.map((v) => v / 2)));
  }

  unpack(payload: Uint8Array, shape: Shape): Parameters {
    const all = floatsOf(payload);
    return {
      params: { gain: { shape: [], values: all.slice(0, 1) } },
      constants: { values: { shape: [...shape], values: all.slice(1) } },
    };
  }

  checkParameters({ params }: Parameters, _shape: Shape, source: string): void {
    if (!params.gain) throw new FormatError(source, 'has no gain');
  }

  protected override reconstruct(
    { gain }: Readonly<Record<string, tf.Tensor>>,
    { values }: Readonly<Record<string, tf.Tensor>>,
    { resolution, periodic }: DecodeContext,
  ): tf.Tensor3D {
    const whole = tf.mul(values, gain).expandDims(0) as tf.Tensor4D;
    return resample(whole, resolution[0], resolution[1], periodic).squeeze([0]);
  }
}

export const TEST_CODECS = [new CornerCodec(), new DotsCodec(), new GainCodec()];
for (const codec of TEST_CODECS) provideCodec(codec);
