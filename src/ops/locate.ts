/**
 * Coordinates in the user's units, brought to index space on the device: interpolation/axis.ts on tensors. What is piecewise
 * constant in a coordinate (its cell, how it is folded) is found untaped: by the host where the backend can be read at once, else
 * by a binary search of stock ops. The rest is r = k + (u' − t_k) / h_k on the tape, gathered by the sampling kernels, so that
 * gradients of any order come back to coordinates and positions on every backend.
 */
import * as tf from '@tensorflow/tfjs';
import { cellOfValue, FAR, foldOf } from '../interpolation/axis.js';
import { boundaryCode } from '../interpolation/stencil.js';
import type { SamplingAttrs } from './contract.js';
import { activeBackend, findDevice } from './device.js';
import { sampleRows } from './sample.js';
import { untaped } from './taps.js';

const WRAP = boundaryCode('wrap');
const REFLECT = boundaryCode('reflect');
const ZERO = boundaryCode('zero');
const EXTRAPOLATE = boundaryCode('extrapolate');

/** What else than its positions says how coordinates lie on an axis. */
export interface AxisForm {
  /** boundaryCode. */
  code: number;
  /** Of a wrapped axis. */
  period: number | null;
  /** The length of the cell of an axis of one node. */
  single: number;
}

/** Where N coordinates lie on an axis. */
export interface Located {
  /**
   * [N] in index space, NaN where a coordinate is not finite; of a folded axis within it, else outside where u is.
   * Gradients: u, positions; right-hand at nodes, left-hand at the last.
   */
  index: tf.Tensor1D;
  /** [N] float32 numbers of cells; no gradient. */
  cell: tf.Tensor1D;
  /** [N] (u' − t_cell) / h_cell; 0 where u is not finite, or more than four cells beyond an axis that takes no notice. */
  fraction: tf.Tensor1D;
  /** [N] what index has besides: NaN, or where u is that far beyond the cells from there; else 0. No gradient. */
  beyond: tf.Tensor1D;
}

/** [N, F]: rows [R, F] at `index` [N], numbers of rows as float32 constants. Gradients of every second order: rows. */
export function gatherRows(rows: tf.Tensor2D, index: tf.Tensor1D): tf.Tensor2D {
  const [count, payload] = rows.shape;
  const at = untaped(() => {
    const zeros = tf.zerosLike(index);
    return tf.stack([index, zeros, zeros], 1) as tf.Tensor2D;
  });
  const cells = untaped(() => tf.range(0, count, 1, 'int32').reshape([count, 1, 1]) as tf.Tensor3D);
  const attrs: SamplingAttrs = {
    ...{ boundary: [0, 0, 0], payload, half: false, firstRow: 0, rows: count, ordered: true },
  };
  return sampleRows(rows, cells, at, attrs);
}

/** [cells]: how long they are. Gradients: positions. */
export function lengthsOf(positions: tf.Tensor1D, { code, period, single }: AxisForm): tf.Tensor1D {
  const n = positions.shape[0];
  if (n === 1) return tf.fill([1], period ?? single) as tf.Tensor1D;
  const inner = tf.sub(tf.slice(positions, 1, n - 1), tf.slice(positions, 0, n - 1)) as tf.Tensor1D;
  if (code !== WRAP) return inner;
  const last = tf.add(tf.sub(tf.slice(positions, 0, 1), tf.slice(positions, n - 1, 1)), period!);
  return tf.concat([inner, last.flatten()]) as tf.Tensor1D;
}

/**
 * @param u [N] float32. @param positions [n] float32, strictly increasing.
 * Gradients: u, positions; of any order. The period of a wrapped axis is a constant.
 */
export function locate(u: tf.Tensor1D, positions: tf.Tensor1D, form: AxisForm): Located {
  activeBackend();
  const n = positions.shape[0];
  const { code, period } = form;
  const found = untaped(() => {
    const inPlace = findDevice(tf.getBackend())?.readsSync ?? false;
    return inPlace ? searchOnHost(u, positions, form) : searchOnDevice(u, positions, form);
  });
  const [cell, sign, lift, turns, beyond] = tf.unstack(found) as tf.Tensor1D[];
  // A row without a sign is measured at t_0, where its fraction is 0; no row has one on an axis that is one node everywhere.
  const known = tf.where(
    tf.notEqual(sign, 0),
    u,
    untaped(() => tf.zerosLike(u)),
  );
  if (n === 1 && code !== WRAP && code !== ZERO) {
    return { index: tf.add(known, beyond), cell, fraction: known, beyond };
  }
  const first = tf.slice(positions, 0, 1);
  let folded: tf.Tensor = tf.add(tf.mul(known, sign), tf.mul(lift, first));
  if (code === WRAP) {
    folded = tf.add(folded, tf.mul(turns, period!));
  } else if (code === REFLECT) {
    const span = tf.sub(tf.slice(positions, n - 1, 1), first);
    folded = tf.add(folded, tf.mul(turns, tf.mul(span, 2)));
  }
  const lengths = lengthsOf(positions, form);
  const starts = code === WRAP || n === 1 ? positions : tf.slice(positions, 0, n - 1);
  const ends = gatherRows(tf.stack([starts, lengths], 1) as tf.Tensor2D, cell);
  const [start, length] = tf.unstack(ends, 1);
  let fraction = tf.div(tf.sub(folded, start), length) as tf.Tensor1D;
  if (code === WRAP || code === REFLECT) {
    // Rounding may carry a folded coordinate out of its cell.
    const raw = fraction;
    fraction = tf.add(
      raw,
      untaped(() => tf.sub(tf.clipByValue(raw, 0, 1), raw)),
    ) as tf.Tensor1D;
  }
  const index = tf.add(tf.add(cell, fraction), beyond) as tf.Tensor1D;
  return { index, cell, fraction, beyond };
}

