/**
 * WavecubeSplat and WavecubeSplatTangent: out_row = Σ_{i,k → row} w_k(r_i) · values_i, with w or D_h w. Contract:
 * src/ops/contract.ts.
 *
 * Narrow rows: the samples in their order scatter to their rows. Wide rows: the taps are listed by row, and each row
 * gathers, a tile of the payload at a time, and is written once.
 */

import { V } from './lanes';
import { BLOCK, isPadded, open, TILE_BYTES, take, WIDE } from './layout';
import { gather, scatter } from './scatter';
import { tapsByRow } from './sort';
import { splatEights, splatFours } from './splatrows';
import { clamped, fill, ordered, RECORD_BYTES, rows, setRows, TANGENT, VALUE } from './stencil';

/** `tangent` 0: weights are values. The grid and the rows are those of the last setGrid. */
export function splat(
  out: usize,
  values: usize,
  coords: usize,
  tangent: usize,
  n: i32,
  payload: i32,
  scratch: usize,
): void {
  if (rows === 0 || payload === 0) return;
  open(scratch);
  if (payload >= WIDE) {
    wide(out, values, coords, tangent, n, payload);
  } else if (isPadded(payload, rows)) {
    const padded = take((<usize>rows) << 4);
    narrow(padded, values, coords, tangent, n, payload, 16);
    unpad(out, padded);
  } else {
    narrow(out, values, coords, tangent, n, payload, (<usize>payload) << 2);
  }
}

/** Rows of `rowBytes`: a padded row takes the start of the next values along, and drops it in the end. */
function narrow(
  out: usize,
  values: usize,
  coords: usize,
  tangent: usize,
  n: i32,
  payload: i32,
  rowBytes: usize,
): void {
  memory.fill(out, 0, <usize>rows * rowBytes);
  const valueBytes = (<usize>payload) << 2;
  if (clamped && ordered && tangent === 0) {
    if (rowBytes === 16) {
      splatFours(out, values, coords, n, valueBytes);
      return;
    }
    if (rowBytes === 32) {
      splatEights(out, values, coords, n);
      return;
    }
  }
  setRows(out, <u32>rowBytes, take(rowBytes));
  const taps = take(<usize>BLOCK * RECORD_BYTES);
  const weights = take(<usize>BLOCK * RECORD_BYTES);
  for (let first = 0; first < n; first += BLOCK) {
    const count = min(BLOCK, n - first);
    fill(taps, weights, 0, coords, tangent, count, tangent ? TANGENT : VALUE);
    for (let i: usize = 0, end = <usize>count * RECORD_BYTES; i < end; i += RECORD_BYTES) {
      scatter(values, taps + i, weights + i, rowBytes);
      values += valueBytes;
    }
    coords += <usize>BLOCK * 12;
    tangent += tangent ? <usize>BLOCK * 12 : 0;
  }
}

/** Rows of three from rows of four; all but the last are stored whole, over the start of the next. */
function unpad(out: usize, padded: usize): void {
  for (let row = 1; row < rows; row++) {
    v128.store(out, v128.load(padded));
    out += 12;
    padded += 16;
  }
  V.storeFirst(out, v128.load(padded), 3);
}

function wide(out: usize, values: usize, coords: usize, tangent: usize, n: i32, payload: i32): void {
  const taps = take(<usize>n * RECORD_BYTES);
  const weights = take(<usize>n * RECORD_BYTES);
  const start = take((<usize>rows + 2) << 2);
  const pairs = take((<usize>n) << 6);
  setRows(0, 1, rows);
  fill(taps, weights, 0, coords, tangent, n, tangent ? TANGENT : VALUE);
  tapsByRow(start, pairs, taps, weights, n, rows);
  const rowBytes = (<usize>payload) << 2;
  for (let from: usize = 0; from < rowBytes; from += TILE_BYTES) {
    const to = min(from + TILE_BYTES, rowBytes);
    for (let row = 0; row < rows; row++) {
      const at = start + ((<usize>row) << 2);
      const first = pairs + ((<usize>load<u32>(at)) << 3);
      const end = pairs + ((<usize>load<u32>(at, 4)) << 3);
      gather(out + <usize>row * rowBytes, values, first, end, rowBytes, from, to);
    }
  }
}
