/**
 * WavecubeGaussiansGrad (contract: src/ops/gaussianscontract.ts). A row at a time: its dy become planes of one channel,
 * and each chord sums along it, with w = g · ⟨a, dy⟩ and s = ROOT · u (kernels/wasm/gaussian.ts), Σ w, Σ w s, Σ w s² and
 * the amplitudes' Σ g dy_c in float32 lanes. Over the rows they are summed in float64.
 */
// biome-ignore-all lint/complexity/noStaticOnlyClass: see lanes.ts
import { Exp } from './exp';
import {
  AMPLITUDES,
  allFinite,
  BASE,
  CENTRE,
  CHORD_BYTES,
  COMPONENT_BYTES,
  chord,
  DY,
  enter,
  FROM,
  file,
  goesOn,
  INDEX,
  LEAST,
  MOST_LOG_SCALE,
  RISE,
  ROOT,
  SCALE,
  SHAPE_PARAMETERS,
  scaleOf,
  TO,
} from './gaussian';
import { V } from './lanes';

/** Bytes of a row of dy as planes of whole blocks. */
function planeBytes(width: i32): usize {
  return (<usize>(width + 7) >>> 3) << 5;
}

/** Bytes of scratch of an image of `count` components. A number: it may pass 2^32. */
export function gaussiansGradScratch(count: i32, channels: i32, height: i32, width: i32): f64 {
  const sums = <f64>(SHAPE_PARAMETERS + channels) * 8;
  const planes = <f64>channels * (<f64>planeBytes(width) + 16);
  return <f64>count * (<f64>(COMPONENT_BYTES + 4) + sums) + <f64>height * 4 + planes + 256;
}

let sums: usize;
let components: usize;
let live: usize;
let rowHeads: usize;
let chordAt: usize;
let amplitudeSums: usize;
let planes: usize;

function layOut(scratch: usize, count: i32, channels: i32, width: i32): void {
  chordAt = (scratch + 15) & ~15;
  amplitudeSums = chordAt + ((CHORD_BYTES + 15) & ~15);
  planes = amplitudeSums + ((<usize>channels) << 4);
  components = planes + <usize>channels * planeBytes(width);
  sums = components + <usize>count * COMPONENT_BYTES;
  live = sums + <usize>count * <usize>(SHAPE_PARAMETERS + channels) * 8;
  rowHeads = live + ((<usize>count) << 2);
}

/** Adds a float32 sum to a float64 one. */
function addTo(at: usize, value: f64): void {
  store<f64>(at, load<f64>(at) + value);
}

/** The sums of the four lanes of four vectors. */
function total(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = V.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = V.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return V.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
}

/** A row of dy [width, channels] as planes; what is beyond the row is zero. */
function unweave(row: usize, width: i32, channels: i32): void {
  const stride = planeBytes(width);
  const whole = channels === 4 ? width & ~3 : 0;
  for (let j = 0; j < whole; j += 4) {
    const at = row + ((<usize>j) << 4);
    const to = planes + ((<usize>j) << 2);
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
    const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
    v128.store(to + stride, v128.shuffle<i64>(ab, cd, 1, 3));
    v128.store(to + 2 * stride, v128.shuffle<i64>(abHigh, cdHigh, 0, 2));
    v128.store(to + 3 * stride, v128.shuffle<i64>(abHigh, cdHigh, 1, 3));
  }
  for (let k = 0; k < channels; k++) {
    const plane = planes + <usize>k * stride;
    for (let j = whole; j < width; j++) {
      store<f32>(plane + ((<usize>j) << 2), load<f32>(row + ((<usize>(j * channels + k)) << 2)));
    }
  }
}