/** [5, N]: cell, and the fold's sign (0: none, see `beyond`), lift and turns; beyond. */
function searchOnHost(u: tf.Tensor1D, positions: tf.Tensor1D, { code, period, single }: AxisForm): tf.Tensor {
  const at = u.dataSync<'float32'>();
  const t = positions.dataSync<'float32'>();
  const n = t.length;
  const cells = code === WRAP ? n : Math.max(1, n - 1);
  const count = at.length;
  const out = new Float32Array(5 * count);
  const turn = code === REFLECT ? 2 * (t[n - 1] - t[0]) : (period ?? 0);
  const folds = code === WRAP || (code === REFLECT && n > 1);
  const bounded = !folds && code !== EXTRAPOLATE;
  const lowest = t[0] - FAR * (n > 1 ? t[1] - t[0] : single);
  const highest = t[n - 1] + FAR * (n > 1 ? t[n - 1] - t[n - 2] : single);
  for (let i = 0; i < count; i++) {
    const v = at[i];
    let cell = 0;
    let sign = 0;
    let lift = 1;
    let turns = 0;
    let beyond = 0;
    if (!Number.isFinite(v)) {
      beyond = Number.NaN;
    } else if (n === 1 && code !== WRAP && code !== ZERO) {
      beyond = 0;
    } else if (bounded && (v < lowest || v > highest)) {
      beyond = v < lowest ? -FAR : cells + FAR;
    } else {
      let folded = v;
      sign = 1;
      lift = 0;
      if (folds) {
        ({ sign, lift, turns } = foldOf(v, t[0], turn, code));
        folded = sign * v + lift * t[0] + turns * turn;
      }
      cell = cellOfValue(t, cells, folded);
    }
    out[i] = cell;
    out[count + i] = sign;
    out[2 * count + i] = lift;
    out[3 * count + i] = turns;
    out[4 * count + i] = beyond;
  }
  return tf.tensor2d(out, [5, count]);
}

/** As searchOnHost, in stock ops. */
function searchOnDevice(
  u: tf.Tensor1D,
  positions: tf.Tensor1D,
  { code, period, single }: AxisForm,
): tf.Tensor {
  const n = positions.shape[0];
  const cells = code === WRAP ? n : Math.max(1, n - 1);
  const zeros = tf.zerosLike(u);
  const ones = tf.onesLike(u);
  const finite = tf.isFinite(u);
  const nan = tf.fill(u.shape, Number.NaN);
  if (n === 1 && code !== WRAP && code !== ZERO) {
    return tf.stack([zeros, zeros, ones, zeros, tf.where(finite, zeros, nan)]);
  }
  const position = (i: number) => tf.slice(positions, i, 1);
  const safe = tf.where(finite, u, tf.add(zeros, position(0)));
  const folds = code === WRAP || (code === REFLECT && n > 1);
  let sign: tf.Tensor = ones;
  let lift: tf.Tensor = zeros;
  let turns: tf.Tensor = zeros;
  let folded: tf.Tensor = safe;
  let within: tf.Tensor = finite;
  let beyond: tf.Tensor = zeros;
  if (folds) {
    const turn =
      code === WRAP ? tf.scalar(period!) : tf.mul(tf.sub(position(n - 1), position(0)), 2).asScalar();
    const k = tf.floor(tf.div(tf.sub(safe, position(0)), turn));
    const rest = tf.sub(tf.sub(safe, position(0)), tf.mul(k, turn));
    const falling = code === REFLECT ? tf.greater(tf.mul(rest, 2), turn) : tf.less(ones, 0);
    sign = tf.where(falling, tf.neg(ones), ones);
    lift = tf.where(falling, tf.mul(ones, 2), zeros);
    turns = tf.where(falling, tf.add(k, 1), tf.neg(k));
    folded = tf.add(tf.add(tf.mul(sign, safe), tf.mul(lift, position(0))), tf.mul(turns, turn));
  } else if (code !== EXTRAPOLATE) {
    const low = n > 1 ? tf.sub(position(1), position(0)) : tf.scalar(single);
    const high = n > 1 ? tf.sub(position(n - 1), position(n - 2)) : tf.scalar(single);
    const under = tf.less(safe, tf.sub(position(0), tf.mul(low, FAR)));
    const over = tf.greater(safe, tf.add(position(n - 1), tf.mul(high, FAR)));
    within = tf.logicalNot(tf.logicalOr(tf.logicalOr(under, over), tf.logicalNot(finite)));
    beyond = tf.where(under, tf.fill(u.shape, -FAR), tf.where(over, tf.fill(u.shape, cells + FAR), zeros));
  }
  let cell: tf.Tensor = zeros;
  for (let step = 2 ** Math.ceil(Math.log2(cells)); step >= 1; step /= 2) {
    const next = tf.add(cell, step);
    const there = tf.less(next, cells);
    const start = tf.gather(positions, tf.where(there, next, zeros).cast('int32'));
    cell = tf.where(tf.logicalAnd(there, tf.greaterEqual(folded, start)), next, cell);
  }
  return tf.stack([
    tf.where(within, cell, zeros),
    tf.where(within, sign, zeros),
    tf.where(within, lift, ones),
    tf.where(within, turns, zeros),
    tf.where(finite, beyond, nan),
  ]);
}
