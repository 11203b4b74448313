/**
 * A matrix that multiplies strips, cut into the smaller products that its symmetry leaves. A strip is eight columns:
 * rows of two vectors.
 *
 * Of a cosine basis M[i, k] = s_k cos(πk(i + ½)/n) the even columns are the same forwards and backwards in i, the odd ones but
 * for their sign; so half the rows of each and one butterfly, (a, b) → (a + b, a − b) on rows i and n − 1 − i, give all rows.
 * The even columns are a cosine basis of half the size: they fold again. With L folds
 *
 *   M  = B₁ B₂ … B_L · D · P        P puts multiples of 2^L first, then odd multiples of 2^(L−1), …, then the odd columns;
 *   Mᵀ = Pᵀ · Dᵀ · B_L … B₂ B₁      D has one block for each; B_l turns the first ⌈n/2^(l−1)⌉ rows in place
 *
 * A centred matrix, M[n′−1−i′, n−1−i] = M[i′, i], is B₁ · D · B₁ with two blocks. The middle row of an odd number is its own
 * mirror image: the butterfly leaves it alone.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts

import { orderIn, orderOut, resampleStrip, stripOf } from './bandlimited';
import { V } from './lanes';
import { take } from './layout';

/** Symmetries, as of src/ops/axismatrix.ts. */
const CENTRED: i32 = 1;
const ALTERNATING: i32 = 2;
const COSINE: i32 = 3;
export const IDENTITY: i32 = 4;

const MOST_FOLDS: i32 = 3;
/** Rows of the smallest block worth a fold: below, padded tiles and butterflies cost what it saves. */
const LEAST_ROWS: i32 = 8;
/** Rows of a tile: four times two vectors of sums stay in registers. */
const TILE: i32 = 4;
const ROW: usize = 32;

/** One product: rows of the strip that it reads and writes, and its matrix. */
@unmanaged
class Block {
  inStart: i32;
  inCount: i32;
  outStart: i32;
  outCount: i32;
  /** [tile][column][TILE] */
  panels: usize;
}
const BLOCK_BYTES: usize = 20;

/** How one axis is multiplied. Lies in scratch. */
@unmanaged
export class Axis {
  from: i32;
  to: i32;
  /** Butterflies before and after the products. */
  foldsIn: i32;
  foldsOut: i32;
  /** Place on the axis of each row of the strip: i32[from], i32[to]. */
  orderIn: usize;
  orderOut: usize;
  /** Row of the strip of each place. */
  rowsIn: usize;
  rowsOut: usize;
  blocks: i32;
  firstBlock: usize;
  /** The strip that is read into, and the one of a product. */
  stripIn: usize;
  stripOut: usize;
  /** The resampling that stands for the matrix (bandlimited.ts), 0 for none. */
  resampling: usize;

  /**
   * Lays out an axis in scratch: `to` × `from` numbers, element (i, j) at matrix + 4 (i · strideOut + j · strideIn).
   * `adjoint` of an alternating matrix or a cosine basis: its points are what is read.
   */
  static lay(symmetry: i32, adjoint: bool, matrix: usize, to: i32, from: i32): Axis {
    const axis = changetype<Axis>(take(AXIS_BYTES));
    axis.resampling = 0;
    const strideOut: usize = adjoint ? 4 : (<usize>from) << 2;
    const strideIn: usize = adjoint ? (<usize>to) << 2 : 4;
    axis.from = from;
    axis.to = to;
    axis.orderIn = take((<usize>from) << 2);
    axis.orderOut = take((<usize>to) << 2);
    axis.stripIn = take(<usize>(from + TILE) * ROW);
    axis.stripOut = take(<usize>(to + TILE) * ROW);
    natural(axis.orderIn, from);
    natural(axis.orderOut, to);
    const points = adjoint ? from : to;
    const columns = adjoint ? to : from;
    const centred = symmetry === CENTRED && min(from, to) >= 2 * LEAST_ROWS;
    const folds = centred ? 1 : foldsOf(symmetry, points);
    axis.foldsIn = centred || adjoint ? folds : 0;
    axis.foldsOut = centred || !adjoint ? folds : 0;
    axis.blocks = folds + 1;
    axis.firstBlock = take(<usize>axis.blocks * BLOCK_BYTES);
    // Where in the matrix the rows of the strips are.
    const rowsIn = take((<usize>from) << 2);
    const rowsOut = take((<usize>to) << 2);
    foldedRows(rowsIn, from, axis.foldsIn);
    foldedRows(rowsOut, to, axis.foldsOut);
    if (!centred && folds > 0) {
      const order = adjoint ? axis.orderOut : axis.orderIn;
      let r: usize = 0;
      for (let b = 0; b <= folds; b++) {
        for (let k = firstOf(b, folds); k < columns; k += stepOf(b, folds), r += 4) store<i32>(order + r, k);
      }
      memory.copy(adjoint ? rowsOut : rowsIn, order, (<usize>columns) << 2);
    }
    let columnsBefore = 0;
    for (let b = 0; b <= folds; b++) {
      const block = changetype<Block>(axis.firstBlock + <usize>b * BLOCK_BYTES);
      const start = b === 0 ? 0 : folded(points, folds - b + 1);
      const count = folded(points, b === 0 ? folds : folds - b) - start;
      const taken = countOf(b, folds, columns);
      block.inStart = centred ? (b === 0 ? 0 : folded(from, 1)) : adjoint ? start : columnsBefore;
      block.outStart = centred ? (b === 0 ? 0 : folded(to, 1)) : adjoint ? columnsBefore : start;
      block.inCount = centred ? (b === 0 ? folded(from, 1) : from >> 1) : adjoint ? count : taken;
      block.outCount = centred ? (b === 0 ? folded(to, 1) : to >> 1) : adjoint ? taken : count;
      columnsBefore += taken;
      const tiles = (block.outCount + TILE - 1) / TILE;
      block.panels = take(<usize>(tiles * TILE) * ((<usize>block.inCount) << 2));
      const mirror: f32 = centred ? (b === 0 ? 1 : -1) : 0;
      pack(block, rowsIn, rowsOut, matrix, strideOut, strideIn, mirror, from - 1);
    }
    axis.invert();
    return axis;
  }

