/** WavecubeMonotoneSplat and WavecubeMonotonePlaceGrad. Contract: src/ops/monotonecontract.ts. */
import { V } from './lanes';
import { unpack, upwards } from './monotone';
import { axes, gradients, halves, moveTo, openBlock, results, rowOf, table } from './monotoneblock';
import { AXIS_BYTES, lineGrad, valueOn } from './monotoneline';

/** Parts of `gradients`, in bytes. */
const BY_TAP: usize = 1024;
const BY_Z: usize = 2048;
const BY_Y: usize = 2304;
const SUMS: usize = 2368;
const TOTALS: usize = 2512;

/** Vectors whose place gradients are summed in float32, before they are added to float64. */
const RUN: i32 = 32;

/** Copies the four elements at byte b of the rows in `from` to the gradients' part; lanes that `mask` leaves out are zero. */
function gather(from: usize, b: usize, mask: v128): void {
  for (let k: usize = 0; k < 64; k++) {
    const v = v128.load(load<usize>(from + (k << 2)) + b);
    v128.store(gradients + (k << 4), v128.and(v, mask));
  }
}

/** Derivatives of the gathered elements, times s: by tap, and by place added to the sums. */
function backward(s: v128): void {
  const x = axes;
  const y = x + AXIS_BYTES;
  const z = y + AXIS_BYTES;
  for (let k: usize = 0; k < 16; k++) {
    const p = gradients + (k << 6);
    v128.store(
      results + (k << 4),
      valueOn(z, v128.load(p), v128.load(p, 16), v128.load(p, 32), v128.load(p, 48)),
    );
  }
  upwards(x, y);
  const sums = gradients + SUMS;
  lineGrad(x, results + 256, s, gradients + BY_Y, sums);
  for (let a: usize = 0; a < 4; a++) {
    const by = v128.load(gradients + BY_Y + (a << 4));
    lineGrad(y, results + (a << 6), by, gradients + BY_Z + (a << 6), sums + 48);
  }
  for (let k: usize = 0; k < 16; k++) {
    const by = v128.load(gradients + BY_Z + (k << 4));
    lineGrad(z, gradients + (k << 6), by, gradients + BY_TAP + (k << 6), sums + 96);
  }
}

/** Adds the first `count` lanes of the derivatives to byte b of the taps' rows of out. */
function scatter(out: usize, rowBytes: usize, b: usize, count: i32): void {
  for (let k: usize = 0; k < 64; k++) {
    const row = load<i32>(rowOf + (k << 2));
    if (row < 0) continue;
    const p = out + <usize>row * rowBytes + b;
    const sum = V.add(v128.load(p), v128.load(gradients + BY_TAP + (k << 4)));
    if (count >= 4) v128.store(p, sum);
    else V.storeFirst(p, sum, count);
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
  scratch: usize,
): void {
  openBlock(nodes, payload, false, scratch);
  const rowBytes = (<usize>payload) << 2;
  memory.fill(out, 0, <usize>rows * rowBytes);
  memory.fill(gradients + SUMS, 0, 144);
  for (let i = 0; i < n; i++) {
    if (moveTo(taps, place)) {
      for (let f = 0; f < payload; f += 4) {
        const b = (<usize>f) << 2;
        const mask = V.below(payload - f);
        gather(table, b, mask);
        backward(v128.and(v128.load(values + b), mask));
        scatter(out, rowBytes, b, payload - f);
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
    const p = gradients + SUMS + (k << 4);
    const total = gradients + TOTALS + (k << 3);
    const v = v128.load(p);
    const sum =
      <f64>f32x4.extract_lane(v, 0) +
      <f64>f32x4.extract_lane(v, 1) +
      (<f64>f32x4.extract_lane(v, 2) + <f64>f32x4.extract_lane(v, 3));
    store<f64>(total, load<f64>(total) + sum);
    v128.store(p, V.zero());
  }
}

function placeOfFloats(values: usize, payload: i32): void {
  let run = 0;
  for (let f = 0; f < payload; f += 4) {
    const b = (<usize>f) << 2;
    const mask = V.below(payload - f);
    gather(table, b, mask);
    backward(v128.and(v128.load(values + b), mask));
    if (++run === RUN) {
      fold();
      run = 0;
    }
  }
}

function placeOfHalves(values: usize, payload: i32): void {
  let run = 0;
  for (let f = 0; f < payload; f += 8) {
    const b = (<usize>f) << 2;
    unpack(b >> 1);
    const rest = payload - f;
    const low = v128.and(v128.load(values + b), V.below(rest));
    const high = v128.and(v128.load(values + b, 16), V.below(rest - 4));
    gather(halves, 0, V.below((rest + 1) >> 1));
    backward(v128.shuffle<i32>(low, high, 0, 2, 4, 6));
    gather(halves, 1024, V.below(rest >> 1));
    backward(v128.shuffle<i32>(low, high, 1, 3, 5, 7));
    if (++run === RUN) {
      fold();
      run = 0;
    }
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
      memory.fill(gradients + SUMS, 0, 144);
      memory.fill(gradients + TOTALS, 0, 72);
      if (half) placeOfHalves(values, payload);
      else placeOfFloats(values, payload);
      fold();
      for (let j: usize = 0; j < 3; j++) {
        for (let k: usize = 0; k < 3; k++) {
          store<f32>(out + (j << 4) + (k << 2), <f32>load<f64>(gradients + TOTALS + ((3 * j + k) << 3)));
        }
      }
    }
    values += (<usize>payload) << 2;
    taps += 48;
    place += 48;
    out += 48;
  }
}
