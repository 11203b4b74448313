/**
 * Orders of samples and taps: by cell, so that the rows of a cell are read while they are in cache, and by row, so
 * that a row gathers what belongs to it without atomics. Both are stable, so results repeat bit for bit.
 */
const DIGIT_BITS: u32 = 11;
const DIGITS: u32 = 1 << DIGIT_BITS;
export const COUNTS_BYTES: usize = DIGITS << 2;

/**
 * Radix sort of samples 0 … n − 1 by `keys` [n] u32, least digit first.
 * @param perm [n] and spare [n] u32, counts COUNTS_BYTES: scratch.
 * @returns the address of the sorted order: perm or spare.
 */
export function sortByKey(keys: usize, perm: usize, spare: usize, counts: usize, n: i32): usize {
  let highest: u32 = 0;
  for (let i = 0; i < n; i++) {
    const at = (<usize>i) << 2;
    highest = max(highest, load<u32>(keys + at));
    store<u32>(perm + at, i);
  }
  for (let shift: u32 = 0; shift < 32 && highest >> shift !== 0; shift += DIGIT_BITS) {
    memory.fill(counts, 0, COUNTS_BYTES);
    for (let i = 0; i < n; i++) {
      const at = counts + digit(keys, i, shift);
      store<u32>(at, load<u32>(at) + 1);
    }
    let sum: u32 = 0;
    for (let d: usize = 0; d < COUNTS_BYTES; d += 4) {
      const count = load<u32>(counts + d);
      store<u32>(counts + d, sum);
      sum += count;
    }
    for (let i = 0; i < n; i++) {
      const sample = load<u32>(perm + ((<usize>i) << 2));
      const at = counts + digit(keys, sample, shift);
      const place = load<u32>(at);
      store<u32>(at, place + 1);
      store<u32>(spare + ((<usize>place) << 2), sample);
    }
    const sorted = spare;
    spare = perm;
    perm = sorted;
  }
  return perm;
}

function digit(keys: usize, sample: u32, shift: u32): usize {
  return (<usize>((load<u32>(keys + ((<usize>sample) << 2)) >> shift) & (DIGITS - 1))) << 2;
}

/**
 * Lists the taps of each row: `taps` [n, 8] are row indices, `rows` for none.
 * @param start [rows + 2] u32: row r owns pairs start[r] … start[r + 1] − 1.
 * @param pairs [8n] of (sample u32, weight f32).
 */
export function tapsByRow(start: usize, pairs: usize, taps: usize, weights: usize, n: i32, rows: i32): void {
  memory.fill(start, 0, (<usize>rows + 2) << 2);
  const end = (<usize>n) << 5;
  for (let t: usize = 0; t < end; t += 4) {
    const row = load<u32>(taps + t);
    if (row >= <u32>rows) continue;
    const at = start + ((<usize>row) << 2);
    store<u32>(at, load<u32>(at, 8) + 1, 8);
  }
  // Counts stand two places up: after the sum start[r + 1] is where row r begins, after the fill where it ends.
  let sum: u32 = 0;
  for (let r = 0; r < rows; r++) {
    const at = start + ((<usize>r) << 2);
    const count = load<u32>(at, 8);
    sum += count;
    store<u32>(at, sum, 8);
  }
  for (let t: usize = 0; t < end; t += 4) {
    const row = load<u32>(taps + t);
    if (row >= <u32>rows) continue;
    const at = start + ((<usize>row) << 2);
    const place = load<u32>(at, 4);
    store<u32>(at, place + 1, 4);
    const pair = pairs + ((<usize>place) << 3);
    store<u32>(pair, <u32>(t >> 5));
    store<u32>(pair, load<u32>(weights + t), 4);
  }
}
