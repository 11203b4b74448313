/**
 * WavecubeTaps, its adjoint, its gradient by the weights, and their tangents. Contract: src/ops/tapscontract.ts.
 *
 * A sample's 64 taps become a list (taplist.ts), over which the payload is streamed once; of narrow rows of a page in order they
 * mostly are runs or pairs (tapruns.ts) and need none. Of a page that the second-level cache does not hold, samples are visited in the order
 * of their cells, so that neighbours find each other's rows there; not of narrow rows, unless straight from coordinates: to bring
 * the records of stencils together costs as much. Of wide rows the lists of a block of samples are made first, and the payload is cut into tiles; a block bounds the scratch.
 * Rows that many samples share are copied together first (tappack.ts). All of it is serial, and so the same each time.
 */
import { open, take } from './layout';
import { COUNTS_BYTES, sortByKey } from './sort';
import { STENCIL_BYTES, stencilKeys, stencilTaps, stencilWeights } from './stencils';
import { blendTaps, blendTapsHalf, HALF_SCALE } from './tapblend';
import {
  addTapDots,
  addTapDotsHalf,
  DOTS_BYTES,
  padPlaces,
  productsByAxis,
  weightGradient,
  weightGradientTangent,
} from './tapdots';
import {
  AXES_BYTES,
  isInOrder,
  isNone,
  keyOf,
  LIST_BYTES,
  listTaps,
  PLACES,
  pageRows,
  setTapRows,
  TANGENTS,
  WEIGHTS,
} from './taplist';
import { addToPack, clearPack, PACKED_TILE, pack, packPays, packScratch, setPack, toTiles } from './tappack';
import {
  blendEights,
  blendPair,
  blendRun,
  dotRun,
  isPair,
  isRun,
  NARROW,
  RUNS_BYTES,
  scatterRun,
  setRuns,
  setRunTable,
} from './tapruns';
import { scatterTaps } from './tapscatter';

/** Samples whose lists are held at a time: of wide rows, of those that are packed, and of others. */
const MANY: i32 = 256;
const PACKED: i32 = 512;
const FEW: i32 = 32;
/** Bytes of a tile: the rows around a cell stay in the second-level cache, those that are written to in the first. */
const SAMPLE_TILE: usize = 4096;
const SPLAT_TILE: usize = 512;
const GRAD_TILE: usize = 2048;
/** Bytes of a page that stay in the second-level cache. */
const CACHED_BYTES: f64 = 1024 * 1024;
/** Samples fewer than that are not worth sorting. */
const LEAST_SORTED: i32 = 64;
/** Taps, weights and tangents of a sample. */
const RECORD_BYTES: usize = 48;

/** Samples that are sorted at a time: their own records and results stay near, too. */
const WINDOW: i32 = 32768;

function isSorted(n: i32, payload: i32, rows: i32): bool {
  return n >= LEAST_SORTED && payload > NARROW && <f64>rows * <f64>payload * 4 > CACHED_BYTES;
}

/** Bytes of scratch that a call of one of the kernels needs at most. */
export function tapsScratch(n: i32, payload: i32, rows: i32): f64 {
  const each = LIST_BYTES + AXES_BYTES + DOTS_BYTES + 3 * RECORD_BYTES + 4;
  if (!isSorted(n, payload, rows)) return <f64>MANY * <f64>each + 1280;
  const sorted = <f64>min(n, WINDOW) * 12 + <f64>COUNTS_BYTES;
  const packed = (<usize>payload) << 2 > SPLAT_TILE ? packScratch(rows) : 0;
  return sorted + packed + <f64>PACKED * <f64>each + 1280;
}

/** Bytes of a row of the page. */
function bytesOf(payload: i32, half: bool): usize {
  return half ? ((<usize>payload + 1) >> 1) << 2 : (<usize>payload) << 2;
}

// One call: its samples in the order in which they are visited, and what a block of them needs.
let samples: i32;
let order: usize;
let windowStart: i32;
let windowEnd: i32;
let keys: usize;
let perm: usize;
let spare: usize;
let counts: usize;
let givenTaps: usize;
let givenWeights: usize;
let givenTangent: usize;
let tileBytes: usize;
let blockSize: i32;
/** Whether rows may be packed (tappack.ts). */
let packs: bool;
/** Of the block: [count, 12] each, lists and their lengths. */
let taps: usize;
let weights: usize;
let tangents: usize;
let lists: usize;
let lengths: usize;
let axes: usize;

/** Length of a sample that is none, and of those that are a run or a pair (tapruns.ts). */
const NONE: i32 = -1;
const RUN: i32 = -2;
const PAIR: i32 = -3;