class Chord {
  /** Sums along the chord, of one to four channels in registers, or of any number in scratch (channels 0). */
  @inline static sum(at: usize, to: usize, rise: f64, stride: usize, channels: i32, all: i32): void {
    const amplitudes = <usize>load<u32>(at, AMPLITUDES);
    const a = v128.load32_splat(amplitudes);
    const b = channels > 1 ? v128.load32_splat(amplitudes, 4) : V.zero();
    const c = channels > 2 ? v128.load32_splat(amplitudes, 8) : V.zero();
    const e = channels > 3 ? v128.load32_splat(amplitudes, 12) : V.zero();
    let a0 = V.zero(),
      b0 = V.zero(),
      c0 = V.zero(),
      e0 = V.zero();
    let w0 = V.zero(),
      w1 = V.zero(),
      w2 = V.zero();
    const scale = v128.load32_splat(at, SCALE);
    const base = v128.load32_splat(at, BASE);
    const least = f32x4.splat(LEAST);
    const from = load<i32>(at, FROM);
    const last = load<i32>(at, TO);
    let d = V.add(f32x4.splat(<f32>(<f64>from - load<f64>(at, CENTRE))), f32x4(0, 1, 2, 3));
    if (channels === 0) {
      for (let k = 0; k < all; k++) v128.store(amplitudeSums + ((<usize>k) << 4), V.zero());
    }
    for (let x = from; x <= last; x += 4) {
      const s = V.mul(d, scale);
      d = V.add(d, f32x4.splat(4));
      const g = Exp.power(V.sub(base, V.mul(s, s)), least);
      const p = planes + ((<usize>x) << 2);
      let dot: v128;
      if (channels === 0) {
        dot = V.zero();
        for (let k = 0; k < all; k++) {
          const y = v128.load(p + <usize>k * stride);
          const sum = amplitudeSums + ((<usize>k) << 4);
          v128.store(sum, V.madd(v128.load(sum), g, y));
          dot = V.madd(dot, y, v128.load32_splat(amplitudes + ((<usize>k) << 2)));
        }
      } else {
        const ya = v128.load(p);
        a0 = V.madd(a0, g, ya);
        dot = V.mul(ya, a);
        if (channels > 1) {
          const yb = v128.load(p + stride);
          b0 = V.madd(b0, g, yb);
          dot = V.madd(dot, yb, b);
        }
        if (channels > 2) {
          const yc = v128.load(p + 2 * stride);
          c0 = V.madd(c0, g, yc);
          dot = V.madd(dot, yc, c);
        }
        if (channels > 3) {
          const ye = v128.load(p + 3 * stride);
          e0 = V.madd(e0, g, ye);
          dot = V.madd(dot, ye, e);
        }
      }
      const w = V.mul(g, dot);
      const ws = V.mul(w, s);
      w0 = V.add(w0, w);
      w1 = V.add(w1, ws);
      w2 = V.madd(w2, ws, s);
    }
    const moments = total(w0, w1, w2, V.zero());
    const m0 = <f64>f32x4.extract_lane(moments, 0);
    const m1 = <f64>f32x4.extract_lane(moments, 1);
    const dy = load<f64>(at, DY);
    const v = rise * dy;
    addTo(to, m1);
    addTo(to + 8, dy * m1);
    addTo(to + 16, <f64>f32x4.extract_lane(moments, 2));
    addTo(to + 24, v * m0);
    addTo(to + 32, v * v * m0);
    if (channels === 0) {
      for (let k = 0; k < all; k++) {
        const sum = total(v128.load(amplitudeSums + ((<usize>k) << 4)), V.zero(), V.zero(), V.zero());
        addTo(to + 40 + ((<usize>k) << 3), <f64>f32x4.extract_lane(sum, 0));
      }
      return;
    }
    const amplitude = total(a0, b0, c0, e0);
    addTo(to + 40, <f64>f32x4.extract_lane(amplitude, 0));
    if (channels > 1) addTo(to + 48, <f64>f32x4.extract_lane(amplitude, 1));
    if (channels > 2) addTo(to + 56, <f64>f32x4.extract_lane(amplitude, 2));
    if (channels > 3) addTo(to + 64, <f64>f32x4.extract_lane(amplitude, 3));
  }
}

function sum1(at: usize, to: usize, rise: f64, stride: usize): void {
  Chord.sum(at, to, rise, stride, 1, 1);
}
function sum2(at: usize, to: usize, rise: f64, stride: usize): void {
  Chord.sum(at, to, rise, stride, 2, 2);
}
function sum3(at: usize, to: usize, rise: f64, stride: usize): void {
  Chord.sum(at, to, rise, stride, 3, 3);
}
function sum4(at: usize, to: usize, rise: f64, stride: usize): void {
  Chord.sum(at, to, rise, stride, 4, 4);
}
function sumAny(at: usize, to: usize, rise: f64, stride: usize, all: i32): void {
  Chord.sum(at, to, rise, stride, 0, all);
}

