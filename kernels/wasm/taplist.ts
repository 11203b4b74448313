/**
 * The 64 taps of one sample as a list of those that count: addresses of rows in this page, and their weights. What counts:
 * src/ops/tapscontract.ts. Nodes without a row are not in the list, so that no loop over it needs a branch or a row of zeros.
 *
 * First each axis is reduced to its distinct nodes: two taps that are one node (as beyond a clamped end) are one entry with
 * the sum of their weights, which all that is linear in each axis's weights allows; then the list is the product of the axes.
 */
import { V } from './lanes';

/** Weights in the list: w, D_h w, or none of both, but places (16 a + 4 b + c) in the cube of the axes' entries. */
export const WEIGHTS: i32 = 0;
export const TANGENTS: i32 = 1;
export const PLACES: i32 = 2;

/** A list: addresses u32 [64], then weights f32 or places u32 [64], each with room for what is stored in fours or read in eights. */
export const SECOND: usize = 288;
export const LIST_BYTES: usize = 2 * SECOND;

/** An axis: bytes or cells [4], weights [4], tangents [4], the entry of each slot [4] (−1: none). */
export const AXIS_U: usize = 16;
export const AXIS_H: usize = 32;
export const AXIS_ENTRY: usize = 48;
export const AXIS_BYTES: usize = 64;
export const AXES_BYTES: usize = 3 * AXIS_BYTES;

let grid: usize;
let ny: i32;
let nz: i32;
let firstRow: i32;
let rows: i32;
let ordered: bool;
let start: usize;
let rowBytes: i32;
let scale: f32;

/** The page of the calls that follow: attrs of TapsAttrs, and where its rows lie. */
export function setPage(
  at: usize,
  dimX: i32,
  dimY: i32,
  dimZ: i32,
  first: i32,
  count: i32,
  isOrdered: bool,
): void {
  grid = at;
  ny = dimY;
  nz = dimZ;
  firstRow = first;
  rows = count;
  ordered = isOrdered && first === 0 && count === dimX * dimY * dimZ;
}

export function pageRows(): i32 {
  return rows;
}
/** Whether rows are cells, all present. */
export function isInOrder(): bool {
  return ordered;
}
export function pageDimY(): i32 {
  return ny;
}
export function pageDimZ(): i32 {
  return nz;
}

/** Rows of `bytes` from `at` on; the weights of lists are multiplied by `times`. */
export function setTapRows(at: usize, bytes: usize, times: f32): void {
  start = at;
  rowBytes = <i32>bytes;
  scale = times;
}

export function tapRowsAt(): usize {
  return start;
}
export function tapRowBytes(): usize {
  return <usize>rowBytes;
}

/** Where a sample stands in the order of cells, to sort by: the first of its inner taps. */
export function keyOf(taps: usize): u32 {
  const x = max(load<i32>(taps, 4), 0);
  const y = max(load<i32>(taps, 20), 0);
  const z = max(load<i32>(taps, 36), 0);
  return (x * ny + y) * nz + z;
}

/**
 * Reduces an axis. Entries of weight 0 (and tangent 0) are left out unless `all`.
 * @param stride what a step along the axis adds to an address, or to a cell.
 */
function reduce(axis: usize, taps: usize, weights: usize, tangent: usize, stride: i32, all: bool): i32 {
  const t = v128.load(taps);
  const u = v128.load(weights);
  const h = tangent ? v128.load(tangent) : V.zero();
  const zero = f32x4.eq(v128.or(u, h), V.zero());
  const next = i32x4.add(V.lane0(t), i32x4(0, 1, 2, 3));
  if (i32x4.extract_lane(t, 0) >= 0 && i32x4.all_true(i32x4.eq(t, next)) && (all || !v128.any_true(zero))) {
    v128.store(axis, i32x4.mul(t, i32x4.splat(stride)));
    v128.store(axis, u, AXIS_U);
    v128.store(axis, h, AXIS_H);
    v128.store(axis, i32x4(0, 1, 2, 3), AXIS_ENTRY);
    return 4;
  }
  return reduceSlots(axis, taps, weights, tangent, stride, all);
}