  /** Lays out an axis that is resampled by transforms. */
  static resampled(resampling: usize, to: i32, from: i32): Axis {
    const axis = changetype<Axis>(take(AXIS_BYTES));
    axis.resampling = resampling;
    axis.from = from;
    axis.to = to;
    axis.orderIn = take((<usize>from) << 2);
    axis.orderOut = take((<usize>to) << 2);
    axis.stripIn = stripOf(resampling);
    orderIn(axis.orderIn, resampling, to, from);
    orderOut(axis.orderOut, resampling, to);
    axis.invert();
    return axis;
  }

  private invert(): void {
    this.rowsIn = inverse(this.orderIn, this.from);
    this.rowsOut = inverse(this.orderOut, this.to);
  }
}
const AXIS_BYTES: usize = 64;

/** Scratch of an axis at most. */
export function axisBytes(from: i32, to: i32): f64 {
  const rows = <f64>from + <f64>to + 16;
  return rows * (3 * 4 + <f64>ROW) + (<f64>to + 4.0 * (MOST_FOLDS + 1)) * <f64>from * 4.0 + 1024;
}

/** Folds that a cosine basis of n points allows and that pay. */
function foldsOf(symmetry: i32, n: i32): i32 {
  if (symmetry !== ALTERNATING && symmetry !== COSINE) return 0;
  const most = symmetry === COSINE ? MOST_FOLDS : 1;
  let folds = 0;
  // A fold beyond the first needs halves that are whole.
  while (folds < most && n >> (folds + 1) >= LEAST_ROWS && (n & ((1 << folds) - 1)) === 0) folds++;
  return folds;
}

function natural(order: usize, n: i32): void {
  for (let i = 0; i < n; i++) store<i32>(order + ((<usize>i) << 2), i);
}

function inverse(order: usize, n: i32): usize {
  const rows = take((<usize>n) << 2);
  for (let r = 0; r < n; r++) store<i32>(rows + ((<usize>load<i32>(order + ((<usize>r) << 2))) << 2), r);
  return rows;
}

/** Rows of n that are left after some folds. */
function folded(n: i32, folds: i32): i32 {
  return (n + (1 << folds) - 1) >> folds;
}

/** Writes the index of each row of n points, folded: the second part of each fold lies reversed. */
function foldedRows(rows: usize, n: i32, folds: i32): void {
  natural(rows, folded(n, folds));
  for (let l = folds; l > 0; l--) {
    const end = folded(n, l - 1);
    for (let r = folded(n, l); r < end; r++) store<i32>(rows + ((<usize>r) << 2), end - 1 - r);
  }
}

/** Step of the columns of block b, and the first of them. */
function stepOf(b: i32, folds: i32): i32 {
  return b === 0 ? 1 << folds : 1 << (folds - b + 1);
}
function firstOf(b: i32, folds: i32): i32 {
  return b === 0 ? 0 : 1 << (folds - b);
}
function countOf(b: i32, folds: i32, columns: i32): i32 {
  const first = firstOf(b, folds);
  return first < columns ? (columns - 1 - first) / stepOf(b, folds) + 1 : 0;
}

