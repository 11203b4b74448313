/**
 * The 64 taps and three axes of one sample after another, for monotone.ts and monotonegrad.ts. Which rows count:
 * src/ops/monotonecontract.ts.
 *
 * Scratch: addresses of the rows, zeros for those that are not there; row numbers, −1 for none; addresses of unpacked halves and
 * these; the axes; results along z (16 vectors) and y (4); the gradients' part; a row of zeros.
 */
import { AXIS_BYTES, setAxis } from './monotoneline';

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

/** Bytes of the gradients' part: 64 loaded taps, 64 + 16 + 4 derivatives, 9 sums of vectors, 9 of float64. */
const GRADIENT_BYTES: usize = (64 + 84 + 9) * 16 + 80;

/** [64] addresses. */
export let table: usize;
/** [64] rows. */
export let rowOf: usize;
/** [64] addresses of the unpacked taps. */
export let halves: usize;
/** [3] axes. */
export let axes: usize;
export let results: usize;
export let gradients: usize;
let absent: usize;
let origin: usize;
let rowBytes: usize;
/** Whether all three axes of the sample are plain. */
export let plain: bool;

export function monotoneBytes(payload: i32): f64 {
  return <f64>payload * 4 + <f64>(3 * 256 + 2048 + 3 * AXIS_BYTES + 320 + GRADIENT_BYTES + 64);
}

export function openBlock(nodes: usize, payload: i32, half: bool, scratch: usize): void {
  table = (scratch + 15) & ~15;
  rowOf = table + 256;
  halves = rowOf + 256;
  const unpacked = halves + 256;
  axes = unpacked + 2048;
  results = axes + 3 * AXIS_BYTES;
  gradients = results + 320;
  absent = gradients + GRADIENT_BYTES;
  origin = nodes;
  rowBytes = half ? ((<usize>payload + 1) >> 1) << 2 : (<usize>payload) << 2;
  memory.fill(absent, 0, rowBytes + 16);
  for (let k: usize = 0; k < 64; k++) store<usize>(halves + (k << 2), unpacked + (k << 4));
}

/** The number without its sign, as bits that sort like it; not below 0x7f800000 where it is not finite. */
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
        store<usize>(table + at, row < 0 ? absent : origin + <usize>row * rowBytes);
      }
    }
  }
  return true;
}
