/** A field at one resolution on the active backend: what Adam fits many Gaussians to. */
import * as tf from '@tensorflow/tfjs';
import { gaussians, gaussiansGrad } from '../../ops/gaussians.js';
import { meanSquare } from '../../ops/meansquare.js';
import { resample } from '../../ops/resample.js';
import type { Lattice, Planes } from './lattice.js';
import { countOf, type Mixture, SHAPE_SIZE } from './mixture.js';

export interface Gradient {
  /** [K, 5 + C] of ½ Σ r², or of its sharpened form. */
  values: Float32Array;
  /** Σ r² over all planes and points. */
  energy: number;
}

const ANY_AXIS = { h: false, w: false };

/** Components [1, K, 5 + C] of a mixture, as the op takes them. */
function tensorOf({ channels, shapes, amplitudes }: Mixture, count: number): tf.Tensor3D {
  const size = SHAPE_SIZE + channels;
  const values = new Float32Array(count * size);
  for (let k = 0; k < count; k++) {
    for (let s = 0; s < SHAPE_SIZE; s++) values[k * size + s] = shapes[k * SHAPE_SIZE + s];
    for (let c = 0; c < channels; c++) values[k * size + SHAPE_SIZE + c] = amplitudes[k * channels + c];
  }
  return tf.tensor3d(values, [1, count, size]);
}

/** Owns a tensor: dispose it. Mixtures handed to it have at least one component. */
export class Canvas {
  private constructor(
    readonly height: number,
    readonly width: number,
    readonly channels: number,
    private readonly target: tf.Tensor4D,
  ) {}

  static of({ height, width, planes }: Planes): Canvas {
    const channels = planes.length;
    const values = new Float32Array(height * width * channels);
    planes.forEach((plane, c) => {
      for (let i = 0; i < plane.length; i++) values[i * channels + c] = plane[i];
    });
    return new Canvas(height, width, channels, tf.tensor4d(values, [1, height, width, channels]));
  }

  /** The same field, of what `height` rows and `width` columns hold of it. */
  resampled(height: number, width: number): Canvas {
    return new Canvas(height, width, this.channels, resample(this.target, height, width, ANY_AXIS));
  }

  get points(): number {
    return this.height * this.width;
  }

  /** Its points, with planes of the given residual. */
  lattice(planes: Float64Array[]): Lattice {
    const { height, width } = this;
    return {
      height,
      width,
      x0: 0.5 / width,
      stepX: 1 / width,
      y0: 0.5 / height,
      stepY: 1 / height,
      planes,
      area: 1,
    };
  }

  #rendered(mixture: Mixture): tf.Tensor4D {
    return gaussians(tensorOf(mixture, countOf(mixture)), this.height, this.width);
  }

  /** The field less the mixture, on the host: one plane a channel. */
  async residual(mixture: Mixture): Promise<Float64Array[]> {
    const left = tf.tidy(() =>
      countOf(mixture) > 0 ? tf.sub(this.target, this.#rendered(mixture)) : this.target.clone(),
    );
    const values = await left.data<'float32'>();
    left.dispose();
    const { channels } = this;
    return Array.from({ length: channels }, (_, c) =>
      Float64Array.from({ length: this.points }, (_, i) => values[i * channels + c]),
    );
  }

  /** @param sharpness κ: errors of a bound's size, 1, count 1 + κ times; 0 is least squares. */
  async gradient(mixture: Mixture, sharpness = 0): Promise<Gradient> {
    const count = countOf(mixture);
    const [gradient, mean] = tf.tidy(() => {
      const components = tensorOf(mixture, count);
      const error = tf.sub(gaussians(components, this.height, this.width), this.target) as tf.Tensor4D;
      const pull = sharpness > 0 ? tf.mul(error, tf.add(tf.mul(tf.square(error), sharpness), 1)) : error;
      return [gaussiansGrad(components, pull as tf.Tensor4D), meanSquare(error)];
    });
    const [values, [energy]] = await Promise.all([gradient.data<'float32'>(), mean.data<'float32'>()]);
    tf.dispose([gradient, mean]);
    return { values: values as Float32Array, energy: energy * this.points * this.channels };
  }

  /** ⟨G_k, field less mixture⟩, [K, C]. */
  async projections(mixture: Mixture): Promise<Float64Array> {
    const { values } = await this.gradient(mixture);
    const { channels } = this;
    const size = SHAPE_SIZE + channels;
    return Float64Array.from(
      { length: countOf(mixture) * channels },
      (_, i) => -values[Math.floor(i / channels) * size + SHAPE_SIZE + (i % channels)],
    );
  }

  /** ⟨G_k, Σ_l a_l G_l⟩ of given amplitudes, [K, C]. */
  async gram(mixture: Mixture): Promise<Float64Array> {
    const count = countOf(mixture);
    const { channels } = this;
    const product = tf.tidy(() => {
      const components = tensorOf(mixture, count);
      const gradient = gaussiansGrad(components, gaussians(components, this.height, this.width));
      return tf.slice(gradient, [0, 0, SHAPE_SIZE], [1, count, channels]);
    });
    const values = await product.data<'float32'>();
    product.dispose();
    return Float64Array.from(values);
  }

  /** Σ G_k r² over all channels, [K]: the error that lies where a Gaussian does. */
  async errors(mixture: Mixture): Promise<Float64Array> {
    const count = countOf(mixture);
    const sums = tf.tidy(() => {
      const square = tf.square(tf.sub(this.#rendered(mixture), this.target));
      const shapes = tensorOf(
        { ...mixture, channels: 1, amplitudes: new Float64Array(count).fill(1) },
        count,
      );
      const gradient = gaussiansGrad(shapes, tf.sum(square, 3, true) as tf.Tensor4D);
      return tf.slice(gradient, [0, 0, SHAPE_SIZE], [1, count, 1]);
    });
    const values = await sums.data<'float32'>();
    sums.dispose();
    return Float64Array.from(values);
  }

  dispose(): void {
    this.target.dispose();
  }
}
