/**
 * An axis in the user's own coordinates: n nodes at strictly increasing positions t_0 … t_{n−1}. Pure, in float64; ops/locate.ts
 * and ops/axistaps.ts are the same on tensors.
 *
 * A coordinate u lies in a cell k, which begins at t_k and has a length h_k, at a fraction f of it. It is at r = k + f in index
 * space, and interpolation between nodes is as interpolation/stencil.ts says of r: the map is piecewise linear, right-hand at
 * nodes and left-hand at the last. An axis has n − 1 cells, a wrapped one n.
 *
 *   boundary           outside
 *   clamp, error       the outermost node
 *   wrap               u modulo the period P; the last cell, from t_{n−1} to t_0 + P, has what P leaves
 *   reflect            mirrored about the outermost positions, period 2(t_{n−1} − t_0)
 *   zero               fades out over one cell as long as the outermost one
 *   extrapolate        along the outermost cell
 *
 * Cells beyond the ends, which methods of four taps ask for, are as long as the outermost one; on a wrapped axis they go round,
 * on a reflected one they are mirrored. An axis of one node has a cell of length 1 (wrap: P; of min and max: max − min).
 */
import { ArgumentError, check, checkOptionNames, shown } from '../errors.js';
import { type Boundary, boundaryCode } from './stencil.js';

const WRAP = boundaryCode('wrap');
const REFLECT = boundaryCode('reflect');
const ZERO = boundaryCode('zero');
const EXTRAPOLATE = boundaryCode('extrapolate');

/** How a user states an axis: where its nodes stand, or between which values they are spread. */
export type AxisOption =
  | ArrayLike<number>
  | { min: number; max: number; period?: number }
  | { positions: ArrayLike<number>; trainable?: boolean; period?: number };

/** An axis as it was checked. */
export interface AxisSpec {
  /** Of the nodes, strictly increasing also when rounded to float32. */
  readonly positions: readonly number[];
  /** Distance of the nodes where it is the same everywhere, by { min, max }: u goes to index space by one affine map. Else null. */
  readonly spacing: number | null;
  /** Of a wrapped axis, else null. */
  readonly period: number | null;
  /** The positions are variables, but the outermost. */
  readonly trainable: boolean;
}

/**
 * Checks what a user states of the axis `name`, of n nodes.
 * @throws ArgumentError unless it is n finite, strictly increasing positions, or min < max; for a period that is missing, not
 * above the span, or of an axis that is not wrapped; for trainable positions of fewer than three nodes.
 */
export function checkAxis(name: string, n: number, option: unknown, boundary: Boundary): AxisSpec {
  const where = `WavetableMatrix: axes.${name}`;
  const list = isList(option);
  check(
    list || (typeof option === 'object' && option !== null),
    () =>
      new ArgumentError(
        `${where}: must be a list of ${n} positions, { min, max } or { positions, trainable, period }, got ${shown(option)}`,
      ),
  );
  const uniform = !list && 'min' in (option as object);
  if (!list) {
    const known = uniform ? ['min', 'max', 'period'] : ['positions', 'trainable', 'period'];
    checkOptionNames(where, option, known);
  }
  const given = option as {
    min: number;
    max: number;
    positions: unknown;
    trainable?: unknown;
    period?: unknown;
  };
  const positions = uniform
    ? between(where, n, given.min, given.max)
    : checkPositions(where, n, list ? option : given.positions);
  const trainable = !list && given.trainable !== undefined ? given.trainable : false;
  check(
    typeof trainable === 'boolean',
    () => new ArgumentError(`${where}: trainable must be true or false, got ${shown(trainable)}`),
  );
  check(
    !trainable || n >= 3,
    () =>
      new ArgumentError(
        `${where}: the outermost positions are fixed, so that trainable ones need three nodes, got ${n}`,
      ),
  );
  const spread = uniform ? (given.max - given.min) / Math.max(1, n - 1) : null;
  const period = checkPeriod(where, positions, boundary, list ? undefined : given.period, spread);
  const spacing = spread !== null && (period === null || period === n * spread) ? spread : null;
  return { positions, spacing, period, trainable };
}

const isList = (x: unknown): x is ArrayLike<number> =>
  Array.isArray(x) || (ArrayBuffer.isView(x) && !(x instanceof DataView));

function between(where: string, n: number, min: unknown, max: unknown): number[] {
  check(
    Number.isFinite(min) && Number.isFinite(max) && Math.fround(min as number) < Math.fround(max as number),
    () => new ArgumentError(`${where}: min must be below max (float32), got ${shown(min)} and ${shown(max)}`),
  );
  const [low, high] = [min as number, max as number];
  const positions = Array.from({ length: n }, (_, i) => low + (i * (high - low)) / Math.max(1, n - 1));
  if (n > 1) positions[n - 1] = high;
  return increasing(where, positions);
}

function checkPositions(where: string, n: number, positions: unknown): number[] {
  check(
    isList(positions) && positions.length === n,
    () =>
      new ArgumentError(
        `${where}: must have ${n} positions, one a node, got ${isList(positions) ? positions.length : shown(positions)}`,
      ),
  );
  return increasing(where, Array.from(positions));
}

function increasing(where: string, positions: number[]): number[] {
  positions.forEach((t, i) => {
    check(
      Number.isFinite(t) && Number.isFinite(Math.fround(t)),
      () => new ArgumentError(`${where}: positions must be finite numbers, got ${shown(t)} at ${i}`),
    );
    check(
      i === 0 || Math.fround(t) > Math.fround(positions[i - 1]),
      () =>
        new ArgumentError(
          `${where}: positions must increase (as float32 numbers), got ${positions[i - 1]}, ${t} at ${i - 1}, ${i}`,
        ),
    );
  });
  return positions;
}

