/** WavecubeMonotoneSplat and WavecubeMonotonePlaceGrad. Contract: src/ops/monotonecontract.ts. */
import { V } from './lanes';
import { valueAt } from './monotone';
import {
  axes,
  byResults,
  byTap,
  loadTile,
  moveTo,
  openBlock,
  results,
  rowOf,
  sums,
  TILE,
  tile,
  totals,
} from './monotoneblock';
import { AXIS_BYTES, lineGrad } from './monotoneline';

/** Floats of a tile. Its place gradients are summed in float32, and tiles in float64. */
const FLOATS: i32 = <i32>(TILE >> 2);

/** Derivatives of the four elements at byte b of the tile, times s: by tap, and by place added to the sums. */
function backward(b: usize, s: v128): void {
  const x = axes;
  const y = x + AXIS_BYTES;
  const z = y + AXIS_BYTES;
  const byY = byResults + 256;
  valueAt(tile + b);
  lineGrad(x, results + 256, 16, s, byY, sums);
  for (let a: usize = 0; a < 4; a++) {
    const by = v128.load(byY + (a << 4));
    lineGrad(y, results + (a << 6), 16, by, byResults + (a << 6), sums + 48);
  }
  for (let k: usize = 0; k < 16; k++) {
    const by = v128.load(byResults + (k << 4));
    const at = k * 4 * TILE + b;
    lineGrad(z, tile + at, TILE, by, byTap + at, sums + 96);
  }
}

/** The same of the `count` elements from `first` on. */
function backwardTile(values: usize, first: i32, count: i32): void {
  loadTile((<usize>first) << 2, count);
  for (let f = 0; f < count; f += 4) {
    const v = v128.load(values + ((<usize>(first + f)) << 2));
    backward((<usize>f) << 2, v128.and(v, V.below(count - f)));
  }
}

/** Adds the derivatives of a tile to the taps' rows of out, from byte b on. */
function scatter(out: usize, rowBytes: usize, b: usize, count: i32): void {
  for (let k: usize = 0; k < 64; k++) {
    const row = load<i32>(rowOf + (k << 2));
    if (row < 0) continue;
    let p = out + <usize>row * rowBytes + b;
    let by = byTap + k * TILE;
    for (let f = 0; f < count; f += 4) {
      const sum = V.add(v128.load(p), v128.load(by));
      if (count - f >= 4) v128.store(p, sum);
      else V.storeFirst(p, sum, count - f);
      p += 16;
      by += 16;
    }
  }
}

/** `out` [rows, payload] is zeroed here. Samples in turn, on one thread: the same sums each time. */
export function monotoneSplat(
  out: usize,
  nodes: usize,
  values: usize,
  taps: usize,
  place: usize,
  n: i32,
  payload: i32,
  rows: i32,
  half: bool,
  scratch: usize,
): void {
  openBlock(nodes, payload, half, scratch);
  const rowBytes = (<usize>payload) << 2;
  memory.fill(out, 0, <usize>rows * rowBytes);
  memory.fill(sums, 0, 144);
  for (let i = 0; i < n; i++) {
    if (moveTo(taps, place)) {
      for (let first = 0; first < payload; first += FLOATS) {
        const count = min(FLOATS, payload - first);
        backwardTile(values, first, count);
        scatter(out, rowBytes, (<usize>first) << 2, count);
      }
    }
    values += rowBytes;
    taps += 48;
    place += 48;
  }
}

/** Adds the sums of vectors to those of float64, and clears them. */
function fold(): void {
  for (let k: usize = 0; k < 9; k++) {
    const p = sums + (k << 4);
    const total = totals + (k << 3);
    const v = v128.load(p);
    const sum =
      <f64>f32x4.extract_lane(v, 0) +
      <f64>f32x4.extract_lane(v, 1) +
      (<f64>f32x4.extract_lane(v, 2) + <f64>f32x4.extract_lane(v, 3));
    store<f64>(total, load<f64>(total) + sum);
    v128.store(p, V.zero());
  }
}

/** out [n, 3, 4]. */
export function monotonePlaceGrad(
  out: usize,
  nodes: usize,
  values: usize,
  taps: usize,
  place: usize,
  n: i32,
  payload: i32,
  half: bool,
  scratch: usize,
): void {
  openBlock(nodes, payload, half, scratch);
  memory.fill(out, 0, <usize>n * 48);
  for (let i = 0; i < n; i++) {
    if (moveTo(taps, place)) {
      memory.fill(sums, 0, 144);
      memory.fill(totals, 0, 72);
      for (let first = 0; first < payload; first += FLOATS) {
        backwardTile(values, first, min(FLOATS, payload - first));
        fold();
      }
      for (let j: usize = 0; j < 3; j++) {
        for (let k: usize = 0; k < 3; k++) {
          store<f32>(out + (j << 4) + (k << 2), <f32>load<f64>(totals + ((3 * j + k) << 3)));
        }
      }
    }
    values += (<usize>payload) << 2;
    taps += 48;
    place += 48;
    out += 48;
  }
}
