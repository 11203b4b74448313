/** Coordinates in the hierarchy's index space, on the host or on the device, as each level wants them. */
import * as tf from '@tensorflow/tfjs';
import { CoordinateError, check, DeviceError } from '../../errors.js';
import { findDevice } from '../../ops/device.js';
import { permuteRows } from '../../ops/permute.js';
import { isOwnSpace, toLevel, toLevelTensor } from './axis.js';
import type { HierarchySettings, OctaveLevel } from './levels.js';

/** N rows (x, y, z): values that came from the host stay there, so that policies that must read them can. */
export class LevelCoords {
  constructor(readonly values: Float32Array | tf.Tensor2D) {}

  get count(): number {
    return this.values instanceof tf.Tensor ? this.values.shape[0] : this.values.length / 3;
  }

  /** The rows in a level's index space. Gradients: coords, if a tensor. */
  at({ axes }: OctaveLevel): Float32Array | tf.Tensor2D {
    if (axes.every(isOwnSpace)) return this.values;
    const { values } = this;
    if (!(values instanceof tf.Tensor)) return values.map((p, i) => toLevel(axes[i % 3], p));
    const n = this.count;
    const columns = axes.map((place, j) =>
      toLevelTensor(place, tf.slice(values, [0, j], [n, 1]).reshape([n]) as tf.Tensor1D),
    );
    return tf.stack(columns, 1) as tf.Tensor2D;
  }

  slice(first: number, count: number): LevelCoords {
    const { values } = this;
    if (!(values instanceof tf.Tensor))
      return new LevelCoords(values.subarray(3 * first, 3 * (first + count)));
    return new LevelCoords(tf.slice(values, [first, 0], [count, 3]));
  }

  permuted(order: Int32Array): LevelCoords {
    const { values } = this;
    if (values instanceof tf.Tensor) return new LevelCoords(permuteRows(values, order));
    const out = new Float32Array(values.length);
    order.forEach((from, to) => {
      out.set(values.subarray(3 * from, 3 * from + 3), 3 * to);
    });
    return new LevelCoords(out);
  }

  /** With rows of NaN where `isBad`. */
  spoiled(isBad: (i: number) => boolean): LevelCoords {
    const bad = Array.from({ length: this.count }, (_, i) => i).filter(isBad);
    if (bad.length === 0) return this;
    if (this.values instanceof tf.Tensor) {
      const spoil = new Float32Array(this.count);
      for (const i of bad) spoil[i] = Number.NaN;
      return this.spoiledBy(tf.tensor1d(spoil));
    }
    const out = this.values.slice();
    for (const i of bad) out.fill(Number.NaN, 3 * i, 3 * i + 3);
    return new LevelCoords(out);
  }

  /** @param spoil [N] 0, or NaN of rows to be spoiled. */
  spoiledBy(spoil: tf.Tensor): LevelCoords {
    const { values } = this;
    const tensor = values instanceof tf.Tensor ? values : tf.tensor2d(values, [this.count, 3]);
    return new LevelCoords(tf.add(tensor, spoil.reshape([-1, 1])) as tf.Tensor2D);
  }

  /** [N] bool: whether a row is finite. No gradient. */
  finite(): tf.Tensor {
    const { values } = this;
    if (values instanceof tf.Tensor) return tf.all(tf.isFinite(values), 1);
    const rows = Array.from({ length: this.count }, (_, i) =>
      Number.isFinite(values[3 * i] + values[3 * i + 1] + values[3 * i + 2]),
    );
    return tf.tensor1d(rows, 'bool');
  }
}

/**
 * Boundary 'error', of the hierarchy's own ends: what a level's cube sees has been brought into its range.
 * @throws CoordinateError for a coordinate outside; DeviceError where it cannot be read at once.
 */
export function checkEnds(where: string, { values }: LevelCoords, settings: HierarchySettings): void {
  const { dims, boundary, levels } = settings;
  // Cubes of the same grid see the coordinates as they are, and check them.
  if (!boundary.includes('error') || levels.every(({ axes }) => axes.every(isOwnSpace))) return;
  check(
    !(values instanceof tf.Tensor) || (findDevice(tf.getBackend())?.readsSync ?? false),
    () =>
      new DeviceError(
        `${where}: boundary 'error' must read the coordinates, which the backend '${tf.getBackend()}' cannot do at once; ` +
          "give them as an array, use boundary 'clamp', or the wasm or cpu backend",
      ),
  );
  const at = values instanceof tf.Tensor ? values.dataSync<'float32'>() : values;
  for (let i = 0; i < at.length; i++) {
    const j = i % 3;
    check(
      boundary[j] !== 'error' || !Number.isFinite(at[i]) || (at[i] >= 0 && at[i] <= dims[j] - 1),
      () =>
        new CoordinateError(
          `${where}: coords[${(i - j) / 3}] must lie in the grid (${'xyz'[j]} in [0, ${dims[j] - 1}], boundary 'error'), got ${at[i]}`,
        ),
    );
  }
}