function begin(
  t: usize,
  w: usize,
  h: usize,
  n: i32,
  payload: i32,
  tile: usize,
  scratch: usize,
  mayPack: bool,
): void {
  open(scratch);
  samples = n;
  givenTaps = t;
  givenWeights = w;
  givenTangent = h;
  const bytes = (<usize>payload) << 2;
  tileBytes = min(bytes, tile);
  blockSize = tileBytes < bytes ? MANY : FEW;
  const sorted = isSorted(n, payload, pageRows());
  packs = mayPack && sorted && tileBytes < bytes;
  if (packs) {
    blockSize = PACKED;
    setPack();
  }
  const room = <usize>blockSize;
  lists = take(room * LIST_BYTES);
  lengths = take(room << 2);
  axes = take(room * AXES_BYTES);
  order = 0;
  keys = 0;
  windowEnd = n;
  if (!sorted) return;
  windowEnd = 0;
  taps = take(room * RECORD_BYTES);
  weights = take(room * RECORD_BYTES);
  tangents = take(room * RECORD_BYTES);
  const window = <usize>min(n, WINDOW);
  keys = take(window << 2);
  perm = take(window << 2);
  spare = take(window << 2);
  counts = take(COUNTS_BYTES);
}

/** Sorts the window that starts at a sample. */
function sortWindow(first: i32): void {
  const count = min(WINDOW, samples - first);
  const from = givenTaps + <usize>first * RECORD_BYTES;
  for (let i: usize = 0; i < <usize>count; i++) store<u32>(keys + (i << 2), keyOf(from + i * RECORD_BYTES));
  order = sortByKey(keys, perm, spare, counts, count);
  windowStart = first;
  windowEnd = first + count;
}

function sampleAt(i: i32): usize {
  if (!order) return <usize>i;
  return <usize>windowStart + <usize>load<u32>(order + ((<usize>(i - windowStart)) << 2));
}

/** Brings the records of a block together, and makes its lists. @returns its samples. */
function nextBlock(first: i32, kind: i32, runs: bool, pairs: bool): i32 {
  if (first === windowEnd) sortWindow(first);
  const count = min(blockSize, windowEnd - first);
  if (packs) clearPack();
  if (order) {
    // All at once: the loads of one sample do not wait for the work on another.
    for (let i = 0; i < count; i++) {
      const from = sampleAt(first + i) * RECORD_BYTES;
      const to = <usize>i * RECORD_BYTES;
      copyRecord(taps + to, givenTaps + from);
      copyRecord(weights + to, givenWeights + from);
      if (givenTangent) copyRecord(tangents + to, givenTangent + from);
    }
  } else {
    const from = <usize>first * RECORD_BYTES;
    taps = givenTaps + from;
    weights = givenWeights + from;
    tangents = givenTangent + from;
  }
  for (let i = 0; i < count; i++) {
    const at = <usize>i * RECORD_BYTES;
    const h = givenTangent ? tangents + at : 0;
    let length = NONE;
    if (!isNone(weights + at)) {
      if (runs && isRun(taps + at)) length = RUN;
      else if (pairs && isPair(taps + at)) length = PAIR;
      else {
        const list = lists + <usize>i * LIST_BYTES;
        length = listTaps(list, axes + <usize>i * AXES_BYTES, taps + at, weights + at, h, kind);
      }
    }
    store<i32>(lengths + ((<usize>i) << 2), length);
    if (packs && length > 0 && !addToPack(lists + <usize>i * LIST_BYTES, length)) return i + 1;
  }
  return count;
}

function copyRecord(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
  v128.store(to, v128.load(from, 32), 32);
}

function lengthOf(i: i32): i32 {
  return load<i32>(lengths + ((<usize>i) << 2));
}

/** Sets the rows at `at`; whether samples may be runs. */
function setRowsAt(at: usize, payload: i32, half: bool, tangent: usize): bool {
  const bytes = bytesOf(payload, half);
  setTapRows(at, bytes, half ? HALF_SCALE : 1);
  setRuns(at, bytes);
  return isInOrder() && !half && tangent === 0 && payload <= NARROW;
}

