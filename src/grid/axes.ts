/**
 * The axes of a cube: how the user's coordinates come to index space, and the variables of those whose positions are trained.
 * An axis without a spec is index space itself.
 */
import * as tf from '@tensorflow/tfjs';
import {
  type AxisGeometry,
  type AxisOption,
  type AxisSpec,
  axisOption,
  geometryOf,
} from '../interpolation/axis.js';
import { type HostAxis, locatedOnHost, locateOnHost } from '../ops/axishost.js';
import { type AxisReading, splineBandsAt } from '../ops/axistaps.js';
import { findDevice } from '../ops/device.js';
import { type KnotRange, knotPositions, knotRange, knotVariables } from '../ops/knots.js';
import { type AxisForm, type Located, locate } from '../ops/locate.js';
import { onTape } from '../ops/tape.js';
import { boundaryCodes, type Settings } from './options.js';
import type { BatchCoords } from './sampling/reading.js';

export const AXIS_NAMES = ['x', 'y', 'z'] as const;
export type AxisName = (typeof AXIS_NAMES)[number];

/** An axis whose positions are trained. */
interface Knots {
  variable: tf.Variable;
  range: KnotRange;
  /** As they were last read. */
  known: readonly number[];
}

export class CubeAxes {
  readonly #settings: Settings;
  readonly #knots: (Knots | null)[];