/** Adds what a row gives to the sums of the live components. @returns how many go on below. */
function addRow(count: i32, row: i32, channels: i32, width: i32): i32 {
  const stride = planeBytes(width);
  let kept = live;
  for (let next = live, end = live + ((<usize>count) << 2); next < end; next += 4) {
    const at = <usize>load<u32>(next);
    if (chord(chordAt, at, row, width)) {
      const to = sums + <usize>load<i32>(at, INDEX) * <usize>(SHAPE_PARAMETERS + channels) * 8;
      const rise = load<f64>(at, RISE);
      if (channels === 1) sum1(chordAt, to, rise, stride);
      else if (channels === 2) sum2(chordAt, to, rise, stride);
      else if (channels === 3) sum3(chordAt, to, rise, stride);
      else if (channels === 4) sum4(chordAt, to, rise, stride);
      else sumAny(chordAt, to, rise, stride, channels);
    }
    store<u32>(kept, <u32>at);
    kept += (<usize>goesOn(at, row)) << 2;
  }
  return <i32>((kept - live) >>> 2);
}

/** Writes a component's gradient from its sums, which are in pixels and of s. */
function finish(out: usize, x: usize, at: usize, channels: i32, height: i32): void {
  const ep = scaleOf(x + 8);
  const er = scaleOf(x + 16);
  const q = <f64>load<f32>(x, 12);
  const u = load<f64>(at) / ROOT;
  const uDy = load<f64>(at, 8) / (ROOT * <f64>height);
  const uu = load<f64>(at, 16) / (ROOT * ROOT);
  const v = load<f64>(at, 24);
  store<f32>(out, <f32>(ep * u));
  store<f32>(out, <f32>(q * u + er * v), 4);
  store<f32>(out, abs<f64>(<f64>load<f32>(x, 8)) > MOST_LOG_SCALE ? 0 : <f32>(q * uDy - uu), 8);
  store<f32>(out, <f32>-uDy, 12);
  store<f32>(out, abs<f64>(<f64>load<f32>(x, 16)) > MOST_LOG_SCALE ? 0 : <f32>-load<f64>(at, 32), 16);
  for (let k = 0; k < channels; k++) {
    store<f32>(out + 20 + ((<usize>k) << 2), <f32>load<f64>(at + 40 + ((<usize>k) << 3)));
  }
}

/** out [images, count, 5 + channels] for dy [images, height, width, channels]. */
export function gaussiansGrad(
  out: usize,
  from: usize,
  dy: usize,
  images: i32,
  count: i32,
  channels: i32,
  height: i32,
  width: i32,
  scratch: usize,
): void {
  layOut(scratch, count, channels, width);
  const parameters = SHAPE_PARAMETERS + channels;
  const bytes = (<usize>parameters) << 2;
  const sumBytes = bytes << 1;
  memory.fill(planes, 0, <usize>channels * planeBytes(width));
  for (let n = 0; n < images; n++) {
    memory.fill(rowHeads, 0, (<usize>height) << 2);
    memory.fill(sums, 0, <usize>count * sumBytes);
    for (let m = count - 1; m >= 0; m--) {
      const x = from + <usize>m * bytes;
      if (allFinite(x, parameters)) {
        file(components + <usize>m * COMPONENT_BYTES, x, m, rowHeads, height, width);
      }
    }
    let alive = 0;
    for (let row = 0; row < height; row++) {
      alive = enter(live, alive, rowHeads + ((<usize>row) << 2));
      if (alive > 0) {
        unweave(dy, width, channels);
        alive = addRow(alive, row, channels, width);
      }
      dy += (<usize>width * <usize>channels) << 2;
    }
    for (let m = 0; m < count; m++) {
      const x = from + <usize>m * bytes;
      if (allFinite(x, parameters)) finish(out, x, sums + <usize>m * sumBytes, channels, height);
      else memory.fill(out, 0, bytes);
      out += bytes;
    }
    from += <usize>count * bytes;
  }
}