/** out [n, payload]. `tangent` 0: weights are values. The page is that of the last setPage; so in all that follow. */
export function tapSample(
  out: usize,
  nodes: usize,
  tapsAt: usize,
  weightsAt: usize,
  tangent: usize,
  n: i32,
  payload: i32,
  half: bool,
  scratch: usize,
): void {
  if (n === 0 || payload === 0) return;
  const runs = setRowsAt(nodes, payload, half, tangent);
  begin(tapsAt, weightsAt, tangent, n, payload, SAMPLE_TILE, scratch, true);
  setRunTable(take(RUNS_BYTES));
  const outBytes = (<usize>payload) << 2;
  let count = 0;
  for (let first = 0; first < n; first += count) {
    count = nextBlock(first, tangent ? TANGENTS : WEIGHTS, runs, runs);
    if (packs && packPays()) {
      samplePacked(out, first, count, outBytes, half, tangent ? 0 : NaN);
      continue;
    }
    for (let from: usize = 0; from < outBytes; from += tileBytes) {
      const to = min(from + tileBytes, outBytes);
      for (let i = 0; i < count; i++) {
        const length = lengthOf(i);
        const at = out + sampleAt(first + i) * outBytes;
        const list = lists + <usize>i * LIST_BYTES;
        if (length === NONE) fillRow(at, from, to, tangent ? 0 : NaN);
        else if (length < 0) {
          const t = taps + <usize>i * RECORD_BYTES;
          const w = weights + <usize>i * RECORD_BYTES;
          if (length === PAIR) blendPair(at, t, w);
          else if (payload === 8) blendEights(at, t, w);
          else blendRun(at, t, w);
        } else if (half) blendTapsHalf(at, list, length, from, to);
        else blendTaps(at, list, length, from, to);
      }
    }
  }
}

/** A block of tapSample from the tiles of its rows side by side. */
function samplePacked(out: usize, first: i32, count: i32, outBytes: usize, half: bool, none: f32): void {
  for (let i = 0; i < count; i++) toTiles(lists + <usize>i * LIST_BYTES, lengthOf(i));
  for (let from: usize = 0; from < outBytes; from += PACKED_TILE) {
    const to = min(from + PACKED_TILE, outBytes);
    if (half) pack(from >> 1, ((to + 3) >> 1) & ~3);
    else pack(from, to);
    for (let i = 0; i < count; i++) {
      const length = lengthOf(i);
      const at = out + sampleAt(first + i) * outBytes + from;
      const list = lists + <usize>i * LIST_BYTES;
      if (length === NONE) fillRow(at, 0, to - from, none);
      else if (half) blendTapsHalf(at, list, length, 0, to - from);
      else blendTaps(at, list, length, 0, to - from);
    }
  }
}

/** Samples of the fused kernel that are sorted at a time: their coordinates and results stay near, too. */
const FUSED_WINDOW: i32 = 65536;

/** Bytes of scratch that a fused call needs at most. */
export function tapsFusedScratch(n: i32, payload: i32, rows: i32): f64 {
  const each = 2 * RECORD_BYTES + 12;
  return (
    tapsScratch(0, payload, rows) +
    <f64>STENCIL_BYTES +
    <f64>MANY * <f64>each +
    <f64>COUNTS_BYTES +
    <f64>min(n, FUSED_WINDOW) * 12 +
    256
  );
}

/**
 * out [n, payload], straight from coordinates [n, 3], of narrow rows in cell order: the grid is not read. Stencils are
 * resolved a block at a time, samples visited brick of cells by brick where the page is large. The stencil is that of the last setStencil.
 */
export function tapSampleFused(
  out: usize,
  nodes: usize,
  coords: usize,
  n: i32,
  payload: i32,
  scratch: usize,
): void {
  if (n === 0 || payload === 0) return;
  setRowsAt(nodes, payload, false, 0);
  const large = <f64>pageRows() * <f64>payload * 4 > CACHED_BYTES && n >= LEAST_SORTED;
  const outBytes = (<usize>payload) << 2;
  open(scratch);
  setRunTable(take(RUNS_BYTES));
  const table = take(STENCIL_BYTES);
  const list = take(LIST_BYTES);
  const axes = take(AXES_BYTES);
  const t = take(<usize>FEW * RECORD_BYTES);
  const w = take(<usize>FEW * RECORD_BYTES);
  const gathered = take(<usize>FEW * 12);
  const window = min(n, FUSED_WINDOW);
  const keys = take((<usize>window) << 2);
  const perm = take((<usize>window) << 2);
  const spare = take((<usize>window) << 2);
  const counts = take(COUNTS_BYTES);
  for (
    let start = 0;
    start < n;
    start += window, coords += <usize>window * 12, out += <usize>window * outBytes
  ) {
    const end = min(window, n - start);
    let sorted: usize = 0;
    if (large) {
      stencilKeys(keys, coords, end);
      sorted = sortByKey(keys, perm, spare, counts, end);
    }
    for (let first = 0; first < end; first += FEW) {
      const count = min(FEW, end - first);
      let from = coords + <usize>first * 12;
      if (sorted) {
        for (let i: usize = 0; i < <usize>count; i++) {
          const at = coords + <usize>load<u32>(sorted + ((<usize>first + i) << 2)) * 12;
          store<u64>(gathered + i * 12, load<u64>(at));
          store<u32>(gathered + i * 12, load<u32>(at, 8), 8);
        }
        from = gathered;
      }
      stencilTaps(t, from, count);
      stencilWeights(w, from, count, 0, table);
      for (let i = 0; i < count; i++) {
        const s = sorted ? <usize>load<u32>(sorted + ((<usize>(first + i)) << 2)) : <usize>(first + i);
        const to = out + s * outBytes;
        const ti = t + <usize>i * RECORD_BYTES;
        const wi = w + <usize>i * RECORD_BYTES;
        if (isRun(ti)) {
          if (payload === 8) blendEights(to, ti, wi);
          else blendRun(to, ti, wi);
        } else if (isPair(ti)) blendPair(to, ti, wi);
        else if (isNone(wi)) fillRow(to, 0, outBytes, NaN);
        else blendTaps(to, list, listTaps(list, axes, ti, wi, 0, WEIGHTS), 0, outBytes);
      }
    }
  }
}

