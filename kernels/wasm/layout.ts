/**
 * How a call lays out its scratch, and how long rows must be for it to go by tiles of the payload.
 */
import { COUNTS_BYTES } from './sort';
import { mayMiss, RECORD_BYTES } from './stencil';

/** Floats of a row from which samples are sorted by cell and the payload is cut into tiles. */
export const WIDE: i32 = 1024;
/** Floats of a row below which resolving a stencil costs as much as the blend, so that both are fused. */
export const FUSED: i32 = 64;
/** Bytes of a tile: the rows around a cell and the results of its samples stay in the second-level cache. */
export const TILE_BYTES: usize = 16384;
/** Samples of narrow rows whose stencils are resolved at a time: they stay in the first-level cache. */
export const BLOCK: i32 = 256;
/** A splat of three floats a row goes through rows of four while these take no more than this. */
const PADDED_BYTES: f64 = 64 * 1024 * 1024;

let top: usize;

/** Starts to lay out at `scratch`. */
export function open(scratch: usize): void {
  top = (scratch + 15) & ~15;
}

/** The next `bytes` of scratch, aligned, with room to over-read behind them. */
export function take(bytes: usize): usize {
  const at = top;
  top += (bytes + 31) & ~15;
  return at;
}

export function isPadded(payload: i32, rows: i32): bool {
  return payload === 3 && <f64>rows * 16 <= PADDED_BYTES;
}

/**
 * The row that taps without one read, of a sample or coordGrad of wide rows: as long as a node, so only where it may be
 * needed. @returns its address, 0 for none.
 */
export function takeAbsent(coords: usize, n: i32, rowBytes: usize): usize {
  return mayMiss(coords, n) ? take(rowBytes) : 0;
}

/**
 * Scratch that a call of any of the kernels needs at most; a number, as it may pass 2^32. `coords` 0: a splat, which
 * reads no rows.
 */
export function scratchBytes(n: i32, payload: i32, rows: i32, coords: usize): f64 {
  const rowBytes = <f64>payload * 4;
  if (payload < WIDE) {
    return <f64>BLOCK * 2 * RECORD_BYTES + rowBytes + (isPadded(payload, rows) ? <f64>rows * 16 : 0) + 256;
  }
  // Taps, weights, keys, two orders; then dots (64 bytes) or pairs (64 bytes) and row starts.
  const bytes = <f64>n * (2 * RECORD_BYTES + 12 + 64) + <f64>rows * 4 + COUNTS_BYTES + 512;
  return coords !== 0 && mayMiss(coords, n) ? bytes + rowBytes : bytes;
}
