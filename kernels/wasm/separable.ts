/**
 * WavecubeSeparable: x [N, h, w, C] times a matrix an axis. Contract: src/ops/separablecontract.ts.
 *
 * Eight columns at a time are copied into a strip, multiplied there (folds.ts) and copied out to where the next pass reads
 * them: nothing is transposed, and matrices are packed once a call.
 */
import { Axis, axisBytes, IDENTITY, multiply } from './folds';
import { open, take } from './layout';
import { readFours, readLanes, readLines, writeFours, writeLanes, writeLines } from './strips';

/** Columns of the second axis' pass: it takes rows of several samples together until it has these. */
const COLUMNS: i32 = 64;

/** Whether the second axis goes first: the order that multiplies less. */
function widthFirst(fromH: i32, fromW: i32, toH: i32, toW: i32): bool {
  const width = <f64>fromH * toW * (<f64>fromW + toH);
  const height = <f64>toH * fromW * (<f64>fromH + toW);
  return width <= height;
}

function samplesTogether(n: i32, rows: i32, channels: i32): i32 {
  const columns = <f64>rows * <f64>channels;
  return columns >= COLUMNS ? 1 : min(n, <i32>Math.ceil(COLUMNS / columns));
}

/** Floats of a sample between the passes. */
function between(fromH: i32, fromW: i32, toH: i32, toW: i32, channels: i32): f64 {
  const width = widthFirst(fromH, fromW, toH, toW);
  return (width ? <f64>fromH * toW : <f64>toH * fromW) * channels;
}

/** Scratch that a call needs at most; a number, as it may pass 2^32. */
export function separableBytes(n: i32, fromH: i32, fromW: i32, toH: i32, toW: i32, channels: i32): f64 {
  const rows = widthFirst(fromH, fromW, toH, toW) ? fromH : toH;
  const floats = between(fromH, fromW, toH, toW, channels) * samplesTogether(n, rows, channels);
  return floats * 4 + axisBytes(fromH, toH) + axisBytes(fromW, toW) + 1024;
}

/** Multiplies the first axis of [from, columns] floats; adds to `out` where `more`. */
function passHeight(axis: Axis, out: usize, x: usize, columns: i32, more: bool): void {
  const stride = (<usize>columns) << 2;
  const offsets = natural();
  for (let j = 0; j < columns; j += 8) {
    const at = (<usize>j) << 2;
    const count = min(8, columns - j);
    // Reading over the end is safe; writing is not.
    readFours(axis.stripIn, x + at, x + at + 16, stride, axis.orderIn, axis.from);
    const strip = multiply(axis);
    if (count === 8) writeFours(out + at, out + at + 16, stride, axis.orderOut, axis.to, strip, more);
    else writeLanes(out + at, offsets, stride, axis.orderOut, axis.to, strip, count, more);
  }
}

let lanesIn: usize;
let lanesOut: usize;

/** Offsets of floats that lie side by side. */
function natural(): usize {
  for (let l = 0; l < 8; l++) store<u32>(lanesOut + ((<usize>l) << 2), l << 2);
  return lanesOut;
}

/** Multiplies the second axis of [rows, from, channels] floats: columns are (row, channel). */
function passWidth(axis: Axis, out: usize, x: usize, rows: i32, channels: i32, more: bool): void {
  const stride = (<usize>channels) << 2;
  const rowIn = <usize>axis.from * stride;
  const rowOut = <usize>axis.to * stride;
  const fours = (channels & 3) === 0;
  const perRow = channels >> 2;
  if (fours) {
    const all = rows * perRow;
    for (let q = 0; q < all; q += 2) {
      const p = min(q + 1, all - 1);
      const cq = (<usize>(q % perRow)) << 4;
      const cp = (<usize>(p % perRow)) << 4;
      const hq = <usize>(q / perRow);
      const hp = <usize>(p / perRow);
      readFours(axis.stripIn, x + hq * rowIn + cq, x + hp * rowIn + cp, stride, axis.orderIn, axis.from);
      const strip = multiply(axis);
      // The odd last four is there twice: both halves are the same.
      const to = out + hq * rowOut + cq;
      if (p === q && more) {
        for (let l = 0; l < 4; l++) store<u32>(lanesOut + ((<usize>l) << 2), l << 2);
        writeLanes(to, lanesOut, stride, axis.orderOut, axis.to, strip, 4, true);
      } else writeFours(to, out + hp * rowOut + cp, stride, axis.orderOut, axis.to, strip, more);
    }
    return;
  }
  let h: usize = 0;
  let c = 0;
  const all = rows * channels;
  for (let q = 0; q < all; q += 8) {
    const count = min(8, all - q);
    const h0 = h;
    for (let l = 0; l < 8; l++) {
      const at = (<usize>l) << 2;
      if (l >= count) {
        store<u32>(lanesIn + at, load<u32>(lanesIn));
        continue;
      }
      store<u32>(lanesIn + at, <u32>((h - h0) * rowIn) + ((<u32>c) << 2));
      store<u32>(lanesOut + at, <u32>((h - h0) * rowOut) + ((<u32>c) << 2));
      if (++c === channels) {
        c = 0;
        h++;
      }
    }
    const from = x + h0 * rowIn;
    const to = out + h0 * rowOut;
    if (channels === 1) readLines(axis.stripIn, from, lanesIn, axis.rowsIn, axis.from);
    else readLanes(axis.stripIn, from, lanesIn, stride, axis.orderIn, axis.from);
    const strip = multiply(axis);
    if (channels === 1 && count === 8) writeLines(to, lanesOut, axis.rowsOut, axis.to, strip, more);
    else writeLanes(to, lanesOut, stride, axis.orderOut, axis.to, strip, count, more);
  }
}