  constructor(settings: Settings) {
    this.#settings = settings;
    const ranges = settings.axes.map((axis, j) =>
      axis?.trainable ? knotRange(`WavetableMatrix: axes.${AXIS_NAMES[j]}`, axis.positions) : null,
    );
    this.#knots = settings.axes.map((axis, j) => {
      const range = ranges[j];
      if (!axis || !range) return null;
      const initial = tf.tensor1d(knotVariables(axis.positions, range));
      const variable = tf.variable(initial, true);
      initial.dispose();
      return { variable, range, known: axis.positions };
    });
  }

  /** The variables of the trained axes: x, y, z. */
  variables(): tf.Variable[] {
    return this.#knots.flatMap((knots) => (knots ? [knots.variable] : []));
  }

  /** [n] positions of an axis, on the tape where they are trained. */
  positions(j: number): tf.Tensor1D {
    const knots = this.#knots[j];
    if (knots) return knotPositions(knots.variable as unknown as tf.Tensor1D, knots.range);
    const { dims, axes } = this.#settings;
    return tf.tensor1d(Float32Array.from(axes[j]?.positions ?? Array(dims[j]).keys()));
  }

  /** Coordinates in the user's units, with where they lie in index space. Gradients: coords and positions. */
  locate(user: BatchCoords): BatchCoords {
    const { axes } = this.#settings;
    // An empty batch lies nowhere, and stock ops of WebGPU cannot take empty tensors apart.
    if (user.tensor.shape[0] === 0 || axes.every((axis) => axis === null)) return user;
    const codes = boundaryCodes(this.#settings);
    // One pass on the host costs less than the stock ops, also where the coordinates are on a device that is read at once.
    const host = user.host ?? hostOf(user.tensor);
    const known = axes.map((axis, j) => this.#hostAxis(axis, j));
    const all = known.every((axis) => axis !== undefined);
    const still = !onTape() || this.variables().length === 0;
    const columns: (Column | null)[] = axes.map((axis, j) => {
      if (!axis) return null;
      if (axis.spacing !== null) return { reading: { spacing: axis.spacing }, index: null };
      return this.#column(user.tensor, j, axis, codes[j], still ? (known[j] as AxisGeometry) : null);
    });
    const readings = columns.map((column) => column?.reading ?? null);
    if (host && all && still) {
      const index = locateOnHost(user.tensor, host, known as HostAxis[], codes);
      return { ...index, axes: readings, user: { tensor: user.tensor, host } };
    }
    const affine = this.#affine(user.tensor);
    const onHost = host && all ? locatedOnHost(host, known as HostAxis[], codes).index : undefined;
    if (columns.every((column) => !column?.index))
      return { tensor: affine, host: onHost, axes: readings, user };
    const index = columns.map(
      (column, j) => column?.index?.() ?? (tf.slice(affine, [0, j], [-1, 1]).flatten() as tf.Tensor),
    );
    return { tensor: tf.stack(index, 1) as tf.Tensor2D, host: onHost, axes: readings, user };
  }

  /** [N, 3] with the affine maps of axes that have one; the others as they are. Gradients: coords. */
  #affine(coords: tf.Tensor2D): tf.Tensor2D {
    const maps = this.#settings.axes.map((axis) =>
      axis && axis.spacing !== null ? affine(axis) : { first: 0, span: 1, cells: 1 },
    );
    if (maps.every(({ first, span, cells }) => first === 0 && span === cells)) return coords;
    const of = (name: 'first' | 'span' | 'cells') => tf.tensor1d(maps.map((map) => map[name]));
    // A quotient of 1 at the last node, exactly.
    return tf.mul(tf.div(tf.sub(coords, of('first')), of('span')), of('cells'));
  }

  /** An axis with positions; what tensors need of it is made when it is asked for. */
  #column(
    coords: tf.Tensor2D,
    j: number,
    axis: AxisSpec,
    code: number,
    geometry: AxisGeometry | null,
  ): Column {
    const form: AxisForm = { code, period: axis.period, single: 1 };
    let positions: tf.Tensor1D | null = null;
    let located: Located | null = null;
    const at = () => {
      positions ??= this.positions(j);
      return positions;
    };
    const find = () => {
      located ??= locate(tf.slice(coords, [0, j], [-1, 1]).flatten() as tf.Tensor1D, at(), form);
      return located;
    };
    const reading = {
      get located() {
        return find();
      },
      get positions() {
        return at();
      },
      form,
      geometry,
    };
    return { reading, index: () => find().index };
  }

  /** Of each axis with positions the bands of its spline's prefilter; null of the others. Gradients: positions. */
  splineBands(): (tf.Tensor2D | null)[] {
    const codes = boundaryCodes(this.#settings);
    return this.#settings.axes.map((axis, j) => {
      if (!axis || axis.spacing !== null || this.#settings.dims[j] === 1) return null;
      return splineBandsAt(this.positions(j), { code: codes[j], period: axis.period, single: 1 });
    });
  }

  /** An axis as the host reads it; undefined where its positions cannot be read. */
  #hostAxis(axis: AxisSpec | null, j: number): HostAxis | undefined {
    if (!axis) return null;
    if (axis.spacing !== null) return affine(axis);
    const now = this.#readNow(j);
    return now ? geometryOf(axis, Float32Array.from(now)) : undefined;
  }

  /** The positions of an axis as they are now; null where the backend cannot be read at once. */
  #readNow(j: number): readonly number[] | null {
    const knots = this.#knots[j];
    if (!knots) return this.#settings.axes[j]!.positions;
    if (!findDevice(tf.getBackend())?.readsSync || knots.variable.isDisposed) return null;
    knots.known = Array.from(tf.tidy(() => this.positions(j).dataSync()));
    return knots.known;
  }

  /** Whether there are trained positions that `options` cannot read at once. */
  get mustWait(): boolean {
    return this.variables().length > 0 && !findDevice(tf.getBackend())?.readsSync;
  }

  /** Reads trained positions, for `options`. */
  async refresh(): Promise<void> {
    for (const [j, knots] of this.#knots.entries()) {
      if (!knots) continue;
      const positions = tf.tidy(() => this.positions(j));
      knots.known = Array.from(await positions.data());
      positions.dispose();
    }
  }

  /** The axes as a user states them, trained positions as they are, or as they were last read. */
  options(): { [name in AxisName]?: AxisOption } {
    return Object.fromEntries(
      this.#settings.axes.flatMap((axis, j) => {
        if (!axis) return [];
        const knots = this.#knots[j];
        return [[AXIS_NAMES[j], axisOption(axis, knots ? (this.#readNow(j) ?? knots.known) : undefined)]];
      }),
    );
  }

  /** The axes as they were stated, trained positions as they were at first. */
  statedOptions(): { [name in AxisName]?: AxisOption } {
    return Object.fromEntries(
      this.#settings.axes.flatMap((axis, j) => (axis ? [[AXIS_NAMES[j], axisOption(axis)]] : [])),
    );
  }

  /** Takes over the variables' values of axes of the same settings, and what is known of them. */
  copyFrom(other: CubeAxes): void {
    this.#knots.forEach((knots, j) => {
      if (!knots) return;
      const copy = other.#knots[j]!.variable.clone();
      knots.variable.assign(copy);
      copy.dispose();
      knots.known = other.#knots[j]!.known;
    });
  }

  /** What write puts onto another backend. */
  read(): Promise<Float32Array[]> {
    return Promise.all(this.variables().map(async (v) => (await v.data<'float32'>()).slice()));
  }

  write(values: readonly Float32Array[]): void {
    this.variables().forEach((variable, i) => {
      const moved = tf.tensor1d(values[i]);
      variable.assign(moved);
      moved.dispose();
    });
  }

  dispose(): void {
    for (const variable of this.variables()) variable.dispose();
  }
}

/** An axis of a batch: how it is read, and [N] index space where that must be made on the tape. */
interface Column {
  reading: AxisReading;
  index: (() => tf.Tensor) | null;
}

/** The coordinates, where the backend can be read at once. */
function hostOf(coords: tf.Tensor2D): Float32Array | undefined {
  return findDevice(tf.getBackend())?.readsSync ? coords.dataSync<'float32'>() : undefined;
}

/** u − first over span, times cells, in float32. */
function affine({ positions, spacing }: AxisSpec): { first: number; span: number; cells: number } {
  const n = positions.length;
  const first = Math.fround(positions[0]);
  const last = Math.fround(n > 1 ? positions[n - 1] : positions[0] + spacing!);
  return { first, span: Math.fround(last - first), cells: Math.max(1, n - 1) };
}

/** Whether the positions of an axis are variables. */
export const trainsAxes = ({ axes }: Pick<Settings, 'axes'>): boolean => axes.some((axis) => axis?.trainable);

/** The axes' first and last positions, of index space and of settings alike; they never move. */
export function endsOf({ dims, axes }: Settings): [first: number, last: number][] {
  return axes.map((axis, j) => (axis ? [axis.positions[0], axis.positions[dims[j] - 1]] : [0, dims[j] - 1]));
}
