/**
 * All nodes of a cube at one resolution as one page, a row a cell, zeros where there is no node: what methods need whose samples
 * are not made of nearby nodes as they are stored. bspline reads the coefficients of them all, monotone nodes and their
 * neighbours at one resolution.
 *
 * A page is kept until a node changes or the cube moves, the last ones used up to `limitBytes` together; a larger one is made
 * anew for each call. Those of a trainable cube, or one whose
 * axes are trained, are never kept: gradients go through their making, and steps change what they are made of.
 */
import * as tf from '@tensorflow/tfjs';
import { check, DeviceError } from '../../errors.js';
import { findDevice } from '../../ops/device.js';
import { untaped } from '../../ops/taps.js';
import { trainsAxes } from '../axes.js';
import type { Settings } from '../options.js';

/** Of pages that are kept, unless the cube's cacheBytes are more; none where they are 0. */
const KEPT_BYTES = 256 * 2 ** 20;

/** What errors call them. */
export const COEFFICIENTS = "the coefficients of method 'bspline'";
export const NODES = "what method 'monotone' reads";

export class FullPages {
  /** The least recently used first. */
  readonly #kept = new Map<string, tf.Tensor2D>();
  #grid: tf.Tensor3D | null = null;
  readonly limitBytes: number;

  constructor(private readonly settings: Settings) {
    const { cacheBytes } = settings;
    this.limitBytes = cacheBytes === 0 ? 0 : Math.max(cacheBytes, KEPT_BYTES);
  }

  /**
   * [cells, payload]: the page of this name at a resolution, made by `make` unless it is kept.
   * @throws DeviceError, before anything is made, if the active backend cannot hold it.
   */
  page(where: string, name: string, [h, w]: readonly [number, number], make: () => tf.Tensor2D): tf.Tensor2D {
    const { dims, channels } = this.settings;
    const trainable = this.settings.trainable || trainsAxes(this.settings);
    const key = `${name} ${h} ${w}`;
    const known = this.#kept.get(key);
    if (known) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known;
    }
    const bytes = 4 * dims[0] * dims[1] * dims[2] * h * w * channels;
    checkFits(where, name, this.settings, [h, w]);
    if (trainable || bytes > this.limitBytes) return make();
    const made = tf.keep(untaped(() => tf.tidy(make)));
    for (const other of this.#kept.keys()) {
      if (this.residentBytes + bytes <= this.limitBytes) break;
      this.#forget(other);
    }
    this.#kept.set(key, made);
    return made;
  }

  /** Whether a page is kept. */
  has(name: string, [h, w]: readonly [number, number]): boolean {
    return this.#kept.has(`${name} ${h} ${w}`);
  }

  /** [X, Y, Z] int32: every cell's row is its own number. Kept. */
  grid(): tf.Tensor3D {
    if (!this.#grid) {
      const { dims } = this.settings;
      const rows = Int32Array.from({ length: dims[0] * dims[1] * dims[2] }, (_, cell) => cell);
      this.#grid = tf.keep(untaped(() => tf.tensor3d(rows, dims, 'int32')));
    }
    return this.#grid;
  }

  get residentBytes(): number {
    let sum = 0;
    for (const { size } of this.#kept.values()) sum += 4 * size;
    return sum;
  }

  get indexBytes(): number {
    return this.#grid ? 4 * this.#grid.size : 0;
  }

  /** A node is another one now. */
  drop(): void {
    for (const key of [...this.#kept.keys()]) this.#forget(key);
  }

  dispose(): void {
    this.drop();
    this.#grid?.dispose();
    this.#grid = null;
  }

  #forget(key: string): void {
    this.#kept.get(key)?.dispose();
    this.#kept.delete(key);
  }
}

/** @throws DeviceError if the active backend cannot hold a page of all nodes at a resolution. */
export function checkFits(
  where: string,
  name: string,
  { dims, channels }: Settings,
  [h, w]: readonly [number, number],
): void {
  const bytes = 4 * dims[0] * dims[1] * dims[2] * h * w * channels;
  const backend = tf.getBackend();
  const device = findDevice(backend);
  const limit = Math.min(
    device?.maxPageBytes() ?? Number.POSITIVE_INFINITY,
    device?.maxTotalBytes ?? Number.POSITIVE_INFINITY,
  );
  check(
    bytes <= limit,
    () =>
      new DeviceError(
        `${where}: ${name}: all ${dims.join(' × ')} nodes as one tensor, at [${h}, ${w}, ${channels}], have ${bytes} bytes, and ` +
          `the backend '${backend}' can bind ${limit}; ask for a lower resolution, or a method that reads nearby nodes only (cardinal)`,
      ),
  );
}