/** An axis by its matrix, or by the resampling that stands for it. */
function axisOf(resampling: usize, symmetry: i32, adjoint: bool, matrix: usize, to: i32, from: i32): Axis {
  if (resampling !== 0) return Axis.resampled(resampling, to, from);
  return Axis.lay(symmetry, adjoint, matrix, to, from);
}

/** A product laid out in scratch, to be run on images. */
@unmanaged
class Product {
  fromH: i32;
  fromW: i32;
  toH: i32;
  toW: i32;
  channels: i32;
  /** How many images at most go through the second axis together. */
  together: i32;
  /** null where the axis stays as it is. */
  height: Axis | null;
  width: Axis | null;
  middle: usize;
  lanesIn: usize;
  lanesOut: usize;
}
const PRODUCT_BYTES: usize = 48;

/**
 * Lays out the product of images [n, fromH, fromW, channels] for separableRun; symmetries as of src/ops/axismatrix.ts; resamplings
 * as of bandlimited.ts where they are not 0. Matrices are not needed after.
 */
export function separableOpen(
  left: usize,
  right: usize,
  n: i32,
  fromH: i32,
  fromW: i32,
  toH: i32,
  toW: i32,
  channels: i32,
  leftSymmetry: i32,
  rightSymmetry: i32,
  adjoint: bool,
  leftResampling: usize,
  rightResampling: usize,
  scratch: usize,
): usize {
  open(scratch);
  const product = changetype<Product>(take(PRODUCT_BYTES));
  product.fromH = fromH;
  product.fromW = fromW;
  product.toH = toH;
  product.toW = toW;
  product.channels = channels;
  product.lanesIn = take(32);
  product.lanesOut = take(32);
  product.height =
    leftSymmetry === IDENTITY ? null : axisOf(leftResampling, leftSymmetry, adjoint, left, toH, fromH);
  product.width =
    rightSymmetry === IDENTITY ? null : axisOf(rightResampling, rightSymmetry, adjoint, right, toW, fromW);
  product.together = samplesTogether(n, widthFirst(fromH, fromW, toH, toW) ? fromH : toH, channels);
  const size = (<usize>between(fromH, fromW, toH, toW, channels)) << 2;
  const both = product.height !== null && product.width !== null;
  product.middle = both ? take(size * product.together) : 0;
  return changetype<usize>(product);
}

/** out [n, toH, toW, channels] of x [n, fromH, fromW, channels]; where `more` it is added to what stands there. */
export function separableRun(at: usize, out: usize, x: usize, n: i32, more: bool): void {
  const product = changetype<Product>(at);
  const fromH = product.fromH;
  const fromW = product.fromW;
  const toH = product.toH;
  const toW = product.toW;
  const channels = product.channels;
  const sizeIn = (<usize>fromH * <usize>fromW * <usize>channels) << 2;
  const sizeOut = (<usize>toH * <usize>toW * <usize>channels) << 2;
  lanesIn = product.lanesIn;
  lanesOut = product.lanesOut;
  const height = product.height;
  const width = product.width;
  if (height === null) {
    if (width !== null) passWidth(width, out, x, n * fromH, channels, more);
    return;
  }
  if (width === null) {
    for (let i = 0; i < n; i++, out += sizeOut, x += sizeIn) passHeight(height, out, x, toW * channels, more);
    return;
  }
  const first = widthFirst(fromH, fromW, toH, toW);
  const size = (<usize>between(fromH, fromW, toH, toW, channels)) << 2;
  const middle = product.middle;
  for (let i = 0; i < n; i += product.together) {
    const count = min(product.together, n - i);
    if (first) passWidth(width, middle, x, count * fromH, channels, false);
    for (let k = 0; k < count; k++, x += sizeIn) {
      const part = middle + <usize>k * size;
      if (first) passHeight(height, out + <usize>k * sizeOut, part, toW * channels, more);
      else passHeight(height, part, x, fromW * channels, false);
    }
    if (!first) passWidth(width, out, middle, count * toH, channels, more);
    out += sizeOut * count;
  }
}