function fillRow(out: usize, from: usize, to: usize, value: f32): void {
  for (let b = from; b < to; b += 4) store<f32>(out + b, value);
}

/** out [rows, payload]. */
export function tapSplat(
  out: usize,
  values: usize,
  tapsAt: usize,
  weightsAt: usize,
  tangent: usize,
  n: i32,
  payload: i32,
  scratch: usize,
): void {
  const rowBytes = (<usize>payload) << 2;
  memory.fill(out, 0, <usize>pageRows() * rowBytes);
  if (n === 0 || payload === 0 || pageRows() === 0) return;
  const runs = setRowsAt(out, payload, false, tangent);
  begin(tapsAt, weightsAt, tangent, n, payload, SPLAT_TILE, scratch, false);
  for (let first = 0, count = 0; first < n; first += count) {
    count = nextBlock(first, tangent ? TANGENTS : WEIGHTS, runs, false);
    for (let from: usize = 0; from < rowBytes; from += tileBytes) {
      const to = min(from + tileBytes, rowBytes);
      for (let i = 0; i < count; i++) {
        const length = lengthOf(i);
        const at = values + sampleAt(first + i) * rowBytes;
        if (length === RUN) {
          scatterRun(at, taps + <usize>i * RECORD_BYTES, weights + <usize>i * RECORD_BYTES);
        } else if (length > 0) scatterTaps(at, lists + <usize>i * LIST_BYTES, length, from, to);
      }
    }
  }
}

/** out [n, 3, 4]. */
export function tapGrad(
  out: usize,
  nodes: usize,
  tapsAt: usize,
  weightsAt: usize,
  values: usize,
  tangent: usize,
  n: i32,
  payload: i32,
  half: bool,
  scratch: usize,
): void {
  if (payload === 0) {
    memory.fill(out, 0, <usize>n * RECORD_BYTES);
    return;
  }
  const runs = setRowsAt(nodes, payload, half, tangent);
  begin(tapsAt, weightsAt, tangent, n, payload, GRAD_TILE, scratch, false);
  const dots = take(<usize>blockSize * DOTS_BYTES);
  const valueBytes = (<usize>payload) << 2;
  for (let first = 0, count = 0; first < n; first += count) {
    count = nextBlock(first, PLACES, runs, false);
    for (let i = 0; i < count; i++) {
      const length = lengthOf(i);
      if (length <= 0) continue;
      const list = lists + <usize>i * LIST_BYTES;
      store<i32>(lengths + ((<usize>i) << 2), padPlaces(list, length));
      memory.fill(dots + <usize>i * DOTS_BYTES, 0, DOTS_BYTES);
    }
    for (let from: usize = 0; from < valueBytes; from += tileBytes) {
      const to = min(from + tileBytes, valueBytes);
      for (let i = 0; i < count; i++) {
        const length = lengthOf(i);
        const list = lists + <usize>i * LIST_BYTES;
        const cube = dots + <usize>i * DOTS_BYTES;
        const at = values + sampleAt(first + i) * valueBytes;
        if (length === RUN) dotRun(cube, at, taps + <usize>i * RECORD_BYTES);
        else if (half) addTapDotsHalf(cube, at, list, length, from, to);
        else addTapDots(cube, at, list, length, from, to);
      }
    }
    for (let i = 0; i < count; i++) {
      const length = lengthOf(i);
      const to = out + sampleAt(first + i) * RECORD_BYTES;
      const cube = dots + <usize>i * DOTS_BYTES;
      if (length === RUN) productsByAxis(to, cube, weights + <usize>i * RECORD_BYTES, 16);
      else if (length <= 0) memory.fill(to, 0, RECORD_BYTES);
      else if (tangent) weightGradientTangent(to, cube, axes + <usize>i * AXES_BYTES);
      else weightGradient(to, cube, axes + <usize>i * AXES_BYTES);
    }
  }
}
