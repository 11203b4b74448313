/**
 * The 64 taps and three axes of one sample after another, for monotone.ts and monotonegrad.ts. Which rows count:
 * src/ops/monotonecontract.ts.
 *
 * The payload goes by tiles: TILE bytes of each of the 64 rows are copied side by side, floats or unpacked halves alike. Rows of
 * wide nodes lie at equal distances, often a power of two, where 64 of them read vector by vector would put each other out of
 * the cache.
 */
import { Half } from './half';
import { V } from './lanes';
import { AXIS_BYTES, setAxis } from './monotoneline';

/** Bytes of a row in a tile: 32 floats. */
export const TILE: usize = 128;
const TILE_BYTES: usize = 64 * TILE;

let grid: usize;
let ny: i32;
let nz: i32;
let openX: bool;
let openY: bool;
let openZ: bool;
let rows: i32;
let ordered: bool;

/** The grid of the calls that follow. `open`: bit 0, 1, 2 where the boundary of x, y, z is extrapolate. */
export function setMonotoneGrid(
  at: usize,
  dimY: i32,
  dimZ: i32,
  open: i32,
  count: i32,
  isOrdered: bool,
): void {
  grid = at;
  ny = dimY;
  nz = dimZ;
  openX = (open & 1) !== 0;
  openY = (open & 2) !== 0;
  openZ = (open & 4) !== 0;
  rows = count;
  ordered = isOrdered;
}

/** Addresses of the taps' rows, and row numbers, −1 for none: [64] each. */
let table: usize;
export let rowOf: usize;
/** [3] axes. */
export let axes: usize;
/** Results along z (16 vectors) and along y (4). */
export let results: usize;
/** Tap k's part of the payload at k · TILE. */
export let tile: usize;
/** Of the gradients: by tap, as the tile; by the results along z and y, 20 vectors; sums of nine vectors, with room behind. */
export let byTap: usize;
export let byResults: usize;
export let sums: usize;
/** Nine float64. */
export let totals: usize;
let zeros: usize;
let origin: usize;
let rowBytes: usize;
let isHalf: bool;
/** Whether all three axes of the sample are plain. */
export let plain: bool;

export function monotoneBytes(): f64 {
  return <f64>(16 + 512 + 3 * AXIS_BYTES + 320 + 2 * TILE_BYTES + 320 + 320 + 80 + TILE + 16);
}

export function openBlock(nodes: usize, payload: i32, half: bool, scratch: usize): void {
  table = (scratch + 15) & ~15;
  rowOf = table + 256;
  axes = rowOf + 256;
  results = axes + 3 * AXIS_BYTES;
  tile = results + 320;
  byTap = tile + TILE_BYTES;
  byResults = byTap + TILE_BYTES;
  sums = byResults + 320;
  totals = sums + 320;
  zeros = totals + 80;
  memory.fill(zeros, 0, TILE);
  origin = nodes;
  isHalf = half;
  rowBytes = half ? ((<usize>payload + 1) >> 1) << 2 : (<usize>payload) << 2;
}

/** Fills the tile with the floats from byte b of a row of floats on, `count` of them, up to 32; behind them zeros of a vector. */
export function loadTile(b: usize, count: i32): void {
  const end = ((<usize>count) << 2) & ~15;
  const rest = count & 3;
  const mask = V.below(rest);
  for (let k: usize = 0; k < 64; k++) {
    const to = tile + k * TILE;
    const row = load<usize>(table + (k << 2));
    if (row === 0) copyFloats(to, zeros, end + (rest ? 16 : 0));
    else if (isHalf) copyHalves(to, row + (b >> 1), count);
    else copyFloats(to, row + b, end + (rest ? 16 : 0));
    // What lies behind a row may be anything.
    if (rest) v128.store(to + end, v128.and(v128.load(to + end), mask));
  }
}

function copyFloats(to: usize, p: usize, bytes: usize): void {
  for (let o: usize = 0; o < bytes; o += 16) v128.store(to + o, v128.load(p + o));
}

/** Eight a step: up to 32 floats are four steps, none of which leaves the tile. */
function copyHalves(to: usize, p: usize, count: i32): void {
  for (let f = 0; f < count; f += 8) {
    const lanes = v128.load(p);
    const even = Half.even(lanes);
    const odd = Half.odd(lanes);
    v128.store(to, v128.shuffle<i32>(even, odd, 0, 4, 1, 5));
    v128.store(to, v128.shuffle<i32>(even, odd, 2, 6, 3, 7), 16);
    p += 16;
    to += 32;
  }
}

/** Without its sign a number's bits sort like it; those of infinities and NaN come last. */
function isFiniteAt(p: usize): bool {
  return (load<u32>(p) & 0x7fffffff) < 0x7f800000;
}

/** The axis j of the taps and the place: @returns whether it is plain. */
function moveAxis(j: usize, taps: usize, place: usize, open: bool): bool {
  const openBelow = open && load<i32>(taps) < 0;
  const openAbove = open && load<i32>(taps, 12) < 0;
  return setAxis(
    axes + j * AXIS_BYTES,
    load<f32>(place),
    load<f32>(place, 4),
    load<f32>(place, 8),
    openBelow,
    openAbove,
  );
}

/** The node of slot k; on an extrapolated axis of one node, slot 2 is that node. */
function nodeAt(taps: usize, k: usize, open: bool): i32 {
  const node = load<i32>(taps + (k << 2));
  return open && k === 2 && node < 0 ? load<i32>(taps, 4) : node;
}

/** Moves to the sample with these taps [3, 4] and place [3, 4]; false where its place is not finite. */
export function moveTo(taps: usize, place: usize): bool {
  for (let k: usize = 0; k < 48; k += 4) if (!isFiniteAt(place + k)) return false;
  const x = moveAxis(0, taps, place, openX);
  const y = moveAxis(1, taps + 16, place + 16, openY);
  const z = moveAxis(2, taps + 32, place + 32, openZ);
  plain = x && y && z;
  for (let a: usize = 0, at: usize = 0; a < 4; a++) {
    const i = nodeAt(taps, a, openX);
    for (let b: usize = 0; b < 4; b++) {
      const j = nodeAt(taps + 16, b, openY);
      for (let c: usize = 0; c < 4; c++, at += 4) {
        const k = nodeAt(taps + 32, c, openZ);
        let row = -1;
        if ((i | j | k) >= 0 && rows > 0) {
          const cell = (i * ny + j) * nz + k;
          row = ordered ? cell : load<i32>(grid + ((<usize>cell) << 2));
          if (row >= rows) row = -1;
        }
        store<i32>(rowOf + at, row);
        store<usize>(table + at, row < 0 ? 0 : origin + <usize>row * rowBytes);
      }
    }
  }
  return true;
}