/** As reduce, slot by slot. */
function reduceSlots(axis: usize, taps: usize, weights: usize, tangent: usize, stride: i32, all: bool): i32 {
  let count = 0;
  v128.store(axis, V.zero(), AXIS_U);
  v128.store(axis, V.zero(), AXIS_H);
  for (let slot: usize = 0; slot < 16; slot += 4) {
    const node = load<i32>(taps + slot);
    let entry = -1;
    if (node >= 0) {
      const offset = node * stride;
      entry = 0;
      while (entry < count && load<i32>(axis + ((<usize>entry) << 2)) !== offset) entry++;
      const at = axis + ((<usize>entry) << 2);
      if (entry === count) {
        count++;
        store<i32>(at, offset);
      }
      store<f32>(at, load<f32>(at, AXIS_U) + load<f32>(weights + slot), AXIS_U);
      if (tangent) store<f32>(at, load<f32>(at, AXIS_H) + load<f32>(tangent + slot), AXIS_H);
    }
    store<i32>(axis + slot, entry, AXIS_ENTRY);
  }
  return all ? count : withoutZeros(axis, count);
}

function withoutZeros(axis: usize, count: i32): i32 {
  let kept = 0;
  for (let entry = 0; entry < count; entry++) {
    const from = axis + ((<usize>entry) << 2);
    const u = load<f32>(from, AXIS_U);
    const h = load<f32>(from, AXIS_H);
    if (u === 0 && h === 0) continue;
    const to = axis + ((<usize>kept) << 2);
    store<i32>(to, load<i32>(from));
    store<f32>(to, u, AXIS_U);
    store<f32>(to, h, AXIS_H);
    kept++;
  }
  return kept;
}

/** Whether a weight of a sample is NaN. */
export function isNone(weights: usize): bool {
  const sum = V.add(V.add(v128.load(weights), v128.load(weights, 16)), v128.load(weights, 32));
  return v128.any_true(f32x4.ne(sum, sum));
}

/**
 * Writes the list of one sample, of which no weight is NaN.
 * @param axes gets its three axes. @param tangent [3, 4], or 0. @param kind WEIGHTS, TANGENTS or PLACES.
 * @returns its length.
 */
export function listTaps(
  list: usize,
  axes: usize,
  taps: usize,
  weights: usize,
  tangent: usize,
  kind: i32,
): i32 {
  if (rows === 0) return 0;
  const all = kind === PLACES;
  const unit = ordered ? rowBytes : 1;
  const axisX = axes;
  const axisY = axes + AXIS_BYTES;
  const axisZ = axes + 2 * AXIS_BYTES;
  const countX = reduce(axisX, taps, weights, tangent, ny * nz * unit, all);
  const countY = reduce(axisY, taps + 16, weights + 16, tangent ? tangent + 16 : 0, nz * unit, all);
  const countZ = reduce(axisZ, taps + 32, weights + 32, tangent ? tangent + 32 : 0, unit, all);
  const offsets = v128.load(axisZ);
  const u = V.mul(v128.load(axisZ, AXIS_U), f32x4.splat(scale));
  const h = V.mul(v128.load(axisZ, AXIS_H), f32x4.splat(scale));
  const step = (<usize>countZ) << 2;
  const first = list;
  for (let i = 0; i < countX; i++) {
    const x = axisX + ((<usize>i) << 2);
    for (let j = 0; j < countY; j++) {
      const y = axisY + ((<usize>j) << 2);
      const ux = load<f32>(x, AXIS_U);
      const uy = load<f32>(y, AXIS_U);
      let second: v128;
      if (kind === WEIGHTS) {
        second = V.mul(f32x4.splat(ux * uy), u);
      } else if (kind === TANGENTS) {
        const d = load<f32>(x, AXIS_H) * uy + ux * load<f32>(y, AXIS_H);
        second = V.madd(V.mul(f32x4.splat(d), u), f32x4.splat(ux * uy), h);
      } else {
        second = i32x4.add(i32x4.splat((i << 4) + (j << 2)), i32x4(0, 1, 2, 3));
      }
      const cells = i32x4.add(offsets, i32x4.splat(load<i32>(x) + load<i32>(y)));
      // Stored in fours, with what is too much under the next.
      if (ordered) {
        v128.store(list, i32x4.add(cells, i32x4.splat(<i32>start)));
        v128.store(list, second, SECOND);
        list += step;
      } else {
        list = listRows(list, cells, second, countZ);
      }
    }
  }
  return <i32>((list - first) >> 2);
}

/** Appends those of up to four cells whose rows are in the page. */
function listRows(list: usize, cells: v128, second: v128, count: i32): usize {
  for (let k = 0; k < count; k++) {
    const row = load<i32>(grid + ((<usize>i32x4.extract_lane(cells, 0)) << 2)) - firstRow;
    if (<u32>row < <u32>rows) {
      store<u32>(list, <u32>start + <u32>row * <u32>rowBytes);
      v128.store32_lane(list, second, 0, SECOND);
      list += 4;
    }
    cells = v128.shuffle<i32>(cells, cells, 1, 2, 3, 0);
    second = v128.shuffle<i32>(second, second, 1, 2, 3, 0);
  }
  return list;
}
