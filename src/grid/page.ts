/**
 * A page: one tensor [capacity, lanes] that holds rows of a bank, kept by the cube, a tf.Variable where the cube is
 * trainable. Rows are written in place while nothing else holds the tensor (no alias, no tape); else the page takes
 * a copy first, so that what was sampled or saved before keeps its values.
 */
import * as tf from '@tensorflow/tfjs';
import { type Device, findDevice, isExclusive } from '../ops/device.js';

export type RowValues = Float32Array | Int32Array;

let pagesMade = 0;

export class Page {
  /** Counts up with every page made. */
  readonly serial = pagesMade++;
  #held: tf.Tensor2D;

  /** @param initial [capacity, lanes]; the page takes it over. */
  constructor(
    initial: tf.Tensor2D,
    readonly trainable: boolean,
    /** The bank's row that is row 0 here. */
    readonly firstRow: number,
  ) {
    if (trainable) {
      this.#held = tf.variable(initial, true) as unknown as tf.Tensor2D;
      initial.dispose();
    } else {
      this.#held = tf.keep(initial);
    }
  }

  get tensor(): tf.Tensor2D {
    return this.#held;
  }

  get variable(): tf.Variable {
    return this.#held as unknown as tf.Variable;
  }

  get capacity(): number {
    return this.#held.shape[0];
  }

  get bytes(): number {
    return this.#held.size * 4;
  }

  /** Overwrites whole rows from `row` on. `values` may be kept by nobody: they are copied. */
  write(row: number, values: RowValues): void {
    const device = findDevice(tf.getBackend());
    if (!device) {
      const rows = tf.tensor2d(
        values.slice(),
        [values.length / this.lanes, this.lanes],
        this.#held.dtype as 'float32',
      );
      this.#splice(row, rows);
      rows.dispose();
      return;
    }
    this.#own(device);
    device.write(this.#held, row * this.lanes, values);
  }

  /** As write, from a tensor [k, lanes] on the same backend: of `count` rows from `from` on, by default all. */
  copy(row: number, source: tf.Tensor2D, from = 0, count = source.shape[0] - from): void {
    const device = findDevice(tf.getBackend());
    if (device) {
      this.#own(device);
      device.copy(this.#held, row * this.lanes, source, from * this.lanes, count * this.lanes);
    } else {
      tf.tidy(() => this.#splice(row, tf.slice(source, [from, 0], [count, -1])));
    }
  }

  /** Grows to `capacity` rows; the new ones are zero. Not for trainable pages: optimisers key their moments by shape. */
  grow(capacity: number): void {
    const device = findDevice(tf.getBackend());
    const dtype = this.#held.dtype as 'float32';
    if (device) {
      // Copied by the device: a stock op may not keep all bits of int32 lanes.
      const grown = tf.fill([capacity, this.lanes], 0, dtype) as tf.Tensor2D;
      device.copy(grown, 0, this.#held);
      this.replace(grown);
      return;
    }
    this.replace(
      tf.tidy(() => {
        const more = tf.zeros([capacity - this.capacity, this.lanes], dtype);
        return tf.concat([this.#held, more], 0) as tf.Tensor2D;
      }),
    );
  }

  /** Puts another tensor of the same lanes in place; the page takes it over. */
  replace(next: tf.Tensor2D): void {
    if (this.trainable) {
      this.variable.assign(next);
      next.dispose();
    } else {
      this.#held.dispose();
      this.#held = tf.keep(next);
    }
  }

  dispose(): void {
    this.#held.dispose();
  }

  get lanes(): number {
    return this.#held.shape[1];
  }

  /** Makes this page the only holder of its data. */
  #own(device: Device): void {
    if (isExclusive(this.#held)) return;
    // Fill makes a buffer of its own on every backend; Identity and slice may not.
    const copy = tf.fill(this.#held.shape, 0, this.#held.dtype as 'float32') as tf.Tensor2D;
    device.copy(copy, 0, this.#held);
    this.replace(copy);
  }

  /** The functional way, for a backend that announced no device. */
  #splice(row: number, rows: tf.Tensor2D): void {
    this.replace(
      tf.tidy(() => {
        const after = row + rows.shape[0];
        const parts: tf.Tensor2D[] = [];
        if (row > 0) parts.push(tf.slice(this.#held, [0, 0], [row, -1]));
        parts.push(rows);
        if (after < this.capacity) parts.push(tf.slice(this.#held, [after, 0], [this.capacity - after, -1]));
        return parts.length > 1 ? (tf.concat(parts, 0) as tf.Tensor2D) : tf.add(rows, 0);
      }),
    );
  }
}