function checkPeriod(
  where: string,
  positions: readonly number[],
  boundary: Boundary,
  period: unknown,
  spread: number | null,
): number | null {
  if (boundary !== 'wrap') {
    check(
      period === undefined,
      () => new ArgumentError(`${where}: period is of a wrapped axis, got it with boundary '${boundary}'`),
    );
    return null;
  }
  if (period === undefined && spread !== null) return positions.length * spread;
  const span = positions[positions.length - 1] - positions[0];
  check(
    typeof period === 'number' && Number.isFinite(period) && Math.fround(period) > Math.fround(span),
    () =>
      new ArgumentError(
        `${where}: a wrapped axis needs a period above ${span}, from the first node to the last, got ${shown(period)}`,
      ),
  );
  return period;
}

/** How a user would state the axis, at these positions. */
export function axisOption(
  { spacing, period, trainable, positions: first }: AxisSpec,
  positions = first,
): AxisOption {
  const n = positions.length;
  const around = period === null ? {} : { period };
  if (spacing !== null) return { min: positions[0], max: n > 1 ? positions[n - 1] : positions[0] + spacing };
  if (!trainable && period === null) return [...positions];
  return { positions: [...positions], ...(trainable && { trainable }), ...around };
}

/** Where the n nodes of an axis stand that axisOption stated; without one those of index space. */
export function positionsOf(option: AxisOption | undefined, n: number): number[] {
  if (option === undefined) return [...Array(n).keys()];
  if ('min' in option) return between('axes', n, option.min, option.max);
  return Array.from('positions' in option ? option.positions : option);
}

/** Where the nodes of an axis are, and how long its cells. */
export interface AxisGeometry {
  readonly positions: ArrayLike<number>;
  readonly lengths: ArrayLike<number>;
  readonly period: number | null;
}

/** The geometry of an axis, at its own or at other positions. */
export function geometryOf(
  { positions: first, spacing, period }: AxisSpec,
  positions: ArrayLike<number> = first,
): AxisGeometry {
  const n = positions.length;
  const lengths = Array.from({ length: n - 1 }, (_, i) => positions[i + 1] - positions[i]);
  if (period !== null) lengths.push(positions[0] + period - positions[n - 1]);
  return { positions, period, lengths: lengths.length ? lengths : [spacing ?? 1] };
}

/** The cell, of `cells`, that says how long cell k is. */
export function lengthCell(k: number, cells: number, code: number): number {
  if (code === WRAP) return ((k % cells) + cells) % cells;
  if (code === REFLECT) {
    const m = ((k % (2 * cells)) + 2 * cells) % (2 * cells);
    return m < cells ? m : 2 * cells - 1 - m;
  }
  return Math.min(Math.max(k, 0), cells - 1);
}

/** How a coordinate is brought onto an axis: u' = sign · u + lift · t_0 + turns · T, T the period or 2(t_{n−1} − t_0). */
export interface Fold {
  sign: number;
  lift: number;
  turns: number;
}

/** Where finite u lies: below a cell, in it or above it. */
export interface AxisPlace {
  /** The cell that u is measured in, 0 … cells − 1. */
  cell: number;
  /** (u' − t_cell) / h_cell: outside [0, 1] beyond an axis that is not folded. */
  fraction: number;
  fold: Fold;
}

/** The fold of u onto an axis from `first`, of a `turn` T. */
export function foldOf(u: number, first: number, turn: number, code: number): Fold {
  if (code !== WRAP && code !== REFLECT) return { sign: 1, lift: 0, turns: 0 };
  const k = Math.floor((u - first) / turn);
  if (code === WRAP || 2 * (u - first - k * turn) <= turn) return { sign: 1, lift: 0, turns: -k || 0 };
  return { sign: -1, lift: 2, turns: k + 1 };
}

/** The last of the ascending numbers from which on v lies; 0 below them. */
export function cellOfValue(ascending: ArrayLike<number>, cells: number, v: number): number {
  let low = 0;
  let high = cells;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (v >= ascending[middle]) low = middle;
    else high = middle;
  }
  return low;
}

/** Where finite u lies on an axis. */
export function placeOn(u: number, { positions, lengths, period }: AxisGeometry, code: number): AxisPlace {
  const n = positions.length;
  const turn = code === REFLECT ? 2 * (positions[n - 1] - positions[0]) : (period ?? 0);
  if (n === 1 && code !== WRAP) {
    const fraction = code === ZERO ? (u - positions[0]) / lengths[0] : 0;
    return { cell: 0, fraction, fold: { sign: 1, lift: 0, turns: 0 } };
  }
  const fold = foldOf(u, positions[0], turn, code);
  const folded = fold.sign * u + fold.lift * positions[0] + fold.turns * turn;
  const cell = cellOfValue(positions, lengths.length, folded);
  return { cell, fraction: (folded - positions[cell]) / lengths[cell], fold };
}

/** Cells beyond an axis of boundary clamp, error or zero from which on nothing depends on the coordinate any more. */
export const FAR = 4;

/** Finite u in index space, as the kernels of ops/contract.ts take it; at most FAR cells beyond where that is all the same. */
export function indexOf(u: number, axis: AxisGeometry, code: number): number {
  const { cell, fraction } = placeOn(u, axis, code);
  const index = cell + fraction;
  if (code === WRAP || code === REFLECT || code === EXTRAPOLATE) return index;
  return Math.min(Math.max(index, -FAR), axis.lengths.length + FAR);
}