/** Copies a block of the matrix into panels; of a centred one the half sum or difference (`mirror`) with its mirror image. */
function pack(
  block: Block,
  rowsIn: usize,
  rowsOut: usize,
  matrix: usize,
  strideOut: usize,
  strideIn: usize,
  mirror: f32,
  last: i32,
): void {
  const step = <usize>block.inCount * TILE * 4;
  let panel = block.panels;
  for (let t = 0; t < block.outCount; t += TILE, panel += step) {
    for (let a = 0; a < TILE; a++) {
      let at = panel + ((<usize>a) << 2);
      if (t + a >= block.outCount) {
        for (let k = 0; k < block.inCount; k++, at += 16) store<f32>(at, 0);
        continue;
      }
      const i = load<i32>(rowsOut + ((<usize>(block.outStart + t + a)) << 2));
      const row = matrix + <usize>i * strideOut;
      for (let k = 0; k < block.inCount; k++, at += 16) {
        const j = load<i32>(rowsIn + ((<usize>(block.inStart + k)) << 2));
        let v = load<f32>(row + <usize>j * strideIn);
        if (mirror !== 0) v = 0.5 * (v + mirror * load<f32>(row + <usize>(last - j) * strideIn));
        store<f32>(at, v);
      }
    }
  }
}

/** (a, b) → (a + b, a − b) on rows i and n − 1 − i of a strip. */
function butterfly(strip: usize, n: i32): void {
  let low = strip;
  let high = strip + <usize>(n - 1) * ROW;
  for (; low < high; low += ROW, high -= ROW) {
    const a = v128.load(low);
    const b = v128.load(high);
    const c = v128.load(low, 16);
    const d = v128.load(high, 16);
    v128.store(low, V.add(a, b));
    v128.store(low, V.add(c, d), 16);
    v128.store(high, V.sub(a, b));
    v128.store(high, V.sub(c, d), 16);
  }
}

/** The strip that is matrix · stripIn, which it overwrites. */
export function multiply(axis: Axis): usize {
  const stripIn = axis.stripIn;
  const stripOut = axis.stripOut;
  if (axis.resampling !== 0) return resampleStrip(axis.resampling, axis.to, axis.from);
  for (let l = 0; l < axis.foldsIn; l++) butterfly(stripIn, folded(axis.from, l));
  // In the order of rows: what a tile writes beyond its block the next block overwrites.
  for (let b = 0; b < axis.blocks; b++) {
    const block = changetype<Block>(axis.firstBlock + <usize>b * BLOCK_BYTES);
    const out = stripOut + <usize>block.outStart * ROW;
    product(out, block.panels, stripIn + <usize>block.inStart * ROW, block.outCount, block.inCount);
  }
  for (let l = axis.foldsOut - 1; l >= 0; l--) butterfly(stripOut, folded(axis.to, l));
  return stripOut;
}

function product(out: usize, panel: usize, x: usize, rows: i32, columns: i32): void {
  const end = x + <usize>columns * ROW;
  for (let t = 0; t < rows; t += TILE, out += TILE * ROW) {
    let a0 = V.zero();
    let a1 = V.zero();
    let b0 = V.zero();
    let b1 = V.zero();
    let c0 = V.zero();
    let c1 = V.zero();
    let d0 = V.zero();
    let d1 = V.zero();
    for (let q = x; q < end; q += ROW, panel += 16) {
      const u = v128.load(q);
      const v = v128.load(q, 16);
      const a = v128.load32_splat(panel);
      a0 = V.madd(a0, u, a);
      a1 = V.madd(a1, v, a);
      const b = v128.load32_splat(panel, 4);
      b0 = V.madd(b0, u, b);
      b1 = V.madd(b1, v, b);
      const c = v128.load32_splat(panel, 8);
      c0 = V.madd(c0, u, c);
      c1 = V.madd(c1, v, c);
      const d = v128.load32_splat(panel, 12);
      d0 = V.madd(d0, u, d);
      d1 = V.madd(d1, v, d);
    }
    v128.store(out, a0);
    v128.store(out, a1, 16);
    v128.store(out, b0, 32);
    v128.store(out, b1, 48);
    v128.store(out, c0, 64);
    v128.store(out, c1, 80);
    v128.store(out, d0, 96);
    v128.store(out, d1, 112);
  }
}
